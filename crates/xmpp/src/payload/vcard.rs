//! Electronic business cards (XEP-0054): opaque to the house, kept and given out as they came.

use super::{Kind, ns};
use crate::{element::Element, encode};

/// What a client asks of a card.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VcardRequest {
    /// The card of the address asked.
    Get,
    /// The sender's own card, in place of an earlier one.
    Set {
        /// The whole `<vCard xmlns='vcard-temp'/>`, written out.
        octets: Box<[u8]>,
    },
}

/// Reads the `<vCard/>` of a request.
pub(crate) fn read(card: &Element, kind: Kind) -> VcardRequest {
    match kind {
        Kind::Get => VcardRequest::Get,
        Kind::Set => VcardRequest::Set { octets: super::octets(card) },
    }
}

/// Appends the card, or an empty one where there is none (XEP-0054 §3.1).
pub fn write(out: &mut Vec<u8>, card: Option<&[u8]>) {
    match card {
        Some(card) => out.extend_from_slice(card),
        None => {
            encode::open(out, "vCard", ns::VCARD);
            encode::close_empty(out);
        }
    }
}
