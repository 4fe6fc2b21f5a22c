//! The form in which a stanza leaves the session: head set by the server, payload as it came.

use super::{ElementRef, Stanza};
use crate::{element::Node, escape};

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
        const HEAD_BYTES: usize = 256;
        let mut out = Vec::with_capacity(self.text.len() + HEAD_BYTES);
        out.push(b'<');
        out.extend_from_slice(self.name().as_bytes());
        write_attribute(&mut out, "xmlns", stamp.namespace);
        write_attribute(&mut out, "from", stamp.from);
        write_attribute(&mut out, "to", stamp.to);
        write_attribute(&mut out, "type", self.type_attribute().as_deref());
        write_attribute(&mut out, "id", self.id().as_deref());
        write_attribute(&mut out, "xml:lang", self.lang().as_deref().or(stamp.lang));
        if self.inner_default == self.namespace {
            for needed in &self.needed {
                out.extend_from_slice(b" xmlns:");
                out.extend_from_slice(needed.prefix.as_bytes());
                out.extend_from_slice(b"=\"");
                escape::attribute(&mut out, &needed.namespace);
                out.push(b'"');
            }
            out.push(b'>');
            self.copy_payload(&mut out, leave_out);
        } else {
            out.push(b'>');
            self.rewrite_payload(&mut out, leave_out);
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'>');
        out
    }

    /// The payload without the direct children for which `leave_out` says so.
    #[must_use]
    pub fn remove_children(&self, leave_out: impl FnMut(ElementRef<'_>) -> bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload.len());
        self.copy_payload(&mut out, leave_out);
        out
    }

    fn copy_payload(&self, out: &mut Vec<u8>, mut leave_out: impl FnMut(ElementRef<'_>) -> bool) {
        let bytes = self.text.as_bytes();
        let mut copied = self.payload.start as usize;
        for child in self.children().filter(|child| leave_out(*child)) {
            let whole = child.child.whole;
            out.extend_from_slice(bytes.get(copied..whole.start as usize).unwrap_or_default());
            copied = whole.end as usize;
        }
        out.extend_from_slice(bytes.get(copied..self.payload.end as usize).unwrap_or_default());
    }

    /// For the rare stanza whose payload has another default namespace than the stanza itself, as
    /// in `<c:message xmlns:c='jabber:client' xmlns='urn:x'>`: the payload is written anew.
    fn rewrite_payload(
        &self,
        out: &mut Vec<u8>,
        mut leave_out: impl FnMut(ElementRef<'_>) -> bool,
    ) {
        let namespace = self.namespace();
        let whole = self.to_element();
        let mut children = self.children();
        for node in whole.nodes() {
            match node {
                Node::Text(text) => escape::text(out, text),
                Node::Element(element) => {
                    if !children.next().is_some_and(&mut leave_out) {
                        element.write_inside(out, &namespace);
                    }
                }
            }
        }
    }
}

fn write_attribute(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    escape::attribute(out, value);
    out.push(b'"');
}
