//! How each change is written. Only within the writer's transaction.

use std::collections::HashMap;

use model::{Address, MessageId};

use crate::{
    batch::{Change, RosterItem},
    codec::{Encoder, encode_contact},
    counts::Counter,
    db::Value,
    fault::Result,
    vault::{Place, Table},
    writer::Work,
};

/// Marks of removed contacts kept for each owner. Who was away for longer gets the whole roster.
pub const ROSTER_MARKS_MAX: i64 = 500;

/// What lies in the table of keepsakes; the number never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keepsake {
    Card = 1,
    Private = 2,
    Block = 3,
    LastActivity = 4,
}

impl Keepsake {
    /// The table whose subkey seals it.
    pub(crate) fn table(self) -> Table {
        match self {
            Self::Card => Table::Card,
            Self::Private => Table::Private,
            Self::Block => Table::Block,
            Self::LastActivity => Table::LastActivity,
        }
    }
}

/// What tells private data apart: namespace and local name, which holds no blank.
pub(crate) fn private_name(name: &str, namespace: &str) -> Vec<u8> {
    format!("{name} {namespace}").into_bytes()
}

/// Applies changes in their order, and the marks of the whole batch at the end.
pub(crate) fn apply(work: &mut Work<'_>, changes: &[Change]) -> Result<()> {
    let mut marks: HashMap<&Address, MessageId> = HashMap::new();
    for change in changes {
        match change {
            Change::RosterSet { owner, item } => work.roster_set(owner, item)?,
            Change::RosterRemove { owner, contact } => work.roster_remove(owner, contact)?,
            Change::PendingSubscription { owner, contact, request } => {
                work.request(owner, contact, request.as_deref())?;
            }
            Change::VcardSet { owner, xml } => {
                work.keep(owner, Keepsake::Card, b"", xml.as_bytes())?;
            }
            Change::PrivateSet { owner, name, namespace, xml } => {
                let name = private_name(name, namespace);
                work.keep(owner, Keepsake::Private, &name, xml.as_bytes())?;
            }
            Change::Block { owner, address } => {
                work.keep(owner, Keepsake::Block, address.as_bytes(), address.as_bytes())?;
            }
            Change::Unblock { owner, address } => {
                work.let_go(owner, Keepsake::Block, address.as_bytes())?;
            }
            Change::LastActivity { owner, at, status } => {
                let mut body = Encoder::new(64);
                body.number(at.as_micros());
                body.optional(status.as_deref());
                work.keep(owner, Keepsake::LastActivity, b"", &body.end())?;
            }
            Change::Delivered { owner, through } => {
                let mark = marks.entry(owner).or_insert(*through);
                *mark = (*mark).max(*through);
            }
            Change::HeldRemove { id } => {
                let id = Value::I64(id.to_i64());
                work.db.execute("DELETE FROM held WHERE id = ?1", &[id])?;
            }
            Change::Forget { owner } => {
                marks.remove(owner);
                work.forget(owner)?;
            }
        }
    }
    work.delivered(&marks)
}

