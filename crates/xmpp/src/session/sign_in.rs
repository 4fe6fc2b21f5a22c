//! Signing in by SASL (RFC 6120 §6): a mechanism is chosen, the house looks the login up, the
//! client proves itself. Runs the exchange; knows no account.

use auth::{
    Account, AwaitingProof, ChannelBindings, Mechanism, NONCE_BYTES, SaslFault, ScramServer,
    ServerFinal,
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    Next, State,
    ask::{Ask, LoginAnswer},
    config::TRIES_MAX,
    features,
    opening::{Opening, Phase},
    stream::Stream,
};
use crate::{
    fault::{StreamCondition, StreamFault},
    limits::Limits,
    payload::ns,
    stanza::{Stanza, StanzaKind},
};

/// Waits for `<auth/>`.
pub(super) struct SigningIn {
    bindings: ChannelBindings,
    offered: Vec<Mechanism>,
    failures: u8,
}

/// Waits for the house to say who a login is.
pub(super) struct LookingUp {
    signing_in: SigningIn,
    mechanism: Mechanism,
    client_first: Vec<u8>,
}

/// Waits for `<response/>`.
pub(super) struct AwaitingResponse {
    signing_in: SigningIn,
    exchange: Exchange,
}

/// What the response will be.
enum Exchange {
    /// The first message, as `<auth/>` brought none (RFC 6120 §6.4.2).
    First(Mechanism),
    /// The proof.
    Proof { proof: Box<AwaitingProof>, allowed: bool, stream_id: String },
}

impl SigningIn {
    pub(super) fn new(bindings: ChannelBindings, offered: Vec<Mechanism>) -> Self {
        Self { bindings, offered, failures: 0 }
    }

    pub(super) fn element(self, stream: &mut Stream, element: &Stanza) -> Next {
        if !element.is(ns::SASL, "auth") {
            return Err(out_of_order(element));
        }
        let tree = element.to_element();
        let mechanism = tree.attribute("mechanism").and_then(Mechanism::from_name);
        let mechanism = mechanism.filter(|mechanism| self.offered.contains(mechanism));
        let Some(mechanism) = mechanism else {
            // RFC 6120 §6.5.7
            return self.failed(stream, SaslFault::InvalidMechanism);
        };
        match read_data(&tree.text_content()) {
            Ok(None) => {
                // RFC 6120 §6.4.2: SCRAM has the client speak first, so ask it to.
                stream.send(|out| features::write_challenge(out, ""));
                let exchange = Exchange::First(mechanism);
                Ok(State::AwaitingResponse(AwaitingResponse { signing_in: self, exchange }.into()))
            }
            Ok(Some(first)) => self.look_up(stream, mechanism, first),
            Err(fault) => self.failed(stream, fault),
        }
    }

    /// Reads the login out of the client's first message and asks the house.
    fn look_up(self, stream: &mut Stream, mechanism: Mechanism, client_first: Vec<u8>) -> Next {
        // The nonce comes with the answer. The login does not depend on it, so the message is read
        // once for the login and once more for the exchange.
        match self.start(mechanism, [0; NONCE_BYTES]).client_first(&client_first) {
            Ok(awaiting) => {
                let login = Box::from(awaiting.login().as_str());
                let domain = stream.domain.clone();
                stream.ask(Ask::Login { login, domain });
                let looking_up = LookingUp { signing_in: self, mechanism, client_first };
                Ok(State::LookingUp(looking_up.into()))
            }
            Err(fault) => self.failed(stream, fault),
        }
    }

    fn start(&self, mechanism: Mechanism, nonce: [u8; NONCE_BYTES]) -> ScramServer {
        let offered_plus = self.offered.iter().any(|mechanism| mechanism.is_plus());
        ScramServer::start(mechanism, offered_plus, self.bindings.clone(), nonce)
    }

    /// Says that this try has failed, and whether there may be another (RFC 6120 §6.4.5).
    fn failed(mut self, stream: &mut Stream, fault: SaslFault) -> Next {
        stream.send(|out| features::write_sasl_failure(out, fault));
        self.failures = self.failures.saturating_add(1);
        if self.failures < TRIES_MAX {
            Ok(State::SigningIn(self))
        } else {
            Err(StreamCondition::PolicyViolation.because("Too many failed sign-ins."))
        }
    }
}

