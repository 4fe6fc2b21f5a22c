//! The one way of a message, and all that people may do without a message.
//!
//! In reading order: `submit` (the one door), `facts` (what the judge must know), `commit` (seal,
//! store, announce), `deliver` (who gets it now), `waiting` and `transit` (who gets it later),
//! `sequencer` (from the store into the log). Beside it: `entrance` (sign-in and sessions),
//! `presence`, `roster` and `subscription` (who sees whom), `signal` (what is kept nowhere),
//! `history`, `account`, `review`, `policies` (what changes act at once).
//!
//! The hub knows addresses, sessions and messages. It knows no stanza, no tag and no reply code.

mod account;
pub mod clock;
mod commit;
mod confirmations;
mod deliver;
mod entrance;
mod facts;
mod fault;
mod history;
mod notice;
mod people;
mod person;
mod policies;
mod presence;
mod review;
mod roster;
mod sequencer;
mod session;
mod signal;
mod submit;
mod subscription;
mod transit;
mod waiting;

use std::{sync::Arc, thread::JoinHandle, time::Duration};

use archive::{Log, Note, Sealer};
use auth::{DECOY_SECRET_BYTES, Decoy, Throttle};
use directory::Directory;
use model::{Address, Timestamp};
use policy::{Book, Profile};
use store::{Change, Reader, Store, StoreFault};
use tokio::sync::{oneshot, watch};

pub use account::{BLOCKED_MAX, ELEMENT_BYTES_MAX};
pub use commit::{
    BATCH_JOBS_MAX, CONVERSATION_HEADS_MAX, GATHER_MICROS, MARKS_MILLIS_MAX, WAITING_BYTES_MAX,
    WAITING_JOBS_MAX,
};
pub use confirmations::QUESTIONS_MAX as CONFIRMATIONS_MAX;
pub use entrance::{Caller, SESSIONS_PER_ADDRESS_MAX};
pub use facts::FACT_SECS_MAX;
pub use fault::Denied;
pub use history::{PAGE_DEFAULT, PAGE_MAX, Span};
pub use notice::{
    BlockListChange, EndReason, Letter, NotKept, Notice, Presence, PresenceKind, RosterChange,
};
pub use people::{IDLE_PEOPLE_MAX, SWEEP_MARGIN};
pub use policies::TICK_SECS;
pub use policy::{ForcedState, Reason, Refused};
pub use presence::DIRECTED_MAX;
pub use review::HELD_LIST_MAX;
pub use roster::{REQUESTS_MAX, ROSTER_ITEMS_MAX, RosterView};
pub use sequencer::{HANDED_BYTES_MAX, MOVE_MAX, MOVE_MILLIS, RETRY_SECS};
pub use session::{
    Interest, QUESTIONS_MAX, SESSION_NOTICE_BYTES_MAX, SESSION_NOTICES_MAX, SESSION_UNSETTLED_MAX,
    Session,
};
pub use store::{Held, HistoryItem, HistoryPage, RosterItem, Subscription};
pub use submit::Receipt;
pub use waiting::PULL_MAX;

use crate::{
    commit::{Committer, Job, Queue, Settle},
    entrance::Entrance,
    people::People,
    person::Person,
    policies::Policies,
    sequencer::Bell,
};

/// Milliseconds that sessions have to take leave when the house ends. What they have written until
/// then is not shown again.
pub const LEAVE_MILLIS_MAX: u64 = 5_000;

/// Milliseconds between two looks whether they have.
const LEAVE_LOOK_MILLIS: u64 = 5;

/// The house from the inside: handles, nothing else.
pub struct Hub {
    pub(crate) domain: Address,
    pub(crate) directory: Directory,
    pub(crate) policies: Policies,
    pub(crate) store: Store,
    pub(crate) people: People,
    pub(crate) queue: Queue,
    pub(crate) threads: Threads,
    pub(crate) entrance: Entrance,
}

