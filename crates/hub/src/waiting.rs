//! What waited: messages in the mailbox that no session has had. A session that opens pulls them, a
//! page at a time, whenever it has nothing else to write, so that a thousand waiting messages need
//! no more memory than a hundred (XEP-0160).

use std::{collections::BTreeSet, sync::Arc};

use model::MessageId;

use crate::{
    Hub, clock,
    notice::{EndReason, Letter, Notice},
    person::{Bound, Person},
    presence::unavailable,
    session::Session,
};

/// Messages fetched at once for a session that opens; fewer if they are large
/// ([`store::WAITING_PAGE_BYTES_MAX`]).
pub const PULL_MAX: usize = 128;

impl Hub {
    /// Fetches the next waiting messages for a session. Its queue has them afterwards, or the
    /// session pulls no more.
    pub async fn pull(&self, session: &Arc<Session>) {
        let Some(person) = self.people.find(&session.address) else { return };
        let fetch = person.lock().transit.fetch();
        let Some(fetch) = fetch else { return session.set_pulling(false) };
        let after = fetch.after;
        let owner = session.address.clone();
        let page = match self.read(move |reader| reader.waiting(&owner, after, PULL_MAX)).await {
            Ok(page) => page,
            Err(fault) => {
                tracing::warn!(%fault, "waiting messages cannot be read");
                session.end(EndReason::Trouble);
                return;
            }
        };
        let mut state = person.lock();
        let mut complete = !page.more;
        let mut through = None;
        for waiting in &page.items {
            if !state.transit.is_untaken(waiting.id) {
                through = Some(waiting.id);
                continue;
            }
            let letter = Arc::new(Letter {
                id: waiting.id,
                format: waiting.format,
                octets: Arc::clone(&waiting.octets),
                sender: waiting.peer.clone(),
            });
            let waited_since = Some(waiting.id.time());
            let notice = Notice::Message { letter, kept: waiting.history, waited_since };
            if !session.fits(&notice) || !session.push(notice) {
                complete = false;
                break;
            }
            state.transit.announced(waiting.id, 1);
            through = Some(waiting.id);
        }
        let moved = state.transit.fetched(fetch, through, complete);
        if !state.transit.is_waiting() {
            session.set_pulling(false);
        }
        drop(state);
        if moved {
            self.queue.mark_moved(&person);
        }
    }

    /// A driver has written these messages to its peer.
    pub fn written(&self, session: &Session, ids: &[MessageId]) {
        if ids.is_empty() {
            return;
        }
        let Some(person) = self.people.find(&session.address) else { return };
        let mut moved = false;
        {
            let mut state = person.lock();
            for id in ids {
                moved |= state.transit.written(*id);
            }
        }
        if moved {
            self.queue.mark_moved(&person);
        }
    }

    /// Takes back what an ended session did not write. Another open session pulls it.
    pub(crate) fn give_back(&self, person: &Person, ids: impl IntoIterator<Item = MessageId>) {
        let mut state = person.lock();
        for id in ids {
            state.transit.dropped(id);
        }
        if state.transit.is_waiting() {
            let next = state.open_sessions().map(|bound| Arc::clone(&bound.session)).next();
            if let Some(next) = next {
                next.set_pulling(true);
            }
        }
    }

    /// A session is gone: whoever saw it sees it go.
    pub(crate) fn depart(&self, person: &Arc<Person>, gone: &Bound) {
        let told = if gone.presence.is_some() {
            self.broadcast(person, &gone.session, crate::PresenceKind::Unavailable, &unavailable())
        } else {
            BTreeSet::new()
        };
        for address in gone.directed.difference(&told) {
            self.hide_from(person, &gone.session, address);
        }
        tracing::debug!(at = %clock::now(), "a session has gone");
    }
}
