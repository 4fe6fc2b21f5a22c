//! The embedded database: how SQLite is set, asked, and understood when it refuses.

use std::{path::Path, time::Duration};

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OpenFlags, params_from_iter,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use super::{Intent, Row, Value};
use crate::fault::{Result, StoreFault, damaged};

/// How long a statement waits for another connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepared statements kept by one connection.
const STATEMENTS_MAX: usize = 128;

/// Steps of the database's machine between two looks at [`CHECK_ROUNDS_MAX`].
const CHECK_ROUND_STEPS: i32 = 1_000;

/// Rounds after which the check at opening is content with what it has seen: some seconds.
const CHECK_ROUNDS_MAX: u32 = 20_000;

/// Settings of every connection. A commit is on the disk before it is acknowledged; what is deleted
/// is overwritten.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -65536;
    PRAGMA mmap_size = 1073741824;
    PRAGMA foreign_keys = OFF;
    PRAGMA secure_delete = ON;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
";

/// One connection to a file.
pub(crate) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Opens the file, and makes it if it is not there. `pages_max` bounds its size, in pages of
    /// 4 KiB.
    pub(crate) fn open(path: &Path, pages_max: Option<u32>) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.execute_batch(SETTINGS).map_err(fault)?;
        if let Some(pages) = pages_max {
            connection.execute_batch(&format!("PRAGMA max_page_count = {pages}")).map_err(fault)?;
        }
        Ok(Self { connection })
    }

    /// Looks for damage, for some seconds at most.
    pub(crate) fn check(&mut self) -> Result<()> {
        let mut rounds = 0;
        let enough = move || {
            rounds += 1;
            rounds > CHECK_ROUNDS_MAX
        };
        self.connection.progress_handler(CHECK_ROUND_STEPS, Some(enough)).map_err(fault)?;
        let found = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        self.connection.progress_handler(0, None::<fn() -> bool>).map_err(fault)?;
        let found: String = match found {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == ErrorCode::OperationInterrupted =>
            {
                return Ok(());
            }
            other => other.map_err(fault)?,
        };
        if found == "ok" { Ok(()) } else { Err(damaged(&found.replace('\n', " "))) }
    }

    /// Whether what is deleted from now on is overwritten with zeros also where that costs writes.
    pub(super) fn overwrite_deleted(&mut self, always: bool) -> Result<()> {
        let pragma =
            if always { "PRAGMA secure_delete = ON" } else { "PRAGMA secure_delete = FAST" };
        self.connection.execute_batch(pragma).map_err(fault)
    }

    /// Moves the journal into the file and empties it, so that it keeps no former state.
    pub(crate) fn empty_journal(&mut self) -> Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(fault)
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        let mut statement = self.prepared(sql)?;
        let rows = statement.execute(params_from_iter(values)).map_err(fault)?;
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }

    pub(super) fn insert_many(
        &mut self,
        sql: &str,
        columns: usize,
        values: &[Value<'_>],
    ) -> Result<u64> {
        let mut statement = self.prepared(sql)?;
        let mut rows = 0;
        for row in values.chunks(columns) {
            rows += statement.execute(params_from_iter(row)).map_err(fault)?;
        }
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }

    pub(super) fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let mut statement = self.prepared(sql)?;
        let columns = statement.column_count();
        let mut answer = statement.query(params_from_iter(values)).map_err(fault)?;
        let mut rows = Vec::new();
        while let Some(row) = answer.next().map_err(fault)? {
            let cells = (0..columns).map(|index| Ok(owned(row.get_ref(index).map_err(fault)?)));
            rows.push(Row(cells.collect::<Result<_>>()?));
        }
        Ok(rows)
    }

    pub(super) fn run(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(fault)
    }

    pub(super) fn begin(&mut self, intent: Intent) -> Result<()> {
        // Cached, for every batch begins with it.
        let sql = match intent {
            Intent::Read => "BEGIN",
            Intent::Write => "BEGIN IMMEDIATE",
        };
        self.execute(sql, &[]).map(|_| ())
    }

    /// Ends a transaction without a trace. Some faults have already ended it.
    pub(super) fn undo(&mut self) {
        if !self.connection.is_autocommit() {
            // A rollback that fails leaves the transaction to the next one, which will be refused.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    fn prepared(&self, sql: &str) -> Result<CachedStatement<'_>> {
        self.connection.prepare_cached(sql).map_err(fault)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::I64(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn owned(cell: ValueRef<'_>) -> Value<'static> {
    match cell {
        ValueRef::Integer(number) => Value::I64(number),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned().into()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec().into()),
        // No table has a column of fractions.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

/// Extended code of a failure to make room for the journal's index (`SQLITE_IOERR_SHMSIZE`).
const IOERR_SHMSIZE: i32 = 4_874;

fn fault(error: rusqlite::Error) -> StoreFault {
    let text = error.to_string();
    match error.sqlite_error() {
        Some(found) if found.extended_code == IOERR_SHMSIZE => StoreFault::Full,
        Some(found) if found.code == ErrorCode::DiskFull => StoreFault::Full,
        Some(found)
            if matches!(found.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) =>
        {
            StoreFault::Damaged(text)
        }
        Some(_) | None => StoreFault::Unavailable(text),
    }
}
