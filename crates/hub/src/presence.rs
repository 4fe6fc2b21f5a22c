//! Who sees whom: broadcasting presence, answering probes, showing a new session what it may see
//! (RFC 6121 §4). Cost follows those who are signed in, not those who have an account.

use std::{collections::BTreeSet, sync::Arc};

use model::{Address, Resource, Timestamp};
use policy::ForcedState;

use crate::{
    Hub, clock,
    fault::Denied,
    notice::{Notice, Presence, PresenceKind},
    person::{Available, Person},
    policies::lets_see,
    session::Session,
};

impl Hub {
    /// A session shows itself to everybody who may see it (RFC 6121 §4.2, §4.4).
    ///
    /// `octets` is the presence as its protocol says it; `priority` decides who gets messages for
    /// the bare address. The first time, the session learns who else is here, gets the requests
    /// that wait for an answer, and the messages that waited.
    pub fn show(&self, session: &Arc<Session>, priority: i8, octets: Arc<[u8]>) {
        let Some(person) = self.people.find(&session.address) else { return };
        let available = Available { priority, octets };
        let first = {
            self.force_state(&person, &self.policies.book(), clock::now());
            let mut state = person.lock();
            let Some(bound) = state.bound_mut(session) else { return };
            let first = bound.presence.replace(available.clone()).is_none();
            session.set_pulling(priority >= 0 && state.transit.is_waiting());
            first
        };
        self.broadcast(&person, session, PresenceKind::Available, &available.octets);
        if first {
            self.look_around(&person, session);
        }
    }

    /// A session hides itself: signed in, but seen by nobody (RFC 6121 §4.5).
    pub fn hide(&self, session: &Arc<Session>, octets: &Arc<[u8]>) {
        let Some(person) = self.people.find(&session.address) else { return };
        let (shown, directed) = {
            let mut state = person.lock();
            let Some(bound) = state.bound_mut(session) else { return };
            session.set_pulling(false);
            (bound.presence.take().is_some(), std::mem::take(&mut bound.directed))
        };
        let told = if shown {
            self.broadcast(&person, session, PresenceKind::Unavailable, octets)
        } else {
            BTreeSet::new()
        };
        for address in directed.difference(&told) {
            let kind = PresenceKind::Unavailable;
            self.push_presence(&person, session, address, None, kind, &unavailable());
        }
    }

    /// A session shows or hides itself to one address only (RFC 6121 §4.6).
    pub fn show_to(
        &self,
        session: &Arc<Session>,
        to: &Address,
        resource: Option<&Resource>,
        kind: PresenceKind,
        octets: &Arc<[u8]>,
    ) {
        let Some(person) = self.people.find(&session.address) else { return };
        let may = self.may_show(&person, to, clock::now());
        {
            let mut state = person.lock();
            let Some(bound) = state.bound_mut(session) else { return };
            if kind == PresenceKind::Available {
                // Whom it cannot be hidden from later it is not shown to.
                let fits = bound.directed.len() < DIRECTED_MAX || bound.directed.contains(to);
                if !may || !fits {
                    return;
                }
                bound.directed.insert(to.clone());
            } else if !bound.directed.remove(to) && !may {
                return;
            }
        }
        self.push_presence(&person, session, to, resource, kind, octets);
    }

    /// A session asks what somebody's presence is (RFC 6121 §4.3). Who lets it see and is not here
    /// is unavailable; of others it learns nothing.
    pub async fn probe(&self, session: &Arc<Session>, whom: &Address) -> Result<(), Denied> {
        if !self.exists(whom) {
            return Ok(());
        }
        let owner = self.person(whom).await?;
        if self.reveal(&owner, session) || !self.is_open_to(&owner, session) {
            return Ok(());
        }
        session.push(Notice::Presence(Arc::new(Presence {
            from: whom.clone(),
            resource: None,
            to: session.address.clone(),
            kind: PresenceKind::Unavailable,
            octets: unavailable(),
            directed: false,
            forced: None,
        })));
        Ok(())
    }

