//! The server's side of SCRAM. Asks for the account in the middle and does not know where it comes
//! from; without one it goes on just the same, and fails at the end.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use model::{Address, Secret};
use subtle::{Choice, ConstantTimeEq};

use super::message::{BindingFlag, ClientFinal, ClientFirst, Malformed, encode};
use crate::{
    binding::{BindingKind, ChannelBindings},
    decoy::Decoy,
    fault::SaslFault,
    hash::Hash,
    login::Login,
    mechanism::Mechanism,
    verifier::{Verifier, Verifiers},
};

/// Random bytes of one side's nonce; 32 characters on the wire.
pub const NONCE_BYTES: usize = 24;

/// An exchange that waits for the client's first message.
#[derive(Debug)]
pub struct ScramServer {
    mechanism: Mechanism,
    offered_plus: bool,
    bindings: ChannelBindings,
    nonce: String,
}

/// An exchange that waits for the account of [`Self::login`].
pub struct AwaitingAccount {
    hash: Hash,
    login: Login,
    authzid: Option<String>,
    /// What the client must repeat in `c=`: its GS2 header and the binding's bytes.
    binding: Vec<u8>,
    client_first_bare: String,
    nonce: String,
}

/// An account that a login was found to be.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// What its password is checked with.
    pub verifiers: &'a Verifiers,
    /// The only address that the login may act as.
    pub address: &'a Address,
}

/// An exchange that waits for the client's proof.
pub struct AwaitingProof {
    first: AwaitingAccount,
    verifier: Verifier,
    /// None for a decoy, which no proof can open.
    address: Option<Address>,
    challenge: String,
}

/// A sign-in that was proved. Only [`AwaitingProof::client_final`] makes one, and only after the
/// proof, the channel binding and the identity were found right.
#[derive(Debug)]
#[must_use]
pub struct ServerFinal {
    message: Vec<u8>,
    login: Login,
    address: Address,
}

impl ScramServer {
    /// Starts an exchange.
    ///
    /// `offered_plus` says whether a mechanism with channel binding stood in the list that this
    /// client was shown; it is what a downgrade is found by. `server_nonce` must be fresh random
    /// bytes: it is what makes a replayed proof worthless.
    #[must_use]
    pub fn start(
        mechanism: Mechanism,
        offered_plus: bool,
        bindings: ChannelBindings,
        server_nonce: [u8; NONCE_BYTES],
    ) -> Self {
        Self::with_nonce(mechanism, offered_plus, bindings, STANDARD.encode(server_nonce))
    }

    pub(super) const fn with_nonce(
        mechanism: Mechanism,
        offered_plus: bool,
        bindings: ChannelBindings,
        nonce: String,
    ) -> Self {
        Self { mechanism, offered_plus, bindings, nonce }
    }

    /// Takes the client's first message.
    pub fn client_first(self, message: &[u8]) -> Result<AwaitingAccount, SaslFault> {
        let first = ClientFirst::parse(message)?;
        let binding = self.expected_binding(&first)?;
        // A name that cannot be prepared is no account's name. That is known without asking
        // anybody, so the early answer gives nothing away.
        let login = Login::parse(&first.username).map_err(|_| SaslFault::NotAuthorized)?;
        Ok(AwaitingAccount {
            hash: self.mechanism.hash(),
            login,
            authzid: first.authzid.as_deref().map(str::to_owned),
            binding,
            client_first_bare: first.bare.to_owned(),
            nonce: format!("{}{}", first.nonce, self.nonce),
        })
    }

    /// What the client's last message must carry in `c=`, if its flag fits the mechanism
    /// (RFC 5802 §6).
    fn expected_binding(&self, first: &ClientFirst<'_>) -> Result<Vec<u8>, SaslFault> {
        let mut expected = first.gs2_header.as_bytes().to_vec();
        match (self.mechanism.is_plus(), first.flag) {
            (true, BindingFlag::Used(name)) => {
                let bytes = BindingKind::from_name(name).and_then(|kind| self.bindings.get(kind));
                expected.extend_from_slice(bytes.ok_or(SaslFault::MalformedRequest)?);
                Ok(expected)
            }
            // The client could bind and was told that we cannot, although we can: somebody changed
            // the list on its way. RFC 5802 §6
            (false, BindingFlag::NotOffered) if self.offered_plus => Err(SaslFault::NotAuthorized),
            (false, BindingFlag::NotOffered | BindingFlag::Unsupported) => Ok(expected),
            (true, BindingFlag::NotOffered | BindingFlag::Unsupported)
            | (false, BindingFlag::Used(_)) => Err(SaslFault::MalformedRequest),
        }
    }
}

