//! One SQL text for two databases. Knows values, rows and transactions; knows no table.

mod migrate;
mod postgres;
mod sqlite;

use std::borrow::Cow;

pub(crate) use self::{migrate::migrate, postgres::Postgres, sqlite::Sqlite};
use crate::fault::{Result, damaged};

/// One connection to one of the two databases.
pub(crate) enum Db {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// A value on its way in or out. Both databases know these four and no others are used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    I64(i64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
}

/// One row of an answer.
pub(crate) struct Row(Vec<Value<'static>>);

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Read,
    Write,
}

impl Db {
    /// Runs one statement; gives back how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        match self {
            Self::Sqlite(db) => db.execute(sql, values),
            Self::Postgres(db) => db.execute(sql, values),
        }
    }

    /// Whether rows that are deleted from now on are overwritten also where that costs writes.
    /// PostgreSQL leaves this to its vacuum.
    pub(crate) fn overwrite_deleted(&mut self, always: bool) -> Result<()> {
        match self {
            Self::Sqlite(db) => db.overwrite_deleted(always),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Runs an `INSERT … VALUES (…) …` for many rows of as many `columns` each. The text is that
    /// of one row.
    pub(crate) fn insert_many(
        &mut self,
        sql: &str,
        columns: usize,
        values: &[Value<'_>],
    ) -> Result<u64> {
        match self {
            Self::Sqlite(db) => db.insert_many(sql, columns, values),
            Self::Postgres(db) => db.insert_many(sql, columns, values),
        }
    }

    /// All rows of an answer.
    pub(crate) fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(db) => db.query(sql, values),
            Self::Postgres(db) => db.query(sql, values),
        }
    }

    /// The first row of an answer, if it has one.
    pub(crate) fn query_one(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Runs statements that have no values, such as a migration.
    pub(crate) fn run(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(db) => db.run(sql),
            Self::Postgres(db) => db.run(sql),
        }
    }

    /// Runs `work` in one transaction: all of it is in, or, after a fault, nothing of it.
    pub(crate) fn transaction<T>(
        &mut self,
        intent: Intent,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Sqlite(db) => db.begin(intent)?,
            Self::Postgres(db) => db.begin(intent)?,
        }
        let outcome = work(self).and_then(|value| self.run("COMMIT").map(|()| value));
        if outcome.is_err() {
            match self {
                Self::Sqlite(db) => db.undo(),
                Self::Postgres(db) => db.undo(),
            }
        }
        outcome
    }

    /// Whether a lost connection can leave it open if a transaction is in.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Row {
    fn cell(&mut self, index: usize) -> Result<Value<'static>> {
        let cell = self.0.get_mut(index).ok_or_else(|| damaged("an answer has too few columns"))?;
        Ok(std::mem::replace(cell, Value::Null))
    }

    /// A number.
    pub(crate) fn i64(&mut self, index: usize) -> Result<i64> {
        match self.cell(index)? {
            Value::I64(number) => Ok(number),
            Value::Null | Value::Text(_) | Value::Blob(_) => {
                Err(damaged("a column that holds numbers holds something else"))
            }
        }
    }

    /// Octets.
    pub(crate) fn blob(&mut self, index: usize) -> Result<Vec<u8>> {
        self.blob_or_null(index)?.ok_or_else(|| damaged("a column that holds octets is empty"))
    }

    /// Octets, or nothing.
    pub(crate) fn blob_or_null(&mut self, index: usize) -> Result<Option<Vec<u8>>> {
        match self.cell(index)? {
            Value::Blob(bytes) => Ok(Some(bytes.into_owned())),
            Value::Null => Ok(None),
            Value::I64(_) | Value::Text(_) => {
                Err(damaged("a column that holds octets holds something else"))
            }
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::I64(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::I64(i64::from(truth))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(Cow::Owned(bytes))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(Cow::Borrowed(bytes))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Blob(Cow::Borrowed(bytes))
    }
}

#[cfg(test)]
mod tests;
