//! What a person may see of their messages: the history page by page, and what waits.

use std::sync::Arc;

use model::{Address, ContentKind, Format, MessageId, Origin, PrivacyClass, Resource, Timestamp};

use crate::{
    codec::decode_letter,
    db::{Db, Row, Value},
    fault::{Result, StoreFault, damaged},
    reader::{Reader, delivered_mark, limit, unreadable},
    vault::{Place, Table},
};

/// Messages of one page at most, whatever was asked for.
pub const PAGE_ITEMS_MAX: usize = 1_000;

/// Bytes of the messages of one page of what waits, as they are stored.
pub const WAITING_PAGE_BYTES_MAX: i64 = 1024 * 1024;

/// Bits of a [`MessageId`] below its milliseconds.
const ID_RANDOM_BITS: u32 = 20;

/// Which messages of a history (XEP-0313 §4, XEP-0059).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryQuery {
    /// Whose history.
    pub owner: Address,
    /// Only those with this other side.
    pub with: Option<Address>,
    /// Only those accepted at this time or later, to the millisecond.
    pub start: Option<Timestamp>,
    /// Only those accepted at this time or earlier, to the millisecond.
    pub end: Option<Timestamp>,
    /// Only those after this message, which must be in the owner's history.
    pub after: Option<MessageId>,
    /// Only those before this message, which must be in the owner's history.
    pub before: Option<MessageId>,
    /// Which end the page is taken from.
    pub page: Page,
    /// Messages of the page at most; [`PAGE_ITEMS_MAX`] holds too.
    pub max: usize,
    /// Whether to count everything that fits the query.
    pub count: bool,
}

/// Which end of what fits a page is taken from. Its messages are in order of time either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Page {
    /// The oldest that fit.
    #[default]
    First,
    /// The newest that fit.
    Last,
}

/// A page of what waits.
#[derive(Debug, Default)]
pub struct Waiting {
    /// The messages, the oldest first.
    pub items: Vec<HistoryItem>,
    /// There may be more behind them.
    pub more: bool,
}

/// One page.
#[derive(Debug, Default)]
pub struct HistoryPage {
    /// The messages, the oldest first.
    pub items: Vec<HistoryItem>,
    /// Nothing that fits lies beyond the page, in the direction of paging.
    pub complete: bool,
    /// With [`HistoryQuery::count`]: how many fit but for `after` and `before`, and how many of
    /// those are older than the first of the page.
    pub total: Option<(u64, u64)>,
}

/// One message as its owner has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryItem {
    /// Its name; also tells when it was accepted into the store.
    pub id: MessageId,
    /// The other side.
    pub peer: Address,
    /// Whether it came to the owner.
    pub incoming: bool,
    /// Whether it is in the history or only waits.
    pub history: bool,
    /// Who says it.
    pub sender: Address,
    /// Which session of theirs.
    pub session: Option<Resource>,
    /// Which way it came.
    pub origin: Origin,
    /// How private it is.
    pub class: PrivacyClass,
    /// When the house took it from the wire.
    pub accepted: Timestamp,
    /// How the octets are to be read.
    pub format: Format,
    /// What kind of event it is.
    pub kind: ContentKind,
    /// The sender's own name for it.
    pub client_id: Option<Box<str>>,
    /// What it edits, retracts or speaks of.
    pub refers_to: Option<Box<str>>,
    /// The message as it came.
    pub octets: Arc<[u8]>,
}

impl HistoryQuery {
    /// Everything of that owner, the oldest first.
    #[must_use]
    pub fn of(owner: Address, max: usize) -> Self {
        Self {
            owner,
            with: None,
            start: None,
            end: None,
            after: None,
            before: None,
            page: Page::First,
            max,
            count: false,
        }
    }
}

/// The rows of one owner, and of one other side if there is one, between two ids, both included.
#[derive(Clone, Copy)]
struct Span {
    owner: i64,
    with: Option<i64>,
    from: i64,
    to: i64,
}

impl Reader {
    /// One page of a history. An `after` or `before` that is not in it is
    /// [`StoreFault::NoSuchItem`].
    pub fn history(&self, query: &HistoryQuery) -> Result<HistoryPage> {
        self.shared.read(|db| {
            let parties = &self.shared.parties;
            let anchored = query.after.is_some() || query.before.is_some();
            let nothing = HistoryPage {
                complete: true,
                total: query.count.then_some((0, 0)),
                ..HistoryPage::default()
            };
            let Some(owner) = parties.find(db, &self.shared.vault, &query.owner)? else {
                return if anchored { Err(StoreFault::NoSuchItem) } else { Ok(nothing) };
            };
            for anchor in [query.after, query.before].into_iter().flatten() {
                in_history(db, owner, anchor)?;
            }
            let with = match &query.with {
                None => None,
                Some(with) => match parties.find(db, &self.shared.vault, with)? {
                    None => return Ok(nothing),
                    with => with,
                },
            };
            let from = query.start.map_or(0, first_id_of);
            let to = query.end.map_or(i64::MAX, last_id_of);
            let all = Span { owner, with, from, to };
            let after = query.after.map_or(0, |id| id.to_i64().saturating_add(1));
            let before = query.before.map_or(i64::MAX, |id| id.to_i64().saturating_sub(1));
            let asked = Span { from: from.max(after), to: to.min(before), ..all };
            self.page(db, query, all, asked)
        })
    }

