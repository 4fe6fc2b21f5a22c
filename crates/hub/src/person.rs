//! What the house holds in memory of one local address: its sessions, roster, block list, the
//! delivery state, and its resolved policy. Everything durable is the store's; this is its copy,
//! loaded when the address is first spoken to or signs in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use model::{Address, Resource, Timestamp};
use policy::{Book, ForcedState, Profile};

use crate::{roster::Contact, session::Session, transit::Transit};

/// One local address and what is known of it while it is in use.
pub(crate) struct Person {
    pub(crate) address: Address,
    state: Mutex<State>,
    profile: ArcSwapOption<Profile>,
    /// The delivered mark has moved and is not on disk yet.
    pub(crate) dirty: AtomicBool,
}

/// The part that changes; never locked across an await.
pub(crate) struct State {
    pub(crate) bound: Vec<Bound>,
    pub(crate) roster: BTreeMap<Address, Contact>,
    pub(crate) roster_version: u64,
    /// Changes of the roster that have been sent on their way to the disk, ever.
    pub(crate) roster_edits: u64,
    pub(crate) blocked: BTreeSet<Box<str>>,
    pub(crate) transit: Transit,
    /// The state that policy shows to others in place of the person's own.
    pub(crate) forced: Option<ForcedState>,
    /// When it was last decided who may see the presence, and until when that holds.
    pub(crate) sight: Option<(Timestamp, Option<Timestamp>)>,
}

/// One session of the address with what it has said of itself.
pub(crate) struct Bound {
    pub(crate) session: Arc<Session>,
    pub(crate) presence: Option<Available>,
    /// Addresses that this session has shown itself to beside its roster (RFC 6121 §4.6).
    pub(crate) directed: BTreeSet<Address>,
}

/// The last presence that a session broadcast.
#[derive(Clone)]
pub(crate) struct Available {
    pub(crate) priority: i8,
    pub(crate) octets: Arc<[u8]>,
}

impl Person {
    pub(crate) fn new(address: Address, state: State) -> Self {
        Self {
            address,
            state: Mutex::new(state),
            profile: ArcSwapOption::empty(),
            dirty: AtomicBool::new(false),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resolved policy, from the cache while its version and its time are right.
    pub(crate) fn profile(&self, book: &Book, now: Timestamp) -> Arc<Profile> {
        if let Some(known) = &*self.profile.load()
            && known.version == book.version()
            && known.valid_until.is_none_or(|until| now < until)
        {
            return Arc::clone(known);
        }
        let fresh = Arc::new(book.profile(&self.address, now));
        self.profile.store(Some(Arc::clone(&fresh)));
        fresh
    }

    /// Marks that the delivered mark must go to disk. True for the first to say so.
    pub(crate) fn touch(&self) -> bool {
        !self.dirty.swap(true, Ordering::AcqRel)
    }
}

impl State {
    pub(crate) fn session(&self, resource: &Resource) -> Option<&Bound> {
        self.bound.iter().find(|bound| bound.session.resource == *resource)
    }

    pub(crate) fn bound_mut(&mut self, session: &Session) -> Option<&mut Bound> {
        self.bound.iter_mut().find(|bound| bound.session.number == session.number)
    }

    /// The sessions that take messages for the bare address: available and of no negative priority
    /// (RFC 6121 §8.5.2.1.1).
    pub(crate) fn open_sessions(&self) -> impl Iterator<Item = &Bound> {
        self.bound
            .iter()
            .filter(|bound| bound.presence.as_ref().is_some_and(|presence| presence.priority >= 0))
    }

    /// Contacts who are let see the presence and are not blocked.
    pub(crate) fn open_contacts(&self) -> Vec<Address> {
        let contacts = self.roster.values().filter(|known| known.relation.from);
        let contacts = contacts.map(|known| &known.contact);
        contacts.filter(|contact| !self.blocks(contact, None)).cloned().collect()
    }

    /// Sessions with the addresses that they have shown themselves to and that are not blocked.
    pub(crate) fn open_directed(&self) -> Vec<(Arc<Session>, Address)> {
        let pairs = self.bound.iter().flat_map(|bound| {
            bound.directed.iter().map(|address| (Arc::clone(&bound.session), address.clone()))
        });
        pairs.filter(|(_, address)| !self.blocks(address, None)).collect()
    }

    /// Whether this address or its domain, or that one session of it, is blocked (XEP-0191 §3.2).
    pub(crate) fn blocks(&self, address: &Address, resource: Option<&Resource>) -> bool {
        if self.blocked.is_empty() {
            return false;
        }
        self.blocked.contains(address.as_str())
            || self.blocked.contains(address.domain())
            || resource.is_some_and(|resource| {
                self.blocked.contains(format!("{address}/{resource}").as_str())
                    || self.blocked.contains(format!("{}/{resource}", address.domain()).as_str())
            })
    }
}
