//! What is passed on and kept nowhere: typing notices, and questions that clients put to clients.
//! A smaller door than `submit`, and as single: whoever may not write to somebody may not signal to
//! them, and what could carry words is not let through here.

use std::sync::Arc;

use model::{Address, Resource};
use policy::Action;

use crate::{Hub, clock, fault::Denied, notice::Notice, person::Person, session::Session};

impl Hub {
    /// A typing notice to an address or one of its sessions. Goes to whoever is there, or nowhere.
    pub async fn signal(
        &self,
        session: &Session,
        to: &Address,
        resource: Option<&Resource>,
        octets: &Arc<[u8]>,
    ) -> Result<(), Denied> {
        let there = self.reachable(session, to, Action::Message).await?;
        let state = there.lock();
        let named = resource.and_then(|resource| state.session(resource));
        if let Some(bound) = named {
            bound.session.push(Notice::Signal(Arc::clone(octets)));
            return Ok(());
        }
        for bound in state.open_sessions() {
            bound.session.push(Notice::Signal(Arc::clone(octets)));
        }
        Ok(())
    }

    /// A client's question to one session of somebody. Only about what the asker's policy lists, and
    /// only to those whose presence the asker may see: for others nobody is there.
    pub async fn ask(
        &self,
        session: &Session,
        to: &Address,
        resource: &Resource,
        namespace: &str,
        id: &str,
        octets: &Arc<[u8]>,
    ) -> Result<(), Denied> {
        let there = self.reachable(session, to, Action::Query).await?;
        let profile = self.profile(&session.address, clock::now()).await;
        let profile = profile.ok_or(Denied::TryLater)?;
        if !profile.allows_query(namespace) {
            return Err(Denied::Forbidden(format!(
                "Questions of the kind {namespace} do not pass between people here."
            )));
        }
        let asked = {
            let state = there.lock();
            let bound = state.session(resource).ok_or(Denied::NoSuchItem)?;
            let own = there.address == session.address;
            let known = state.roster.get(&session.address).is_some_and(|c| c.relation.from);
            if !own && !known && !bound.directed.contains(&session.address) {
                return Err(Denied::NoSuchItem);
            }
            Arc::clone(&bound.session)
        };
        session.expect_answer(to, resource, id);
        asked.push(Notice::Signal(Arc::clone(octets)));
        Ok(())
    }

    /// A client's answer. Reaches the session that asked, once; an answer to nothing goes nowhere.
    pub fn reply(
        &self,
        session: &Session,
        to: &Address,
        resource: &Resource,
        id: &str,
        octets: &Arc<[u8]>,
    ) {
        let Some(there) = self.people.find(to) else { return };
        let asker = there.lock().session(resource).map(|bound| Arc::clone(&bound.session));
        if let Some(asker) = asker
            && asker.take_answer(&session.address, &session.resource, id)
        {
            asker.push(Notice::Signal(Arc::clone(octets)));
        }
    }

    /// The other side of a signal, if the rules let it pass. Who is not there and who may not be
    /// reached look the same.
    async fn reachable(
        &self,
        session: &Session,
        to: &Address,
        action: Action,
    ) -> Result<Arc<Person>, Denied> {
        if to.domain() != self.domain.as_str() {
            return Err(Denied::Elsewhere);
        }
        let now = clock::now();
        let own = self.person(&session.address).await?;
        let profile = own.profile(&self.policies.book(), now);
        if !profile.open || own.lock().blocks(to, None) {
            return Err(Denied::NoSuchItem);
        }
        if !self.policies.book().may(action, &session.address, to, now).allowed {
            return Err(Denied::NoSuchItem);
        }
        let there = self.people.find(to).ok_or(Denied::NoSuchItem)?;
        if there.lock().blocks(&session.address, Some(&session.resource)) {
            return Err(Denied::NoSuchItem);
        }
        Ok(there)
    }
}
