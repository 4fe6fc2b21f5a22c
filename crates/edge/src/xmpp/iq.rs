//! `<iq/>`: questions to the account, to the server, about somebody else, and between clients.

use std::sync::Arc;

use hub::{Denied, Interest, Session, clock};
use model::Address;
use xmpp::{
    encode,
    fault::{StanzaCondition, StanzaError},
    payload::{
        disco::{self, Info},
        last, private,
        private::PrivateRequest,
        roster,
        roster::RosterRequest,
        time, vcard,
        vcard::VcardRequest,
        version,
    },
    session::{IqAsk, IqRequest, IqTarget},
};

use crate::{
    drive::Connection,
    xmpp::{
        denied_error,
        disco::{ACCOUNT, SERVER, is_own_node},
        notice::write_roster_item,
    },
};

/// What an answer is: something to write, or an error.
type Answered = Result<Vec<u8>, StanzaError>;

impl Connection {
    /// Answers a question, or passes it on.
    pub(crate) async fn iq(&mut self, ask: IqAsk) {
        let Some(session) = self.bound.clone() else { return };
        if let IqTarget::Other(to) = &ask.target {
            return self.pass_on(&session, &ask, to).await;
        }
        let own = format!("{}/{}", session.address, session.resource);
        let answered = match &ask.target {
            IqTarget::Account => self.iq_account(&session, &ask).await,
            IqTarget::Server(_) => self.iq_server(&ask),
            IqTarget::Person(whom) => self.iq_person(&session, &ask, whom).await,
            IqTarget::Other(_) => return,
        };
        let reply = ask.reply(&own);
        match answered {
            Ok(payload) => {
                if !matches!(ask.request, IqRequest::Answered { .. }) {
                    encode::iq_result(&mut self.out, &reply, |out| out.extend(payload));
                }
            }
            Err(error) => encode::iq_error(&mut self.out, &reply, &error),
        }
    }

    async fn iq_account(&mut self, session: &Arc<Session>, ask: &IqAsk) -> Answered {
        match &ask.request {
            IqRequest::Roster(request) => self.roster(session, request).await,
            IqRequest::Private(request) => self.private(session, request).await,
            IqRequest::Vcard(VcardRequest::Get) => self.card(session).await,
            IqRequest::Vcard(VcardRequest::Set { octets }) => {
                let xml = String::from_utf8_lossy(octets).into_owned();
                done(self.hub().set_vcard(session, xml).await)
            }
            IqRequest::Blocking(request) => self.blocking(session, request).await,
            IqRequest::Carbons { enable } => {
                session.set_interest(Interest::Copies, *enable);
                nothing()
            }
            IqRequest::Mam(request) => self.archive(session, request).await,
            IqRequest::DiscoInfo { node } => about(node.as_deref(), &ACCOUNT),
            IqRequest::Last => written(|out| last::write(out, 0, None)),
            // Without an address these are for the server (RFC 6120 §10.3.3).
            IqRequest::Version
            | IqRequest::Time
            | IqRequest::Ping
            | IqRequest::DiscoItems { .. } => self.iq_server(ask),
            IqRequest::Answered { .. } => nothing(),
            IqRequest::Unknown { .. } | IqRequest::Opaque { .. } => unavailable(),
        }
    }

    fn iq_server(&self, ask: &IqAsk) -> Answered {
        match &ask.request {
            IqRequest::DiscoInfo { node } => match node.as_deref().filter(|n| is_own_node(n)) {
                Some(own) => written(|out| disco::write_info(out, Some(own), &SERVER, |_| {})),
                None => about(node.as_deref(), &SERVER),
            },
            IqRequest::DiscoItems { node: None } => {
                written(|out| disco::write_items(out, None, &[]))
            }
            IqRequest::DiscoItems { node: Some(_) } => Err(StanzaCondition::ItemNotFound.error()),
            IqRequest::Version => {
                written(|out| version::write(out, "Chancery", self.house.version))
            }
            IqRequest::Time => written(|out| time::write(out, clock::now())),
            IqRequest::Last => {
                let up = clock::now().micros_since(self.house.started) / 1_000_000;
                let up = u64::try_from(up).unwrap_or(0);
                written(|out| last::write(out, up, None))
            }
            IqRequest::Ping | IqRequest::Answered { .. } => nothing(),
            IqRequest::Roster(_)
            | IqRequest::Private(_)
            | IqRequest::Vcard(_)
            | IqRequest::Blocking(_)
            | IqRequest::Carbons { .. }
            | IqRequest::Mam(_)
            | IqRequest::Unknown { .. }
            | IqRequest::Opaque { .. } => unavailable(),
        }
    }

