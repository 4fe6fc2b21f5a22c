//! What the server offers at each point of the negotiation (RFC 6120 §4.3.2), and the small
//! elements by which client and server agree on it. Knows no state.

use auth::{ChannelBindings, Mechanism, SaslFault};

use super::{caps, ns};
use crate::encode;

/// Appends the features of an unencrypted stream: STARTTLS, which must be taken, and nothing else
/// (RFC 6120 §5.3.1).
pub(crate) fn write_plain(out: &mut Vec<u8>) {
    out.extend_from_slice(b"<stream:features>");
    encode::open(out, "starttls", ns::TLS);
    out.extend_from_slice(b"><required/></starttls></stream:features>");
}

/// Appends the features of an encrypted stream: the mechanisms in order of preference (RFC 6120
/// §6.4.1) and the kinds of channel binding (XEP-0440 §3).
pub(crate) fn write_sign_in(
    out: &mut Vec<u8>,
    mechanisms: &[Mechanism],
    bindings: &ChannelBindings,
) {
    out.extend_from_slice(b"<stream:features>");
    encode::open(out, "mechanisms", ns::SASL);
    out.push(b'>');
    for mechanism in mechanisms {
        encode::text_element(out, "mechanism", mechanism.name());
    }
    encode::close(out, "mechanisms");
    if !bindings.is_empty() {
        encode::open(out, "sasl-channel-binding", ns::CHANNEL_BINDING);
        out.push(b'>');
        for kind in bindings.kinds() {
            out.extend_from_slice(b"<channel-binding");
            encode::attribute(out, "type", kind.name());
            encode::close_empty(out);
        }
        encode::close(out, "sasl-channel-binding");
    }
    encode::close(out, "stream:features");
}

/// Appends the features of a stream whose client has signed in: binding (RFC 6120 §7.4), the
/// session establishment that old clients ask for, roster versions (RFC 6121 §2.6.1), pre-approval
/// where it is offered (RFC 6121 §3.4), and the server's capabilities (XEP-0115 §6.3), given as
/// node and verification string.
pub(crate) fn write_signed_in(
    out: &mut Vec<u8>,
    pre_approval: bool,
    capabilities: Option<(&str, &str)>,
) {
    out.extend_from_slice(b"<stream:features>");
    encode::open(out, "bind", ns::BIND);
    encode::close_empty(out);
    encode::open(out, "session", ns::SESSION);
    out.extend_from_slice(b"><optional/></session>");
    encode::open(out, "ver", ns::ROSTER_VERSIONING);
    encode::close_empty(out);
    if pre_approval {
        encode::open(out, "sub", ns::PRE_APPROVAL);
        encode::close_empty(out);
    }
    if let Some((node, verification)) = capabilities {
        caps::write(out, node, verification);
    }
    encode::close(out, "stream:features");
}

/// Appends `<proceed/>` (RFC 6120 §5.4.2.3).
pub(crate) fn write_proceed(out: &mut Vec<u8>) {
    encode::open(out, "proceed", ns::TLS);
    encode::close_empty(out);
}

/// Appends `<failure/>` of STARTTLS (RFC 6120 §5.4.2.2).
pub(crate) fn write_tls_failure(out: &mut Vec<u8>) {
    encode::open(out, "failure", ns::TLS);
    encode::close_empty(out);
}

/// Appends `<challenge/>` (RFC 6120 §6.4.3) with its data in Base64.
pub(crate) fn write_challenge(out: &mut Vec<u8>, base64: &str) {
    write_sasl(out, "challenge", base64);
}

/// Appends `<success/>` with its additional data in Base64 (RFC 6120 §6.4.6).
pub(crate) fn write_success(out: &mut Vec<u8>, base64: &str) {
    write_sasl(out, "success", base64);
}

/// Appends `<failure/>` of SASL (RFC 6120 §6.4.5). It has no text: a reason for a stranger would
/// tell what exists.
pub(crate) fn write_sasl_failure(out: &mut Vec<u8>, fault: SaslFault) {
    encode::open(out, "failure", ns::SASL);
    out.extend_from_slice(b"><");
    out.extend_from_slice(fault.name().as_bytes());
    out.extend_from_slice(b"/></failure>");
}

/// Appends the `<bind/>` of a result (RFC 6120 §7.6.1).
pub(crate) fn write_bound(out: &mut Vec<u8>, jid: &str) {
    encode::open(out, "bind", ns::BIND);
    out.push(b'>');
    encode::text_element(out, "jid", jid);
    encode::close(out, "bind");
}

fn write_sasl(out: &mut Vec<u8>, name: &str, base64: &str) {
    encode::open(out, name, ns::SASL);
    if base64.is_empty() {
        encode::close_empty(out);
    } else {
        out.push(b'>');
        out.extend_from_slice(base64.as_bytes());
        encode::close(out, name);
    }
}
