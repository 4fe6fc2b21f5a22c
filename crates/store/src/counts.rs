//! What is counted, in the same transaction as what it counts, so that the parts of the house can
//! be reconciled (`ARC-30`) without counting rows.

use crate::{
    db::{Db, Value},
    fault::{Result, damaged},
};

/// How much has gone in, ever, and how much waits for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Messages accepted, held ones among them.
    pub messages: u64,
    /// Events sealed.
    pub notes: u64,
    /// Records sealed: also the number of the next record, and, with an empty outbox, the size of
    /// the log.
    pub records: u64,
    /// Records that are not yet in the log.
    pub outbox: u64,
}

/// A row of the table; the number never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Counter {
    Messages = 0,
    Notes = 1,
    /// The number of the next record.
    Records = 2,
    /// The number of the first record that is not in the log.
    OutboxFrom = 3,
    /// The greatest id ever stored.
    LastMessage = 4,
    /// The greatest number of an address.
    Parties = 5,
    /// Transactions of the writer; tells whether one is in.
    Commits = 6,
    /// Rows that are not yet in their mailbox.
    Arrivals = 7,
}

/// How many counters there are.
const COUNTERS: usize = 8;

/// All counters, and which of them have changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    values: [i64; COUNTERS],
    changed: [bool; COUNTERS],
}

impl Tally {
    /// The committed state.
    pub(crate) fn read(db: &mut Db) -> Result<Self> {
        let mut tally = Self::default();
        for mut row in db.query("SELECT id, value FROM counter", &[])? {
            let (id, value) = (row.i64(0)?, row.i64(1)?);
            let slot = usize::try_from(id).ok().and_then(|index| tally.values.get_mut(index));
            *slot.ok_or_else(|| damaged("a counter has an unknown number"))? = value;
        }
        Ok(tally)
    }

    /// Writes what has changed.
    pub(crate) fn write(&mut self, db: &mut Db) -> Result<()> {
        let mut values = Vec::with_capacity(COUNTERS * 2);
        for (id, (value, changed)) in (0_i64..).zip(self.values.iter().zip(&mut self.changed)) {
            if std::mem::take(changed) {
                values.extend([Value::I64(id), Value::I64(*value)]);
            }
        }
        let sql = "INSERT INTO counter (id, value) VALUES (?1, ?2) \
                   ON CONFLICT (id) DO UPDATE SET value = excluded.value";
        db.insert_many(sql, 2, &values).map(|_| ())
    }

    pub(crate) fn get(&self, counter: Counter) -> i64 {
        self.values.get(counter as usize).copied().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, counter: Counter, value: i64) {
        let index = counter as usize;
        if let (Some(slot), Some(changed)) =
            (self.values.get_mut(index), self.changed.get_mut(index))
        {
            *changed |= *slot != value;
            *slot = value;
        }
    }

    pub(crate) fn add(&mut self, counter: Counter, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.set(counter, self.get(counter).saturating_add(count));
    }

    pub(crate) fn raise(&mut self, counter: Counter, value: i64) {
        self.set(counter, self.get(counter).max(value));
    }

    /// What others may know of it.
    pub(crate) fn counts(&self) -> Counts {
        let get = |counter| u64::try_from(self.get(counter)).unwrap_or(0);
        let records = get(Counter::Records);
        Counts {
            messages: get(Counter::Messages),
            notes: get(Counter::Notes),
            records,
            outbox: records.saturating_sub(get(Counter::OutboxFrom)),
        }
    }
}
