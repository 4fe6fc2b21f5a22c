//! A person's own history, read by themselves (XEP-0313 in chat, mailboxes in mail). Nobody else's
//! history can be named here.

use model::{Address, MessageId, Timestamp};
use store::{HistoryPage, HistoryQuery, Page, Reader, StoreFault};

use crate::{Hub, fault::Denied, session::Session};

/// Messages of one page at most, whatever is asked.
pub const PAGE_MAX: usize = 250;

/// Messages of one page when nothing is asked.
pub const PAGE_DEFAULT: usize = 50;

/// Which part of one's own history. Times and ids bound it; all that are given hold.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Only with this address.
    pub with: Option<Address>,
    /// Not before.
    pub start: Option<Timestamp>,
    /// Not after.
    pub end: Option<Timestamp>,
    /// After this message.
    pub after: Option<MessageId>,
    /// Before this message.
    pub before: Option<MessageId>,
    /// These messages only; up to [`PAGE_MAX`].
    pub ids: Vec<MessageId>,
    /// The last page of the span rather than the first.
    pub last_page: bool,
    /// Messages of the page, up to [`PAGE_MAX`].
    pub max: Option<usize>,
}

impl Hub {
    /// One page of the session's own history, after all that it has sent so far.
    pub async fn history(&self, session: &Session, span: Span) -> Result<HistoryPage, Denied> {
        session.settled().await;
        let owner = session.address.clone();
        if span.ids.len() > PAGE_MAX {
            return Err(Denied::TooMany);
        }
        if !span.ids.is_empty() {
            return self.read(move |reader| named(reader, &owner, &span.ids)).await;
        }
        let query = HistoryQuery {
            owner,
            with: span.with,
            start: span.start,
            end: span.end,
            after: span.after,
            before: span.before,
            page: if span.last_page { Page::Last } else { Page::First },
            max: span.max.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX),
            count: true,
        };
        self.read(move |reader| reader.history(&query)).await
    }
}

/// The messages of these names; all or a fault.
fn named(reader: &Reader, owner: &Address, ids: &[MessageId]) -> Result<HistoryPage, StoreFault> {
    let mut page = HistoryPage { complete: true, ..HistoryPage::default() };
    for id in ids {
        page.items.push(reader.message(owner, *id)?.ok_or(StoreFault::NoSuchItem)?);
    }
    Ok(page)
}
