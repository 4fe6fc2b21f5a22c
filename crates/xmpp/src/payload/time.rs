//! The server's own time (XEP-0202).

use model::Timestamp;

use super::{delay, ns};
use crate::encode;

/// Appends `<time xmlns='urn:xmpp:time'/>`. The server speaks UTC and tells nobody where it stands.
pub fn write(out: &mut Vec<u8>, now: Timestamp) {
    encode::open(out, "time", ns::TIME);
    out.push(b'>');
    encode::text_element(out, "tzo", "+00:00");
    encode::text_element(out, "utc", &delay::stamp_text(now));
    encode::close(out, "time");
}
