//! Contact lists (RFC 6121 §2): requests as clients make them, strictly, and results and pushes as
//! they are told. Knows no stored roster.

use model::Address;

use super::{Kind, bad_request, not_acceptable, ns, only_child};
use crate::{element::Element, encode, fault::StanzaCondition, jid::Jid};

/// Bytes of the handle of a contact.
pub const ROSTER_NAME_BYTES_MAX: usize = 1_023;

/// Bytes of the name of one group.
pub const ROSTER_GROUP_BYTES_MAX: usize = 1_023;

/// Groups of one contact.
pub const ROSTER_GROUPS_MAX: usize = 64;

/// What a client asks of its roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RosterRequest {
    /// The whole roster, or what changed since `version` (RFC 6121 §2.1.3, §2.6). An empty version
    /// says that the client knows versions and has no copy.
    Get {
        /// The version of the client's copy.
        version: Option<Box<str>>,
    },
    /// A contact is added or changed (RFC 6121 §2.3, §2.4).
    Set {
        /// Whom.
        contact: Address,
        /// The handle given to the contact; absent takes an earlier one away.
        name: Option<Box<str>>,
        /// The groups, each once, in the order given.
        groups: Vec<Box<str>>,
    },
    /// A contact is taken out, with both subscriptions (RFC 6121 §2.5).
    Remove {
        /// Whom.
        contact: Address,
    },
}

/// One contact as results and pushes tell it.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The contact's bare address.
    pub jid: &'a str,
    /// The handle that the owner gave.
    pub name: Option<&'a str>,
    /// `none`, `to`, `from` or `both`; `remove` in the push of a removal.
    pub subscription: &'a str,
    /// The owner has asked and waits for an answer (RFC 6121 §2.1.2.2).
    pub ask: bool,
    /// The owner has granted a subscription before it was asked for (RFC 6121 §3.4).
    pub approved: bool,
}

/// Reads the `<query/>` of a roster request.
pub(crate) fn read(query: &Element, kind: Kind) -> Result<RosterRequest, StanzaCondition> {
    match kind {
        Kind::Get if query.children().next().is_some() => Err(bad_request()),
        Kind::Get => Ok(RosterRequest::Get { version: query.attribute("ver").map(Box::from) }),
        Kind::Set => read_item(query),
    }
}

fn read_item(query: &Element) -> Result<RosterRequest, StanzaCondition> {
    // RFC 6121 §2.1.5: a set carries one item and one only.
    let item = only_child(query, "item", ns::ROSTER)?;
    let jid = item.attribute("jid").ok_or_else(bad_request)?;
    let jid = Jid::parse(jid).map_err(|_| super::jid_malformed())?;
    // RFC 6121 §2.1.2.4: contacts are people, not their sessions.
    let Jid { address: contact, resource: None } = jid else {
        return Err(bad_request());
    };
    // RFC 6121 §2.1.2.5: other values in a set are ignored.
    if item.attribute("subscription") == Some("remove") {
        return Ok(RosterRequest::Remove { contact });
    }
    let name = item.attribute("name").filter(|name| !name.is_empty());
    if name.is_some_and(|name| name.len() > ROSTER_NAME_BYTES_MAX) {
        return Err(not_acceptable());
    }
    let mut groups: Vec<Box<str>> = Vec::new();
    for group in item.children() {
        if group.name() != "group" || group.namespace() != ns::ROSTER {
            return Err(bad_request());
        }
        let group = group.text_content();
        // RFC 6121 §2.3.3: an empty group or one too long is not acceptable, a double one is a
        // bad request.
        if group.is_empty() || group.len() > ROSTER_GROUP_BYTES_MAX {
            return Err(not_acceptable());
        }
        if groups.iter().any(|known| **known == *group) {
            return Err(bad_request());
        }
        if groups.len() == ROSTER_GROUPS_MAX {
            return Err(not_acceptable());
        }
        groups.push(group.into());
    }
    Ok(RosterRequest::Set { contact, name: name.map(Box::from), groups })
}

/// Appends the `<query/>` of a result or a push. `version` is the version that the items lead to;
/// `items` appends them with [`write_item`].
pub fn write(out: &mut Vec<u8>, version: Option<&str>, items: impl FnOnce(&mut Vec<u8>)) {
    encode::open(out, "query", ns::ROSTER);
    encode::attribute_if(out, "ver", version);
    out.push(b'>');
    items(out);
    encode::close(out, "query");
}

/// Appends one `<item/>`.
pub fn write_item<'a>(
    out: &mut Vec<u8>,
    item: &Item<'_>,
    groups: impl IntoIterator<Item = &'a str>,
) {
    out.extend_from_slice(b"<item");
    encode::attribute(out, "jid", item.jid);
    encode::attribute_if(out, "name", item.name);
    encode::attribute(out, "subscription", item.subscription);
    if item.ask {
        encode::attribute(out, "ask", "subscribe");
    }
    if item.approved {
        encode::attribute(out, "approved", "true");
    }
    out.push(b'>');
    for group in groups {
        encode::text_element(out, "group", group);
    }
    encode::close(out, "item");
}