    /// Whether a session's address is let see the presence of `owner`, whatever state is shown.
    fn is_open_to(&self, owner: &Person, watcher: &Session) -> bool {
        if owner.address == watcher.address {
            return true;
        }
        {
            let state = owner.lock();
            let known = state.roster.get(&watcher.address);
            if !known.is_some_and(|known| known.relation.from)
                || state.blocks(&watcher.address, Some(&watcher.resource))
            {
                return false;
            }
        }
        let (book, now) = (self.policies.book(), clock::now());
        let profile = owner.profile(&book, now);
        lets_see(&book, &profile, &owner.address, &watcher.address, now)
    }

    /// Tells all who may see `person` about one of its sessions, its own sessions included. The
    /// contacts who were told.
    pub(crate) fn broadcast(
        &self,
        person: &Arc<Person>,
        session: &Session,
        kind: PresenceKind,
        octets: &Arc<[u8]>,
    ) -> BTreeSet<Address> {
        let mut told = BTreeSet::new();
        let forced = person.lock().forced;
        let notice = |to: &Address| Notice::Presence(notice(session, to, kind, octets, forced));
        let (watchers, sight) = {
            let state = person.lock();
            let own = notice(&person.address);
            for bound in state.bound.iter().filter(|bound| bound.presence.is_some()) {
                bound.session.push(own.clone());
            }
            if kind != PresenceKind::Available {
                session.push(own);
            }
            (state.open_contacts(), state.sight)
        };
        // Who has seen it gone already learns nothing of the session that was there (PRS-13).
        if forced == Some(ForcedState::Offline) {
            return told;
        }
        let (book, now) = (self.policies.book(), clock::now());
        let profile = person.profile(&book, now);
        let sees = |watcher: &Address, at| lets_see(&book, &profile, &person.address, watcher, at);
        for watcher in watchers {
            let Some(there) = self.people.find(&watcher) else { continue };
            // Hiding is told to whoever has seen it, also if a rule has changed with the hour and
            // the next tick has not told them yet.
            let saw = || sight.is_some_and(|(then, _)| sees(&watcher, then));
            if sees(&watcher, now) || kind != PresenceKind::Available && saw() {
                self.push_to_person(&there, &notice(&watcher), &person.address);
                told.insert(watcher);
            }
        }
        if kind == PresenceKind::Available && sight.is_none() {
            let until = self.sight_ends(person, now);
            person.lock().sight = Some((now, until));
        }
        told
    }

    /// A session takes back that it has shown itself to one address.
    pub(crate) fn withdraw(&self, person: &Person, session: &Session, from: &Address) {
        if let Some(bound) = person.lock().bound_mut(session) {
            bound.directed.remove(from);
        }
        self.hide_from(person, session, from);
    }

    /// One address that saw a session sees it go.
    pub(crate) fn hide_from(&self, person: &Person, session: &Session, from: &Address) {
        let kind = PresenceKind::Unavailable;
        self.push_presence(person, session, from, None, kind, &unavailable());
    }

    fn push_presence(
        &self,
        person: &Person,
        session: &Session,
        to: &Address,
        resource: Option<&Resource>,
        kind: PresenceKind,
        octets: &Arc<[u8]>,
    ) {
        let Some(there) = self.people.find(to) else { return };
        let forced = person.lock().forced;
        let notice = Notice::Presence(Arc::new(Presence {
            from: session.address.clone(),
            resource: Some(session.resource.clone()),
            to: to.clone(),
            kind,
            octets: Arc::clone(octets),
            directed: !octets.is_empty(),
            forced,
        }));
        match resource {
            None => self.push_to_person(&there, &notice, &person.address),
            Some(resource) => {
                let state = there.lock();
                if !state.blocks(&person.address, Some(&session.resource))
                    && let Some(bound) = state.session(resource)
                {
                    bound.session.push(notice);
                }
            }
        }
    }

    /// To every session of an address that is available itself, unless it blocks the sender.
    pub(crate) fn push_to_person(&self, there: &Person, notice: &Notice, from: &Address) {
        let state = there.lock();
        if state.blocks(from, None) {
            return;
        }
        for bound in state.bound.iter().filter(|bound| bound.presence.is_some()) {
            bound.session.push(notice.clone());
        }
    }

