//! The SASL mechanisms of the house. Knows their names and order, not how they run.

use crate::{binding::ChannelBindings, hash::Hash};

/// A mechanism that the house can run. There is no PLAIN: a password never leaves the client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mechanism {
    /// RFC 7677 with channel binding.
    ScramSha256Plus,
    /// RFC 7677.
    ScramSha256,
    /// RFC 5802 with channel binding.
    ScramSha1Plus,
    /// RFC 5802.
    ScramSha1,
}

impl Mechanism {
    /// All mechanisms, the preferred one first.
    pub const PREFERENCE: [Self; 4] =
        [Self::ScramSha256Plus, Self::ScramSha256, Self::ScramSha1Plus, Self::ScramSha1];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha1 => "SCRAM-SHA-1",
        }
    }

    /// The mechanism of a registered name, which is in capitals (RFC 4422 §3.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::PREFERENCE.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// The hash it runs on.
    #[must_use]
    pub const fn hash(self) -> Hash {
        match self {
            Self::ScramSha256Plus | Self::ScramSha256 => Hash::Sha256,
            Self::ScramSha1Plus | Self::ScramSha1 => Hash::Sha1,
        }
    }

    /// Whether the sign-in is bound to its TLS connection.
    #[must_use]
    pub const fn is_plus(self) -> bool {
        match self {
            Self::ScramSha256Plus | Self::ScramSha1Plus => true,
            Self::ScramSha256 | Self::ScramSha1 => false,
        }
    }
}

/// What to offer on a connection, the preferred one first: those with channel binding only if the
/// connection has something to bind to.
#[must_use]
pub fn mechanisms_offered(bindings: &ChannelBindings) -> Vec<Mechanism> {
    Mechanism::PREFERENCE
        .into_iter()
        .filter(|mechanism| !mechanism.is_plus() || !bindings.is_empty())
        .collect()
}
