//! The policies in force, and what happens at once when they or the people change.

use std::{collections::BTreeSet, sync::Arc};

use arc_swap::ArcSwap;
use archive::Note;
use directory::TrailLine;
use model::{Address, MessageId, Timestamp};
use policy::{Action, Book, ForcedState};
use tokio::sync::{Mutex, oneshot};

use crate::{
    Hub, clock,
    commit::{Job, Settle},
    confirmations::Confirmations,
    fault::Denied,
    notice::{EndReason, PresenceKind},
    person::Person,
    session::Session,
};

/// Seconds between two looks at what the passing of time has changed.
pub const TICK_SECS: u64 = 5;

/// The compiled policies, swapped whole.
pub(crate) struct Policies {
    book: ArcSwap<Book>,
    pub(crate) confirmations: Confirmations,
    /// Held messages that somebody is deciding on.
    pub(crate) deciding: std::sync::Mutex<BTreeSet<MessageId>>,
    /// The directory's version that the archive knows of. Held while the policies are read again.
    recorded: Mutex<u64>,
}

impl Policies {
    /// `recorded` is the directory's version that the archive knows of.
    pub(crate) fn new(book: Book, recorded: u64) -> Self {
        Self {
            book: ArcSwap::from_pointee(book),
            confirmations: Confirmations::default(),
            deciding: std::sync::Mutex::default(),
            recorded: Mutex::new(recorded),
        }
    }

    pub(crate) fn book(&self) -> Arc<Book> {
        self.book.load_full()
    }
}

impl Hub {
    /// Reads what others have changed in the directory and puts it in force; the version that is in
    /// force then. Blocks for the file, so it runs aside. On a fault after that the changes are in
    /// force, and the next call records them.
    pub async fn reload(self: &Arc<Self>) -> Result<u64, String> {
        // One at a time, so that no older policies come after newer ones.
        let mut recorded = self.policies.recorded.lock().await;
        let (hub, since) = (Arc::clone(self), *recorded);
        let read = tokio::task::spawn_blocking(move || hub.read_directory(since)).await;
        let (book, mut trail) = read.map_err(|fault| fault.to_string())??;
        let version = book.version();
        let before = self.policies.book.swap(Arc::new(book));
        self.enforce(&before);
        while !trail.is_empty() {
            for line in trail {
                self.record_change(&line).await.map_err(|fault| {
                    format!("version {version} is in force, and its record is not written: {fault}")
                })?;
                *recorded = line.number;
            }
            let (hub, since) = (Arc::clone(self), *recorded);
            let read = tokio::task::spawn_blocking(move || hub.read_trail(since)).await;
            trail = read.map_err(|fault| fault.to_string())??;
        }
        Ok(version)
    }

    /// Each set of changes is an event of the archive.
    async fn record_change(&self, line: &TrailLine) -> Result<(), Denied> {
        let note = Note::Policy {
            version: line.number,
            author: line.author.to_string(),
            summary: line.changes.join("\n"),
        };
        let (caller, settled) = oneshot::channel();
        let job = Job::Note { note, settle: Settle::Caller(caller) };
        self.queue.push(job).map_err(|_| Denied::TryLater)?;
        Ok(settled.await.map_err(|_| Denied::TryLater)??)
    }

    fn read_directory(&self, since: u64) -> Result<(Book, Vec<TrailLine>), String> {
        self.directory.refresh().map_err(|fault| fault.to_string())?;
        let snapshot = self.directory.snapshot();
        let book = Book::compile(snapshot.policy_set()).map_err(|fault| fault.to_string())?;
        Ok((book, self.read_trail(since)?))
    }

    /// What has changed since, as far as this house has read the directory.
    fn read_trail(&self, since: u64) -> Result<Vec<TrailLine>, String> {
        let known = self.directory.snapshot().version();
        if known <= since {
            return Ok(Vec::new());
        }
        let trail = self.directory.trail(since, usize::MAX).map_err(|fault| fault.to_string())?;
        Ok(trail.into_iter().filter(|line| line.number <= known).collect())
    }

