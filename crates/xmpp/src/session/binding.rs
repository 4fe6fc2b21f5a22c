//! A resource is due (RFC 6120 §7): the client asks for a name, the house gives one.

use model::{Address, Resource};

use super::{Next, State, ask::Ask, bound::Bound, config::TRIES_MAX, features, stream::Stream};
use crate::{
    encode::{self, Reply},
    fault::{StanzaCondition, StanzaError, StreamCondition},
    jid::Jid,
    payload::{bad_request, ns},
    stanza::{Stanza, StanzaKind},
};

/// Waits for a request to bind.
pub(super) struct Unbound {
    address: Address,
    failures: u8,
}

/// Waits for the house to name the session.
pub(super) struct Binding {
    unbound: Unbound,
    id: Box<str>,
}

impl Unbound {
    pub(super) fn new(address: Address) -> Self {
        Self { address, failures: 0 }
    }

    pub(super) fn element(self, stream: &mut Stream, element: &Stanza) -> Next {
        let asks = element.kind() == StanzaKind::Iq && element.child(ns::BIND, "bind").is_some();
        let Some(id) = element.id().filter(|_| asks) else {
            // RFC 6120 §7.1: "MUST NOT process" stanzas before the binding.
            return Err(match element.kind() {
                StanzaKind::Message | StanzaKind::Presence | StanzaKind::Iq => {
                    StreamCondition::NotAuthorized.because("Binding a resource comes first.")
                }
                StanzaKind::Other => StreamCondition::UnsupportedStanzaType.into(),
            });
        };
        let id = Box::from(&*id);
        match read(element) {
            Ok(resource) => {
                stream.ask(Ask::Bind { address: self.address.clone(), resource });
                Ok(State::Binding(Binding { unbound: self, id }))
            }
            Err(condition) => self.failed(stream, &id, &condition.error()),
        }
    }

    fn failed(mut self, stream: &mut Stream, id: &str, error: &StanzaError) -> Next {
        stream.send(|out| encode::iq_error(out, &Reply { id, from: None, to: None }, error));
        self.failures = self.failures.saturating_add(1);
        if self.failures < TRIES_MAX {
            Ok(State::Unbound(self))
        } else {
            Err(StreamCondition::PolicyViolation.because("Too many failed bindings."))
        }
    }
}

impl Binding {
    pub(super) fn bound(self, stream: &mut Stream, jid: Jid) -> State {
        let text = jid.to_string();
        let reply = Reply { id: &self.id, from: None, to: None };
        stream.send(|out| {
            encode::iq_result(out, &reply, |out| features::write_bound(out, &text));
        });
        stream.heard = stream.now;
        State::Bound(Bound::new(jid, text).into())
    }

    pub(super) fn refused(self, stream: &mut Stream, error: &StanzaError) -> Next {
        self.unbound.failed(stream, &self.id, error)
    }
}

/// The resource that the client asks for (RFC 6120 §7.7.1); an empty one is none.
fn read(element: &Stanza) -> Result<Option<Resource>, StanzaCondition> {
    if element.type_attribute().as_deref() != Some("set") || element.children().count() != 1 {
        return Err(bad_request());
    }
    let bind = element.child(ns::BIND, "bind").ok_or_else(bad_request)?.to_element();
    match bind.get(ns::BIND, "resource").map(|resource| resource.text_content()) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        // RFC 6120 §7.7.2.1
        Some(text) => Resource::parse(&text).map(Some).map_err(|_| bad_request()),
    }
}
