//! Payloads of stanzas, one file for each specification: what a client may ask, read strictly, and
//! what the server answers. Knows neither sessions nor who may do what.
//!
//! Readers take the one element that an `iq` request carries and give a typed request or the
//! condition that answers it. Writers append to a buffer.

use crate::{element::Element, fault::StanzaCondition};

pub mod blocking;
pub mod caps;
pub mod delay;
pub mod disco;
pub mod features;
pub mod form;
pub mod last;
pub mod mam;
pub mod ns;
pub mod private;
pub mod roster;
pub mod rsm;
pub mod stanza_id;
pub mod time;
pub mod vcard;
pub mod version;

/// Whether an `iq` asks or orders (RFC 6120 §8.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Get,
    Set,
}

pub(crate) fn bad_request() -> StanzaCondition {
    StanzaCondition::BadRequest
}

pub(crate) fn not_acceptable() -> StanzaCondition {
    StanzaCondition::NotAcceptable
}

pub(crate) fn jid_malformed() -> StanzaCondition {
    StanzaCondition::JidMalformed
}

pub(crate) fn feature_not_implemented() -> StanzaCondition {
    StanzaCondition::FeatureNotImplemented
}

/// The only child of an element, which must be this one.
pub(crate) fn only_child<'a>(
    parent: &'a Element,
    name: &str,
    namespace: &str,
) -> Result<&'a Element, StanzaCondition> {
    let mut children = parent.children();
    match (children.next(), children.next()) {
        (Some(child), None) if child.is(namespace, name) => Ok(child),
        _ => Err(bad_request()),
    }
}

/// The element as octets that stand alone, with their namespace declared.
pub(crate) fn octets(element: &Element) -> Box<[u8]> {
    element.to_xml().into_bytes().into()
}

#[cfg(test)]
mod tests;
