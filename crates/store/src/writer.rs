//! The one way in. A batch is one transaction: message rows, mailbox rows, links, sealed records
//! and changes are in together, or not at all.

use std::{collections::HashMap, sync::Arc, time::Duration};

use archive::{Link, Record, SealedNote};
use model::{Address, Conversation, MessageId};

use crate::{
    batch::{Batch, Committed, Entry, MailboxRow, Stored},
    changes,
    codec::{Encoder, encode_held, encode_letter},
    counts::{Counter, Tally},
    db::{Db, Intent, Value},
    fault::{Result, StoreFault, damaged},
    reader::unsigned,
    store::Shared,
    vault::{Place, Table, day_of},
};

/// Tries to learn whether a transaction is in whose connection was lost while it ended.
const INQUIRIES_MAX: u32 = 20;

/// Between two such tries.
const INQUIRY_PAUSE: Duration = Duration::from_millis(250);

/// The writer of a store; there is one at a time.
pub struct Writer {
    shared: Arc<Shared>,
    /// None only while it is dropped.
    db: Option<Db>,
    /// What is counted, as committed; none if it must be read again.
    tally: Option<Tally>,
}

/// One transaction being written.
pub(crate) struct Work<'a> {
    pub(crate) db: &'a mut Db,
    pub(crate) shared: &'a Shared,
    pub(crate) tally: Tally,
    /// Addresses that get their number in this transaction.
    pub(crate) fresh: HashMap<Address, i64>,
    pub(crate) roster_versions: Vec<(Address, u64)>,
}

/// What a transaction leaves behind in memory.
struct Outcome {
    tally: Tally,
    fresh: HashMap<Address, i64>,
    roster_versions: Vec<(Address, u64)>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, db: Db) -> Self {
        Self { shared, db: Some(db), tally: None }
    }

    /// Writes a batch in one transaction and returns when it is on the disk. After a fault nothing
    /// of it is in, and the writer may be used again. The only function that makes message rows.
    ///
    /// A PostgreSQL server that is lost in the very act of committing is asked again for some
    /// seconds whether the batch is in; only if it stays away for longer may a batch that is in be
    /// reported as [`StoreFault::Unavailable`].
    pub fn append(&mut self, batch: Batch) -> Result<Committed> {
        let Batch { mut entries, notes, changes } = batch;
        for entry in &mut entries {
            entry.rows = one_row_each(std::mem::take(&mut entry.rows));
        }
        let (entries_now, notes_now) = (&entries, &notes);
        let mut first = 0;
        let roster_versions = self.commit(|work| {
            work.messages(entries_now)?;
            work.held(entries_now)?;
            work.links(entries_now)?;
            let records = entries_now.iter().flat_map(|entry| entry.sealed.records());
            let records = records.chain(notes_now.iter().flat_map(|note| note.records()));
            let last = entries_now.iter().map(|entry| entry.sealed.id());
            let last = last.chain(notes_now.iter().map(|note| note.id())).max();
            first = work.outbox(last, records)?;
            work.tally.add(Counter::Messages, entries_now.len());
            work.tally.add(Counter::Notes, notes_now.len());
            changes::apply(work, &changes)?;
            work.settle_arrivals()
        })?;
        let of_entries = entries.iter_mut().flat_map(|entry| entry.sealed.take_records());
        let records: Vec<Record> = of_entries.collect();
        let of_notes = notes.into_iter().flat_map(SealedNote::into_records);
        let records = (unsigned(first)..).zip(records.into_iter().chain(of_notes)).collect();
        let stored = entries.into_iter().map(|entry| Stored::new(entry.sealed, entry.rows));
        Ok(Committed { stored: stored.collect(), records, roster_versions })
    }

    /// The log has every record up to this number; they leave the outbox. May be said again.
    pub fn outbox_done(&mut self, through: u64) -> Result<()> {
        self.commit(|work| {
            let records = work.tally.get(Counter::Records);
            let from = i64::try_from(through).unwrap_or(i64::MAX).saturating_add(1).min(records);
            if from <= work.tally.get(Counter::OutboxFrom) {
                return Ok(());
            }
            work.tally.set(Counter::OutboxFrom, from);
            // Nobody's words are in the clear there: records are sealed for the custodian, twice over.
            // Zeros over them would be a third of all that is written.
            work.db.overwrite_deleted(false)?;
            let sql = "DELETE FROM outbox WHERE first + count <= ?1";
            let deleted = work.db.execute(sql, &[Value::I64(from)]);
            work.db.overwrite_deleted(true)?;
            deleted.map(drop)
        })
        .map(|_| ())
    }

    /// Runs `work` as one transaction and takes over what it leaves in memory.
    fn commit(
        &mut self,
        work: impl FnOnce(&mut Work<'_>) -> Result<()>,
    ) -> Result<Vec<(Address, u64)>> {
        let Self { shared, db: Some(db), tally } = self else {
            return Err(StoreFault::Unavailable("the writer is closed".into()));
        };
        let mut outcome = None;
        let mut commits = None;
        let done = db.transaction(Intent::Write, |db| {
            let tally = match tally.take() {
                Some(tally) => tally,
                None => Tally::read(db)?,
            };
            let fresh = HashMap::new();
            let mut run = Work { db, shared, tally, fresh, roster_versions: Vec::new() };
            run.tally.add(Counter::Commits, 1);
            work(&mut run)?;
            run.tally.write(run.db)?;
            let Work { tally, fresh, roster_versions, .. } = run;
            commits = Some(tally.get(Counter::Commits));
            outcome = Some(Outcome { tally, fresh, roster_versions });
            Ok(())
        });
        if let Err(fault) = done {
            // With the connection gone at the very end, the database knows if it is in.
            let expect = commits.filter(|_| db.is_remote());
            if !expect.is_some_and(|expect| inquire(db, expect)) {
                return Err(fault);
            }
        }
        let outcome = outcome.ok_or_else(|| damaged("a transaction ended without an outcome"))?;
        for (address, id) in &outcome.fresh {
            shared.parties.learn(address, *id);
        }
        *tally = Some(outcome.tally);
        Ok(outcome.roster_versions)
    }
}

