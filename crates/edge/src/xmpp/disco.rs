//! What the server and an account can do (XEP-0030), and the digest of it (XEP-0115).

use xmpp::payload::{
    disco::{Identity, Info},
    ns,
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
