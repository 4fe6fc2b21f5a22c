//! The store: messages, mailboxes, rosters and the rest of what people keep, encrypted at rest, in
//! SQLite or PostgreSQL. In reading order: what goes in (`batch`), the one way in (`writer`,
//! `changes`), what is asked (`reader`, `history`), and below them the addresses (`party`), the
//! octets (`codec`), the encryption (`vault`) and the two databases behind one text (`db`).
//!
//! It knows no protocol and no policy: it takes what the archive has sealed, and hands out what was
//! put in. It reads no clock. All calls block.

mod batch;
mod changes;
mod codec;
mod counts;
mod db;
mod fault;
mod history;
mod party;
mod reader;
mod store;
mod vault;
mod writer;

pub use batch::{
    Batch, Change, Committed, Entry, HeldRow, MailboxRow, RosterItem, Stored, Subscription,
};
pub use changes::ROSTER_MARKS_MAX;
pub use counts::Counts;
pub use fault::StoreFault;
pub use history::{
    HistoryItem, HistoryPage, HistoryQuery, PAGE_ITEMS_MAX, Page, WAITING_PAGE_BYTES_MAX, Waiting,
};
pub use reader::{Held, LastActivity, OUTBOX_PAGE_BYTES_MAX, Reader, Roster, RosterChange};
pub use store::{ARRIVALS_MAX, Backend, Limits, READERS_MAX, Store};
pub use vault::{VAULT_KEY_BYTES, Vault};
pub use writer::Writer;