impl AwaitingAccount {
    /// The login that the client claims to be; nothing is proved yet.
    #[must_use]
    pub const fn login(&self) -> &Login {
        &self.login
    }

    /// The identity that the client asks to act as, if it named one. For the log: it is compared
    /// with the account's address at the end.
    #[must_use]
    pub fn authzid(&self) -> Option<&str> {
        self.authzid.as_deref()
    }

    /// Makes the server's first message. None for a login that does not exist or may not sign in:
    /// the answer then has the same form, comes of the same work, and is the same each time.
    #[must_use]
    pub fn challenge(
        self,
        account: Option<Account<'_>>,
        decoy: &Decoy,
    ) -> (Vec<u8>, AwaitingProof) {
        let fake = decoy.verifier(self.hash, &self.login);
        // A verifier of the wrong hash in the account cannot be used; that must not show either.
        let found = account
            .map(|account| (account.verifiers.of(self.hash).clone(), account.address.clone()))
            .filter(|(verifier, _)| verifier.hash() == self.hash);
        let (verifier, address) = match found {
            Some((verifier, address)) => (verifier, Some(address)),
            None => (fake, None),
        };
        let challenge =
            format!("r={},s={},i={}", self.nonce, encode(verifier.salt()), verifier.iterations());
        let message = challenge.clone().into_bytes();
        (message, AwaitingProof { first: self, verifier, address, challenge })
    }
}

impl AwaitingProof {
    /// The login that the client claims to be; nothing is proved yet. For the throttle and the log.
    #[must_use]
    pub const fn login(&self) -> &Login {
        &self.first.login
    }

    /// Takes the client's proof. Everything that is wrong with it is an `Err`; there is no other
    /// way to see a [`ServerFinal`].
    pub fn client_final(self, message: &[u8]) -> Result<ServerFinal, SaslFault> {
        let last = ClientFinal::parse(message)?;
        let hash = self.first.hash;
        let parts: [&[u8]; 5] = [
            self.first.client_first_bare.as_bytes(),
            b",",
            self.challenge.as_bytes(),
            b",",
            last.without_proof.as_bytes(),
        ];
        let client_signature = hash.hmac(self.verifier.stored_key(), &parts);
        let server_signature = hash.hmac(self.verifier.server_key(), &parts);
        // The client's key can be used in the password's place, so it is wiped. (DIR-15)
        let client_key =
            Secret::new(last.proof.iter().zip(&client_signature).map(|(a, b)| a ^ b).collect());
        let stored_key = hash.digest(client_key.expose());

        // All is compared before anything is decided, in the same time whatever is wrong.
        let right = stored_key.ct_eq(self.verifier.stored_key())
            & last.proof.len().ct_eq(&hash.output_bytes())
            & last.nonce.as_bytes().ct_eq(self.first.nonce.as_bytes())
            & last.binding.ct_eq(&self.first.binding)
            & Choice::from(u8::from(self.address.is_some()));
        let address = match self.address {
            Some(address) if bool::from(right) => address,
            Some(_) | None => return Err(SaslFault::NotAuthorized),
        };
        if !may_act_as(self.first.authzid.as_deref(), &self.first.login, &address) {
            return Err(SaslFault::InvalidAuthzid);
        }
        let message = format!("v={}", encode(&server_signature)).into_bytes();
        Ok(ServerFinal { message, login: self.first.login, address })
    }
}

/// Nobody acts for anybody else: the identity asked for is one's own address (RFC 6120 §6.3.8), or
/// one's own login, or left out.
fn may_act_as(authzid: Option<&str>, login: &Login, address: &Address) -> bool {
    authzid.is_none_or(|authzid| {
        Address::parse(authzid).is_ok_and(|asked| asked == *address)
            || Login::parse(authzid).is_ok_and(|asked| asked == *login)
    })
}

impl ServerFinal {
    /// The message that proves the server to the client, to be sent with the success.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The login that was proved.
    #[must_use]
    pub const fn login(&self) -> &Login {
        &self.login
    }

    /// The address that the session belongs to.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }
}

impl From<Malformed> for SaslFault {
    fn from(Malformed: Malformed) -> Self {
        Self::MalformedRequest
    }
}

/// The login only; the rest would help a guesser.
impl fmt::Debug for AwaitingAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingAccount").field("login", &self.login).finish_non_exhaustive()
    }
}

/// The login only; the rest would help a guesser.
impl fmt::Debug for AwaitingProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingProof").field("login", &self.first.login).finish_non_exhaustive()
    }
}