    /// Shows a new session who is here, and the requests it has not answered.
    fn look_around(&self, person: &Arc<Person>, session: &Arc<Session>) {
        let (seen, asking) = {
            let state = person.lock();
            for bound in &state.bound {
                if bound.session.number != session.number
                    && let Some(presence) = &bound.presence
                {
                    let kind = PresenceKind::Available;
                    let seen =
                        notice(&bound.session, &person.address, kind, &presence.octets, None);
                    session.push(Notice::Presence(seen));
                }
            }
            let items = state.roster.values();
            let seen: Vec<Address> =
                items.clone().filter(|item| item.relation.to).map(|i| i.contact.clone()).collect();
            let asking: Vec<_> = items
                .filter(|item| item.relation.asking)
                .map(|item| (item.contact.clone(), item.request.clone()))
                .collect();
            (seen, asking)
        };
        for contact in seen {
            if let Some(owner) = self.people.find(&contact) {
                self.reveal(&owner, session);
            }
        }
        for (from, request) in asking {
            let to = person.address.clone();
            let kind = PresenceKind::Subscribe;
            let octets = request.unwrap_or_else(|| Arc::from([].as_slice()));
            session.push(Notice::Presence(Arc::new(Presence {
                from,
                resource: None,
                to,
                kind,
                octets,
                directed: false,
                forced: None,
            })));
        }
    }

    /// Shows `owner`'s available sessions to one session, if its address may see them. True if there
    /// was one.
    pub(crate) fn reveal(&self, owner: &Arc<Person>, watcher: &Session) -> bool {
        if owner.address != watcher.address {
            let subscribed = {
                let state = owner.lock();
                state.roster.get(&watcher.address).is_some_and(|item| item.relation.from)
            };
            if !subscribed || !self.may_show(owner, &watcher.address, clock::now()) {
                return false;
            }
        }
        let mut shown = false;
        let state = owner.lock();
        for bound in &state.bound {
            if let Some(presence) = &bound.presence {
                let kind = PresenceKind::Available;
                let seen =
                    notice(&bound.session, &watcher.address, kind, &presence.octets, state.forced);
                watcher.push(Notice::Presence(seen));
                shown = true;
            }
        }
        shown
    }

    /// Whether the session's address sees the presence of `whom`: a contact who lets it, or itself.
    #[must_use]
    pub fn is_seen_by(&self, whom: &Address, session: &Session) -> bool {
        let Some(owner) = self.people.find(whom) else { return false };
        if owner.address == session.address {
            return true;
        }
        let subscribed = {
            let state = owner.lock();
            state.roster.get(&session.address).is_some_and(|known| known.relation.from)
        };
        subscribed && self.may_show(&owner, &session.address, clock::now())
    }

    /// Whether rules and the person's own wish let `watcher` see this presence (PRS-03, PRS-04,
    /// POL-02).
    pub(crate) fn may_show(&self, owner: &Person, watcher: &Address, now: Timestamp) -> bool {
        if owner.address == *watcher {
            return true;
        }
        if owner.lock().blocks(watcher, None) {
            return false;
        }
        let book = self.policies.book();
        let profile = owner.profile(&book, now);
        profile.presence_forced != Some(ForcedState::Offline)
            && lets_see(&book, &profile, &owner.address, watcher, now)
    }
}

/// The octets of a presence that the house itself says: none, each protocol has its own.
pub(crate) fn unavailable() -> Arc<[u8]> {
    Arc::from([].as_slice())
}

/// Addresses beside the roster that one session may show itself to.
pub const DIRECTED_MAX: usize = 256;

fn notice(
    session: &Session,
    to: &Address,
    kind: PresenceKind,
    octets: &Arc<[u8]>,
    forced: Option<ForcedState>,
) -> Arc<Presence> {
    Arc::new(Presence {
        from: session.address.clone(),
        resource: Some(session.resource.clone()),
        to: to.clone(),
        kind,
        octets: Arc::clone(octets),
        directed: false,
        forced,
    })
}
