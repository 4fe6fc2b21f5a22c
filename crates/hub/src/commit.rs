//! One commit: a single thread takes what many have submitted, seals it, writes it in one
//! transaction, and only then announces it. Whoever waits for the answer gets it last.
//!
//! Why a thread and not a task: the transaction waits for the disk, and one writer is what SQLite
//! has and what keeps the order of the archive equal to the order of the store.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use archive::{Link, Note, Sealer};
use model::{Conversation, MessageId, MessageIds, Submission};
use policy::{Admitted, Disposition};
use store::{Batch, Change, Entry, HeldRow, MailboxRow, Reader, StoreFault, Stored, Writer};
use tokio::sync::oneshot;

use crate::{
    Hub, clock,
    deliver::deliver,
    notice::{NotKept, Notice},
    person::Person,
    session::Session,
};

/// Jobs taken into one transaction at most.
pub const BATCH_JOBS_MAX: usize = 2_048;

/// Jobs that may wait for the disk. More are refused with «try again later».
pub const WAITING_JOBS_MAX: usize = 65_536;

/// Bytes of messages that may wait for the disk.
pub const WAITING_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Two transactions begin at least this far apart, so that a steady stream shares its syncs; a lone
/// message does not wait.
pub const GATHER_MICROS: u64 = 8_000;

/// Delivered marks reach the disk this long after they moved, if no commit takes them along.
pub const MARKS_MILLIS_MAX: u64 = 100;

/// Heads of conversations that are kept in memory between commits.
pub const CONVERSATION_HEADS_MAX: usize = 65_536;

/// One thing to make durable.
pub(crate) enum Job {
    /// An admitted message with its mailbox rows and the decision that let it go, if there was one.
    Message {
        admitted: Admitted,
        rows: Vec<MailboxRow>,
        held: Option<HeldRow>,
        decided: Option<Decided>,
        settle: Settle,
    },
    /// An event for the archive.
    Note { note: Note, settle: Settle },
    /// Changes of rosters, block lists and the like.
    Changes { changes: Vec<Change>, settle: Settle },
    /// The log has every record up to this one.
    InLog { through: u64 },
    /// Write what there is and end.
    Stop,
}

/// A decision on a held message, which goes in together with what it lets go: the message that was
/// held is gone, and a note of the decision is there.
pub(crate) struct Decided {
    pub(crate) held: MessageId,
    pub(crate) note: Note,
}

/// One submission of a session on its way. It is settled when this is dropped, however that comes,
/// so that no session waits for what will never be.
pub(crate) struct Underway(Arc<Session>);

/// Whom to tell how it ended.
pub(crate) enum Settle {
    /// The submitting session: it counts, and gets a notice only if it failed.
    Session(Underway),
    /// Nobody waits, but it is counted if it failed.
    Counted(Arc<AtomicU64>),
    /// Somebody who waits for it.
    Caller(oneshot::Sender<Result<(), StoreFault>>),
    /// Nobody.
    Nobody,
}

/// The way to the commit thread.
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
    /// Events of which the archive has no record, because the disk did not take it.
    unrecorded: Arc<AtomicU64>,
}

struct Inner {
    jobs: VecDeque<Job>,
    bytes: usize,
    ids: MessageIds,
    random: u64,
    dirty: Vec<Arc<Person>>,
    /// Nobody takes jobs any more.
    closed: bool,
}

impl Queue {
    /// `seed` is fresh randomness; ids go on after `last`.
    pub(crate) fn new(last: Option<MessageId>, seed: u64) -> Self {
        let inner = Inner {
            jobs: VecDeque::new(),
            bytes: 0,
            ids: MessageIds::after(last),
            random: seed | 1,
            dirty: Vec::new(),
            closed: false,
        };
        Self { inner: Mutex::new(inner), filled: Condvar::new(), unrecorded: Arc::default() }
    }

    /// An event for the archive on which nobody waits. It is counted if it cannot be written later.
    pub(crate) fn push_note(&self, note: Note) -> Result<(), Job> {
        self.push(Job::Note { note, settle: Settle::Counted(Arc::clone(&self.unrecorded)) })
    }