impl LookingUp {
    pub(super) fn answer(self, stream: &mut Stream, answer: &LoginAnswer) -> Next {
        let Self { signing_in, mechanism, client_first } = self;
        if answer.throttled {
            return signing_in.failed(stream, SaslFault::TemporaryAuthFailure);
        }
        let awaiting = match signing_in.start(mechanism, answer.nonce).client_first(&client_first) {
            Ok(awaiting) => awaiting,
            Err(fault) => return signing_in.failed(stream, fault),
        };
        let account = answer.account.as_ref();
        let account = account.map(|(verifiers, address)| Account { verifiers, address });
        let (challenge, proof) = awaiting.challenge(account, &stream.config.decoy);
        stream.send(|out| features::write_challenge(out, &STANDARD.encode(challenge)));
        let exchange = Exchange::Proof {
            proof: proof.into(),
            allowed: answer.allowed,
            stream_id: answer.stream_id.clone(),
        };
        Ok(State::AwaitingResponse(AwaitingResponse { signing_in, exchange }.into()))
    }
}

impl AwaitingResponse {
    pub(super) fn element(self, stream: &mut Stream, element: &Stanza) -> Next {
        // RFC 6120 §6.4.4
        if element.is(ns::SASL, "abort") {
            return self.signing_in.failed(stream, SaslFault::Aborted);
        }
        if !element.is(ns::SASL, "response") {
            return Err(out_of_order(element));
        }
        let data = match read_data(&element.to_element().text_content()) {
            Ok(data) => data.unwrap_or_default(),
            Err(fault) => return self.signing_in.failed(stream, fault),
        };
        let Self { signing_in, exchange } = self;
        match exchange {
            Exchange::First(mechanism) => signing_in.look_up(stream, mechanism, data),
            Exchange::Proof { proof, allowed, stream_id } => {
                let login = Box::from(proof.login().as_str());
                match proof.client_final(&data) {
                    Ok(_) if !allowed => signing_in.failed(stream, SaslFault::AccountDisabled),
                    Ok(proved) => Ok(succeed(stream, &proved, stream_id)),
                    Err(fault) => {
                        stream.ask(Ask::AuthFailed { login });
                        signing_in.failed(stream, fault)
                    }
                }
            }
        }
    }
}

/// The client is who it says; it begins a new stream (RFC 6120 §6.4.6).
fn succeed(stream: &mut Stream, proved: &ServerFinal, stream_id: String) -> State {
    let address = proved.address().clone();
    let login = Box::from(proved.login().as_str());
    stream.ask(Ask::Authenticated { login, address: address.clone() });
    stream.send(|out| features::write_success(out, &STANDARD.encode(proved.message())));
    stream.restart(stream_id);
    let frame_bytes_max = stream.config.stanza_bytes_max;
    stream.framer.set_limits(Limits { frame_bytes_max, ..Limits::SIGNED_IN });
    State::Opening(Opening { phase: Phase::SignedIn(address) })
}

/// The bytes of an exchange: none at all, or `=` for none but meant (RFC 6120 §6.4.2), or Base64
/// without any white space (§13.9.1).
fn read_data(text: &str) -> Result<Option<Vec<u8>>, SaslFault> {
    match text {
        "" => Ok(None),
        "=" => Ok(Some(Vec::new())),
        // RFC 6120 §6.5.5
        text => STANDARD.decode(text).map(Some).map_err(|_| SaslFault::IncorrectEncoding),
    }
}

/// Something else than SASL while SASL is due.
fn out_of_order(element: &Stanza) -> StreamFault {
    match element.kind() {
        // RFC 6120 §4.9.3.12
        StanzaKind::Message | StanzaKind::Presence | StanzaKind::Iq => {
            StreamCondition::NotAuthorized.because("Signing in comes first.")
        }
        StanzaKind::Other if element.namespace() == ns::SASL => {
            StreamCondition::NotAuthorized.because("The sign-in is out of order.")
        }
        // RFC 6120 §4.9.3.24
        StanzaKind::Other => StreamCondition::UnsupportedStanzaType.into(),
    }
}
