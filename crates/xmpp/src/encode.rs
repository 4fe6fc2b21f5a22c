//! What leaves: stanzas for clients, appended to a caller's buffer. Delivering a message is a few
//! copies of bytes that are already canonical; nothing here parses. Knows no session.
//!
//! Everything is written for a stream whose default namespace is `jabber:client`. Stored octets
//! carry their own declaration of it and are therefore right inside a wrapper as well.

use std::borrow::Cow;

use model::Timestamp;

use crate::{
    element::Element,
    escape,
    fault::{ErrorType, StanzaCondition, StanzaError},
    namespace,
    payload::{delay, ns, stanza_id},
};

/// Whose answer an `iq` is: the id of the request, and the two addresses turned round. An address
/// that the request did not name is left out.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The id of the request.
    pub id: &'a str,
    /// The address that the request went to, as prepared.
    pub from: Option<&'a str>,
    /// The full address of the one who asked.
    pub to: Option<&'a str>,
}

/// What the server adds to a stored stanza on its way to one session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Additions<'a> {
    /// The recipient's archive (its bare address) and the message's id there (XEP-0359).
    pub stanza_id: Option<(&'a str, &'a str)>,
    /// The domain that kept the stanza and since when (XEP-0203).
    pub delay: Option<(&'a str, Timestamp)>,
}

/// The values of the `type` attribute of presence (RFC 6121 §4.7.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PresenceType {
    /// No `type`: there, and how.
    Available,
    /// Not there any more.
    Unavailable,
    /// Asks to see the other's presence.
    Subscribe,
    /// Lets the other see one's presence.
    Subscribed,
    /// Does not want to see the other's presence any more.
    Unsubscribe,
    /// Does not let the other see one's presence any more.
    Unsubscribed,
    /// Asks for the current presence.
    Probe,
    /// An answer that an earlier presence failed.
    Error,
}

/// Which of the two copies a carbon is (XEP-0280 §6, §7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carbon {
    /// A copy of what another session of the same person wrote.
    Sent,
    /// A copy of what another session of the same person got.
    Received,
}

impl PresenceType {
    /// The attribute's value; none for available presence.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Available => None,
            Self::Unavailable => Some("unavailable"),
            Self::Subscribe => Some("subscribe"),
            Self::Subscribed => Some("subscribed"),
            Self::Unsubscribe => Some("unsubscribe"),
            Self::Unsubscribed => Some("unsubscribed"),
            Self::Probe => Some("probe"),
            Self::Error => Some("error"),
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        const NAMED: [PresenceType; 7] = [
            PresenceType::Unavailable,
            PresenceType::Subscribe,
            PresenceType::Subscribed,
            PresenceType::Unsubscribe,
            PresenceType::Unsubscribed,
            PresenceType::Probe,
            PresenceType::Error,
        ];
        NAMED.into_iter().find(|kind| kind.name() == Some(name))
    }
}

// ---- Stored stanzas on their way ----

/// Appends a stored stanza with what the server adds, before its end tag. `octets` is the
/// canonical form that a session handed out; nothing in it is read.
pub fn stored(out: &mut Vec<u8>, octets: &[u8], additions: &Additions<'_>) {
    if additions.stanza_id.is_none() && additions.delay.is_none() {
        out.extend_from_slice(octets);
        return;
    }
    let (before, end_tag) = split_at_end_tag(octets);
    out.extend_from_slice(before);
    if end_tag.is_none() {
        out.push(b'>');
    }
    if let Some((from, stamp)) = additions.delay {
        delay::write(out, Some(from), stamp);
    }
    if let Some((by, id)) = additions.stanza_id {
        stanza_id::write(out, by, id);
    }
    match end_tag {
        Some(end_tag) => out.extend_from_slice(end_tag),
        None => {
            out.extend_from_slice(b"</");
            out.extend_from_slice(root_name(octets));
            out.push(b'>');
        }
    }
}

/// Appends stored presence with another recipient's address in it. The octets must carry no `to`,
/// which holds for presence that its sender addressed to nobody.
pub fn presence_to(out: &mut Vec<u8>, octets: &[u8], to: &str) {
    let name_end = 1 + root_name(octets).len();
    let (head, rest) = octets.split_at_checked(name_end).unwrap_or((octets, b""));
    out.extend_from_slice(head);
    attribute(out, "to", to);
    out.extend_from_slice(rest);
}

