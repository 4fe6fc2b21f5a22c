//! Namespaces of the payloads, each named once. Knows no stanza and no state.

/// STARTTLS (RFC 6120 §5.4).
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// SASL (RFC 6120 §6.4).
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Resource binding (RFC 6120 §7).
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// Session establishment, obsolete and still asked for (RFC 3921 §3).
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// Channel-binding types (XEP-0440 §3).
pub const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// Roster versioning (RFC 6121 §2.6.1).
pub const ROSTER_VERSIONING: &str = "urn:xmpp:features:rosterver";
/// Pre-approval of subscriptions (RFC 6121 §3.4).
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// Rosters (RFC 6121 §2).
pub const ROSTER: &str = "jabber:iq:roster";
/// Private XML storage (XEP-0049).
pub const PRIVATE: &str = "jabber:iq:private";
/// vCards (XEP-0054).
pub const VCARD: &str = "vcard-temp";
/// What an entity is (XEP-0030 §3).
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// What belongs to an entity (XEP-0030 §4).
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// Entity capabilities (XEP-0115).
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// Last activity (XEP-0012).
pub const LAST: &str = "jabber:iq:last";
/// Software version (XEP-0092).
pub const VERSION: &str = "jabber:iq:version";
/// Entity time (XEP-0202).
pub const TIME: &str = "urn:xmpp:time";
/// Ping (XEP-0199).
pub const PING: &str = "urn:xmpp:ping";
/// Blocking (XEP-0191).
pub const BLOCKING: &str = "urn:xmpp:blocking";
/// The reason inside errors of blocked stanzas (XEP-0191 §3.2).
pub const BLOCKING_ERRORS: &str = "urn:xmpp:blocking:errors";
/// Message carbons (XEP-0280).
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// Stanza forwarding (XEP-0297).
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// Message archive management (XEP-0313).
pub const MAM: &str = "urn:xmpp:mam:2";
/// Result set management (XEP-0059).
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// Data forms (XEP-0004).
pub const FORM: &str = "jabber:x:data";
/// Validation of form fields (XEP-0122).
pub const FORM_VALIDATE: &str = "http://jabber.org/protocol/xdata-validate";
/// Delayed delivery (XEP-0203).
pub const DELAY: &str = "urn:xmpp:delay";
/// Unique and stable stanza ids (XEP-0359).
pub const STANZA_ID: &str = "urn:xmpp:sid:0";
/// Chat states (XEP-0085).
pub const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
/// Delivery receipts (XEP-0184).
pub const RECEIPTS: &str = "urn:xmpp:receipts";
/// Displayed markers (XEP-0333).
pub const MARKERS: &str = "urn:xmpp:chat-markers:0";
/// Last message correction (XEP-0308).
pub const CORRECTION: &str = "urn:xmpp:message-correct:0";
/// Message retraction (XEP-0424).
pub const RETRACTION: &str = "urn:xmpp:message-retract:1";
/// Message reactions (XEP-0444).
pub const REACTIONS: &str = "urn:xmpp:reactions:0";
/// Processing hints (XEP-0334).
pub const HINTS: &str = "urn:xmpp:hints";
/// Privacy class of one message: the house's own extension.
pub const CLASS: &str = "urn:chancery:class:0";
