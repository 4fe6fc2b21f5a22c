//! Reads presence (RFC 6121 §3, §4). Knows no roster.

use super::{
    ask::{PresenceAsk, Show},
    bound::Sender,
    stamp,
};
use crate::{
    encode::PresenceType,
    fault::StanzaCondition,
    jid::Jid,
    payload::{bad_request, jid_malformed},
    stanza::Stanza,
};

/// Reads presence, or says what its sender did wrong.
pub(super) fn read(stanza: &Stanza, sender: &Sender<'_>) -> Result<PresenceAsk, StanzaCondition> {
    let as_given = stanza.to().map(|to| Box::from(&*to)).unwrap_or_default();
    // RFC 6121 §4.7.1: the values are given, and there are no others.
    let kind = match stanza.type_attribute() {
        Some(name) => PresenceType::from_name(&name).ok_or_else(bad_request)?,
        None => PresenceType::Available,
    };
    let to = match stanza.to() {
        Some(to) => Some(Jid::parse(&to).map_err(|_| jid_malformed())?),
        None => None,
    };
    // RFC 6121 §3.1.2, §3.1.3: subscriptions are between accounts, whatever session says it.
    let (from, to) = if is_about_subscription(kind) {
        let to = to.ok_or_else(bad_request)?;
        (sender.jid.address.as_str(), Some(to.to_bare()))
    } else {
        (sender.text, to)
    };
    let (priority, show) = if kind == PresenceType::Available {
        (read_priority(stanza)?, read_show(stanza)?)
    } else {
        (0, None)
    };
    Ok(PresenceAsk {
        kind,
        id: stamp::owned(stanza.id()),
        priority,
        show,
        status: stanza.own_child("status").and_then(|status| stamp::owned(Some(status.text()))),
        text: stamp::readable_text(stanza),
        octets: stamp::canonical(stanza, from, to.as_ref(), sender.lang, sender.config),
        to,
        as_given,
    })
}

fn is_about_subscription(kind: PresenceType) -> bool {
    match kind {
        PresenceType::Subscribe
        | PresenceType::Subscribed
        | PresenceType::Unsubscribe
        | PresenceType::Unsubscribed => true,
        PresenceType::Available
        | PresenceType::Unavailable
        | PresenceType::Probe
        | PresenceType::Error => false,
    }
}

/// RFC 6121 §4.7.2.3: one integer from -128 to 127; none is zero.
fn read_priority(stanza: &Stanza) -> Result<i8, StanzaCondition> {
    match stanza.own_child("priority") {
        Some(priority) => priority.text().trim().parse().map_err(|_| bad_request()),
        None => Ok(0),
    }
}

/// RFC 6121 §4.7.2.1: one of four words; none is plainly there.
fn read_show(stanza: &Stanza) -> Result<Option<Show>, StanzaCondition> {
    match stanza.own_child("show") {
        Some(show) => Show::from_name(show.text().trim()).map(Some).ok_or_else(bad_request),
        None => Ok(None),
    }
}
