//! The entrance: who a login is, and how often somebody may try.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use auth::{Decoy, Login, Throttle, Verdict, Verifiers};
use model::{Address, MessageId, Resource, Timestamp};

use crate::{
    Hub, clock,
    fault::Denied,
    notice::{EndReason, Notice},
    person::Person,
    session::Session,
};

use std::sync::Arc;

/// Sessions of one address at most.
pub const SESSIONS_PER_ADDRESS_MAX: usize = 32;

/// What guards the entrance.
pub(crate) struct Entrance {
    pub(crate) decoy: Decoy,
    pub(crate) throttle: Mutex<Throttle>,
}

/// What is known of a login before it has proved anything.
pub struct Caller {
    /// What a proof is checked with, and the address it leads to; none for an unknown login.
    pub account: Option<(Verifiers, Address)>,
    /// The account may be used.
    pub enabled: bool,
    /// There were too many failures; no try is made now.
    pub throttled: bool,
    /// The directory's version that this was looked up in, for [`Hub::bind`].
    pub version: u64,
}

impl Hub {
    /// Looks a login up.
    pub fn caller(&self, login: &str, source: IpAddr) -> Caller {
        let snapshot = self.directory.snapshot();
        let version = snapshot.version();
        let Ok(login) = &Login::parse(login) else {
            return Caller { account: None, enabled: false, throttled: false, version };
        };
        let verdict = {
            let throttle = self.entrance.throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.check(login, source, clock::now())
        };
        let credentials = snapshot.credentials(login);
        Caller {
            throttled: !matches!(verdict, Verdict::Go),
            enabled: credentials.as_ref().is_some_and(|known| known.account.is_enabled()),
            account: credentials.map(|known| (known.verifiers, known.account.address().clone())),
            version,
        }
    }

    /// What makes unknown logins look like known ones.
    pub fn decoy(&self) -> &Decoy {
        &self.entrance.decoy
    }

    /// A proof was wrong.
    pub fn sign_in_failed(&self, login: &str, source: IpAddr) {
        let Ok(login) = &Login::parse(login) else { return };
        let mut throttle = self.entrance.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.failed(login, source, clock::now());
    }

    /// Makes a session. An earlier one of that name ends.
    ///
    /// `began` is the [`Caller::version`] that the proof was checked with: what was changed since
    /// then, a password or a closed account, counts against the session (DIR-23).
    pub async fn bind(
        &self,
        address: &Address,
        resource: Resource,
        began: u64,
    ) -> Result<Arc<Session>, Denied> {
        if !self.exists(address) {
            return Err(Denied::NoSuchItem);
        }
        let person = self.person(address).await?;
        let bound = self.people.bind(&person, resource, began);
        let (session, earlier) = bound.ok_or(Denied::TooMany)?;
        if let Some(earlier) = earlier {
            earlier.session.end(EndReason::Replaced);
            self.depart(&person, &earlier);
        }
        // Whoever closed the account or changed its password meanwhile has not found this session.
        if self.is_void(&session) {
            self.unbind(&session, &[], clock::now());
            return Err(Denied::NoSuchItem);
        }
        Ok(session)
    }

    /// Ends a session: it is seen no more, and what it did not get waits for the next one.
    /// `unwritten` names the messages that it took and did not write.
    pub fn unbind(&self, session: &Arc<Session>, unwritten: &[MessageId], now: Timestamp) {
        let Some(person) = self.people.find(&session.address) else { return };
        session.end(EndReason::SignedOut);
        let mut left = Vec::new();
        session.take(&mut left);
        let bound = {
            let mut state = person.lock();
            let index = state.bound.iter().position(|bound| bound.session.number == session.number);
            index.map(|index| state.bound.swap_remove(index))
        };
        let left = left.iter().filter_map(Notice::message_id);
        self.give_back(&person, left.chain(unwritten.iter().copied()));
        if let Some(bound) = bound {
            let was_shown = bound.presence.is_some();
            self.depart(&person, &bound);
            if was_shown && !person.lock().bound.iter().any(|bound| bound.presence.is_some()) {
                self.remember_activity(&person, now);
            }
        }
        self.people.one_less();
    }

    /// Ends all sessions of an address; for the administrator (DIR-23).
    pub fn sign_out(&self, address: &str) -> Result<String, String> {
        let address = Address::parse(address).map_err(|fault| fault.to_string())?;
        let sessions: Vec<_> = match self.people.find(&address) {
            None => Vec::new(),
            Some(person) => {
                person.lock().bound.iter().map(|bound| Arc::clone(&bound.session)).collect()
            }
        };
        for session in &sessions {
            session.end(EndReason::SignedOut);
        }
        Ok(format!("{} sessions of {address} ended", sessions.len()))
    }

    fn remember_activity(&self, person: &Person, at: Timestamp) {
        let owner = person.address.clone();
        let change = store::Change::LastActivity { owner, at, status: None };
        if self.begin(vec![change]).is_err() {
            tracing::debug!("the time of the last presence was not stored");
        }
    }
}
