//! A stream header is due: the first one, the one after TLS, or the one after signing in (RFC 6120
//! §4.2, §5.4.3.3, §6.4.6). Answers with the features of the stretch that follows.

use auth::{ChannelBindings, mechanisms_offered};
use model::Address;

use super::{
    Next, State, binding::Unbound, features, plain::Plain, sign_in::SigningIn, stream::Stream,
};
use crate::{fault::StreamCondition, frame::StreamHeader};

/// Waits for a header.
pub(super) struct Opening {
    pub(super) phase: Phase,
}

/// What the connection has proved so far.
pub(super) enum Phase {
    /// Nothing.
    Plain,
    /// That nobody reads along.
    Encrypted(ChannelBindings),
    /// Who the client is.
    SignedIn(Address),
}

impl Opening {
    pub(super) fn open(self, stream: &mut Stream, header: &StreamHeader) -> Next {
        let before = stream.domain.clone();
        stream.open(header)?;
        match self.phase {
            Phase::Plain => {
                stream.send(features::write_plain);
                Ok(State::Plain(Plain))
            }
            Phase::Encrypted(bindings) => {
                let offered = mechanisms_offered(&bindings);
                stream.send(|out| features::write_sign_in(out, &offered, &bindings));
                Ok(State::SigningIn(SigningIn::new(bindings, offered)))
            }
            Phase::SignedIn(_) if stream.domain != before => {
                Err(StreamCondition::HostUnknown.because("The sign-in was for another host."))
            }
            Phase::SignedIn(address) => {
                let config = std::sync::Arc::clone(&stream.config);
                let capabilities = config.capabilities.as_ref();
                let capabilities = capabilities.map(|caps| (&*caps.node, &*caps.verification));
                stream.send(|out| {
                    features::write_signed_in(out, config.pre_approval, capabilities);
                });
                Ok(State::Unbound(Unbound::new(address)))
            }
        }
    }
}
