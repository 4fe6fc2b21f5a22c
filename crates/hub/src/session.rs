//! One signed-in session as the hub sees it: who it is, what it wants to hear, and the bounded
//! queue of notices on their way to it. Knows no protocol.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Poll, Waker},
};

use model::{Address, Resource};

use crate::notice::{EndReason, Notice, RosterChange};

/// Notices that may wait for one session. More means that its peer does not read: the session ends,
/// and what it did not get waits for the next one.
pub const SESSION_NOTICES_MAX: usize = 8_192;

/// Bytes of notices that may wait for one session, counted as their payloads.
pub const SESSION_NOTICE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Questions of one session to others that may be open at once.
pub const QUESTIONS_MAX: usize = 256;

/// Submissions of one session that may be on their way to the disk at once. The driver reads no
/// more from the peer until some have settled.
pub const SESSION_UNSETTLED_MAX: u64 = 512;

/// A session that is bound to an address. Shared by its driver and by those who write to it.
pub struct Session {
    /// Whose session it is.
    pub address: Address,
    /// Its name among the sessions of the address.
    pub resource: Resource,
    /// Unique while the process lives; tells a session from a later one of the same name.
    pub(crate) number: u64,
    /// The directory's version that its proof was checked with.
    pub(crate) began: u64,
    /// Wants copies of what its address sends and gets elsewhere (XEP-0280).
    copies: AtomicBool,
    /// Has asked for the roster and hears its changes (RFC 6121 §2.2).
    roster: AtomicBool,
    /// Has asked for the block list and hears its changes (XEP-0191 §3.4).
    blocklist: AtomicBool,
    /// Messages wait in the mailbox that this session is to have.
    pulling: AtomicBool,
    queue: Mutex<Queue>,
    /// Questions to other sessions that have no answer yet.
    asked: Mutex<VecDeque<Box<str>>>,
    submitted: AtomicU64,
    settled: AtomicU64,
}

#[derive(Default)]
struct Queue {
    notices: VecDeque<Notice>,
    bytes: usize,
    waker: Option<Waker>,
    ended: Option<EndReason>,
}

/// What a session can ask to hear beside messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interest {
    /// Copies of messages to and from the other sessions of its address.
    Copies,
    /// Changes of the roster.
    Roster,
    /// Changes of the block list.
    BlockList,
}

impl Session {
    pub(crate) fn new(address: Address, resource: Resource, number: u64, began: u64) -> Self {
        Self {
            address,
            resource,
            number,
            began,
            copies: AtomicBool::new(false),
            roster: AtomicBool::new(false),
            blocklist: AtomicBool::new(false),
            pulling: AtomicBool::new(false),
            queue: Mutex::default(),
            asked: Mutex::default(),
            submitted: AtomicU64::new(0),
            settled: AtomicU64::new(0),
        }
    }

    /// Begins or stops to hear of something.
    pub fn set_interest(&self, interest: Interest, wanted: bool) {
        self.flag(interest).store(wanted, Ordering::Relaxed);
    }

    pub(crate) fn wants(&self, interest: Interest) -> bool {
        self.flag(interest).load(Ordering::Relaxed)
    }

    fn flag(&self, interest: Interest) -> &AtomicBool {
        match interest {
            Interest::Copies => &self.copies,
            Interest::Roster => &self.roster,
            Interest::BlockList => &self.blocklist,
        }
    }

