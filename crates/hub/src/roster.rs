//! Rosters and subscriptions (RFC 6121 §2, §3): the list of an address's contacts, and the words
//! that let one see the other.

use std::sync::Arc;

use model::Address;
use policy::Action;
use store::{Change, RosterItem, Subscription};

use crate::{
    Hub, Pending, clock,
    fault::Denied,
    notice::{EndReason, Notice, Presence, PresenceKind, RosterChange},
    people::load_roster,
    person::{Person, State},
    session::{Interest, Session},
    subscription::{Inbound, Relation, Word},
};

/// Contacts of one roster at most.
pub const ROSTER_ITEMS_MAX: usize = 5_000;

/// Subscription requests that may wait for one person's answer.
pub const REQUESTS_MAX: usize = 1_000;

/// Times that a roster is read again while it is being changed elsewhere.
const REREADS_MAX: usize = 8;

/// One contact in memory.
#[derive(Clone)]
pub(crate) struct Contact {
    pub(crate) contact: Address,
    pub(crate) name: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) relation: Relation,
    /// It is in the roster; otherwise only a request or an approval is known.
    pub(crate) listed: bool,
    /// The request that waits for an answer, as it came.
    pub(crate) request: Option<Arc<[u8]>>,
}

/// The roster, or what has changed of it.
pub enum RosterView {
    /// All of it.
    Whole(u64, Vec<RosterItem>),
    /// Nothing or little since the version that the session has (XEP-0237, now RFC 6121 §2.6).
    Since(Vec<RosterChange>),
}

impl Hub {
    /// The roster for a session, which hears of changes from now on. `known` is the version that it
    /// has.
    pub async fn roster(
        &self,
        session: &Arc<Session>,
        known: Option<u64>,
    ) -> Result<RosterView, Denied> {
        let person = self.person(&session.address).await?;
        session.set_interest(Interest::Roster, true);
        let (version, items) = {
            let state = person.lock();
            let listed = state.roster.values().filter(|contact| contact.listed);
            (state.roster_version, listed.map(Contact::to_item).collect())
        };
        let Some(known) = known else { return Ok(RosterView::Whole(version, items)) };
        let owner = session.address.clone();
        let changes = self.read(move |reader| reader.roster_since(&owner, known)).await?;
        let Some(changes) = changes else { return Ok(RosterView::Whole(version, items)) };
        Ok(RosterView::Since(changes.into_iter().map(RosterChange::from).collect()))
    }

    /// Adds a contact or changes its name and groups.
    pub async fn roster_set(
        &self,
        session: &Session,
        contact: Address,
        name: Option<String>,
        groups: Vec<String>,
    ) -> Result<(), Denied> {
        let person = self.person(&session.address).await?;
        self.edit(&person, &contact, |known| {
            known.name = name;
            known.groups = groups;
            known.listed = true;
        })
        .await
    }

    /// Removes a contact and ends what there was between the two (RFC 6121 §2.5).
    pub async fn roster_remove(&self, session: &Session, contact: &Address) -> Result<(), Denied> {
        let person = self.person(&session.address).await?;
        let relation = match person.lock().roster.get(contact) {
            Some(known) if known.listed => known.relation,
            Some(_) | None => return Err(Denied::NoSuchItem),
        };
        if relation.to || relation.asked {
            Box::pin(self.speak(&person, Word::Unsubscribe, contact, &empty())).await?;
        }
        if relation.from || relation.asking {
            Box::pin(self.speak(&person, Word::Unsubscribed, contact, &empty())).await?;
        }
        let (change, job) = {
            let mut state = person.lock();
            let Some(known) = state.roster.get(contact) else { return Ok(()) };
            let item = RosterItem { subscription: Subscription::None, ..known.to_item() };
            let owner = person.address.clone();
            let job = self.begin(vec![Change::RosterRemove { owner, contact: contact.clone() }])?;
            state.roster.remove(contact);
            state.roster_version += 1;
            state.roster_edits += 1;
            let change = RosterChange { item, removed: true, version: state.roster_version };
            (change, job)
        };
        self.finish_edit(&person, job).await?;
        push(&person, change);
        Ok(())
    }

    /// A session says one of the four words to a contact.
    pub async fn subscription(
        &self,
        session: &Session,
        kind: PresenceKind,
        contact: &Address,
        octets: &Arc<[u8]>,
    ) -> Result<(), Denied> {
        let word = match kind {
            PresenceKind::Subscribe => Word::Subscribe,
            PresenceKind::Subscribed => Word::Subscribed,
            PresenceKind::Unsubscribe => Word::Unsubscribe,
            PresenceKind::Unsubscribed => Word::Unsubscribed,
            PresenceKind::Available | PresenceKind::Unavailable => return Ok(()),
        };
        let person = self.person(&session.address).await?;
        if *contact == person.address {
            return Ok(());
        }
        self.speak(&person, word, contact, octets).await
    }

