//! Pages of a long result (XEP-0059).

use super::{bad_request, feature_not_implemented, ns};
use crate::{element::Element, encode, fault::StanzaCondition};

/// Which page a client wants.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PageRequest {
    /// How many items at most; zero asks for the count alone (XEP-0059 §2.7).
    pub max: Option<u32>,
    /// From where.
    pub position: Position,
}

/// Where a page begins or ends.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Position {
    /// At the beginning.
    #[default]
    First,
    /// After the item of this id (XEP-0059 §2.2).
    After(Box<str>),
    /// Before the item of this id (XEP-0059 §2.3).
    Before(Box<str>),
    /// At the end (XEP-0059 §2.5).
    Last,
}

/// What the answer says about the page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Ids of the first and the last item; none for an empty page.
    pub ends: Option<(&'a str, &'a str)>,
    /// Place of the first item in the whole result, where it is known.
    pub first_index: Option<u64>,
    /// Items of the whole result, where it is known.
    pub count: Option<u64>,
}

/// Reads a `<set xmlns='http://jabber.org/protocol/rsm'/>`.
pub(crate) fn read(set: &Element) -> Result<PageRequest, StanzaCondition> {
    let mut page = PageRequest::default();
    for child in set.children().filter(|child| child.namespace() == ns::RSM) {
        let position = match child.name() {
            "max" => {
                page.max = Some(child.text_content().trim().parse().map_err(|_| bad_request())?);
                continue;
            }
            "after" => Position::After(child.text_content().into()),
            "before" if child.text_content().is_empty() => Position::Last,
            "before" => Position::Before(child.text_content().into()),
            // XEP-0059 §2.6: a responder without page numbers says so.
            "index" => return Err(feature_not_implemented()),
            _ => return Err(bad_request()),
        };
        // XEP-0313 §4.3.2: before and after together are undefined.
        if page.position != Position::First {
            return Err(bad_request());
        }
        page.position = position;
    }
    Ok(page)
}

/// Appends the `<set/>` of an answer.
pub fn write(out: &mut Vec<u8>, page: &Page<'_>) {
    encode::open(out, "set", ns::RSM);
    out.push(b'>');
    if let Some((first, last)) = page.ends {
        out.extend_from_slice(b"<first");
        let index = page.first_index.map(|index| index.to_string());
        encode::attribute_if(out, "index", index.as_deref());
        out.push(b'>');
        encode::text(out, first);
        encode::close(out, "first");
        encode::text_element(out, "last", last);
    }
    if let Some(count) = page.count {
        encode::text_element(out, "count", &count.to_string());
    }
    encode::close(out, "set");
}
