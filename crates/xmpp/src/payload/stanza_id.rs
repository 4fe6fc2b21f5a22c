//! The archive's own name for a message (XEP-0359), put into stored octets without reading them.

use super::ns;
use crate::encode;

/// Appends `<stanza-id xmlns='urn:xmpp:sid:0' by=… id=…/>`. `by` is the bare address whose archive
/// knows the message by `id` (XEP-0313 §3.3).
pub fn write(out: &mut Vec<u8>, by: &str, id: &str) {
    encode::open(out, "stanza-id", ns::STANZA_ID);
    encode::attribute(out, "by", by);
    encode::attribute(out, "id", id);
    encode::close_empty(out);
}
