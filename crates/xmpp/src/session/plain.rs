//! An unencrypted stream, on which only STARTTLS is possible (RFC 6120 §5), and the handshake.

use super::{Next, State, features, stream::Stream};
use crate::{fault::StreamCondition, payload::ns, stanza::Stanza};

/// Waits for `<starttls/>`.
pub(super) struct Plain;

/// The driver is doing the handshake; nothing may come meanwhile.
pub(super) struct Handshake;

impl Plain {
    pub(super) fn element(self, stream: &mut Stream, element: &Stanza) -> Next {
        if !element.is(ns::TLS, "starttls") {
            // Signing in without encryption would show it to others; a stanza now is before signing
            // in. Both are one fault. RFC 6120 §4.9.3.12
            return Err(StreamCondition::NotAuthorized.because("Encryption comes first."));
        }
        // Whatever follows in clear would be taken for the client's own words under TLS. RFC 6120
        // §5.3.3, §5.4.3.3; CVE-2011-0411 and its like.
        if stream.framer.pending_bytes() > 0 {
            stream.end_after(features::write_tls_failure);
            return Ok(State::Ended);
        }
        stream.send(features::write_proceed);
        stream.start_tls();
        Ok(State::Handshake(Handshake))
    }
}
