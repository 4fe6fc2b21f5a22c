//! The clustered database: PostgreSQL over one connection that is made again when it is lost.

use std::{collections::HashMap, error::Error, time::Duration};

use postgres::{
    Client, Config, NoTls, Statement,
    error::SqlState,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{Intent, Row, Value};
use crate::fault::{Result, StoreFault, damaged};

/// How long to wait for the server when connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a server may leave what was sent to it unacknowledged before it counts as gone.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Rows of one `INSERT`; the rest of a batch goes in steps of one. A statement may have 65,535
/// values.
const ROWS_OF_ONE_INSERT: [usize; 4] = [64, 16, 4, 1];

/// The advisory lock that the one server of a database holds: "chancery" in ASCII.
const SERVER_LOCK: i64 = 0x6368_616e_6365_7279;

/// One connection to a server.
pub(crate) struct Postgres {
    config: Config,
    exclusive: bool,
    client: Option<Client>,
    statements: HashMap<Box<str>, Statement>,
}

impl Postgres {
    /// Connects. With `exclusive` the connection takes the lock that only one server may have.
    pub(crate) fn open(url: &str, exclusive: bool) -> Result<Self> {
        let mut config: Config = url
            .parse()
            .map_err(|_| StoreFault::Unavailable("the database's address is malformed".into()))?;
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(SILENCE_MAX)
            .application_name("chancery");
        let mut this = Self { config, exclusive, client: None, statements: HashMap::new() };
        this.client()?;
        Ok(this)
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        let statement = self.prepared(sql, || numbered(sql))?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        self.client()?.execute(&statement, &values).map_err(|error| fault(&error))
    }

    pub(super) fn insert_many(
        &mut self,
        sql: &str,
        columns: usize,
        values: &[Value<'_>],
    ) -> Result<u64> {
        let mut rest = values;
        let mut touched = 0;
        for rows in ROWS_OF_ONE_INSERT {
            while rest.len() >= rows * columns {
                let (now, later) = rest.split_at(rows * columns);
                let key = format!("{rows} {sql}");
                let statement = self.prepared(&key, || of_many_rows(sql, rows, columns))?;
                let now: Vec<&(dyn ToSql + Sync)> = now.iter().map(|value| value as _).collect();
                let client = self.client()?;
                touched += client.execute(&statement, &now).map_err(|error| fault(&error))?;
                rest = later;
            }
        }
        Ok(touched)
    }

    pub(super) fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql, || numbered(sql))?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let rows = self.client()?.query(&statement, &values).map_err(|error| fault(&error))?;
        rows.iter()
            .map(|row| (0..row.len()).map(|index| cell(row, index)).collect::<Result<_>>().map(Row))
            .collect()
    }

    pub(super) fn run(&mut self, sql: &str) -> Result<()> {
        self.client()?.batch_execute(sql).map_err(|error| fault(&error))
    }

    pub(super) fn begin(&mut self, intent: Intent) -> Result<()> {
        let sql = match intent {
            Intent::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Intent::Write => "BEGIN",
        };
        if self.client.is_some() && self.run(sql).is_ok() {
            return Ok(());
        }
        // A connection that was lost while idle is made again; nothing has been said on it yet.
        self.client = None;
        self.run(sql)
    }

    /// Ends a transaction without a trace. Where that cannot be said, the connection is given up,
    /// which ends it too.
    pub(super) fn undo(&mut self) {
        let undone = self.client.as_mut().map(|client| client.batch_execute("ROLLBACK"));
        if !matches!(undone, Some(Ok(()))) {
            self.client = None;
        }
    }

    /// The connection, made if there is none. One that is lost within a transaction stays lost
    /// until the next begins, so that no half of it is written on another.
    fn client(&mut self) -> Result<&mut Client> {
        if self.client.is_none() {
            self.connect()?;
        }
        self.client.as_mut().ok_or_else(|| StoreFault::Unavailable("no connection".into()))
    }

    fn connect(&mut self) -> Result<()> {
        self.statements.clear();
        let mut client = self.config.connect(NoTls).map_err(|error| fault(&error))?;
        // An acknowledged commit is on the disk, whatever the server's default is.
        client.batch_execute("SET synchronous_commit = on").map_err(|error| fault(&error))?;
        if self.exclusive {
            let row = client
                .query_one("SELECT pg_try_advisory_lock($1)", &[&SERVER_LOCK])
                .map_err(|error| fault(&error))?;
            if !row.try_get::<_, bool>(0).map_err(|error| fault(&error))? {
                return Err(StoreFault::InUse);
            }
        }
        self.client = Some(client);
        Ok(())
    }

    fn prepared(&mut self, key: &str, text: impl FnOnce() -> String) -> Result<Statement> {
        if let Some(statement) = self.statements.get(key) {
            return Ok(statement.clone());
        }
        let statement = self.client()?.prepare(&text()).map_err(|error| fault(&error))?;
        self.statements.insert(key.into(), statement.clone());
        Ok(statement)
    }
}

/// `?1` becomes `$1`. No text of this crate has a question mark for another reason.
pub(super) fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

/// The text for one row made into that for many.
pub(super) fn of_many_rows(sql: &str, rows: usize, columns: usize) -> String {
    let (head, rest) = sql.split_once("VALUES (").unwrap_or((sql, ""));
    let (_, tail) = rest.split_once(')').unwrap_or(("", rest));
    let mut text = format!("{head}VALUES ");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { ", " };
            text.push_str(&format!("{comma}${}", row * columns + column));
        }
        text.push(')');
    }
    text.push_str(tail);
    text
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::I64(number) => number.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Blob(bytes) => bytes.as_ref().to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

fn cell(row: &postgres::Row, index: usize) -> Result<Value<'static>> {
    let found = match row.columns().get(index).map(postgres::Column::type_) {
        Some(&Type::INT8) => row.try_get::<_, Option<i64>>(index).map(|cell| cell.map(Value::I64)),
        // Numbers written in the text of a statement.
        Some(&Type::INT4) => row
            .try_get::<_, Option<i32>>(index)
            .map(|cell| cell.map(|number| Value::I64(i64::from(number)))),
        Some(&Type::TEXT) => row
            .try_get::<_, Option<String>>(index)
            .map(|cell| cell.map(|text| Value::Text(text.into()))),
        Some(&Type::BYTEA) => row
            .try_get::<_, Option<Vec<u8>>>(index)
            .map(|cell| cell.map(|bytes| Value::Blob(bytes.into()))),
        Some(_) | None => return Err(damaged("a column has a type that no table of ours has")),
    };
    Ok(found.map_err(|error| fault(&error))?.unwrap_or(Value::Null))
}

fn fault(error: &postgres::Error) -> StoreFault {
    let Some(said) = error.as_db_error() else {
        return StoreFault::Unavailable(error.to_string());
    };
    // Only the message: the details may quote values.
    match said.code() {
        &SqlState::DISK_FULL => StoreFault::Full,
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
            StoreFault::Damaged(said.message().to_owned())
        }
        _ => StoreFault::Unavailable(said.message().to_owned()),
    }
}