    fn page(
        &self,
        db: &mut Db,
        query: &HistoryQuery,
        all: Span,
        asked: Span,
    ) -> Result<HistoryPage> {
        let max = query.max.min(PAGE_ITEMS_MAX);
        // One more tells whether there is more.
        let mut rows = db.query(asked.sql(query.page), &asked.values(Some(max + 1)))?;
        let complete = rows.len() <= max;
        rows.truncate(max);
        if query.page == Page::Last {
            rows.reverse();
        }
        let items = rows.into_iter().map(|mut row| self.item(db, &mut row));
        let items = items.collect::<Result<Vec<_>>>()?;
        let total = if query.count {
            let first = items.first().map_or(asked.from, |item| item.id.to_i64());
            let older = Span { to: all.to.min(first.saturating_sub(1)), ..all };
            Some((all.count(db)?, older.count(db)?))
        } else {
            None
        };
        Ok(HistoryPage { items, complete, total })
    }

    /// One message of the owner, from the history or of those that only wait.
    pub fn message(&self, owner: &Address, id: MessageId) -> Result<Option<HistoryItem>> {
        self.of_owner(owner, |db, owner| {
            let sql = "SELECT b.id, b.peer, b.incoming, b.history, m.body FROM \
                       (SELECT id, peer, incoming, 1 AS history FROM mailbox \
                       WHERE owner = ?1 AND id = ?2 \
                       UNION ALL SELECT id, peer, incoming, 1 AS history FROM arrival \
                       WHERE owner = ?1 AND id = ?2 \
                       UNION ALL SELECT id, peer, 1 AS incoming, 0 AS history FROM passing \
                       WHERE owner = ?1 AND id = ?2) AS b LEFT JOIN message m ON m.id = b.id";
            let row = db.query_one(sql, &[owner.into(), Value::I64(id.to_i64())])?;
            row.map(|mut row| self.item(db, &mut row)).transpose()
        })
    }

    /// What came in and has not been delivered, the oldest first, at most `max` after `after`. The
    /// page ends before it has more than [`WAITING_PAGE_BYTES_MAX`]; one message it has always.
    pub fn waiting(
        &self,
        owner: &Address,
        after: Option<MessageId>,
        max: usize,
    ) -> Result<Waiting> {
        self.of_owner(owner, |db, owner| {
            let mark = delivered_mark(db, owner)?.unwrap_or(-1);
            let after = after.map_or(-1, MessageId::to_i64).max(mark);
            let max = max.min(PAGE_ITEMS_MAX);
            let ends = waiting_ends(db, owner, after, max)?;
            let Some((through, more)) = ends else { return Ok(Waiting::default()) };
            let sql = "SELECT b.id, b.peer, b.incoming, b.history, m.body FROM \
                       (SELECT id, peer, incoming, 1 AS history FROM mailbox \
                       WHERE owner = ?1 AND id > ?2 AND id <= ?3 AND incoming = 1 \
                       UNION ALL SELECT id, peer, incoming, 1 AS history FROM arrival \
                       WHERE owner = ?1 AND id > ?2 AND id <= ?3 AND incoming = 1 \
                       UNION ALL SELECT id, peer, 1 AS incoming, 0 AS history FROM passing \
                       WHERE owner = ?1 AND id > ?2 AND id <= ?3 \
                       ORDER BY id LIMIT ?4) AS b \
                       LEFT JOIN message m ON m.id = b.id ORDER BY b.id";
            let values = [owner.into(), after.into(), through.into(), limit(max)];
            let rows = db.query(sql, &values)?;
            let items = rows.into_iter().map(|mut row| self.item(db, &mut row));
            Ok(Waiting { items: items.collect::<Result<_>>()?, more })
        })
    }

    fn item(&self, db: &mut Db, row: &mut Row) -> Result<HistoryItem> {
        let number = row.i64(0)?;
        let peer = row.i64(1)?;
        let (incoming, history) = (row.i64(2)? != 0, row.i64(3)? != 0);
        let Some(envelope) = row.blob_or_null(4)? else {
            return Err(damaged("a mailbox names a message that is not there"));
        };
        let place = Place::numbered(Table::Message, 0, number);
        let octets = self.shared.vault.open(place, &envelope)?;
        let letter = decode_letter(&octets).ok_or_else(|| unreadable(Table::Message))?;
        Ok(HistoryItem {
            id: MessageId::from_i64(number).ok_or_else(|| unreadable(Table::Message))?,
            peer: self.address(db, peer)?,
            incoming,
            history,
            sender: letter.sender,
            session: letter.session,
            origin: letter.origin,
            class: letter.class,
            accepted: letter.accepted,
            format: letter.format,
            kind: letter.kind,
            client_id: letter.client_id,
            refers_to: letter.refers_to,
            octets: letter.octets,
        })
    }
}

