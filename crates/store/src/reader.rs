//! Everything that is asked of the store but the history. Each question is one transaction that
//! sees one state.

use std::sync::Arc;

use archive::{Link, Record};
use model::{Address, Conversation, MessageId, Submission, Timestamp};

use crate::{
    batch::RosterItem,
    changes::{Keepsake, private_name},
    codec::{Decoder, decode_contact, decode_held},
    counts::{Counter, Counts, Tally},
    db::{Db, Row, Value},
    fault::{Result, StoreFault, damaged},
    store::Shared,
    vault::{Place, Table},
};

/// Asks the store. Cheap to clone. Each method blocks, so it belongs on a thread that may.
#[derive(Clone)]
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
}

/// Bytes of records on their way to the log after which no more are read at once.
pub const OUTBOX_PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A contact list and its version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// Grows with each change; 0 if there never was one.
    pub version: u64,
    /// The contacts, by address.
    pub items: Vec<RosterItem>,
}

/// What happened to a roster since a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RosterChange {
    /// The contact is as this says.
    Set {
        /// The version this change made.
        version: u64,
        /// The item.
        item: RosterItem,
    },
    /// The contact is gone.
    Removed {
        /// The version this change made.
        version: u64,
        /// Who.
        contact: Address,
    },
}

/// A message that waits for review.
pub struct Held {
    /// Its name.
    pub id: MessageId,
    /// What was submitted, whole.
    pub submission: Submission,
    /// The rules that hold it.
    pub rules: Vec<String>,
}

