//! Brings a database to the newest shape, step by step, and refuses one that is newer.

use super::{Db, Intent, Value};
use crate::fault::{Result, StoreFault};

/// The steps in order. The version of a database is the number of steps it has taken.
const STEPS: &[&str] = &[include_str!("../../migrations/001_start.sql")];

/// Brings the database to the newest shape.
pub(crate) fn migrate(db: &mut Db) -> Result<()> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    db.transaction(Intent::Write, |db| {
        db.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
        let row = db.query_one("SELECT version FROM schema_version", &[])?;
        let found = row.map(|mut row| row.i64(0)).transpose()?;
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(StoreFault::Newer { found, known });
        }
        let taken = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
        for step in STEPS.iter().skip(taken) {
            db.run(&of_backend(step, db.is_remote()))?;
        }
        match found {
            None => db.execute("INSERT INTO schema_version VALUES (?1)", &[Value::I64(known)])?,
            Some(found) if found < known => {
                db.execute("UPDATE schema_version SET version = ?1", &[Value::I64(known)])?
            }
            Some(_) => 0,
        };
        Ok(())
    })
}

/// The lines of a step that are meant for this database.
pub(super) fn of_backend(step: &str, postgres: bool) -> String {
    let (mine, other) =
        if postgres { ("-- postgres", "-- sqlite") } else { ("-- sqlite", "-- postgres") };
    let mut text = String::with_capacity(step.len());
    for line in step.lines().filter(|line| !line.ends_with(other)) {
        text.push_str(line.strip_suffix(mine).unwrap_or(line));
        text.push('\n');
    }
    text
}
