//! Scraps of XML that a client keeps for itself on the server (XEP-0049).

use super::{Kind, bad_request, ns};
use crate::{element::Element, encode, fault::StanzaCondition};

/// What a client asks of its private storage. A scrap is known by name and namespace of its root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrivateRequest {
    /// The scrap of this name; `empty` is what to answer when there is none (XEP-0049 §2.2).
    Get {
        /// Local name of the root.
        name: Box<str>,
        /// Namespace of the root.
        namespace: Box<str>,
        /// The element of the request, written out.
        empty: Box<[u8]>,
    },
    /// The scrap is kept, in place of an earlier one.
    Set {
        /// Local name of the root.
        name: Box<str>,
        /// Namespace of the root.
        namespace: Box<str>,
        /// The whole element, written out with its namespace.
        octets: Box<[u8]>,
    },
}

/// Reads the `<query/>` of a private storage request.
pub(crate) fn read(query: &Element, kind: Kind) -> Result<PrivateRequest, StanzaCondition> {
    let mut children = query.children();
    // XEP-0049 §2.1 lets a set carry several scraps of one namespace; no client does, and one
    // scrap is one row. A get has exactly one.
    let (Some(scrap), None) = (children.next(), children.next()) else {
        return Err(bad_request());
    };
    if scrap.namespace().is_empty() || scrap.namespace() == ns::PRIVATE {
        return Err(bad_request());
    }
    let (name, namespace) = (Box::from(scrap.name()), Box::from(scrap.namespace()));
    let octets = super::octets(scrap);
    Ok(match kind {
        Kind::Get => PrivateRequest::Get { name, namespace, empty: octets },
        Kind::Set => PrivateRequest::Set { name, namespace, octets },
    })
}

/// Appends the `<query/>` of a result with the scrap inside.
pub fn write(out: &mut Vec<u8>, scrap: &[u8]) {
    encode::open(out, "query", ns::PRIVATE);
    out.push(b'>');
    out.extend_from_slice(scrap);
    encode::close(out, "query");
}
