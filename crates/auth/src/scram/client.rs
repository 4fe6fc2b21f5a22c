//! The client's side of SCRAM, for outgoing sign-ins, tests and the bench. Trusts the server no
//! more than the server trusts it: it is not signed in until the server has proved itself too.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use model::Secret;
use subtle::ConstantTimeEq;

use super::{
    message::{Malformed, ServerFirst, ServerLast, encode, escape},
    server::NONCE_BYTES,
};
use crate::{
    binding::BindingKind,
    hash::Hash,
    mechanism::Mechanism,
    verifier::{ITERATIONS_MAX, ITERATIONS_MIN, Keys, PasswordFault, prepare_password},
};

/// What the client can say about channel binding (`gs2-cbind-flag` of RFC 5802 §6).
#[derive(Clone, PartialEq, Eq)]
pub enum ClientBinding {
    /// The client cannot bind.
    Unsupported,
    /// The client could, but the server offered no mechanism that does.
    NotOffered,
    /// Bind by this kind with these bytes. For the `-PLUS` mechanisms, and only for them.
    Used(BindingKind, Vec<u8>),
}

/// An exchange whose first message is out.
pub struct ScramClient {
    hash: Hash,
    password: Secret,
    binding: Vec<u8>,
    first_bare: String,
    nonce: String,
}

/// An exchange that waits for the server to prove itself.
pub struct AwaitingSignature {
    server_signature: Vec<u8>,
}

/// Why the client gives up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientFault {
    /// The password cannot be used.
    Password(PasswordFault),
    /// The mechanism needs a channel binding and has none, or the other way round.
    Binding,
    /// The login is empty or holds a zero character.
    Login,
    /// The server's message breaks the grammar or a limit.
    Malformed,
    /// The server's nonce does not go on from ours: the message is of another exchange.
    Nonce,
    /// The server asks for fewer than `ITERATIONS_MIN` or more than `ITERATIONS_MAX` iterations.
    Iterations,
    /// The server's signature is wrong: it does not know the verifier of this password.
    Signature,
    /// The server refused, for this reason (RFC 5802 §7, `server-error-value`).
    Refused(String),
}

impl ScramClient {
    /// Starts an exchange and makes the client's first message. `nonce` must be fresh random bytes.
    pub fn start(
        mechanism: Mechanism,
        login: &str,
        authzid: Option<&str>,
        password: &Secret,
        binding: &ClientBinding,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<(Vec<u8>, Self), ClientFault> {
        let nonce = STANDARD.encode(nonce);
        Self::with_nonce(mechanism, login, authzid, password, binding, nonce)
    }

    pub(super) fn with_nonce(
        mechanism: Mechanism,
        login: &str,
        authzid: Option<&str>,
        password: &Secret,
        binding: &ClientBinding,
        nonce: String,
    ) -> Result<(Vec<u8>, Self), ClientFault> {
        let (flag, bytes): (_, &[u8]) = match (mechanism.is_plus(), binding) {
            (false, ClientBinding::Unsupported) => ("n".to_owned(), &[]),
            (false, ClientBinding::NotOffered) => ("y".to_owned(), &[]),
            (true, ClientBinding::Used(kind, bytes)) => (format!("p={}", kind.name()), bytes),
            (false, ClientBinding::Used(..))
            | (true, ClientBinding::Unsupported | ClientBinding::NotOffered) => {
                return Err(ClientFault::Binding);
            }
        };
        let names = [Some(login), authzid];
        if names.into_iter().flatten().any(|name| name.is_empty() || name.contains('\0')) {
            return Err(ClientFault::Login);
        }
        let authzid = authzid.map(|name| format!("a={}", escape(name))).unwrap_or_default();
        let gs2_header = format!("{flag},{authzid},");
        let first_bare = format!("n={},r={nonce}", escape(login));
        let message = format!("{gs2_header}{first_bare}").into_bytes();
        let password = prepare_password(password).map_err(ClientFault::Password)?;
        let binding = [gs2_header.as_bytes(), bytes].concat();
        Ok((message, Self { hash: mechanism.hash(), password, binding, first_bare, nonce }))
    }

    /// Takes the server's challenge and makes the message with the proof. Slow by design.
    pub fn server_first(self, message: &[u8]) -> Result<(Vec<u8>, AwaitingSignature), ClientFault> {
        let first = ServerFirst::parse(message)?;
        let added = first.nonce.strip_prefix(self.nonce.as_str());
        if added.is_none_or(str::is_empty) {
            return Err(ClientFault::Nonce);
        }
        // Fewer would make guessing cheap for whoever plays the server; more would keep us busy.
        if !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&first.iterations) {
            return Err(ClientFault::Iterations);
        }
        let keys = Keys::derive(self.hash, &self.password, &first.salt, first.iterations);
        let stored_key = self.hash.digest(keys.client_key.expose());
        let without_proof = format!("c={},r={}", encode(&self.binding), first.nonce);
        let parts: [&[u8]; 5] =
            [self.first_bare.as_bytes(), b",", message, b",", without_proof.as_bytes()];
        let signature = self.hash.hmac(&stored_key, &parts);
        let proof: Vec<u8> =
            keys.client_key.expose().iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let server_signature = self.hash.hmac(keys.server_key.expose(), &parts);
        let last = format!("{without_proof},p={}", encode(&proof)).into_bytes();
        Ok((last, AwaitingSignature { server_signature }))
    }
}

impl AwaitingSignature {
    /// Takes the server's last message. `Ok` means that both sides know the password.
    pub fn server_final(self, message: &[u8]) -> Result<(), ClientFault> {
        match ServerLast::parse(message)? {
            ServerLast::Signature(signature)
                if bool::from(signature.ct_eq(&self.server_signature)) =>
            {
                Ok(())
            }
            ServerLast::Signature(_) => Err(ClientFault::Signature),
            ServerLast::Error(error) => Err(ClientFault::Refused(error.to_owned())),
        }
    }
}

impl From<Malformed> for ClientFault {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl fmt::Debug for ScramClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramClient").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl fmt::Debug for AwaitingSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingSignature").finish_non_exhaustive()
    }
}

/// The kind only.
impl fmt::Debug for ClientBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("Unsupported"),
            Self::NotOffered => f.write_str("NotOffered"),
            Self::Used(kind, _) => f.debug_tuple("Used").field(kind).finish(),
        }
    }
}

impl fmt::Display for ClientFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(fault) => fault.fmt(f),
            Self::Binding => f.write_str("the mechanism and the channel binding do not fit"),
            Self::Login => f.write_str("the login cannot be sent"),
            Self::Malformed => f.write_str("the server's message is malformed"),
            Self::Nonce => f.write_str("the server's answer belongs to another exchange"),
            Self::Iterations => f.write_str("the server asks for too few or too many iterations"),
            Self::Signature => f.write_str("the server does not know the password's verifier"),
            Self::Refused(reason) => write!(f, "the server refused the sign-in: {reason:?}"),
        }
    }
}

impl std::error::Error for ClientFault {}