/// When somebody was last here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastActivity {
    /// When.
    pub at: Timestamp,
    /// What their last presence said.
    pub status: Option<String>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Runs `work` if the address is known at all; what is unknown has nothing.
    pub(crate) fn of_owner<T: Default>(
        &self,
        owner: &Address,
        work: impl FnOnce(&mut Db, i64) -> Result<T>,
    ) -> Result<T> {
        self.shared.read(|db| match self.shared.parties.find(db, &self.shared.vault, owner)? {
            Some(owner) => work(db, owner),
            None => Ok(T::default()),
        })
    }

    pub(crate) fn address(&self, db: &mut Db, id: i64) -> Result<Address> {
        self.shared.parties.address(db, &self.shared.vault, id)
    }

    /// Up to which message the owner has everything that waited.
    pub fn delivered_mark(&self, owner: &Address) -> Result<Option<MessageId>> {
        self.of_owner(owner, |db, owner| {
            let mark = delivered_mark(db, owner)?;
            Ok(mark.and_then(MessageId::from_i64))
        })
    }

    /// The contact list.
    pub fn roster(&self, owner: &Address) -> Result<Roster> {
        self.of_owner(owner, |db, owner| {
            let (version, _) = roster_head(db, owner)?;
            let sql = "SELECT contact, version, body FROM roster \
                       WHERE owner = ?1 AND body IS NOT NULL";
            let mut items = Vec::new();
            for mut row in db.query(sql, &[owner.into()])? {
                if let RosterChange::Set { item, .. } = self.roster_change(db, owner, &mut row)? {
                    items.push(item);
                }
            }
            items.sort_by(|one, other| one.contact.cmp(&other.contact));
            Ok(Roster { version: unsigned(version), items })
        })
    }

    /// What has happened since that version, in order; nothing if the version is not known any more
    /// or never was, so that the whole roster is needed (RFC 6121 §2.6).
    pub fn roster_since(&self, owner: &Address, version: u64) -> Result<Option<Vec<RosterChange>>> {
        let Ok(since) = i64::try_from(version) else { return Ok(None) };
        self.shared.read(|db| {
            let Some(owner) = self.shared.parties.find(db, &self.shared.vault, owner)? else {
                return Ok((since == 0).then(Vec::new));
            };
            let (version, forgotten) = roster_head(db, owner)?;
            if since < forgotten || since > version {
                return Ok(None);
            }
            let sql = "SELECT contact, version, body FROM roster \
                       WHERE owner = ?1 AND version > ?2 ORDER BY version";
            let rows = db.query(sql, &[owner.into(), since.into()])?;
            let changes = rows.into_iter().map(|mut row| self.roster_change(db, owner, &mut row));
            changes.collect::<Result<_>>().map(Some)
        })
    }

    fn roster_change(&self, db: &mut Db, owner: i64, row: &mut Row) -> Result<RosterChange> {
        let (id, version) = (row.i64(0)?, unsigned(row.i64(1)?));
        let contact = self.address(db, id)?;
        let Some(envelope) = row.blob_or_null(2)? else {
            return Ok(RosterChange::Removed { version, contact });
        };
        let place = Place::numbered(Table::Roster, owner, id);
        let octets = self.shared.vault.open(place, &envelope)?;
        let item = decode_contact(contact, &octets).ok_or_else(|| unreadable(Table::Roster))?;
        Ok(RosterChange::Set { version, item })
    }

    /// Subscription requests that wait for the owner's answer, as they came.
    pub fn pending_subscriptions(&self, owner: &Address) -> Result<Vec<(Address, Vec<u8>)>> {
        self.of_owner(owner, |db, owner| {
            let sql = "SELECT contact, body FROM request WHERE owner = ?1 ORDER BY contact";
            let rows = db.query(sql, &[owner.into()])?;
            let requests = rows.into_iter().map(|mut row| {
                let id = row.i64(0)?;
                let place = Place::numbered(Table::Request, owner, id);
                let request = self.shared.vault.open(place, &row.blob(1)?)?;
                Ok((self.address(db, id)?, request))
            });
            requests.collect()
        })
    }

    /// The owner's card.
    pub fn vcard(&self, owner: &Address) -> Result<Option<String>> {
        self.keepsake(owner, Keepsake::Card, b"")?.map(|xml| text(Table::Card, xml)).transpose()
    }

    /// One element of private data.
    pub fn private(&self, owner: &Address, name: &str, namespace: &str) -> Result<Option<String>> {
        let xml = self.keepsake(owner, Keepsake::Private, &private_name(name, namespace))?;
        xml.map(|xml| text(Table::Private, xml)).transpose()
    }

    /// Every address the owner blocks, in order.
    pub fn blocklist(&self, owner: &Address) -> Result<Vec<String>> {
        self.of_owner(owner, |db, owner| {
            let kind = Keepsake::Block;
            let sql = "SELECT name, body FROM keepsake WHERE owner = ?1 AND kind = ?2";
            let rows = db.query(sql, &[owner.into(), Value::I64(kind as i64)])?;
            let entries = rows.into_iter().map(|mut row| {
                let name = row.blob(0)?;
                let place = Place { table: kind.table(), owner, id: 0, name: &name };
                text(kind.table(), self.shared.vault.open(place, &row.blob(1)?)?)
            });
            let mut entries = entries.collect::<Result<Vec<_>>>()?;
            entries.sort();
            Ok(entries)
        })
    }

    /// When the owner was last here.
    pub fn last_activity(&self, owner: &Address) -> Result<Option<LastActivity>> {
        let Some(octets) = self.keepsake(owner, Keepsake::LastActivity, b"")? else {
            return Ok(None);
        };
        let read = || {
            let mut from = Decoder::new(&octets)?;
            let at = Timestamp::from_micros(from.number()?);
            let status = from.optional()?.map(str::to_owned);
            from.end(LastActivity { at, status })
        };
        read().map(Some).ok_or_else(|| unreadable(Table::LastActivity))
    }

    fn keepsake(&self, owner: &Address, kind: Keepsake, name: &[u8]) -> Result<Option<Vec<u8>>> {
        self.of_owner(owner, |db, owner| {
            let name = self.shared.vault.digest(kind.table(), name);
            let sql = "SELECT body FROM keepsake WHERE owner = ?1 AND kind = ?2 AND name = ?3";
            let values = [owner.into(), Value::I64(kind as i64), (&name).into()];
            let Some(mut row) = db.query_one(sql, &values)? else { return Ok(None) };
            let place = Place { table: kind.table(), owner, id: 0, name: &name };
            self.shared.vault.open(place, &row.blob(0)?).map(Some)
        })
    }

    /// Messages that wait for review, the oldest first, at most `max` of them after `after`.
    pub fn held(&self, after: Option<MessageId>, max: usize) -> Result<Vec<Held>> {
        self.shared.read(|db| {
            let after = after.map_or(-1, MessageId::to_i64);
            let sql = "SELECT id, body FROM held WHERE id > ?1 ORDER BY id LIMIT ?2";
            let rows = db.query(sql, &[after.into(), limit(max)])?;
            rows.into_iter().map(|mut row| self.held_of(&mut row)).collect()
        })
    }

    /// One message that waits for review.
    pub fn held_message(&self, id: MessageId) -> Result<Option<Held>> {
        self.shared.read(|db| {
            let sql = "SELECT id, body FROM held WHERE id = ?1";
            let row = db.query_one(sql, &[Value::I64(id.to_i64())])?;
            row.map(|mut row| self.held_of(&mut row)).transpose()
        })
    }

    fn held_of(&self, row: &mut Row) -> Result<Held> {
        let number = row.i64(0)?;
        let place = Place::numbered(Table::Held, 0, number);
        let octets = self.shared.vault.open(place, &row.blob(1)?)?;
        let id = MessageId::from_i64(number).ok_or_else(|| unreadable(Table::Held))?;
        let (submission, rules) = decode_held(&octets).ok_or_else(|| unreadable(Table::Held))?;
        Ok(Held { id, submission, rules })
    }

    /// What the next record of the conversation goes on from.
    pub fn conversation_link(&self, conversation: &Conversation) -> Result<Link> {
        let name = conversation.as_str().as_bytes();
        let digest = self.shared.vault.digest(Table::Conversation, name);
        self.shared.read(|db| {
            let sql = "SELECT sequence, previous FROM conversation WHERE digest = ?1";
            let Some(mut row) = db.query_one(sql, &[(&digest).into()])? else {
                return Ok(Link::start());
            };
            let sequence = unsigned(row.i64(0)?);
            let previous = row.blob(1)?.try_into().map_err(|_| unreadable(Table::Conversation))?;
            Ok(Link { sequence, previous })
        })
    }

    /// Records on their way to the log with their numbers, from that number on; not many more than
    /// `max`, nor than [`OUTBOX_PAGE_BYTES_MAX`], for those of one transaction stay together.
    pub fn outbox(&self, from: u64, max: usize) -> Result<Vec<(u64, Record)>> {
        let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
        self.shared.read(|db| {
            let mut records: Vec<(u64, Record)> = Vec::new();
            let (mut next, mut bytes) = (from, 0_usize);
            while records.len() < max && bytes < OUTBOX_PAGE_BYTES_MAX {
                let sql = "SELECT first, count, body FROM outbox WHERE first + count > ?1 \
                           ORDER BY first LIMIT 1";
                let Some(mut row) = db.query_one(sql, &[next.into()])? else { break };
                let (first, count) = (row.i64(0)?, row.i64(1)?);
                let place = Place::numbered(Table::Outbox, 0, first);
                let octets = self.shared.vault.open(place, &row.blob(2)?)?;
                bytes = bytes.saturating_add(octets.len());
                let batch = decode_records(&octets).ok_or_else(|| unreadable(Table::Outbox))?;
                if i64::try_from(batch.len()) != Ok(count) {
                    return Err(unreadable(Table::Outbox));
                }
                let numbered = (first..).zip(batch).filter(|(number, _)| *number >= from);
                records.extend(numbered.map(|(number, record)| (unsigned(number), record)));
                next = first.saturating_add(count);
            }
            Ok(records)
        })
    }

    /// The greatest id ever stored; new ones go on after it.
    pub fn last_message_id(&self) -> Result<Option<MessageId>> {
        self.shared.read(|db| {
            let last = Tally::read(db)?.get(Counter::LastMessage);
            Ok(MessageId::from_i64(last).filter(|_| last > 0))
        })
    }

    /// What has gone in, and what waits for the log.
    pub fn counts(&self) -> Result<Counts> {
        self.shared.read(|db| Ok(Tally::read(db)?.counts()))
    }
}

