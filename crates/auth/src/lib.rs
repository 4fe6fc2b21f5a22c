//! Proving who someone is. Pure: no IO, no clock, no randomness, and no directory; whoever calls
//! brings the account, the time and the random bytes. In reading order:
//!
//! - `fault`: what a sign-in may fail with (RFC 6120 §6.5).
//! - `mechanism`: the SASL mechanisms offered, in order of preference.
//! - `binding`: tying a sign-in to its TLS connection (RFC 9266, RFC 5929).
//! - `hash`: the two hashes of SCRAM and the keyed forms of them.
//! - `login`: the sign-in name, prepared so that two spellings are one.
//! - `verifier`: what is kept instead of a password.
//! - `scram`: both sides of RFC 5802 and RFC 7677 as types, one for each state.
//! - `decoy`: makes a login that does not exist look like one that does.
//! - `throttle`: slows down guessing, without knowing which logins exist.
//!
//! A server's sign-in reads, from top to bottom:
//!
//! ```text
//! ScramServer::start(mechanism, offered_plus, bindings, nonce)
//!     .client_first(bytes)?          -> AwaitingAccount   (has .login())
//!     .challenge(account, &decoy)    -> (challenge bytes, AwaitingProof)
//!     .client_final(bytes)?          -> ServerFinal       (the only thing that means "yes")
//! ```

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that fails should stop where it fails"
    )
)]

mod binding;
mod decoy;
mod fault;
mod hash;
mod login;
mod mechanism;
mod scram;
mod throttle;
mod verifier;

pub use binding::{
    BindingKind, CertificateHash, ChannelBindings, TLS_EXPORTER_BYTES, TLS_EXPORTER_LABEL,
};
pub use decoy::{DECOY_SECRET_BYTES, Decoy};
pub use fault::SaslFault;
pub use hash::Hash;
pub use login::{LOGIN_BYTES_MAX, Login, LoginFault};
pub use mechanism::{Mechanism, mechanisms_offered};
pub use scram::{
    Account, AwaitingAccount, AwaitingProof, AwaitingSignature, ClientBinding, ClientFault,
    MESSAGE_BYTES_MAX, NONCE_BYTES, NONCE_BYTES_MAX, ScramClient, ScramServer, ServerFinal,
};
pub use throttle::{
    Allowance, LOGIN_ALLOWANCE, SOURCE_ALLOWANCE, TRACKED_LOGINS_MAX, TRACKED_SOURCES_MAX,
    Throttle, Verdict,
};
pub use verifier::{
    ITERATIONS_DEFAULT, ITERATIONS_MAX, ITERATIONS_MIN, PASSWORD_BYTES_MAX, PasswordFault,
    SALT_BYTES, SALT_BYTES_MAX, Verifier, VerifierFault, Verifiers,
};

#[cfg(test)]
mod tests;
