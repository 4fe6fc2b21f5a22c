//! What a person keeps with their account beside messages and contacts: card, private data, block
//! list, and when they were last here.

use std::sync::Arc;

use model::{Address, Timestamp};
use policy::{Action, Book};
use store::Change;

use crate::{
    Hub, clock,
    fault::Denied,
    notice::{BlockListChange, Notice, PresenceKind},
    session::{Interest, Session},
};

/// Entries of one block list at most.
pub const BLOCKED_MAX: usize = 1_000;

/// Bytes of a card or of one element of private data.
pub const ELEMENT_BYTES_MAX: usize = 128 * 1024;

impl Hub {
    /// The card of an address of the house, if it has one and the session may ask that person.
    pub async fn vcard(&self, session: &Session, of: &Address) -> Result<Option<String>, Denied> {
        if *of != session.address {
            let may = |book: &Book| book.may(Action::Query, &session.address, of, clock::now());
            if !self.exists(of) || !may(&self.policies.book()).allowed {
                return Ok(None);
            }
            let person = self.person(of).await?;
            if person.lock().blocks(&session.address, Some(&session.resource)) {
                return Ok(None);
            }
        }
        let owner = of.clone();
        self.read(move |reader| reader.vcard(&owner)).await
    }

    /// Replaces the session's own card.
    pub async fn set_vcard(&self, session: &Session, xml: String) -> Result<(), Denied> {
        if xml.len() > ELEMENT_BYTES_MAX {
            return Err(Denied::TooMany);
        }
        self.change(vec![Change::VcardSet { owner: session.address.clone(), xml }]).await
    }

    /// One element of the session's private data (XEP-0049).
    pub async fn private(
        &self,
        session: &Session,
        name: &str,
        namespace: &str,
    ) -> Result<Option<String>, Denied> {
        let (owner, name, namespace) =
            (session.address.clone(), name.to_owned(), namespace.to_owned());
        self.read(move |reader| reader.private(&owner, &name, &namespace)).await
    }

    /// Replaces elements of the session's private data, all or none. Each is name, namespace, XML.
    pub async fn set_private(
        &self,
        session: &Session,
        elements: Vec<(String, String, String)>,
    ) -> Result<(), Denied> {
        if elements.iter().any(|(_, _, xml)| xml.len() > ELEMENT_BYTES_MAX) {
            return Err(Denied::TooMany);
        }
        let owner = &session.address;
        let changes = elements.into_iter().map(|(name, namespace, xml)| Change::PrivateSet {
            owner: owner.clone(),
            name,
            namespace,
            xml,
        });
        self.change(changes.collect()).await
    }

    /// The session's block list; it hears of changes from now on.
    pub async fn block_list(&self, session: &Session) -> Result<Vec<Box<str>>, Denied> {
        let person = self.person(&session.address).await?;
        session.set_interest(Interest::BlockList, true);
        let blocked = person.lock().blocked.iter().cloned().collect();
        Ok(blocked)
    }

    /// Blocks addresses: domains, people, or one session of either (XEP-0191 §3.3).
    pub async fn block(&self, session: &Session, entries: Vec<Box<str>>) -> Result<(), Denied> {
        let person = self.person(&session.address).await?;
        let fresh: Vec<Box<str>> = {
            let state = person.lock();
            let fresh = entries.iter().filter(|entry| !state.blocked.contains(*entry));
            fresh.cloned().collect()
        };
        if person.lock().blocked.len() + fresh.len() > BLOCKED_MAX {
            return Err(Denied::TooMany);
        }
        let owner = &session.address;
        let changes = fresh
            .iter()
            .map(|entry| Change::Block { owner: owner.clone(), address: entry.to_string() });
        self.change(changes.collect()).await?;
        let (contacts, directed) = {
            let mut state = person.lock();
            let (contacts, directed) = (state.open_contacts(), state.open_directed());
            state.blocked.extend(fresh);
            let is_blocked = |address: &Address| state.blocks(address, None);
            let contacts: Vec<_> = contacts.into_iter().filter(is_blocked).collect();
            let directed: Vec<_> = directed.into_iter().filter(|(_, to)| is_blocked(to)).collect();
            (contacts, directed)
        };
        // XEP-0191 §3.3: whoever is blocked sees the person go. Who has not seen them learns
        // nothing (PRS-13).
        for contact in contacts {
            self.show_all_sessions(&person, &contact, PresenceKind::Unavailable);
        }
        for (session, to) in directed {
            self.withdraw(&person, &session, &to);
        }
        tell(&person.lock().bound, BlockListChange { entries, blocked: true });
        Ok(())
    }

    /// Unblocks addresses; with none given, all (XEP-0191 §3.4, §3.5).
    pub async fn unblock(&self, session: &Session, entries: Vec<Box<str>>) -> Result<(), Denied> {
        let person = self.person(&session.address).await?;
        let gone: Vec<Box<str>> = {
            let state = person.lock();
            let gone = state.blocked.iter();
            gone.filter(|known| entries.is_empty() || entries.contains(known)).cloned().collect()
        };
        let owner = &session.address;
        let changes = gone
            .iter()
            .map(|entry| Change::Unblock { owner: owner.clone(), address: entry.to_string() });
        self.change(changes.collect()).await?;
        let contacts: Vec<Address> = {
            let mut state = person.lock();
            let open = state.open_contacts();
            state.blocked.retain(|known| !gone.contains(known));
            let contacts = state.open_contacts().into_iter();
            contacts.filter(|contact| !open.contains(contact)).collect()
        };
        for contact in contacts {
            self.show_all_sessions(&person, &contact, PresenceKind::Available);
        }
        tell(&person.lock().bound, BlockListChange { entries, blocked: false });
        Ok(())
    }

    /// When somebody was last here, for one who may see their presence (XEP-0012 §4): none while
    /// they are here. Who may not see it gets the same answer as for nobody at all.
    pub async fn last_activity(
        &self,
        session: &Session,
        whom: &Address,
    ) -> Result<Option<(Timestamp, Option<String>)>, Denied> {
        if !self.exists(whom) {
            return Err(Denied::NoSuchItem);
        }
        let owner = self.person(whom).await?;
        let own = owner.address == session.address;
        let subscribed = own || {
            let state = owner.lock();
            state.roster.get(&session.address).is_some_and(|known| known.relation.from)
        };
        if !subscribed || !self.may_show(&owner, &session.address, clock::now()) {
            return Err(Denied::NoSuchItem);
        }
        if owner.lock().bound.iter().any(|bound| bound.presence.is_some()) {
            return Ok(None);
        }
        let whom = whom.clone();
        let known = self.read(move |reader| reader.last_activity(&whom)).await?;
        known.map(|known| Some((known.at, known.status))).ok_or(Denied::NoSuchItem)
    }
}

fn tell(sessions: &[crate::person::Bound], change: BlockListChange) {
    let change = Arc::new(change);
    for bound in sessions {
        if bound.session.wants(Interest::BlockList) {
            bound.session.push(Notice::BlockList(Arc::clone(&change)));
        }
    }
}