    /// `person` says the word; if it goes out, the contact hears it.
    async fn speak(
        &self,
        person: &Arc<Person>,
        word: Word,
        contact: &Address,
        octets: &Arc<[u8]>,
    ) -> Result<(), Denied> {
        if contact.domain() != self.domain.as_str() {
            return Err(Denied::Elsewhere);
        }
        let before = relation(person, contact);
        let mut goes_out = false;
        self.edit(person, contact, |known| {
            goes_out = known.relation.say(word);
            // RFC 6121 §3.4.2: an approval beforehand makes an item, too.
            let lists = known.relation.from || known.relation.approved;
            known.listed |= word == Word::Subscribe || lists;
        })
        .await?;
        if goes_out {
            self.hear(person, word, contact, octets).await?;
        }
        let after = relation(person, contact);
        let kind = match (before.from, after.from) {
            (false, true) => PresenceKind::Available,
            (true, false) => PresenceKind::Unavailable,
            (true, true) | (false, false) => return Ok(()),
        };
        self.show_all_sessions(person, contact, kind);
        Ok(())
    }

    /// The contact hears the word. One who is barred, or who is not there at all, hears nothing, and
    /// the sender cannot tell which (PRS-03, PRS-13).
    async fn hear(
        &self,
        from: &Arc<Person>,
        word: Word,
        contact: &Address,
        octets: &Arc<[u8]>,
    ) -> Result<(), Denied> {
        if !self.exists(contact) {
            return Ok(());
        }
        let there = self.person(contact).await?;
        let asks = word == Word::Subscribe;
        let barred = asks && {
            let book = self.policies.book();
            !book.may(Action::Presence, &from.address, contact, clock::now()).allowed
        };
        if barred || there.lock().blocks(&from.address, None) {
            return Ok(());
        }
        let waiting = there.lock().roster.values().filter(|known| known.relation.asking).count();
        if asks && waiting >= REQUESTS_MAX {
            return Ok(());
        }
        let before = relation(&there, &from.address);
        let mut action = Inbound::Ignore;
        self.edit(&there, &from.address, |known| {
            action = known.relation.hear(word);
            known.request = known.relation.asking.then(|| Arc::clone(octets));
            known.listed |= known.relation.from;
        })
        .await?;
        match action {
            Inbound::Ignore => {}
            Inbound::Deliver => deliver(&there, &from.address, word, octets),
            Inbound::Approve => {
                Box::pin(self.hear(&there, Word::Subscribed, &from.address, &empty())).await?;
                self.show_all_sessions(&there, &from.address, PresenceKind::Available);
            }
        }
        if before.from && !relation(&there, &from.address).from {
            self.show_all_sessions(&there, &from.address, PresenceKind::Unavailable);
        }
        Ok(())
    }

    /// Shows all available sessions of `owner` to `watcher`, or hides them.
    pub(crate) fn show_all_sessions(
        &self,
        owner: &Arc<Person>,
        watcher: &Address,
        kind: PresenceKind,
    ) {
        let Some(there) = self.people.find(watcher) else { return };
        if kind == PresenceKind::Available && !self.may_show(owner, watcher, clock::now()) {
            return;
        }
        let forced = owner.lock().forced;
        let shown: Vec<_> = {
            let state = owner.lock();
            let sessions = state.bound.iter();
            sessions
                .filter_map(|bound| Some((bound.session.resource.clone(), bound.presence.clone()?)))
                .collect()
        };
        for (resource, presence) in shown {
            let octets = if kind == PresenceKind::Available { presence.octets } else { empty() };
            let notice = Notice::Presence(Arc::new(Presence {
                from: owner.address.clone(),
                resource: Some(resource),
                to: watcher.clone(),
                kind,
                octets,
                directed: false,
                forced,
            }));
            self.push_to_person(&there, &notice, &owner.address);
        }
    }

    /// Changes one contact in memory and on disk, then tells the sessions that have the roster.
    async fn edit(
        &self,
        person: &Arc<Person>,
        contact: &Address,
        change: impl FnOnce(&mut Contact),
    ) -> Result<(), Denied> {
        let (job, push_of) = {
            let mut state = person.lock();
            let before = state.roster.get(contact).cloned();
            let mut after = before.clone().unwrap_or_else(|| Contact::new(contact.clone()));
            change(&mut after);
            let mut changes = Vec::new();
            let was_listed = before.as_ref().is_some_and(|before| before.listed);
            let item = after.to_item();
            let changed = before.as_ref().map(Contact::to_item).as_ref() != Some(&item);
            if after.listed && (changed || !was_listed) {
                check_room(&state, was_listed)?;
                changes
                    .push(Change::RosterSet { owner: person.address.clone(), item: item.clone() });
            }
            if before.as_ref().is_some_and(|known| known.relation.asking) != after.relation.asking {
                changes.push(Change::PendingSubscription {
                    owner: person.address.clone(),
                    contact: contact.clone(),
                    request: after.relation.asking.then(|| {
                        after.request.as_ref().map(|request| request.to_vec()).unwrap_or_default()
                    }),
                });
            }
            if changes.is_empty() {
                keep(&mut state, after);
                return Ok(());
            }
            let job = self.begin(changes)?;
            state.roster_edits += 1;
            let push_of = (after.listed && (changed || !was_listed)).then(|| {
                state.roster_version += 1;
                RosterChange { item, removed: false, version: state.roster_version }
            });
            keep(&mut state, after);
            (job, push_of)
        };
        self.finish_edit(person, job).await?;
        if let Some(change) = push_of {
            push(person, change);
        }
        Ok(())
    }