/// The hub's threads, as the rest of it sees them.
pub(crate) struct Threads {
    /// Wakes the sequencer.
    pub(crate) sequencer: Bell,
    /// The thread that has failed, if one has.
    failed: watch::Sender<Option<&'static str>>,
}

/// What the hub is built from.
pub struct Parts {
    /// People, groups and policies.
    pub directory: Directory,
    /// Mailboxes and the rest.
    pub store: Store,
    /// Seals what passes; off if the domain has no archive.
    pub sealer: Sealer,
    /// Where sealed records go; none if the domain has no archive.
    pub log: Option<Log>,
    /// Makes unknown logins look like known ones; kept from start to start.
    pub decoy: [u8; DECOY_SECRET_BYTES],
    /// Fills a buffer with randomness.
    pub random: fn(&mut [u8]),
}

/// The hub's threads.
pub struct Running {
    hub: Arc<Hub>,
    threads: Vec<JoinHandle<()>>,
}

/// A change on its way to the disk.
pub(crate) struct Pending(oneshot::Receiver<Result<(), StoreFault>>);

impl Hub {
    /// Starts the commit thread and the sequencer. One sentence if it cannot be.
    pub fn start(parts: Parts) -> Result<(Arc<Self>, Running), String> {
        let Parts { directory, store, sealer, log, decoy, random } = parts;
        let say = |fault: StoreFault| fault.to_string();
        let snapshot = directory.snapshot();
        let book = Book::compile(snapshot.policy_set()).map_err(|fault| fault.to_string())?;
        let domain = Address::domain_only(snapshot.domain()).map_err(|fault| fault.to_string())?;
        let (writer, reader) = (store.writer().map_err(say)?, store.reader());
        let mut seed = [0; 8];
        random(&mut seed);
        let last = reader.last_message_id().map_err(say)?;
        let hub = Arc::new(Self {
            domain,
            directory,
            policies: Policies::new(book, snapshot.version()),
            store,
            people: People::default(),
            queue: Queue::new(last, u64::from_le_bytes(seed)),
            threads: Threads { sequencer: Bell::default(), failed: watch::Sender::new(None) },
            entrance: Entrance { decoy: Decoy::new(decoy), throttle: Throttle::new().into() },
        });
        // Records name a policy version; what was changed while no server ran is named here.
        let note = Note::Policy {
            version: hub.policies.book().version(),
            author: String::new(),
            summary: "the policies in force when the server started".to_owned(),
        };
        hub.queue
            .push_note(note)
            .map_err(|_| "the commit queue is full before it has begun".to_owned())?;
        let mut threads = Vec::new();
        let committer = Committer::new(Arc::clone(&hub), writer, reader.clone(), sealer, random);
        threads.push(thread(&hub, "commit", move || committer.run())?);
        if let Some(log) = log {
            let known = Arc::clone(&hub);
            threads.push(thread(&hub, "sequencer", move || sequencer::run(&known, &reader, log))?);
            hub.threads.sequencer.wake();
        }
        let running = Running { hub: Arc::clone(&hub), threads };
        Ok((hub, running))
    }

    /// The served domain.
    #[must_use]
    pub fn domain(&self) -> &Address {
        &self.domain
    }

    /// Whether somebody of this address may be here: an account that is not closed.
    #[must_use]
    pub fn exists(&self, address: &Address) -> bool {
        self.directory.snapshot().active(address).is_some()
    }

