//! What the server and an account can do (XEP-0030), and the digest of it (XEP-0115).

use auth::Hash;
use base64::prelude::{BASE64_STANDARD, Engine};
use xmpp::{
    payload::{
        caps,
        disco::{Identity, Info},
        ns,
    },
    session::Capabilities,
};

/// What the server is.
pub(crate) const SERVER: Info<'static> = Info {
    identities: &[Identity { category: "server", kind: "im", name: "Chancery" }],
    features: &[
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::CARBONS,
        ns::BLOCKING,
        ns::LAST,
        ns::PING,
        ns::PRIVATE,
        ns::ROSTER,
        ns::TIME,
        ns::VCARD,
        ns::VERSION,
        "msgoffline",
    ],
};

/// What an account is, to its owner and to those who see its presence.
pub(crate) const ACCOUNT: Info<'static> = Info {
    identities: &[Identity { category: "account", kind: "registered", name: "" }],
    features: &[
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::MAM,
        "urn:xmpp:mam:2#extended",
        ns::STANZA_ID,
        ns::RSM,
        ns::VCARD,
    ],
};

/// Where the software can be read about; the node of its capabilities (XEP-0115 §4).
pub(crate) const NODE: &str = "urn:chancery";

/// The server's capabilities, as streams announce them (XEP-0115 §6.3).
#[must_use]
pub fn capabilities() -> Capabilities {
    let digest = Hash::Sha1.digest(caps::verification_text(&SERVER).as_bytes());
    Capabilities { node: NODE.into(), verification: BASE64_STANDARD.encode(digest).into() }
}

/// Whether a query's node is that of the server's present capabilities (XEP-0115 §6.2).
pub(crate) fn is_own_node(node: &str) -> bool {
    node.strip_prefix(NODE)
        .and_then(|rest| rest.strip_prefix('#'))
        .is_some_and(|rest| *rest == *capabilities().verification)
}
