//! What a sign-in may fail with. Knows the SASL conditions of RFC 6120, not their XML.

use std::fmt;

/// The failure conditions of RFC 6120 §6.5. The first ones come from this crate; the others are
/// here so that the protocol crates need no second list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SaslFault {
    /// The message breaks the mechanism's grammar or limits, or asks for what was not offered.
    MalformedRequest,
    /// The proof is wrong, the login does not exist, the channel binding does not match, or the
    /// message belongs to another exchange. On purpose one word for all of them.
    NotAuthorized,
    /// The proof is right, but the login may not act as the identity it asked for.
    InvalidAuthzid,
    /// The mechanism is not offered here.
    InvalidMechanism,
    /// The base64 round the message is wrong (RFC 6120 §6.5.5).
    IncorrectEncoding,
    /// The other side gave up.
    Aborted,
    /// Not now: throttled, or the directory does not answer.
    TemporaryAuthFailure,
    /// The account is switched off. To be said only after a right proof.
    AccountDisabled,
    /// The password must be changed first. To be said only after a right proof.
    CredentialsExpired,
    /// The mechanism needs TLS.
    EncryptionRequired,
    /// The mechanism is weaker than what the house demands of this account.
    MechanismTooWeak,
}

impl SaslFault {
    /// The name of the condition's element (RFC 6120 §6.5).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::Aborted => "aborted",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
            Self::AccountDisabled => "account-disabled",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::MechanismTooWeak => "mechanism-too-weak",
        }
    }
}

impl fmt::Display for SaslFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MalformedRequest => "the sign-in message is malformed",
            Self::NotAuthorized => "the login or its proof is wrong",
            Self::InvalidAuthzid => "the login may not act as the identity it asked for",
            Self::InvalidMechanism => "the sign-in mechanism is not offered",
            Self::IncorrectEncoding => "the sign-in message is not valid base64",
            Self::Aborted => "the sign-in was given up",
            Self::TemporaryAuthFailure => "signing in is not possible at the moment",
            Self::AccountDisabled => "the account is switched off",
            Self::CredentialsExpired => "the password has expired",
            Self::EncryptionRequired => "signing in this way needs an encrypted connection",
            Self::MechanismTooWeak => "the sign-in mechanism is too weak for this account",
        })
    }
}

impl std::error::Error for SaslFault {}