    /// What the server says for somebody else. Who is not there and whom one may not see are the
    /// same (PRS-03).
    async fn iq_person(&self, session: &Session, ask: &IqAsk, whom: &Address) -> Answered {
        match &ask.request {
            IqRequest::Vcard(VcardRequest::Get) => {
                match self
                    .hub()
                    .vcard(session, whom)
                    .await
                    .map_err(|denied| denied_error(&denied))?
                {
                    Some(card) => Ok(card.into_bytes()),
                    None => unavailable(),
                }
            }
            IqRequest::Last => match self.hub().last_activity(session, whom).await {
                Ok(None) => written(|out| last::write(out, 0, None)),
                Ok(Some((at, status))) => {
                    let secs = clock::now().micros_since(at) / 1_000_000;
                    let secs = u64::try_from(secs).unwrap_or(0);
                    written(|out| last::write(out, secs, status.as_deref()))
                }
                Err(Denied::NoSuchItem) => unavailable(),
                Err(denied) => Err(denied_error(&denied)),
            },
            IqRequest::DiscoInfo { node } if self.hub().is_seen_by(whom, session) => {
                about(node.as_deref(), &ACCOUNT)
            }
            IqRequest::DiscoItems { node: None } if self.hub().is_seen_by(whom, session) => {
                written(|out| disco::write_items(out, None, &[]))
            }
            // RFC 6121 §2.1.5, XEP-0313 §6: what belongs to somebody else is not for others.
            IqRequest::Roster(_) | IqRequest::Mam(_) | IqRequest::Private(_) => {
                Err(StanzaCondition::Forbidden.error())
            }
            IqRequest::Answered { .. } => nothing(),
            IqRequest::Vcard(VcardRequest::Set { .. }) => Err(StanzaCondition::Forbidden.error()),
            IqRequest::DiscoInfo { .. }
            | IqRequest::DiscoItems { .. }
            | IqRequest::Version
            | IqRequest::Time
            | IqRequest::Ping
            | IqRequest::Blocking(_)
            | IqRequest::Carbons { .. }
            | IqRequest::Unknown { .. }
            | IqRequest::Opaque { .. } => unavailable(),
        }
    }

    /// From client to client.
    async fn pass_on(&mut self, session: &Session, ask: &IqAsk, to: &xmpp::jid::Jid) {
        let IqRequest::Opaque { wants_answer, namespace, octets } = &ask.request else { return };
        let Some(resource) = &to.resource else {
            if *wants_answer {
                self.refuse_iq(session, ask, &StanzaCondition::RemoteServerNotFound.error());
            }
            return;
        };
        if !wants_answer {
            return self.hub().reply(session, &to.address, resource, &ask.id, octets);
        }
        let asked =
            self.hub().ask(session, &to.address, resource, namespace, &ask.id, octets).await;
        match asked {
            Ok(()) => {}
            Err(Denied::NoSuchItem) => {
                self.refuse_iq(session, ask, &StanzaCondition::ServiceUnavailable.error());
            }
            Err(denied) => self.refuse_iq(session, ask, &denied_error(&denied)),
        }
    }

    fn refuse_iq(&mut self, session: &Session, ask: &IqAsk, error: &StanzaError) {
        let own = format!("{}/{}", session.address, session.resource);
        encode::iq_error(&mut self.out, &ask.reply(&own), error);
    }

    async fn roster(&mut self, session: &Arc<Session>, request: &RosterRequest) -> Answered {
        match request {
            RosterRequest::Get { version } => {
                let known = version.as_deref().and_then(|version| version.parse().ok());
                let view = self.hub().roster(session, known).await;
                let view = view.map_err(|denied| denied_error(&denied))?;
                Ok(self.write_roster(session, version.is_some(), view))
            }
            RosterRequest::Set { contact, name, groups } => {
                let name = name.as_deref().map(str::to_owned);
                let groups = groups.iter().map(ToString::to_string).collect();
                done(self.hub().roster_set(session, contact.clone(), name, groups).await)
            }
            RosterRequest::Remove { contact } => {
                done(self.hub().roster_remove(session, contact).await)
            }
        }
    }

    /// The whole roster in the result, or an empty result and what has changed as pushes
    /// (RFC 6121 §2.6.3).
    fn write_roster(
        &mut self,
        session: &Session,
        versions: bool,
        view: hub::RosterView,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        match view {
            hub::RosterView::Whole(version, items) => {
                let version = versions.then(|| version.to_string());
                roster::write(&mut out, version.as_deref(), |out| {
                    for item in &items {
                        write_roster_item(out, item, false);
                    }
                });
            }
            hub::RosterView::Since(changes) => session.push_roster(changes),
        }
        out
    }

    async fn private(&self, session: &Session, request: &PrivateRequest) -> Answered {
        match request {
            PrivateRequest::Get { name, namespace, empty } => {
                let kept = self.hub().private(session, name, namespace).await;
                let kept = kept.map_err(|denied| denied_error(&denied))?;
                written(|out| {
                    private::write(out, kept.as_deref().map_or(&**empty, str::as_bytes));
                })
            }
            PrivateRequest::Set { name, namespace, octets } => {
                let xml = String::from_utf8_lossy(octets).into_owned();
                let element = (name.to_string(), namespace.to_string(), xml);
                done(self.hub().set_private(session, vec![element]).await)
            }
        }
    }

    async fn card(&self, session: &Session) -> Answered {
        let card = self
            .hub()
            .vcard(session, &session.address)
            .await
            .map_err(|denied| denied_error(&denied))?;
        written(|out| vcard::write(out, card.as_deref().map(str::as_bytes)))
    }
}

/// An empty result.
pub(super) fn nothing() -> Answered {
    Ok(Vec::new())
}

/// The answer for what nobody does, and for whom nobody may see.
pub(super) fn unavailable() -> Answered {
    Err(StanzaCondition::ServiceUnavailable.error())
}

/// A result with something in it.
pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Answered {
    let mut out = Vec::new();
    write(&mut out);
    Ok(out)
}

/// An empty result, or why not.
pub(super) fn done(outcome: Result<(), Denied>) -> Answered {
    match outcome {
        Ok(()) => nothing(),
        Err(denied) => Err(denied_error(&denied)),
    }
}

fn about(node: Option<&str>, info: &Info<'_>) -> Answered {
    if node.is_some() {
        return Err(StanzaCondition::ItemNotFound.error());
    }
    written(|out| disco::write_info(out, None, info, |_| {}))
}
