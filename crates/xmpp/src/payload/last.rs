//! How long somebody has been away or a server has been up (XEP-0012).

use super::ns;
use crate::encode;

/// Appends `<query xmlns='jabber:iq:last' seconds=…>status</query>`.
pub fn write(out: &mut Vec<u8>, secs: u64, status: Option<&str>) {
    encode::open(out, "query", ns::LAST);
    encode::attribute(out, "seconds", &secs.to_string());
    match status {
        Some(status) if !status.is_empty() => {
            out.push(b'>');
            encode::text(out, status);
            encode::close(out, "query");
        }
        Some(_) | None => encode::close_empty(out),
    }
}