    /// Hands a notice over. False if the session has ended or just ended because its queue is full.
    pub(crate) fn push(&self, notice: Notice) -> bool {
        let mut queue = self.lock();
        if queue.ended.is_some() {
            return false;
        }
        if !queue.fits(&notice) {
            return Self::close(queue, EndReason::TooSlow);
        }
        queue.bytes += notice.bytes();
        queue.notices.push_back(notice);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Whether there is room for a notice; a queue that is empty has room for any.
    pub(crate) fn fits(&self, notice: &Notice) -> bool {
        self.lock().fits(notice)
    }

    /// Queues changes of the roster that the session has missed.
    pub fn push_roster(&self, changes: Vec<RosterChange>) {
        for change in changes {
            self.push(Notice::Roster(Arc::new(change)));
        }
    }

    /// Ends the session after what is already queued.
    pub(crate) fn end(&self, reason: EndReason) {
        let queue = self.lock();
        if queue.ended.is_none() {
            Self::close(queue, reason);
        }
    }

    fn close(mut queue: MutexGuard<'_, Queue>, reason: EndReason) -> bool {
        queue.ended = Some(reason);
        let waker = queue.waker.take();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
        false
    }

    /// Takes all notices that wait, in order; then says whether the session has ended and why.
    pub fn take(&self, into: &mut Vec<Notice>) -> Option<EndReason> {
        let mut queue = self.lock();
        into.extend(queue.notices.drain(..));
        queue.bytes = 0;
        if queue.notices.capacity() > 64 {
            queue.notices = VecDeque::new();
        }
        queue.ended
    }

    /// Whether there is something to take; otherwise the waker is called when there is.
    pub fn poll_ready(&self, waker: &Waker) -> Poll<()> {
        let mut queue = self.lock();
        if !queue.notices.is_empty() || queue.ended.is_some() || self.is_pulling() {
            return Poll::Ready(());
        }
        if !queue.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            queue.waker = Some(waker.clone());
        }
        Poll::Pending
    }

    /// Whether its driver is to call [`crate::Hub::pull`] when it has nothing else to write.
    #[must_use]
    pub fn is_pulling(&self) -> bool {
        self.pulling.load(Ordering::Acquire)
    }

    pub(crate) fn set_pulling(&self, pulling: bool) {
        self.pulling.store(pulling, Ordering::Release);
        if pulling {
            self.wake();
        }
    }

    fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Notes a question. Of too many without an answer the oldest is forgotten.
    pub(crate) fn expect_answer(&self, of: &Address, resource: &Resource, id: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= QUESTIONS_MAX {
            asked.pop_front();
        }
        asked.push_back(question(of, resource, id));
    }

    /// Whether this answers a question that was asked; it is answered then.
    pub(crate) fn take_answer(&self, from: &Address, resource: &Resource, id: &str) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = question(from, resource, id);
        let place = asked.iter().position(|open| *open == answered);
        place.and_then(|place| asked.remove(place)).is_some()
    }

    pub(crate) fn submit_one(&self) {
        self.submitted.fetch_add(1, Ordering::Relaxed);
    }

    /// One submission is durable or has failed; its driver may go on.
    pub(crate) fn settle_one(&self) {
        self.settled.fetch_add(1, Ordering::Release);
        self.wake();
    }

    /// Submissions that are neither durable nor refused yet.
    #[must_use]
    pub fn unsettled(&self) -> u64 {
        let settled = self.settled.load(Ordering::Acquire);
        self.submitted.load(Ordering::Relaxed).saturating_sub(settled)
    }

    /// Waits until everything that this session has submitted is durable or refused, so that what
    /// it asks next is answered with it.
    pub async fn settled(&self) {
        poll_fn(|context| {
            if self.unsettled() == 0 {
                return Poll::Ready(());
            }
            self.lock().waker = Some(context.waker().clone());
            if self.unsettled() == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn fits(&self, notice: &Notice) -> bool {
        self.notices.is_empty()
            || self.notices.len() < SESSION_NOTICES_MAX
                && self.bytes + notice.bytes() <= SESSION_NOTICE_BYTES_MAX
    }
}

fn question(of: &Address, resource: &Resource, id: &str) -> Box<str> {
    format!("{of}/{resource} {id}").into()
}

/// Two handles are the same session if they have the same number.
pub(crate) fn same(one: &Arc<Session>, other: &Session) -> bool {
    one.number == other.number
}
