//! The server's own entity capabilities (XEP-0115). The digest is computed by whoever owns SHA-1;
//! here is only the text that goes in.

use super::{disco, ns};
use crate::encode;

/// The text whose SHA-1 digest, in Base64, is the verification string (XEP-0115 §5.1).
#[must_use]
pub fn verification_text(info: &disco::Info<'_>) -> String {
    let mut identities: Vec<_> = info.identities.iter().collect();
    identities.sort_by_key(|identity| (identity.category, identity.kind));
    let mut features: Vec<&str> = info.features.to_vec();
    features.sort_unstable();
    features.dedup();
    let mut text = String::new();
    for identity in identities {
        // XEP-0115 §5.1 step 2: category/type/lang/name, the language empty where there is none.
        for part in [identity.category, "/", identity.kind, "//", identity.name, "<"] {
            text.push_str(part);
        }
    }
    for feature in features {
        text.push_str(feature);
        text.push('<');
    }
    text
}

/// Appends `<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node=… ver=…/>`.
pub fn write(out: &mut Vec<u8>, node: &str, verification: &str) {
    encode::open(out, "c", ns::CAPS);
    encode::attribute(out, "hash", "sha-1");
    encode::attribute(out, "node", node);
    encode::attribute(out, "ver", verification);
    encode::close_empty(out);
}
