//! The head of a top-level element: what falls out of framing without a second reading. The
//! payload stays as it came. Knows no payload's meaning and no session.

use std::{borrow::Cow, fmt};

use crate::{
    element::{Element, Node},
    escape,
    frame::{NamespaceAt, Scope, Span, read_start},
    limits::Limits,
};

mod write;

pub use write::Stamp;

/// What a top-level element is, by name and namespace (RFC 6120 §8.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StanzaKind {
    /// `message`.
    Message,
    /// `presence`.
    Presence,
    /// `iq`.
    Iq,
    /// Anything else: negotiation, acknowledgements, or nothing that the server knows. See
    /// [`Stanza::name`] and [`Stanza::namespace`].
    Other,
}

/// One top-level element, with its text as it came and an index of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Stanza {
    pub(crate) text: Box<str>,
    pub(crate) kind: StanzaKind,
    pub(crate) name: Span,
    pub(crate) namespace: NamespaceAt,
    pub(crate) head: Head,
    /// From the `<` to the `>` of the start tag.
    pub(crate) start_tag: Span,
    /// What stands between the tags.
    pub(crate) payload: Span,
    pub(crate) children: Box<[Child]>,
    /// What the stream's header declares.
    pub(crate) scope: Scope,
    /// The default namespace of the payload.
    pub(crate) inner_default: NamespaceAt,
    /// Prefixes that the payload uses and that are declared outside of it.
    pub(crate) needed: Vec<Needed>,
}

/// Where the values of the attributes stand that every stanza has (RFC 6120 §8.1).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) to: Option<Span>,
    pub(crate) from: Option<Span>,
    pub(crate) id: Option<Span>,
    pub(crate) kind: Option<Span>,
    pub(crate) lang: Option<Span>,
}

/// A direct child.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) namespace: NamespaceAt,
    /// The local name.
    pub(crate) name: Span,
    pub(crate) start_tag: Span,
    /// From the `<` of the start tag to the `>` of the end tag.
    pub(crate) whole: Span,
    /// What stands between the tags.
    pub(crate) inner: Span,
}

/// A prefix and its namespace.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) prefix: Box<str>,
    pub(crate) namespace: Box<str>,
}

/// A direct child of a stanza, still as it came.
#[derive(Clone, Copy)]
pub struct ElementRef<'a> {
    stanza: &'a Stanza,
    child: &'a Child,
}

impl Stanza {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> StanzaKind {
        self.kind
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.of(&self.text)
    }

    /// The namespace; empty for none.
    #[must_use]
    pub fn namespace(&self) -> Cow<'_, str> {
        self.namespace.resolve(&self.text, &self.scope)
    }

    /// Whether it is this element.
    #[must_use]
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The attribute `to`, unescaped.
    #[must_use]
    pub fn to(&self) -> Option<Cow<'_, str>> {
        self.value(self.head.to)
    }

    /// The attribute `from`, unescaped.
    #[must_use]
    pub fn from(&self) -> Option<Cow<'_, str>> {
        self.value(self.head.from)
    }

    /// The attribute `id`, unescaped.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.value(self.head.id)
    }

    /// The attribute `type`, unescaped.
    #[must_use]
    pub fn type_attribute(&self) -> Option<Cow<'_, str>> {
        self.value(self.head.kind)
    }

    /// The attribute `xml:lang`, unescaped. May be empty, which undoes that of the stream.
    #[must_use]
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        self.value(self.head.lang)
    }

    /// The whole element as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The start tag as it came.
    #[must_use]
    pub fn start_tag(&self) -> &str {
        self.start_tag.of(&self.text)
    }

    /// What stands between the tags, as it came. Empty for an empty element.
    #[must_use]
    pub fn payload(&self) -> &str {
        self.payload.of(&self.text)
    }

    /// The direct children that are elements, in their order.
    pub fn children(&self) -> impl Iterator<Item = ElementRef<'_>> {
        self.children.iter().map(|child| ElementRef { stanza: self, child })
    }

    /// The first direct child of that namespace and name.
    #[must_use]
    pub fn child(&self, namespace: &str, name: &str) -> Option<ElementRef<'_>> {
        self.children().find(|child| child.is(namespace, name))
    }

    /// The first direct child of the stanza's own namespace and that name: `body`, `subject`,
    /// `thread`, `show`, `status`, `priority`, `error`.
    #[must_use]
    pub fn own_child(&self, name: &str) -> Option<ElementRef<'_>> {
        let own = self.namespace();
        self.children().find(|child| child.is(&own, name))
    }

    /// The text of the first `<body/>`, unescaped.
    #[must_use]
    pub fn body(&self) -> Option<Cow<'_, str>> {
        self.own_child("body").map(|body| body.text())
    }

    /// The whole element as a tree.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::framed(self, self.start_tag)
    }

    fn value(&self, at: Option<Span>) -> Option<Cow<'_, str>> {
        at.map(|span| escape::unescape_attribute(span.of(&self.text)))
    }
}

impl<'a> ElementRef<'a> {
    /// The local name.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.child.name.of(&self.stanza.text)
    }

    /// The namespace; empty for none.
    #[must_use]
    pub fn namespace(self) -> Cow<'a, str> {
        self.child.namespace.resolve(&self.stanza.text, &self.stanza.scope)
    }

    /// Whether it is this element.
    #[must_use]
    pub fn is(self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The element as it came. Declarations may stand outside of it.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.child.whole.of(&self.stanza.text)
    }

    /// What stands between the tags, as it came. Empty for an empty element.
    #[must_use]
    pub fn inner(self) -> &'a str {
        self.child.inner.of(&self.stanza.text)
    }

    /// The character data of this element, unescaped, without that of its children.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        let inner = self.inner();
        if memchr::memchr(b'<', inner.as_bytes()).is_none() {
            return escape::unescape_text(inner);
        }
        let texts = self.to_element().nodes().iter().fold(String::new(), |mut all, node| {
            if let Node::Text(text) = node {
                all.push_str(text);
            }
            all
        });
        Cow::Owned(texts)
    }

    /// The element as a tree.
    #[must_use]
    pub fn to_element(self) -> Element {
        Element::framed(self.stanza, self.child.start_tag)
    }

    /// The attribute without prefix of that name, or `xml:lang`, unescaped. Reads the start tag again.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<Cow<'a, str>> {
        let text = &self.stanza.text;
        let wanted = match name.strip_prefix("xml:") {
            Some(local) => ("xml", local),
            None => ("", name),
        };
        let mut value = None;
        let read = read_start(text.as_bytes(), self.child.start_tag, &Limits::FRAMED, |a| {
            if (a.name.prefix.of(text), a.name.local.of(text)) == wanted {
                value = Some(a.value);
            }
            Ok(())
        });
        read.ok()?;
        value.map(|span| escape::unescape_attribute(span.of(text)))
    }
}

/// Never shows content.
impl fmt::Debug for Stanza {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} bytes)", self.kind, self.text.len())
    }
}

/// Never shows content.
impl fmt::Debug for ElementRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ElementRef({} bytes)", self.child.whole.len())
    }
}

#[cfg(test)]
mod tests;
