//! The namespaces of streams and stanzas themselves. Those of payloads stand with their payloads.

/// Content of a stream between client and server (RFC 6120 §4.8.2).
pub const CLIENT: &str = "jabber:client";

/// Content of a stream between servers (RFC 6120 §4.8.2).
pub const SERVER: &str = "jabber:server";

/// The stream element, its features and its errors (RFC 6120 §4.8.1).
pub const STREAMS: &str = "http://etherx.jabber.org/streams";

/// Conditions of a stream error (RFC 6120 §4.9.2).
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";

/// Conditions of a stanza error (RFC 6120 §8.3.2).
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// What the prefix `xml` always means (XML-NAMES §3).
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What the prefix `xmlns` always means (XML-NAMES §3).
pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
