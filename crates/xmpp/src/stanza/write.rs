//! The form in which a stanza leaves the session: head set by the server, payload as it came.

use super::{ElementRef, Stanza};

/// What the server sets in the head of a stanza.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamp<'a> {
    /// Writes `xmlns` first, for octets that must be right inside a wrapper. None where they will
    /// only stand in a stream of that namespace.
    pub namespace: Option<&'a str>,
    /// The sender, always the server's own knowledge.
    pub from: Option<&'a str>,
    /// The recipient, prepared.
    pub to: Option<&'a str>,
    /// The language of the stream, for a stanza that has none of its own (RFC 6120 §4.7.4).
    pub lang: Option<&'a str>,
}

impl Stanza {
    /// The canonical form `<message from=".." to=".." type=".." id=".." xml:lang="..">` + payload +
    /// `</message>`, attributes that have no value left out, never an empty-element tag, in the
    /// default namespace. `from` and `to` are as in `stamp`; `type`, `id`, `xml:lang` as given;
    /// other attributes are dropped. Direct children for which `leave_out` says so are cut, the
    /// rest of the payload is copied as it came; prefixes that it needs are declared in the start
    /// tag, after `xml:lang`.
    #[must_use]
    pub fn canonical(
        &self,
        stamp: &Stamp<'_>,
        leave_out: impl FnMut(ElementRef<'_>) -> bool,
    ) -> Vec<u8> {
        let _ = (stamp, leave_out);
        Vec::new()
    }

    /// The payload without the direct children for which `leave_out` says so.
    #[must_use]
    pub fn remove_children(&self, leave_out: impl FnMut(ElementRef<'_>) -> bool) -> Vec<u8> {
        let _ = leave_out;
        Vec::new()
    }
}
