//! The addresses in use: found by one look-up, loaded once, forgotten when nobody uses them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use model::{Address, Resource};
use store::{Reader, StoreFault};

use crate::{
    entrance::SESSIONS_PER_ADDRESS_MAX,
    person::{Bound, Person, State},
    roster::Contact,
    session::Session,
    transit::Transit,
};

/// Addresses without a session that are kept in memory because they were spoken to lately.
pub const IDLE_PEOPLE_MAX: usize = 4_096;

/// Addresses that may come into memory or lose a session beyond that, before those that nobody uses
/// are looked for again.
pub const SWEEP_MARGIN: usize = 512;

/// The addresses in use.
#[derive(Default)]
pub(crate) struct People {
    loaded: RwLock<Loaded>,
    sessions: AtomicU64,
    /// Addresses that have come or lost a session since the last sweep.
    unswept: AtomicUsize,
}

type Loaded = HashMap<Address, Arc<Person>>;

impl People {
    /// The address, if it is in memory.
    pub(crate) fn find(&self, address: &Address) -> Option<Arc<Person>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    /// Keeps what was loaded, unless somebody else was quicker.
    pub(crate) fn insert(&self, person: Person) -> Arc<Person> {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        let known = loaded.entry(person.address.clone()).or_insert_with(|| Arc::new(person));
        let known = Arc::clone(known);
        if self.is_time_to_sweep() {
            self.sweep(&mut loaded);
        }
        known
    }

    /// A session of some address has ended, so that it may be forgotten.
    pub(crate) fn one_less(&self) {
        if self.is_time_to_sweep() {
            self.sweep(&mut self.loaded.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// A sweep looks at everybody, so there is one for many who come and go.
    fn is_time_to_sweep(&self) -> bool {
        self.unswept.fetch_add(1, Ordering::Relaxed) >= SWEEP_MARGIN
    }

    /// Forgets addresses that nobody uses, if there are too many of them.
    fn sweep(&self, loaded: &mut Loaded) {
        self.unswept.store(0, Ordering::Relaxed);
        let in_use = |person: &Arc<Person>| {
            Arc::strong_count(person) > 1
                || person.dirty.load(Ordering::Acquire)
                || !person.lock().bound.is_empty()
                || !person.lock().transit.is_idle()
        };
        if loaded.len() > IDLE_PEOPLE_MAX {
            loaded.retain(|_, person| in_use(person));
        }
    }

    /// All addresses that have a session now.
    pub(crate) fn signed_in(&self) -> Vec<Arc<Person>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let mut people: Vec<_> =
            loaded.values().filter(|person| !person.lock().bound.is_empty()).cloned().collect();
        people.sort_by(|one, other| one.address.cmp(&other.address));
        people
    }

    /// Makes a session of that name, unless there are too many. What had the name before is handed
    /// back, to be ended (RFC 6120 §7.7.2.2).
    pub(crate) fn bind(
        &self,
        person: &Person,
        resource: Resource,
        began: u64,
    ) -> Option<(Arc<Session>, Option<Bound>)> {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(Session::new(person.address.clone(), resource, number, began));
        let mut state = person.lock();
        let named = |bound: &Bound| bound.session.resource == session.resource;
        let earlier = state.bound.iter().position(named);
        if earlier.is_none() && state.bound.len() >= SESSIONS_PER_ADDRESS_MAX {
            return None;
        }
        let earlier = earlier.map(|index| state.bound.swap_remove(index));
        state.bound.push(Bound {
            session: Arc::clone(&session),
            presence: None,
            directed: BTreeSet::new(),
        });
        Some((session, earlier))
    }
}

/// Reads what the store holds of an address.
pub(crate) fn load(reader: &Reader, address: &Address) -> Result<Person, StoreFault> {
    let (roster, roster_version) = load_roster(reader, address)?;
    let blocked = reader.blocklist(address)?.into_iter().map(String::into_boxed_str).collect();
    let mut transit = Transit::load(reader.delivered_mark(address)?);
    transit.found_waiting();
    let state = State {
        bound: Vec::new(),
        roster,
        roster_version,
        roster_edits: 0,
        blocked,
        transit,
        forced: None,
        sight: None,
    };
    Ok(Person::new(address.clone(), state))
}

/// Reads a roster and the requests that wait for an answer.
pub(crate) fn load_roster(
    reader: &Reader,
    address: &Address,
) -> Result<(BTreeMap<Address, Contact>, u64), StoreFault> {
    let stored = reader.roster(address)?;
    let mut roster: BTreeMap<_, _> =
        stored.items.into_iter().map(|item| (item.contact.clone(), Contact::load(item))).collect();
    for (contact, request) in reader.pending_subscriptions(address)? {
        match roster.entry(contact.clone()) {
            Entry::Occupied(mut known) => known.get_mut().asking(request),
            Entry::Vacant(place) => drop(place.insert(Contact::stranger(contact, request))),
        }
    }
    Ok((roster, stored.version))
}

#[cfg(test)]
mod tests;