impl Work<'_> {
    fn roster_version(&mut self, owner: &Address) -> Result<(i64, i64)> {
        let party = self.party(owner)?;
        let sql = "INSERT INTO roster_head (owner, version, forgotten) VALUES (?1, 1, 0) \
                   ON CONFLICT (owner) DO UPDATE SET version = roster_head.version + 1 \
                   RETURNING version";
        let row = self.db.query_one(sql, &[party.into()])?;
        let version = row.map_or(Ok(1), |mut row| row.i64(0))?;
        self.roster_versions.push((owner.clone(), u64::try_from(version).unwrap_or(0)));
        Ok((party, version))
    }

    fn roster_row(
        &mut self,
        owner: i64,
        contact: i64,
        version: i64,
        body: Value<'_>,
    ) -> Result<()> {
        let sql = "INSERT INTO roster (owner, contact, version, body) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (owner, contact) DO UPDATE \
                   SET version = excluded.version, body = excluded.body";
        self.db.execute(sql, &[owner.into(), contact.into(), version.into(), body])?;
        Ok(())
    }

    fn roster_set(&mut self, owner: &Address, item: &RosterItem) -> Result<()> {
        let (owner, version) = self.roster_version(owner)?;
        let contact = self.party(&item.contact)?;
        let place = Place::numbered(Table::Roster, owner, contact);
        let body = self.shared.vault.seal(place, 0, &encode_contact(item))?;
        self.roster_row(owner, contact, version, body.into())
    }

    fn roster_remove(&mut self, owner: &Address, contact: &Address) -> Result<()> {
        let (owner, version) = self.roster_version(owner)?;
        let contact = self.party(contact)?;
        self.roster_row(owner, contact, version, Value::Null)?;
        let sql = "SELECT version FROM roster WHERE owner = ?1 AND body IS NULL \
                   ORDER BY version DESC LIMIT 1 OFFSET ?2";
        let oldest = self.db.query_one(sql, &[owner.into(), ROSTER_MARKS_MAX.into()])?;
        if let Some(mut row) = oldest {
            let values = [owner.into(), Value::I64(row.i64(0)?)];
            let sql = "DELETE FROM roster WHERE owner = ?1 AND body IS NULL AND version <= ?2";
            self.db.execute(sql, &values)?;
            let sql = "UPDATE roster_head SET forgotten = ?2 WHERE owner = ?1";
            self.db.execute(sql, &values)?;
        }
        Ok(())
    }

    fn request(
        &mut self,
        owner: &Address,
        contact: &Address,
        request: Option<&[u8]>,
    ) -> Result<()> {
        let (owner, contact) = (self.party(owner)?, self.party(contact)?);
        let Some(request) = request else {
            let sql = "DELETE FROM request WHERE owner = ?1 AND contact = ?2";
            self.db.execute(sql, &[owner.into(), contact.into()])?;
            return Ok(());
        };
        let place = Place::numbered(Table::Request, owner, contact);
        let body = self.shared.vault.seal(place, 0, request)?;
        let sql = "INSERT INTO request (owner, contact, body) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (owner, contact) DO UPDATE SET body = excluded.body";
        self.db.execute(sql, &[owner.into(), contact.into(), body.into()])?;
        Ok(())
    }

    fn keep(&mut self, owner: &Address, kind: Keepsake, name: &[u8], plain: &[u8]) -> Result<()> {
        let owner = self.party(owner)?;
        let vault = &self.shared.vault;
        let name = vault.digest(kind.table(), name);
        let place = Place { table: kind.table(), owner, id: 0, name: &name };
        let body = vault.seal(place, 0, plain)?;
        let sql = "INSERT INTO keepsake (owner, kind, name, body) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (owner, kind, name) DO UPDATE SET body = excluded.body";
        let kind = Value::I64(kind as i64);
        self.db.execute(sql, &[owner.into(), kind, (&name).into(), body.into()])?;
        Ok(())
    }

    fn let_go(&mut self, owner: &Address, kind: Keepsake, name: &[u8]) -> Result<()> {
        let Some(owner) = self.known_party(owner)? else { return Ok(()) };
        let name = self.shared.vault.digest(kind.table(), name);
        let sql = "DELETE FROM keepsake WHERE owner = ?1 AND kind = ?2 AND name = ?3";
        let kind = Value::I64(kind as i64);
        self.db.execute(sql, &[owner.into(), kind, (&name).into()])?;
        Ok(())
    }

    /// Raises marks and removes what only waited below them.
    fn delivered(&mut self, marks: &HashMap<&Address, MessageId>) -> Result<()> {
        let mut values = Vec::with_capacity(marks.len() * 2);
        for (owner, mark) in marks {
            values.extend([self.party(owner)?.into(), Value::I64(mark.to_i64())]);
        }
        let sql = "INSERT INTO delivered (owner, mark) VALUES (?1, ?2) \
                   ON CONFLICT (owner) DO UPDATE SET mark = excluded.mark \
                   WHERE delivered.mark < excluded.mark";
        self.db.insert_many(sql, 2, &values)?;
        let mut shared = false;
        for pair in values.chunks(2) {
            let sql = "DELETE FROM passing WHERE owner = ?1 AND id <= ?2 RETURNING id";
            for mut row in self.db.query(sql, pair)? {
                let id = [Value::I64(row.i64(0)?)];
                if self.db.execute("DELETE FROM message WHERE id = ?1 AND refs <= 1", &id)? == 0 {
                    self.db.execute("UPDATE message SET refs = refs - 1 WHERE id = ?1", &id)?;
                    shared = true;
                }
            }
        }
        if shared {
            self.db.execute("DELETE FROM message WHERE refs <= 0", &[])?;
        }
        Ok(())
    }

    fn forget(&mut self, owner: &Address) -> Result<()> {
        let Some(owner) = self.known_party(owner)? else { return Ok(()) };
        let owner = [Value::I64(owner)];
        let recent = "SELECT COUNT(*) FROM arrival WHERE owner = ?1";
        if let Some(mut row) = self.db.query_one(recent, &owner)? {
            let left = self.tally.get(Counter::Arrivals) - row.i64(0)?;
            self.tally.set(Counter::Arrivals, left);
        }
        for sql in [
            "UPDATE message SET refs = refs - 1 WHERE id IN \
             (SELECT id FROM mailbox WHERE owner = ?1 \
             UNION ALL SELECT id FROM arrival WHERE owner = ?1 \
             UNION ALL SELECT id FROM passing WHERE owner = ?1)",
            "DELETE FROM mailbox WHERE owner = ?1",
            "DELETE FROM arrival WHERE owner = ?1",
            "DELETE FROM passing WHERE owner = ?1",
            "DELETE FROM delivered WHERE owner = ?1",
            "DELETE FROM roster WHERE owner = ?1",
            "DELETE FROM roster_head WHERE owner = ?1",
            "DELETE FROM request WHERE owner = ?1",
            "DELETE FROM keepsake WHERE owner = ?1",
        ] {
            self.db.execute(sql, &owner)?;
        }
        self.db.execute("DELETE FROM message WHERE refs <= 0", &[])?;
        Ok(())
    }
}