    /// Waits for a change of the roster. If the disk did not take it, what is in memory is read
    /// again, once nothing of it is on its way.
    async fn finish_edit(&self, person: &Arc<Person>, job: Pending) -> Result<(), Denied> {
        let Err(denied) = job.finish().await else { return Ok(()) };
        for _ in 0..REREADS_MAX {
            let edits = person.lock().roster_edits;
            // Jobs are done in their order: when this one is, so are all before it.
            let Ok(last) = self.begin(Vec::new()) else { break };
            drop(last.finish().await);
            let owner = person.address.clone();
            let read = self.read(move |reader| load_roster(reader, &owner)).await;
            let Ok((roster, version)) = read else { break };
            let mut state = person.lock();
            if state.roster_edits == edits {
                state.roster = roster;
                state.roster_version = version;
                return Err(denied);
            }
        }
        tracing::error!("a roster in memory is not what is stored; its sessions begin anew");
        for bound in &person.lock().bound {
            bound.session.end(EndReason::Trouble);
        }
        Err(denied)
    }
}

impl Contact {
    fn new(contact: Address) -> Self {
        Self {
            contact,
            name: None,
            groups: Vec::new(),
            relation: Relation::default(),
            listed: false,
            request: None,
        }
    }

    /// A contact as the store has it.
    pub(crate) fn load(item: RosterItem) -> Self {
        let (to, from) = match item.subscription {
            Subscription::None => (false, false),
            Subscription::To => (true, false),
            Subscription::From => (false, true),
            Subscription::Both => (true, true),
        };
        let relation =
            Relation { to, from, asked: item.ask, asking: false, approved: item.approved };
        let RosterItem { contact, name, groups, .. } = item;
        Self { contact, name, groups, relation, listed: true, request: None }
    }

    /// Somebody who waits for an answer.
    pub(crate) fn asking(&mut self, request: Vec<u8>) {
        self.relation.asking = true;
        self.request = Some(request.into());
    }

    /// One of whom only a request is known.
    pub(crate) fn stranger(contact: Address, request: Vec<u8>) -> Self {
        let mut stranger = Self::new(contact);
        stranger.asking(request);
        stranger
    }

    fn to_item(&self) -> RosterItem {
        RosterItem {
            contact: self.contact.clone(),
            name: self.name.clone(),
            groups: self.groups.clone(),
            subscription: match (self.relation.to, self.relation.from) {
                (false, false) => Subscription::None,
                (true, false) => Subscription::To,
                (false, true) => Subscription::From,
                (true, true) => Subscription::Both,
            },
            ask: self.relation.asked,
            approved: self.relation.approved,
        }
    }
}

fn empty() -> Arc<[u8]> {
    Arc::from([].as_slice())
}

fn relation(person: &Person, contact: &Address) -> Relation {
    person.lock().roster.get(contact).map(|known| known.relation).unwrap_or_default()
}

fn keep(state: &mut State, contact: Contact) {
    let known = contact.listed || contact.relation != Relation::default();
    if known {
        state.roster.insert(contact.contact.clone(), contact);
    } else {
        state.roster.remove(&contact.contact);
    }
}

fn check_room(state: &State, was_listed: bool) -> Result<(), Denied> {
    if was_listed || state.roster.len() < ROSTER_ITEMS_MAX { Ok(()) } else { Err(Denied::TooMany) }
}

fn deliver(there: &Person, from: &Address, word: Word, octets: &Arc<[u8]>) {
    let kind = match word {
        Word::Subscribe => PresenceKind::Subscribe,
        Word::Subscribed => PresenceKind::Subscribed,
        Word::Unsubscribe => PresenceKind::Unsubscribe,
        Word::Unsubscribed => PresenceKind::Unsubscribed,
    };
    let notice = Notice::Presence(Arc::new(Presence {
        from: from.clone(),
        resource: None,
        to: there.address.clone(),
        kind,
        octets: Arc::clone(octets),
        directed: false,
        forced: None,
    }));
    // RFC 6121 §3.1.3: requests go to available sessions, the answers to those with the roster.
    for bound in &there.lock().bound {
        let wanted = match word {
            Word::Subscribe => bound.presence.is_some(),
            Word::Subscribed | Word::Unsubscribe | Word::Unsubscribed => {
                bound.presence.is_some() || bound.session.wants(Interest::Roster)
            }
        };
        if wanted {
            bound.session.push(notice.clone());
        }
    }
}

fn push(person: &Person, change: RosterChange) {
    let change = Arc::new(change);
    for bound in &person.lock().bound {
        if bound.session.wants(Interest::Roster) {
            bound.session.push(Notice::Roster(Arc::clone(&change)));
        }
    }
}