    /// Events since the start of which the archive has no record.
    pub(crate) fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// Puts a job at the end, or hands it back if there is no room.
    pub(crate) fn push(&self, job: Job) -> Result<(), Job> {
        let mut inner = self.lock();
        let bytes = job.bytes();
        let full = inner.jobs.len() >= WAITING_JOBS_MAX || inner.bytes + bytes > WAITING_BYTES_MAX;
        if inner.closed || full && !matches!(job, Job::InLog { .. } | Job::Stop) {
            return Err(job);
        }
        inner.bytes += bytes;
        inner.jobs.push_back(job);
        let first = inner.jobs.len() == 1;
        drop(inner);
        if first {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// The delivered mark of this address has moved; it goes to disk with the next commit.
    pub(crate) fn mark_moved(&self, person: &Arc<Person>) {
        if person.touch() {
            let mut inner = self.lock();
            inner.dirty.push(Arc::clone(person));
            let first = inner.dirty.len() == 1;
            drop(inner);
            if first {
                self.filled.notify_one();
            }
        }
    }

    /// Takes no more jobs; whoever waits for one is told.
    fn close(&self) {
        let left = {
            let mut inner = self.lock();
            inner.closed = true;
            inner.bytes = 0;
            std::mem::take(&mut inner.jobs)
        };
        let fault = StoreFault::Unavailable("the house is closed".to_owned());
        for job in left {
            match job {
                Job::Message { admitted, settle, .. } => {
                    settle.failed(&fault, Some(admitted.submission()));
                }
                Job::Note { settle, .. } | Job::Changes { settle, .. } => {
                    settle.failed(&fault, None);
                }
                Job::InLog { .. } | Job::Stop => {}
            }
        }
    }

    /// A name for the next message.
    pub(crate) fn next_id(&self, now: model::Timestamp) -> MessageId {
        let mut inner = self.lock();
        // xorshift64: the low bits only need to tell nobody how many ids were given out.
        inner.random ^= inner.random << 13;
        inner.random ^= inner.random >> 7;
        inner.random ^= inner.random << 17;
        let random = (inner.random >> 32) as u32;
        inner.ids.next(now, random)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for work: jobs, or marks that have waited long enough.
    fn wait(&self) -> (Vec<Job>, Vec<Arc<Person>>) {
        let mut inner = self.lock();
        while inner.jobs.is_empty() {
            let wait = Duration::from_millis(MARKS_MILLIS_MAX);
            if inner.dirty.is_empty() {
                inner = self.filled.wait(inner).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (next, timeout) =
                self.filled.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner);
            inner = next;
            if timeout.timed_out() {
                break;
            }
        }
        let count = inner.jobs.len().min(BATCH_JOBS_MAX);
        let jobs: Vec<Job> = inner.jobs.drain(..count).collect();
        inner.bytes -= jobs.iter().map(Job::bytes).sum::<usize>();
        (jobs, std::mem::take(&mut inner.dirty))
    }
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Message { admitted, .. } => admitted.submission().content.size(),
            Self::Note { note: Note::Refused { submission, .. }, .. } => submission.content.size(),
            Self::Note { .. } | Self::Changes { .. } | Self::InLog { .. } | Self::Stop => 256,
        }
    }

    /// The queue did not take it; whoever waits for it is told.
    pub(crate) fn abandon(self) {
        match self {
            Self::Message { settle, .. }
            | Self::Note { settle, .. }
            | Self::Changes { settle, .. } => settle.failed(&StoreFault::Full, None),
            Self::InLog { .. } | Self::Stop => {}
        }
    }
}

impl Underway {
    /// A session counts what is on its way.
    pub(crate) fn new(session: &Arc<Session>) -> Self {
        session.submit_one();
        Self(Arc::clone(session))
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.settle_one();
    }
}

impl Settle {
    /// The session that waits, if it is one.
    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        match self {
            Self::Session(underway) => Some(&underway.0),
            Self::Counted(_) | Self::Caller(_) | Self::Nobody => None,
        }
    }

    /// It is durable, or there was nothing to write.
    pub(crate) fn done(self) {
        match self {
            Self::Session(underway) => drop(underway),
            Self::Caller(caller) => drop(caller.send(Ok(()))),
            Self::Counted(_) | Self::Nobody => {}
        }
    }