/// Asks, on a new connection, whether the transaction of that number is in.
fn inquire(db: &mut Db, expect: i64) -> bool {
    for _ in 0..INQUIRIES_MAX {
        match db.transaction(Intent::Read, Tally::read) {
            Ok(tally) => return tally.get(Counter::Commits) == expect,
            Err(_) => std::thread::sleep(INQUIRY_PAUSE),
        }
    }
    false
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(mut db) = self.db.take() {
            if let Db::Sqlite(sqlite) = &mut db {
                // A reader at work may keep the journal; the next writer empties it.
                drop(sqlite.empty_journal());
            }
            self.shared.give_back(db);
        }
    }
}

/// One row for each owner, in the order of the first. What came in or is kept by one is by all.
fn one_row_each(rows: Vec<MailboxRow>) -> Vec<MailboxRow> {
    let mut merged: Vec<MailboxRow> = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| row.incoming || row.history) {
        match merged.iter_mut().find(|known| known.owner == row.owner) {
            Some(known) => {
                known.incoming |= row.incoming;
                known.history |= row.history;
            }
            None => merged.push(row),
        }
    }
    merged
}

impl Work<'_> {
    /// The number of an address; it gets one if it has none.
    pub(crate) fn party(&mut self, address: &Address) -> Result<i64> {
        if let Some(id) = self.shared.parties.known(address) {
            return Ok(id);
        }
        if let Some(id) = self.fresh.get(address) {
            return Ok(*id);
        }
        let Shared { vault, parties, .. } = self.shared;
        if let Some(id) = parties.find(self.db, vault, address)? {
            return Ok(id);
        }
        self.tally.add(Counter::Parties, 1);
        let id = self.tally.get(Counter::Parties);
        let text = address.as_str().as_bytes();
        let digest = vault.digest(Table::Party, text);
        let envelope = vault.seal(Place::numbered(Table::Party, 0, id), 0, text)?;
        let sql = "INSERT INTO party (id, digest, address) VALUES (?1, ?2, ?3)";
        self.db.execute(sql, &[id.into(), (&digest).into(), envelope.into()])?;
        self.fresh.insert(address.clone(), id);
        Ok(id)
    }

    /// The number of an address, if it has one.
    pub(crate) fn known_party(&mut self, address: &Address) -> Result<Option<i64>> {
        match self.fresh.get(address) {
            Some(id) => Ok(Some(*id)),
            None => self.shared.parties.find(self.db, &self.shared.vault, address),
        }
    }

    /// The octets once, and a row for each who has them.
    fn messages(&mut self, entries: &[Entry]) -> Result<()> {
        let (mut messages, mut kept, mut passing) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries.iter().filter(|entry| !entry.rows.is_empty()) {
            let id = entry.sealed.id();
            let number = id.to_i64();
            let letter = encode_letter(entry.sealed.admitted().submission());
            let place = Place::numbered(Table::Message, 0, number);
            let envelope = self.shared.vault.seal(place, day_of(id), &letter)?;
            let refs = i64::try_from(entry.rows.len()).unwrap_or(i64::MAX);
            messages.extend([number.into(), refs.into(), envelope.into()]);
            for row in &entry.rows {
                let (owner, peer) = (self.party(&row.owner)?, self.party(&row.peer)?);
                if row.history {
                    kept.extend([owner.into(), number.into(), peer.into(), row.incoming.into()]);
                } else {
                    passing.extend([owner.into(), number.into(), peer.into()]);
                }
            }
        }
        let sql = "INSERT INTO message (id, refs, body) VALUES (?1, ?2, ?3)";
        self.db.insert_many(sql, 3, &messages)?;
        let sql = "INSERT INTO arrival (owner, id, peer, incoming) VALUES (?1, ?2, ?3, ?4)";
        self.db.insert_many(sql, 4, &kept)?;
        self.tally.add(Counter::Arrivals, kept.len() / 4);
        let sql = "INSERT INTO passing (owner, id, peer) VALUES (?1, ?2, ?3)";
        self.db.insert_many(sql, 3, &passing)?;
        Ok(())
    }

    /// Moves the newest rows to their place when there are enough of them.
    fn settle_arrivals(&mut self) -> Result<()> {
        if self.tally.get(Counter::Arrivals) <= self.shared.arrivals_max() {
            return Ok(());
        }
        let sql = "INSERT INTO mailbox (owner, id, peer, incoming) \
                   SELECT owner, id, peer, incoming FROM arrival ORDER BY owner, id";
        self.db.execute(sql, &[])?;
        self.db.execute("DELETE FROM arrival", &[])?;
        self.tally.set(Counter::Arrivals, 0);
        Ok(())
    }

    fn held(&mut self, entries: &[Entry]) -> Result<()> {
        for entry in entries {
            let Some(held) = &entry.held else { continue };
            let id = entry.sealed.id();
            let number = id.to_i64();
            let octets = encode_held(entry.sealed.admitted().submission(), &held.rules);
            let place = Place::numbered(Table::Held, 0, number);
            let envelope = self.shared.vault.seal(place, day_of(id), &octets)?;
            let sql = "INSERT INTO held (id, body) VALUES (?1, ?2)";
            self.db.execute(sql, &[number.into(), envelope.into()])?;
        }
        Ok(())
    }

    /// The last link of each conversation of the batch. A link that does not go on is refused, for
    /// then a record was sealed after an old head.
    fn links(&mut self, entries: &[Entry]) -> Result<()> {
        let mut heads: HashMap<&Conversation, &Link> = HashMap::new();
        for entry in entries.iter().filter(|entry| !entry.sealed.records().is_empty()) {
            heads.insert(entry.sealed.conversation(), entry.sealed.next_link());
        }
        let mut values = Vec::with_capacity(heads.len() * 3);
        for (conversation, link) in &heads {
            let name = conversation.as_str().as_bytes();
            let digest = self.shared.vault.digest(Table::Conversation, name);
            let sequence = i64::try_from(link.sequence).unwrap_or(i64::MAX);
            values.extend([digest.to_vec().into(), sequence.into(), (&link.previous).into()]);
        }
        let sql = "INSERT INTO conversation (digest, sequence, previous) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (digest) DO UPDATE \
                   SET sequence = excluded.sequence, previous = excluded.previous \
                   WHERE conversation.sequence < excluded.sequence";
        let taken = self.db.insert_many(sql, 3, &values)?;
        if usize::try_from(taken) == Ok(heads.len()) { Ok(()) } else { Err(StoreFault::OutOfOrder) }
    }

    /// The records of the batch as one row; their numbers go on from the last. The first of them.
    fn outbox<'r>(
        &mut self,
        last: Option<MessageId>,
        records: impl Iterator<Item = &'r Record>,
    ) -> Result<i64> {
        let mut count = 0;
        let mut octets = Encoder::new(0);
        for record in records {
            octets.length(record.encoded_len());
            octets.append(|octets| record.encode_to(octets));
            count += 1;
        }
        if let Some(last) = last {
            self.tally.raise(Counter::LastMessage, last.to_i64());
        }
        let first = self.tally.get(Counter::Records);
        if count == 0 {
            return Ok(first);
        }
        self.tally.add(Counter::Records, count);
        let place = Place::numbered(Table::Outbox, 0, first);
        let envelope = self.shared.vault.seal(place, last.map_or(0, day_of), &octets.end())?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let sql = "INSERT INTO outbox (first, count, body) VALUES (?1, ?2, ?3)";
        self.db.execute(sql, &[first.into(), count.into(), envelope.into()])?;
        Ok(first)
    }
}
