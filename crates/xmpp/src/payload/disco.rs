//! What an entity is and what belongs to it (XEP-0030). Knows no list of features: the caller does.

use super::ns;
use crate::encode;

/// The answer to a `disco#info` query.
#[derive(Clone, Copy)]
pub struct Info<'a> {
    /// At least one (XEP-0030 §3.1).
    pub identities: &'a [Identity<'a>],
    /// Namespaces of what the entity can do.
    pub features: &'a [&'a str],
}

/// One thing that an entity is, in the words of the registry of categories.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// For example `server`, `account`, `client`.
    pub category: &'a str,
    /// For example `im`, `registered`, `bot`.
    pub kind: &'a str,
    /// A name for people; may be empty.
    pub name: &'a str,
}

/// One line of the answer to a `disco#items` query.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// The address of what belongs to the entity.
    pub jid: &'a str,
    /// A node of that address.
    pub node: Option<&'a str>,
    /// A name for people.
    pub name: Option<&'a str>,
}

/// Appends the `<query/>` of an information result. `node` repeats the node of the request, as
/// XEP-0030 §3.1 asks. `forms` appends data forms (XEP-0128) after the features.
pub fn write_info(
    out: &mut Vec<u8>,
    node: Option<&str>,
    info: &Info<'_>,
    forms: impl FnOnce(&mut Vec<u8>),
) {
    open_query(out, ns::DISCO_INFO, node);
    out.push(b'>');
    for identity in info.identities {
        out.extend_from_slice(b"<identity");
        encode::attribute(out, "category", identity.category);
        encode::attribute(out, "type", identity.kind);
        if !identity.name.is_empty() {
            encode::attribute(out, "name", identity.name);
        }
        encode::close_empty(out);
    }
    for feature in info.features {
        out.extend_from_slice(b"<feature");
        encode::attribute(out, "var", feature);
        encode::close_empty(out);
    }
    forms(out);
    encode::close(out, "query");
}

/// Appends the `<query/>` of an items result.
pub fn write_items(out: &mut Vec<u8>, node: Option<&str>, items: &[Item<'_>]) {
    open_query(out, ns::DISCO_ITEMS, node);
    out.push(b'>');
    for item in items {
        out.extend_from_slice(b"<item");
        encode::attribute(out, "jid", item.jid);
        encode::attribute_if(out, "node", item.node);
        encode::attribute_if(out, "name", item.name);
        encode::close_empty(out);
    }
    encode::close(out, "query");
}

fn open_query(out: &mut Vec<u8>, namespace: &str, node: Option<&str>) {
    encode::open(out, "query", namespace);
    encode::attribute_if(out, "node", node);
}
