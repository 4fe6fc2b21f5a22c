//! The policies in force, and what happens at once when they or the people change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use archive::Note;
use model::{Address, Timestamp};
use policy::{Action, Book, ForcedState};

use crate::{
    Hub, clock,
    commit::{Job, Settle},
    confirmations::Confirmations,
    notice::{EndReason, PresenceKind},
    person::Person,
    presence::unavailable,
};

/// Seconds between two looks at what the passing of time has changed.
pub const TICK_SECS: u64 = 5;

/// The compiled policies, swapped whole.
pub(crate) struct Policies {
    book: ArcSwap<Book>,
    pub(crate) confirmations: Confirmations,
}

impl Policies {
    pub(crate) fn new(book: Book) -> Self {
        Self { book: ArcSwap::from_pointee(book), confirmations: Confirmations::default() }
    }

    pub(crate) fn book(&self) -> Arc<Book> {
        self.book.load_full()
    }
}

impl Hub {
    /// Reads what others have changed in the directory and puts it in force; the version that is in
    /// force then. Blocks for the file, so it runs aside.
    pub async fn reload(self: &Arc<Self>) -> Result<u64, String> {
        let hub = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || hub.read_directory()).await;
        let (book, news) = read.map_err(|fault| fault.to_string())??;
        let version = book.version();
        if let Some(note) = news
            && self.queue.push(Job::Note { note, settle: Settle::Nobody }).is_err()
        {
            return Err("the disk does not take the change's record; try again".to_owned());
        }
        let before = self.policies.book.swap(Arc::new(book));
        self.enforce(&before);
        Ok(version)
    }

    fn read_directory(&self) -> Result<(Book, Option<Note>), String> {
        let known = self.directory.snapshot().version();
        self.directory.refresh().map_err(|fault| fault.to_string())?;
        let snapshot = self.directory.snapshot();
        let book = Book::compile(snapshot.policy_set()).map_err(|fault| fault.to_string())?;
        let trail = self.directory.trail(known, usize::MAX).map_err(|fault| fault.to_string())?;
        let author = trail.last().map(|line| line.author.to_string()).unwrap_or_default();
        let summary: Vec<String> = trail.into_iter().flat_map(|line| line.changes).collect();
        let note = (!summary.is_empty()).then(|| Note::Policy {
            version: book.version(),
            author,
            summary: summary.join("\n"),
        });
        Ok((book, note))
    }

    /// Ends the sessions of those who may not be here any more, and shows or hides presence as the
    /// new rules say.
    fn enforce(&self, before: &Book) {
        let snapshot = self.directory.snapshot();
        let now = clock::now();
        for person in self.people.signed_in() {
            let account = snapshot.active(&person.address);
            for bound in &person.lock().bound {
                let void =
                    account.is_none_or(|account| bound.session.began < account.sessions_from());
                if void {
                    bound.session.end(EndReason::SignedOut);
                }
            }
            self.refresh_watchers(&person, before, now);
        }
    }

    /// Tells those for whom the new rules make a difference.
    fn refresh_watchers(&self, person: &Arc<Person>, before: &Book, now: Timestamp) {
        let watchers: Vec<Address> = {
            let state = person.lock();
            let watchers = state.roster.values().filter(|known| known.relation.from);
            watchers.map(|known| known.contact.clone()).collect()
        };
        let old = before.profile(&person.address, now);
        for watcher in watchers {
            let saw = shows(before, &old, &person.address, &watcher, now);
            let sees = self.may_show(person, &watcher, now);
            match (saw, sees) {
                (false, true) => {
                    self.show_all_sessions(person, &watcher, PresenceKind::Available);
                }
                (true, false) => {
                    self.show_all_sessions(person, &watcher, PresenceKind::Unavailable);
                }
                (true, true) | (false, false) => {}
            }
        }
    }

    /// What the passing of time has changed: a state that policy forces begins or ends (PRS-02).
    pub fn tick(&self) {
        let now = clock::now();
        let book = self.policies.book();
        for person in self.people.signed_in() {
            let forced = person.profile(&book, now).presence_forced;
            if person.lock().forced == forced {
                continue;
            }
            person.lock().forced = forced;
            let shown: Vec<_> = {
                let state = person.lock();
                let bound = state.bound.iter();
                bound.filter_map(|b| Some((Arc::clone(&b.session), b.presence.clone()?))).collect()
            };
            for (session, presence) in shown {
                let (kind, octets) = match forced {
                    Some(ForcedState::Offline) => (PresenceKind::Unavailable, unavailable()),
                    Some(_) | None => (PresenceKind::Available, presence.octets),
                };
                self.broadcast(&person, &session, kind, &octets);
            }
        }
    }
}

/// Whether these rules let `watcher` see the presence of `owner`.
pub(crate) fn shows(
    book: &Book,
    profile: &policy::Profile,
    owner: &Address,
    watcher: &Address,
    now: Timestamp,
) -> bool {
    use policy::Visibility::{Contacts, Nobody, Team};
    let wished = match profile.presence_visible_to {
        Contacts => true,
        Team => book.are_teammates(owner, watcher),
        Nobody => false,
    };
    wished
        && profile.presence_forced != Some(ForcedState::Offline)
        && book.may(Action::Presence, watcher, owner, now).allowed
}