    /// What a person is called, if they have said.
    #[must_use]
    pub fn display_name(&self, address: &Address) -> Option<String> {
        let snapshot = self.directory.snapshot();
        let name = snapshot.account(address)?.name();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Counts for the administrator, one line.
    #[must_use]
    pub fn status(&self) -> String {
        let people = self.people.signed_in();
        let sessions: usize = people.iter().map(|person| person.lock().bound.len()).sum();
        let (version, people) = (self.policies.book().version(), people.len());
        let line = format!("version {version}, {people} people signed in with {sessions} sessions");
        match self.queue.unrecorded() {
            0 => line,
            events => format!("{line}, {events} events were not archived"),
        }
    }

    /// Waits until a thread of the hub fails, and names it. Without all of them nothing is recorded
    /// any more, so the house is to close.
    pub async fn failed(&self) -> &'static str {
        let mut failed = self.threads.failed.subscribe();
        loop {
            if let Some(name) = *failed.borrow_and_update() {
                return name;
            }
            if failed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// An address of the house, loaded if it is not in memory.
    pub(crate) async fn person(&self, address: &Address) -> Result<Arc<Person>, Denied> {
        if let Some(person) = self.people.find(address) {
            return Ok(person);
        }
        let owner = address.clone();
        let loaded = self.read(move |reader| people::load(reader, &owner)).await?;
        let person = self.people.insert(loaded);
        // What was stored before was announced to nobody: until it is known better, it waits.
        let fetch = person.lock().transit.fetch();
        if let Some(fetch) = fetch {
            let owner = address.clone();
            let waiting = self.read(move |reader| reader.waiting(&owner, fetch.after, 1)).await?;
            if waiting.items.is_empty() {
                person.lock().transit.fetched(fetch, None, true);
            }
        }
        Ok(person)
    }

    /// The resolved policy of an address of the house.
    pub async fn profile(&self, address: &Address, now: Timestamp) -> Option<Arc<Profile>> {
        if !self.exists(address) {
            return Some(Arc::new(self.policies.book().profile(address, now)));
        }
        let person = self.person(address).await.ok()?;
        Some(person.profile(&self.policies.book(), now))
    }

    /// Reads from the store on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, Denied> {
        let reader = self.store.reader();
        let done = tokio::task::spawn_blocking(move || read(&reader)).await;
        Ok(done.map_err(|_| Denied::TryLater)??)
    }

    /// Puts changes on their way, in the order of the calls.
    pub(crate) fn begin(&self, changes: Vec<Change>) -> Result<Pending, Denied> {
        let (caller, settled) = oneshot::channel();
        let job = Job::Changes { changes, settle: Settle::Caller(caller) };
        self.queue.push(job).map_err(|_| Denied::TryLater)?;
        Ok(Pending(settled))
    }

    /// Makes changes and waits until they are on the disk.
    pub(crate) async fn change(&self, changes: Vec<Change>) -> Result<(), Denied> {
        if changes.is_empty() { Ok(()) } else { self.begin(changes)?.finish().await }
    }
}

impl Pending {
    pub(crate) async fn finish(self) -> Result<(), Denied> {
        Ok(self.0.await.map_err(|_| Denied::TryLater)??)
    }
}

impl Running {
    /// Ends all sessions, writes what there is, and waits for the threads. Blocks.
    pub fn stop(self) {
        for _ in 0..LEAVE_MILLIS_MAX / LEAVE_LOOK_MILLIS {
            let here = self.hub.people.signed_in();
            for person in &here {
                for bound in &person.lock().bound {
                    bound.session.end(EndReason::Shutdown);
                }
            }
            if here.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(LEAVE_LOOK_MILLIS));
        }
        let mut threads = self.threads.into_iter();
        if self.hub.queue.push(Job::Stop).is_err() {
            tracing::error!("the commit thread has ended before");
        }
        if let Some(commit) = threads.next()
            && commit.join().is_err()
        {
            tracing::error!("the commit thread has failed");
        }
        self.hub.threads.sequencer.stop();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("the sequencer has failed");
            }
        }
    }
}

/// Says so when a thread ends by a panic.
struct Alarm(Arc<Hub>, &'static str);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.threads.failed.send_replace(Some(self.1));
        }
    }
}

fn thread(
    hub: &Arc<Hub>,
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, String> {
    let alarm = Alarm(Arc::clone(hub), name);
    let run = move || {
        let _alarm = alarm;
        run();
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|fault| format!("the {name} thread cannot be started: {fault}"))
}