    /// Ends the sessions of those who may not be here any more, and shows or hides presence as the
    /// new rules say.
    fn enforce(&self, before: &Book) {
        let (book, now) = (self.policies.book(), clock::now());
        for person in self.people.signed_in() {
            for bound in &person.lock().bound {
                if self.is_void(&bound.session) {
                    bound.session.end(EndReason::SignedOut);
                }
            }
            self.refresh_watchers(&person, (before, now), (&book, now));
            self.force_state(&person, &book, now);
        }
    }

    /// Whether the account has been closed or its sessions ended since this one began (DIR-23).
    pub(crate) fn is_void(&self, session: &Session) -> bool {
        let snapshot = self.directory.snapshot();
        let account = snapshot.active(&session.address);
        account.is_none_or(|account| session.began < account.sessions_from())
    }

    /// Tells those for whom the rules now make a difference to the rules before.
    fn refresh_watchers(
        &self,
        person: &Arc<Person>,
        (old, then): (&Book, Timestamp),
        (new, now): (&Book, Timestamp),
    ) {
        let (contacts, directed) = {
            let state = person.lock();
            if state.forced == Some(ForcedState::Offline) {
                return;
            }
            (state.open_contacts(), state.open_directed())
        };
        let (before, after) = (old.profile(&person.address, then), person.profile(new, now));
        let change = |watcher: &Address| {
            let saw = lets_see(old, &before, &person.address, watcher, then);
            let sees = lets_see(new, &after, &person.address, watcher, now);
            (saw != sees).then_some(sees)
        };
        for watcher in contacts {
            match change(&watcher) {
                Some(true) => self.show_all_sessions(person, &watcher, PresenceKind::Available),
                Some(false) => self.show_all_sessions(person, &watcher, PresenceKind::Unavailable),
                None => {}
            }
        }
        for (session, watcher) in directed {
            if change(&watcher) == Some(false) {
                self.withdraw(person, &session, &watcher);
            }
        }
        let until = self.sight_ends(person, now);
        person.lock().sight = Some((now, until));
    }

    /// When the rules may next let somebody see more or less of a person by themselves.
    pub(crate) fn sight_ends(&self, person: &Person, now: Timestamp) -> Option<Timestamp> {
        let book = self.policies.book();
        let contacts = person.lock().open_contacts();
        let may = |watcher: &Address| book.may(Action::Presence, watcher, &person.address, now);
        let ends = contacts.iter().filter_map(|watcher| may(watcher).valid_until);
        ends.chain(person.profile(&book, now).valid_until).min()
    }

    /// What the passing of time has changed: a state that policy forces begins or ends (PRS-02), or
    /// a rule for some hours lets somebody see more or less.
    pub fn tick(&self) {
        let (book, now) = (self.policies.book(), clock::now());
        for person in self.people.signed_in() {
            let sight = person.lock().sight;
            if let Some((then, Some(until))) = sight
                && until <= now
            {
                self.refresh_watchers(&person, (&book, then), (&book, now));
            }
            self.force_state(&person, &book, now);
        }
    }

    /// Puts a state that policy forces in the place of the person's own, or takes it back.
    pub(crate) fn force_state(&self, person: &Arc<Person>, book: &Book, now: Timestamp) {
        let profile = person.profile(book, now);
        let forced = profile.presence_forced;
        let (contacts, shown) = {
            let mut state = person.lock();
            if std::mem::replace(&mut state.forced, forced) == forced {
                return;
            }
            let bound = state.bound.iter();
            let shown: Vec<_> = bound
                .filter_map(|bound| Some((Arc::clone(&bound.session), bound.presence.clone()?)))
                .collect();
            (state.open_contacts(), shown)
        };
        if forced == Some(ForcedState::Offline) {
            for watcher in contacts {
                if lets_see(book, &profile, &person.address, &watcher, now) {
                    self.show_all_sessions(person, &watcher, PresenceKind::Unavailable);
                }
            }
            return;
        }
        for (session, presence) in shown {
            self.broadcast(person, &session, PresenceKind::Available, &presence.octets);
        }
    }
}

/// Whether these rules and the owner's own wish let `watcher` see the presence of `owner`, whatever
/// state is shown.
pub(crate) fn lets_see(
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
    wished && book.may(Action::Presence, watcher, owner, now).allowed
}
