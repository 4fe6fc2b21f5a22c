//! Reads an `iq` (RFC 6120 §8.2.3): whom it concerns and, where that is us, what it asks. Knows
//! neither the answers nor who may ask.

use super::{
    ask::{IqAsk, IqRequest, IqTarget},
    bound::Sender,
    stamp,
};
use crate::{
    element::Element,
    fault::StanzaCondition,
    jid::Jid,
    payload::{Kind, bad_request, blocking, jid_malformed, mam, ns, private, roster, vcard},
    stanza::Stanza,
};

/// What to do with an `iq`.
pub(super) enum Reading {
    /// For the house.
    Ask(Box<IqAsk>),
    /// The session itself says yes (RFC 3921 §3).
    Done,
    /// Nothing: an answer that makes no sense must not be answered (RFC 6120 §8.3.1).
    Drop,
}

/// The four types (RFC 6120 §8.2.3).
enum Type {
    Request(Kind),
    Result,
    Error,
}

/// Reads an `iq`, or says what its sender did wrong.
pub(super) fn read(stanza: &Stanza, sender: &Sender<'_>) -> Result<Reading, StanzaCondition> {
    let kind = match stanza.type_attribute().as_deref() {
        Some("get") => Type::Request(Kind::Get),
        Some("set") => Type::Request(Kind::Set),
        Some("result") => Type::Result,
        Some("error") => Type::Error,
        Some(_) | None => return Err(bad_request()),
    };
    match kind {
        Type::Request(kind) => read_request(stanza, sender, kind),
        Type::Result => Ok(read_answer(stanza, sender, false)),
        Type::Error => Ok(read_answer(stanza, sender, true)),
    }
}

fn read_request(
    stanza: &Stanza,
    sender: &Sender<'_>,
    kind: Kind,
) -> Result<Reading, StanzaCondition> {
    // RFC 6120 §8.2.3: an id, and exactly one child.
    let id = stanza.id().map(|id| Box::from(&*id)).ok_or_else(bad_request)?;
    let mut children = stanza.children();
    let (Some(payload), None) = (children.next(), children.next()) else {
        return Err(bad_request());
    };
    let (target, to) = target(stanza, sender).map_err(|()| jid_malformed())?;
    let request = match &target {
        IqTarget::Other(_) => opaque(stanza, sender, to.as_ref(), true),
        IqTarget::Account | IqTarget::Server(_) | IqTarget::Person(_) => {
            let payload = payload.to_element();
            match (payload.namespace(), payload.name(), kind) {
                (ns::SESSION, "session", Kind::Set) => return Ok(Reading::Done),
                // RFC 6120 §7.6.2.1 allows one resource for one stream here.
                (ns::BIND, ..) => return Err(StanzaCondition::NotAllowed),
                _ => read_payload(&payload, kind)?,
            }
        }
    };
    let as_given = stanza.to().map(|to| Box::from(&*to));
    Ok(Reading::Ask(IqAsk { id, target, as_given, request }.into()))
}

fn read_answer(stanza: &Stanza, sender: &Sender<'_>, failed: bool) -> Reading {
    let (Some(id), Ok((target, to))) = (stanza.id(), target(stanza, sender)) else {
        return Reading::Drop;
    };
    if !failed && stanza.children().count() > 1 {
        return Reading::Drop;
    }
    let request = match &target {
        IqTarget::Other(_) => opaque(stanza, sender, to.as_ref(), false),
        IqTarget::Account | IqTarget::Server(_) | IqTarget::Person(_) => {
            IqRequest::Answered { failed }
        }
    };
    let as_given = stanza.to().map(|to| Box::from(&*to));
    Reading::Ask(IqAsk { id: Box::from(&*id), target, as_given, request }.into())
}

fn opaque(stanza: &Stanza, sender: &Sender<'_>, to: Option<&Jid>, wants_answer: bool) -> IqRequest {
    let octets = stamp::canonical(stanza, sender.text, to, sender.lang, sender.config);
    let namespace = stanza.children().next().map(|payload| payload.namespace().into_owned());
    let namespace = namespace.unwrap_or_default().into();
    IqRequest::Opaque { wants_answer, namespace, octets }
}

/// Whom it concerns (RFC 6120 §10.3), and the address as prepared.
fn target(stanza: &Stanza, sender: &Sender<'_>) -> Result<(IqTarget, Option<Jid>), ()> {
    let Some(to) = stanza.to() else {
        return Ok((IqTarget::Account, None));
    };
    let to = Jid::parse(&to).map_err(|_| ())?;
    let target = if !to.is_bare() || !sender.config.serves(to.address.domain()) {
        IqTarget::Other(to.clone())
    } else if to.address == sender.jid.address {
        IqTarget::Account
    } else if to.address.local().is_none() {
        IqTarget::Server(to.address.clone())
    } else {
        IqTarget::Person(to.address.clone())
    };
    Ok((target, Some(to)))
}

fn read_payload(payload: &Element, kind: Kind) -> Result<IqRequest, StanzaCondition> {
    let node = || payload.attribute("node").map(Box::from);
    Ok(match (payload.namespace(), payload.name(), kind) {
        (ns::ROSTER, "query", kind) => IqRequest::Roster(roster::read(payload, kind)?),
        (ns::PRIVATE, "query", kind) => IqRequest::Private(private::read(payload, kind)?),
        (ns::VCARD, "vCard", kind) => IqRequest::Vcard(vcard::read(payload, kind)),
        (ns::DISCO_INFO, "query", Kind::Get) => IqRequest::DiscoInfo { node: node() },
        (ns::DISCO_ITEMS, "query", Kind::Get) => IqRequest::DiscoItems { node: node() },
        (ns::LAST, "query", Kind::Get) => IqRequest::Last,
        (ns::VERSION, "query", Kind::Get) => IqRequest::Version,
        (ns::TIME, "time", Kind::Get) => IqRequest::Time,
        (ns::PING, "ping", Kind::Get) => IqRequest::Ping,
        (ns::BLOCKING, _, kind) => IqRequest::Blocking(blocking::read(payload, kind)?),
        (ns::CARBONS, "enable", Kind::Set) => IqRequest::Carbons { enable: true },
        (ns::CARBONS, "disable", Kind::Set) => IqRequest::Carbons { enable: false },
        (ns::MAM, _, kind) => IqRequest::Mam(mam::read(payload, kind)?),
        (namespace, name, kind) => IqRequest::Unknown {
            set: kind == Kind::Set,
            namespace: namespace.into(),
            name: name.into(),
        },
    })
}