/// Appends a carbon copy (XEP-0280 §6, §7). `owner` is the bare address of the person, `to` the
/// session that gets the copy, `kind` the `type` of the message inside.
pub fn carbon(
    out: &mut Vec<u8>,
    carbon: Carbon,
    owner: &str,
    to: &str,
    kind: &str,
    octets: &[u8],
    additions: &Additions<'_>,
) {
    let name = match carbon {
        Carbon::Sent => "sent",
        Carbon::Received => "received",
    };
    out.extend_from_slice(b"<message");
    attribute(out, "from", owner);
    attribute(out, "to", to);
    attribute(out, "type", kind);
    out.push(b'>');
    open(out, name, ns::CARBONS);
    out.push(b'>');
    open(out, "forwarded", ns::FORWARD);
    out.push(b'>');
    stored(out, octets, additions);
    close(out, "forwarded");
    close(out, name);
    close(out, "message");
}

/// Appends one message of the history (XEP-0313 §4.2). `archive` is the owner's bare address, `to`
/// the session that asked, `id` the message's id in the archive.
pub fn history_result(
    out: &mut Vec<u8>,
    archive: &str,
    to: &str,
    query_id: Option<&str>,
    id: &str,
    stamp: Timestamp,
    octets: &[u8],
) {
    out.extend_from_slice(b"<message");
    attribute(out, "from", archive);
    attribute(out, "to", to);
    out.push(b'>');
    open(out, "result", ns::MAM);
    attribute_if(out, "queryid", query_id);
    attribute(out, "id", id);
    out.push(b'>');
    open(out, "forwarded", ns::FORWARD);
    out.push(b'>');
    delay::write(out, None, stamp);
    out.extend_from_slice(octets);
    close(out, "forwarded");
    close(out, "result");
    close(out, "message");
}

// ---- Answers ----

/// Appends an `iq` result. `payload` appends what stands inside; nothing for an empty result.
pub fn iq_result(out: &mut Vec<u8>, reply: &Reply<'_>, payload: impl FnOnce(&mut Vec<u8>)) {
    open_iq(out, "result", reply);
    let start = out.len();
    out.push(b'>');
    payload(out);
    if out.len() == start + 1 {
        out.truncate(start);
        close_empty(out);
    } else {
        close(out, "iq");
    }
}

/// Appends an `iq` error (RFC 6120 §8.3).
pub fn iq_error(out: &mut Vec<u8>, reply: &Reply<'_>, error: &StanzaError) {
    open_iq(out, "error", reply);
    out.push(b'>');
    error.write(out);
    close(out, "iq");
}

/// Appends an `iq` request of the server to a client: pushes (`set`) and pings (`get`).
pub fn iq_request(
    out: &mut Vec<u8>,
    set: bool,
    reply: &Reply<'_>,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    open_iq(out, if set { "set" } else { "get" }, reply);
    out.push(b'>');
    payload(out);
    close(out, "iq");
}

/// Appends a ping (XEP-0199 §4.1).
pub fn ping(out: &mut Vec<u8>, reply: &Reply<'_>) {
    iq_request(out, false, reply, |out| {
        open(out, "ping", ns::PING);
        close_empty(out);
    });
}

/// Appends a message of type `error` (RFC 6120 §8.3.1). `from` is the address that the failed
/// message went to, `to` the session that wrote it, `id` the id it gave, `by` who found the error
/// if that is not `from`.
pub fn message_error(
    out: &mut Vec<u8>,
    id: Option<&str>,
    from: Option<&str>,
    to: &str,
    error: &StanzaError,
) {
    stanza_error(out, "message", id, from, Some(to), error);
}

/// Appends presence of type `error` (RFC 6120 §8.3.1).
pub fn presence_error(
    out: &mut Vec<u8>,
    id: Option<&str>,
    from: Option<&str>,
    to: &str,
    error: &StanzaError,
) {
    stanza_error(out, "presence", id, from, Some(to), error);
}