    fn failed(self, fault: &StoreFault, submission: Option<&Arc<Submission>>) {
        match self {
            Self::Session(underway) => {
                if let Some(submission) = submission {
                    let submission = Arc::clone(submission);
                    let fault = NotKept { submission, sentence: NOT_KEPT };
                    underway.0.push(Notice::NotKept(Arc::new(fault)));
                }
            }
            Self::Counted(count) => {
                count.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%fault, "an event was not archived");
            }
            Self::Caller(caller) => drop(caller.send(Err(fault.clone()))),
            Self::Nobody => {}
        }
    }
}

/// What a sender reads when the disk did not take a message.
const NOT_KEPT: &str = "The message cannot be recorded now, so it was not sent. Try again later.";

/// The thread's own belongings.
pub(crate) struct Committer {
    pub(crate) hub: Arc<Hub>,
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    pub(crate) sealer: Sealer,
    pub(crate) random: fn(&mut [u8]),
    heads: HashMap<Conversation, Link>,
    /// The batch before was not written.
    troubled: bool,
}

/// Closes the queue when the thread ends, also by a panic: what nobody will take is not waited for.
struct Closing(Arc<Hub>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}

/// One batch on its way: what goes in, and whom to tell of each part.
#[derive(Default)]
struct Round {
    batch: Batch,
    /// Whom to tell of each entry, with the submission to show if it failed.
    messages: Vec<(Settle, Arc<Submission>)>,
    others: Vec<Settle>,
    /// Heads of the conversations that this batch moves on.
    heads: HashMap<Conversation, Link>,
    people: Vec<Arc<Person>>,
    in_log: Option<u64>,
    stop: bool,
}

impl Committer {
    pub(crate) fn new(
        hub: Arc<Hub>,
        writer: Writer,
        reader: Reader,
        sealer: Sealer,
        random: fn(&mut [u8]),
    ) -> Self {
        Self { hub, writer, reader, sealer, random, heads: HashMap::new(), troubled: false }
    }

    /// Runs until it is told to stop.
    pub(crate) fn run(mut self) {
        let gather = Duration::from_micros(GATHER_MICROS);
        let _closing = Closing(Arc::clone(&self.hub));
        loop {
            let (jobs, dirty) = self.hub.queue.wait();
            let began = clock::monotonic();
            self.sealer.expire(clock::now());
            let mark = self.sealer.mark();
            let mut round = self.gather(jobs, dirty);
            self.finish(&mut round, mark);
            if round.stop {
                return;
            }
            if let Some(rest) = gather.checked_sub(began.elapsed()) {
                std::thread::sleep(rest);
            }
        }
    }

    fn gather(&mut self, jobs: Vec<Job>, dirty: Vec<Arc<Person>>) -> Round {
        let mut round = Round { people: dirty, ..Round::default() };
        // The records of a batch's messages come before those of its notes, so they are sealed in
        // that order: records have their places in a segment.
        let mut notes = Vec::new();
        for job in jobs {
            match job {
                Job::Message { admitted, rows, held, decided, settle } => {
                    let added = self.add_message(&mut round, admitted, rows, held, settle);
                    if let Some(Decided { held: id, note }) = decided.filter(|_| added) {
                        round.batch.changes.push(Change::HeldRemove { id });
                        notes.push((note, Settle::Nobody));
                    }
                }
                Job::Note { note, settle } => notes.push((note, settle)),
                Job::Changes { changes, settle } => {
                    round.batch.changes.extend(changes);
                    round.others.push(settle);
                }
                Job::InLog { through } => round.in_log = round.in_log.max(Some(through)),
                Job::Stop => round.stop = true,
            }
        }
        for (note, settle) in notes {
            self.add_note(&mut round, &note, settle);
        }
        for person in &round.people {
            person.dirty.store(false, Ordering::Release);
            if let Some(through) = person.lock().transit.mark() {
                let owner = person.address.clone();
                round.batch.changes.push(Change::Delivered { owner, through });
            }
        }
        round
    }

