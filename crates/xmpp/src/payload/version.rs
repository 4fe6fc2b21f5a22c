//! Name and version of the software (XEP-0092). How much of it is told is the caller's decision.

use super::ns;
use crate::encode;

/// Appends `<query xmlns='jabber:iq:version'/>` with name and version, and no word of the
/// operating system (XEP-0092 §4 leaves it out where it would help an attacker).
pub fn write(out: &mut Vec<u8>, name: &str, version: &str) {
    encode::open(out, "query", ns::VERSION);
    out.push(b'>');
    encode::text_element(out, "name", name);
    encode::text_element(out, "version", version);
    encode::close(out, "query");
}