pub(crate) fn stanza_error(
    out: &mut Vec<u8>,
    name: &str,
    id: Option<&str>,
    from: Option<&str>,
    to: Option<&str>,
    error: &StanzaError,
) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    attribute(out, "type", "error");
    attribute_if(out, "id", id);
    attribute_if(out, "from", from);
    attribute_if(out, "to", to);
    out.push(b'>');
    error.write(out);
    close(out, name);
}

/// The error for a stanza to somebody whom its sender blocks (XEP-0191 §3.2).
#[must_use]
pub fn blocked() -> StanzaError {
    StanzaCondition::NotAcceptable
        .error()
        .with_type(ErrorType::Cancel)
        .with_application(Element::new("blocked", ns::BLOCKING_ERRORS))
}

/// The error for a message that the house's rules refuse (RFC 6120 §8.3.3.12), with what its
/// writer is told.
#[must_use]
pub fn policy_refusal(text: impl Into<Cow<'static, str>>) -> StanzaError {
    StanzaCondition::PolicyViolation.error().with_text(text)
}

// ---- Words of the house ----

/// Appends presence without content: subscriptions, their answers, probes and the end of a session
/// (RFC 6121 §3, §4.3, §4.5).
pub fn presence(out: &mut Vec<u8>, kind: PresenceType, from: &str, to: &str, id: Option<&str>) {
    out.extend_from_slice(b"<presence");
    attribute(out, "from", from);
    attribute(out, "to", to);
    attribute_if(out, "id", id);
    attribute_if(out, "type", kind.name());
    close_empty(out);
}

/// Appends a message of the server itself, with one body in its stream's language. The result is
/// canonical: it may be stored, and it declares its namespace.
pub fn notice(out: &mut Vec<u8>, from: &str, to: &str, id: Option<&str>, body: &str) {
    open(out, "message", namespace::CLIENT);
    attribute(out, "from", from);
    attribute(out, "to", to);
    attribute(out, "type", "normal");
    attribute_if(out, "id", id);
    out.push(b'>');
    text_element(out, "body", body);
    close(out, "message");
}

// ---- The pieces ----

/// Appends `<name xmlns='namespace'`, still open for attributes.
pub fn open(out: &mut Vec<u8>, name: &str, namespace: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    attribute(out, "xmlns", namespace);
}

/// Appends ` name='value'` with the value escaped.
pub fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape::attribute(out, value);
    out.push(b'\'');
}

/// Appends the attribute if it has a value.
pub fn attribute_if(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        attribute(out, name, value);
    }
}

/// Appends `</name>`.
pub fn close(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Appends `/>`.
pub fn close_empty(out: &mut Vec<u8>) {
    out.extend_from_slice(b"/>");
}

/// Appends character data, escaped.
pub fn text(out: &mut Vec<u8>, text: &str) {
    escape::text(out, text);
}

/// Appends `<name>text</name>`.
pub fn text_element(out: &mut Vec<u8>, name: &str, content: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
    text(out, content);
    close(out, name);
}

fn open_iq(out: &mut Vec<u8>, kind: &str, reply: &Reply<'_>) {
    out.extend_from_slice(b"<iq");
    attribute(out, "type", kind);
    attribute(out, "id", reply.id);
    attribute_if(out, "from", reply.from);
    attribute_if(out, "to", reply.to);
}

/// The octets before the end tag of the root and the end tag; without the closing `/>` and no end
/// tag if the root is an empty element.
fn split_at_end_tag(octets: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let Some(before) = octets.strip_suffix(b"/>") {
        return (before, None);
    }
    // The last `<` of a well-formed element begins its end tag.
    let start = octets.iter().rposition(|byte| *byte == b'<').unwrap_or(octets.len());
    let (before, end_tag) = octets.split_at_checked(start).unwrap_or((octets, b""));
    (before, Some(end_tag))
}

/// The name of the root element of canonical octets.
fn root_name(octets: &[u8]) -> &[u8] {
    let name = octets.strip_prefix(b"<").unwrap_or(octets);
    let len = name.iter().position(|byte| matches!(byte, b' ' | b'>' | b'/')).unwrap_or(name.len());
    name.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests;