    /// True if it is in the batch; otherwise who waits for it has been told.
    fn add_message(
        &mut self,
        round: &mut Round,
        admitted: Admitted,
        rows: Vec<MailboxRow>,
        held: Option<HeldRow>,
        settle: Settle,
    ) -> bool {
        let submission = Arc::clone(admitted.submission());
        let now = clock::now();
        let id = self.hub.queue.next_id(now);
        let sealed = self.head(round, &submission).and_then(|link| {
            let random = self.salt();
            self.sealer.seal(admitted, id, &link, now, random).map_err(|fault| {
                tracing::error!(%fault, "a message cannot be sealed");
                StoreFault::Unavailable(fault.to_string())
            })
        });
        match sealed {
            Ok(sealed) => {
                round.heads.insert(sealed.conversation().clone(), *sealed.next_link());
                round.batch.entries.push(Entry { sealed, rows, held });
                round.messages.push((settle, submission));
                true
            }
            Err(fault) => {
                settle.failed(&fault, Some(&submission));
                false
            }
        }
    }

    fn add_note(&mut self, round: &mut Round, note: &Note, settle: Settle) {
        let now = clock::now();
        let id = self.hub.queue.next_id(now);
        let random = self.salt();
        match self.sealer.note(note, id, now, random) {
            Ok(sealed) => {
                round.batch.notes.push(sealed);
                round.others.push(settle);
            }
            Err(fault) => {
                tracing::error!(%fault, "an event cannot be sealed");
                settle.failed(&StoreFault::Unavailable(fault.to_string()), None);
            }
        }
    }

    /// The head of the submission's conversation: of this batch, of an earlier one, or the store's.
    fn head(&self, round: &Round, submission: &Submission) -> Result<Link, StoreFault> {
        let conversation = archive::conversation(submission);
        let known = round.heads.get(&conversation).or_else(|| self.heads.get(&conversation));
        known.map_or_else(|| self.reader.conversation_link(&conversation), |link| Ok(*link))
    }

    fn salt(&self) -> [u8; 32] {
        let mut salt = [0; 32];
        (self.random)(&mut salt);
        salt
    }

    /// Writes the batch, then announces, then tells those who wait.
    fn finish(&mut self, round: &mut Round, mark: archive::Mark) {
        let batch = std::mem::take(&mut round.batch);
        let records = !batch.entries.is_empty() || !batch.notes.is_empty();
        let written = if !records && batch.changes.is_empty() {
            Ok((Vec::new(), Vec::new()))
        } else {
            self.writer.append(batch).map(|committed| (committed.stored, committed.records))
        };
        match written {
            Ok((stored, records)) => {
                if std::mem::take(&mut self.troubled) {
                    tracing::info!("batches are written again");
                }
                self.remember(std::mem::take(&mut round.heads));
                self.announce(stored, std::mem::take(&mut round.messages));
                round.others.drain(..).for_each(Settle::done);
                self.hub.threads.sequencer.hand_over(records);
            }
            Err(fault) => {
                // Marks are tried again many times a second: once is enough to say.
                if records || !std::mem::replace(&mut self.troubled, true) {
                    tracing::error!(%fault, "a batch was not written; nothing of it went out");
                }
                self.sealer.rewind(mark);
                self.heads.clear();
                for (settle, submission) in round.messages.drain(..) {
                    settle.failed(&fault, Some(&submission));
                }
                for settle in round.others.drain(..) {
                    settle.failed(&fault, None);
                }
                for person in round.people.drain(..) {
                    self.hub.queue.mark_moved(&person);
                }
            }
        }
        if let Some(through) = round.in_log
            && let Err(fault) = self.writer.outbox_done(through)
        {
            tracing::warn!(%fault, "records that are in the log stay in the outbox for now");
        }
    }

    fn announce(&self, stored: Vec<Stored>, settles: Vec<(Settle, Arc<Submission>)>) {
        for (stored, (settle, _)) in stored.iter().zip(settles) {
            if stored.admitted().disposition() == Disposition::Deliver {
                deliver(&self.hub, stored, settle.session());
            }
            settle.done();
        }
    }

    fn remember(&mut self, heads: HashMap<Conversation, Link>) {
        if self.heads.len() + heads.len() > CONVERSATION_HEADS_MAX {
            self.heads.clear();
        }
        self.heads.extend(heads);
    }
}