fn decode_records(octets: &[u8]) -> Option<Vec<Record>> {
    let mut from = Decoder::new(octets)?;
    let mut records = Vec::new();
    while !from.is_empty() {
        records.push(Record::decode(from.bytes()?).ok()?);
    }
    Some(records)
}

/// Version, and the version below which marks of removed contacts are gone.
fn roster_head(db: &mut Db, owner: i64) -> Result<(i64, i64)> {
    let sql = "SELECT version, forgotten FROM roster_head WHERE owner = ?1";
    match db.query_one(sql, &[owner.into()])? {
        Some(mut row) => Ok((row.i64(0)?, row.i64(1)?)),
        None => Ok((0, 0)),
    }
}

/// The mark as stored.
pub(crate) fn delivered_mark(db: &mut Db, owner: i64) -> Result<Option<i64>> {
    let row = db.query_one("SELECT mark FROM delivered WHERE owner = ?1", &[owner.into()])?;
    row.map(|mut row| row.i64(0)).transpose()
}

/// A number of rows as the databases take it.
pub(crate) fn limit(max: usize) -> Value<'static> {
    Value::I64(i64::try_from(max).unwrap_or(i64::MAX))
}

/// Numbers of versions, sequences and records are never negative.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn text(table: Table, octets: Vec<u8>) -> Result<String> {
    String::from_utf8(octets).map_err(|_| unreadable(table))
}

/// An entry that opened, but is not of a form that is known.
pub(crate) fn unreadable(table: Table) -> StoreFault {
    damaged(&format!("an entry of table {} cannot be read", table.name()))
}
