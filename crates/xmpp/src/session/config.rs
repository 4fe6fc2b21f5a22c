//! What a session is told before it begins. Values only; nothing here is looked up.

use auth::{ChannelBindings, Decoy};
use model::Address;

/// Signs of failed sign-ins and bindings before a stream is closed (RFC 6120 §6.4.5 wants at least
/// two, and an end).
pub const TRIES_MAX: u8 = 5;

/// Bytes that a session keeps unread while it waits for an answer of the house.
pub const WAITING_BYTES_MAX: usize = 65_536;

/// What all sessions of one listener have in common.
#[derive(Clone)]
pub struct SessionConfig {
    /// The domain that speaks where a stream has not named another yet.
    pub domain: Address,
    /// Other domains served here.
    pub other_domains: Vec<Address>,
    /// Bytes of one stanza once the client has signed in.
    pub stanza_bytes_max: usize,
    /// Seconds from the connection to the bound resource; then the stream ends.
    pub negotiation_timeout_secs: i64,
    /// Seconds of silence after which the server asks whether the client is still there.
    pub idle_timeout_secs: i64,
    /// Seconds that the client has to answer that; then the stream ends.
    pub ping_timeout_secs: i64,
    /// Whether subscriptions may be granted before they are asked for (RFC 6121 §3.4).
    pub pre_approval: bool,
    /// The server's own capabilities, if it announces them.
    pub capabilities: Option<Capabilities>,
    /// Makes logins that do not exist look like those that do.
    pub decoy: Decoy,
}

impl SessionConfig {
    /// Whether that is a domain of ours. Names are compared as prepared.
    #[must_use]
    pub fn serves(&self, domain: &str) -> bool {
        self.domain.as_str() == domain
            || self.other_domains.iter().any(|one| one.as_str() == domain)
    }
}

/// The server's entity capabilities (XEP-0115 §4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// A URI of the software.
    pub node: Box<str>,
    /// The SHA-1 digest of [`crate::payload::caps::verification_text`] in Base64.
    pub verification: Box<str>,
}

/// How the bytes come.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Unencrypted: nothing but STARTTLS is possible (RFC 6120 §5.3.1).
    Plain,
    /// Through TLS from the first byte (XEP-0368), with what there is to bind to.
    Tls(ChannelBindings),
}
