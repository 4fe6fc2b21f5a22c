//! A person's own history (XEP-0313) and block list (XEP-0191).

use std::sync::Arc;

use hub::{Denied, HistoryItem, HistoryPage, Letter, Session, Span};
use model::MessageId;
use xmpp::{
    encode::{self, Additions},
    fault::{StanzaCondition, StanzaError},
    payload::{
        blocking::{self, BlockingRequest},
        mam::{self, MamDefault, MamPreferences, MamQuery, MamRequest},
        rsm::{Page, Position},
    },
};

use crate::{
    drive::Connection,
    xmpp::{
        denied_error,
        iq::{done, written},
        notice::letter_octets,
    },
};

impl Connection {
    /// Answers a question to the session's own archive.
    pub(super) async fn archive(
        &mut self,
        session: &Arc<Session>,
        request: &MamRequest,
    ) -> Result<Vec<u8>, StanzaError> {
        match request {
            MamRequest::Form => written(mam::write_form),
            MamRequest::Query(query) => self.query(session, query).await,
            MamRequest::Metadata => self.ends(session).await,
            // What is kept is the organisation's to say (ARC-01), so wishes are refused.
            MamRequest::Preferences => written(|out| {
                let (always, never) = (Vec::new(), Vec::new());
                let default = MamDefault::Always;
                mam::write_preferences(out, &MamPreferences { default, always, never });
            }),
            MamRequest::SetPreferences(_) => Err(StanzaCondition::NotAllowed
                .error()
                .with_text("What is kept is decided by the organisation.")),
        }
    }

    async fn query(
        &mut self,
        session: &Arc<Session>,
        query: &MamQuery,
    ) -> Result<Vec<u8>, StanzaError> {
        if query.node.is_some() {
            return Err(StanzaCondition::ItemNotFound.error());
        }
        let span = span(query)?;
        let page = self.hub().history(session, span).await;
        let mut page = page.map_err(|denied| denied_error(&denied))?;
        let ends = page.items.first().zip(page.items.last());
        let ends = ends.map(|(first, last)| (first.id.to_string(), last.id.to_string()));
        if query.flip {
            page.items.reverse();
        }
        let owner = session.address.as_str();
        let to = format!("{}/{}", session.address, session.resource);
        for item in &page.items {
            let id = item.id.to_string();
            let octets = octets_of(item, session);
            let query_id = query.query_id.as_deref();
            let stamp = item.id.time();
            encode::history_result(&mut self.out, owner, &to, query_id, &id, stamp, &octets);
        }
        written(|out| {
            let (count, first_index) = page.total.unzip();
            let ends = ends.as_ref().map(|(first, last)| (first.as_str(), last.as_str()));
            mam::write_fin(out, page.complete, &Page { ends, first_index, count });
        })
    }

    async fn ends(&self, session: &Session) -> Result<Vec<u8>, StanzaError> {
        let one = |last_page| Span { max: Some(1), last_page, ..Span::default() };
        let denied = |denied: Denied| denied_error(&denied);
        let first = self.hub().history(session, one(false)).await.map_err(denied)?;
        let last = self.hub().history(session, one(true)).await.map_err(denied)?;
        let end = |page: &HistoryPage| page.items.first().map(|item| item.id);
        let ends: Option<[MessageId; 2]> = end(&first).zip(end(&last)).map(Into::into);
        let texts = ends.map(|ends| ends.map(|id| (id.to_string(), id.time())));
        written(|out| {
            let ends = texts
                .as_ref()
                .map(|[first, last]| [(first.0.as_str(), first.1), (last.0.as_str(), last.1)]);
            mam::write_metadata(out, ends);
        })
    }

    /// Answers a question about the session's block list.
    pub(super) async fn blocking(
        &self,
        session: &Session,
        request: &BlockingRequest,
    ) -> Result<Vec<u8>, StanzaError> {
        let texts = |jids: &[xmpp::jid::Jid]| -> Vec<Box<str>> {
            jids.iter().map(|jid| jid.to_string().into()).collect()
        };
        match request {
            BlockingRequest::List => {
                let blocked = self.hub().block_list(session).await;
                let blocked = blocked.map_err(|denied| denied_error(&denied))?;
                written(|out| blocking::write_list(out, blocked.iter().map(AsRef::as_ref)))
            }
            BlockingRequest::Block(jids) => done(self.hub().block(session, texts(jids)).await),
            BlockingRequest::Unblock(jids) => done(self.hub().unblock(session, texts(jids)).await),
        }
    }
}

/// The part of the history that a query means. Where a form and a page both bound it, both hold.
fn span(query: &MamQuery) -> Result<Span, StanzaError> {
    let id = |text: &str| -> Result<MessageId, StanzaError> {
        text.parse().map_err(|()| StanzaCondition::ItemNotFound.error())
    };
    let optional = |text: &Option<Box<str>>| text.as_deref().map(id).transpose();
    let (mut after, mut before) = (optional(&query.after_id)?, optional(&query.before_id)?);
    let mut last_page = false;
    match &query.page.position {
        Position::First => {}
        Position::Last => last_page = true,
        Position::After(text) => after = after.max(Some(id(text)?)),
        Position::Before(text) => {
            let here = id(text)?;
            before = Some(before.map_or(here, |known| known.min(here)));
            last_page = true;
        }
    }
    let ids = query.ids.iter().flatten().map(|text| id(text)).collect::<Result<_, _>>()?;
    Ok(Span {
        with: query.with.as_ref().map(|with| with.address.clone()),
        start: query.start,
        end: query.end,
        after,
        before,
        ids,
        last_page,
        max: query.page.max.and_then(|max| usize::try_from(max).ok()),
    })
}

fn octets_of(item: &HistoryItem, session: &Session) -> Vec<u8> {
    let letter = Letter {
        id: item.id,
        format: item.format,
        octets: Arc::clone(&item.octets),
        sender: item.sender.clone(),
    };
    let mut octets = Vec::new();
    letter_octets(&mut octets, &letter, session, &Additions::default());
    octets
}