/// The texts of a page: rows in their place and rows that have just arrived, as one list.
macro_rules! page_sql {
    ($with:literal, $order:literal) => {
        concat!(
            "SELECT b.id, b.peer, b.incoming, 1, m.body FROM \
             (SELECT id, peer, incoming FROM mailbox \
             WHERE owner = ?1 AND id BETWEEN ?2 AND ?3",
            $with,
            " UNION ALL SELECT id, peer, incoming FROM arrival \
             WHERE owner = ?1 AND id BETWEEN ?2 AND ?3",
            $with,
            " ORDER BY id",
            $order,
            " LIMIT ?4) AS b LEFT JOIN message m ON m.id = b.id ORDER BY b.id",
            $order,
        )
    };
}

impl Span {
    fn sql(&self, page: Page) -> &'static str {
        match (page, self.with.is_some()) {
            (Page::First, false) => page_sql!("", ""),
            (Page::Last, false) => page_sql!("", " DESC"),
            (Page::First, true) => page_sql!(" AND peer = ?5", ""),
            (Page::Last, true) => page_sql!(" AND peer = ?5", " DESC"),
        }
    }

    fn values(&self, max: Option<usize>) -> Vec<Value<'static>> {
        let mut values = vec![self.owner.into(), self.from.into(), self.to.into()];
        values.extend(max.map(limit));
        values.extend(self.with.map(Value::I64));
        values
    }

    fn count(&self, db: &mut Db) -> Result<u64> {
        let texts = match self.with {
            None => [
                "SELECT COUNT(*) FROM mailbox WHERE owner = ?1 AND id BETWEEN ?2 AND ?3",
                "SELECT COUNT(*) FROM arrival WHERE owner = ?1 AND id BETWEEN ?2 AND ?3",
            ],
            Some(_) => [
                "SELECT COUNT(*) FROM mailbox \
                 WHERE owner = ?1 AND id BETWEEN ?2 AND ?3 AND peer = ?4",
                "SELECT COUNT(*) FROM arrival \
                 WHERE owner = ?1 AND id BETWEEN ?2 AND ?3 AND peer = ?4",
            ],
        };
        let mut count = 0;
        for sql in texts {
            let row = db.query_one(sql, &self.values(None))?;
            count += row.map_or(Ok(0), |mut row| row.i64(0))?;
        }
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

fn in_history(db: &mut Db, owner: i64, id: MessageId) -> Result<()> {
    let sql = "SELECT id FROM mailbox WHERE owner = ?1 AND id = ?2 \
               UNION ALL SELECT id FROM arrival WHERE owner = ?1 AND id = ?2";
    match db.query_one(sql, &[owner.into(), Value::I64(id.to_i64())])? {
        Some(_) => Ok(()),
        None => Err(StoreFault::NoSuchItem),
    }
}

/// The least id of a message accepted at `time` or later.
fn first_id_of(time: Timestamp) -> i64 {
    let millis = time.as_micros().saturating_add(999).div_euclid(1_000);
    id_at(millis)
}

/// The greatest id of a message accepted at `time` or earlier.
fn last_id_of(time: Timestamp) -> i64 {
    id_at(time.as_millis().saturating_add(1)).saturating_sub(1)
}

fn id_at(millis: i64) -> i64 {
    millis.clamp(0, i64::MAX >> ID_RANDOM_BITS) << ID_RANDOM_BITS
}

/// The last message of a page of what waits, and whether there may be more behind it. Looks at sizes
/// only, so that no more is read than the page may have.
fn waiting_ends(db: &mut Db, owner: i64, after: i64, max: usize) -> Result<Option<(i64, bool)>> {
    let sql = "SELECT b.id, CAST(COALESCE(LENGTH(m.body), 0) AS BIGINT) FROM \
               (SELECT id FROM mailbox WHERE owner = ?1 AND id > ?2 AND incoming = 1 \
               UNION ALL SELECT id FROM arrival WHERE owner = ?1 AND id > ?2 AND incoming = 1 \
               UNION ALL SELECT id FROM passing WHERE owner = ?1 AND id > ?2 \
               ORDER BY id LIMIT ?3) AS b \
               LEFT JOIN message m ON m.id = b.id ORDER BY b.id";
    let rows = db.query(sql, &[owner.into(), after.into(), limit(max)])?;
    let full = rows.len() >= max;
    let (mut through, mut bytes) = (None, 0);
    for mut row in rows {
        let (id, size) = (row.i64(0)?, row.i64(1)?);
        bytes += size;
        if let Some(through) = through
            && bytes > WAITING_PAGE_BYTES_MAX
        {
            return Ok(Some((through, true)));
        }
        through = Some(id);
    }
    Ok(through.map(|through| (through, full)))
}
