//! When a stanza was really sent (XEP-0203). Written by the server; what a client writes in the
//! server's name is taken out before anybody reads it.

use model::Timestamp;

use super::ns;
use crate::encode;

/// Appends `<delay xmlns='urn:xmpp:delay' from=… stamp=…/>`. `from` is the domain that kept the
/// stanza; forwarded stanzas carry none.
pub fn write(out: &mut Vec<u8>, from: Option<&str>, stamp: Timestamp) {
    encode::open(out, "delay", ns::DELAY);
    if let Some(from) = from {
        encode::attribute(out, "from", from);
    }
    encode::attribute(out, "stamp", &stamp_text(stamp));
    encode::close_empty(out);
}

/// A time as XEP-0082 writes it: UTC with milliseconds.
#[must_use]
pub fn stamp_text(stamp: Timestamp) -> String {
    let mut text = stamp.to_string();
    // XEP-0082 §3.2 allows any fraction; three digits is what every client can read.
    if let Some(len) = text.len().checked_sub(4) {
        text.truncate(len);
        text.push('Z');
    }
    text
}
