//! The list of those whom one does not want to hear (XEP-0191).

use super::{Kind, bad_request, jid_malformed, not_acceptable, ns};
use crate::{element::Element, encode, fault::StanzaCondition, jid::Jid};

/// Addresses in one request.
pub const BLOCK_ITEMS_MAX: usize = 500;

/// What a client asks of its block list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BlockingRequest {
    /// The whole list (XEP-0191 §3.1).
    List,
    /// These are blocked from now on (XEP-0191 §3.2). Never empty.
    Block(Vec<Jid>),
    /// These are not blocked any more; an empty list means everybody (XEP-0191 §3.3, §3.4).
    Unblock(Vec<Jid>),
}

/// Reads `<blocklist/>`, `<block/>` or `<unblock/>`.
pub(crate) fn read(payload: &Element, kind: Kind) -> Result<BlockingRequest, StanzaCondition> {
    match (payload.name(), kind) {
        ("blocklist", Kind::Get) => Ok(BlockingRequest::List),
        ("block", Kind::Set) => {
            let jids = read_items(payload)?;
            // XEP-0191 §3.2: a block without items is a bad request.
            if jids.is_empty() { Err(bad_request()) } else { Ok(BlockingRequest::Block(jids)) }
        }
        ("unblock", Kind::Set) => read_items(payload).map(BlockingRequest::Unblock),
        (_, Kind::Get | Kind::Set) => Err(bad_request()),
    }
}

fn read_items(payload: &Element) -> Result<Vec<Jid>, StanzaCondition> {
    let mut jids = Vec::new();
    for item in payload.children().filter(|child| child.namespace() == ns::BLOCKING) {
        if item.name() != "item" {
            return Err(bad_request());
        }
        if jids.len() == BLOCK_ITEMS_MAX {
            return Err(not_acceptable());
        }
        let jid = item.attribute("jid").ok_or_else(bad_request)?;
        jids.push(Jid::parse(jid).map_err(|_| jid_malformed())?);
    }
    Ok(jids)
}

/// Appends `<blocklist/>`, the result of a list request.
pub fn write_list<'a>(out: &mut Vec<u8>, jids: impl IntoIterator<Item = &'a str>) {
    write(out, "blocklist", jids);
}

/// Appends the `<block/>` or `<unblock/>` of a push to the owner's sessions (XEP-0191 §3.2).
pub fn write_push<'a>(out: &mut Vec<u8>, blocked: bool, jids: impl IntoIterator<Item = &'a str>) {
    write(out, if blocked { "block" } else { "unblock" }, jids);
}

fn write<'a>(out: &mut Vec<u8>, name: &str, jids: impl IntoIterator<Item = &'a str>) {
    encode::open(out, name, ns::BLOCKING);
    let start = out.len();
    out.push(b'>');
    for jid in jids {
        out.extend_from_slice(b"<item");
        encode::attribute(out, "jid", jid);
        encode::close_empty(out);
    }
    if out.len() == start + 1 {
        out.truncate(start);
        encode::close_empty(out);
    } else {
        encode::close(out, name);
    }
}
