//! Where something stands in the text of a frame, and what a namespace is without copying it.

use std::{borrow::Cow, sync::Arc};

use crate::{escape, namespace};

/// A range of bytes in the text of one frame.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A namespace: one of those known, or where it is declared.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum NamespaceAt {
    #[default]
    None,
    Client,
    Server,
    Streams,
    Xml,
    /// The value of a declaration in the frame.
    Here(Span),
    /// The number of a declaration in the stream's header.
    Header(u8),
}

/// What the header of a stream declares for all its stanzas.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Scope {
    pub(crate) default: NamespaceAt,
    /// None for the usual header, which declares no prefix but that of the stream.
    pub(crate) declared: Option<Arc<[Declared]>>,
}

/// A prefix that the header of a stream declares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Declared {
    pub(crate) prefix: Box<str>,
    pub(crate) namespace: Box<str>,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // Frames are far shorter than 4 GiB; should one not be, the span is empty, not wrong.
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            (Ok(_) | Err(_), _) => Self::default(),
        }
    }

    pub(crate) fn len(self) -> usize {
        (self.end.saturating_sub(self.start)) as usize
    }

    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(crate) fn of_bytes(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl NamespaceAt {
    /// The namespace of that name, if it is one of those known.
    pub(crate) fn known(name: &str) -> Option<Self> {
        match name {
            "" => Some(Self::None),
            namespace::CLIENT => Some(Self::Client),
            namespace::SERVER => Some(Self::Server),
            namespace::STREAMS => Some(Self::Streams),
            namespace::XML => Some(Self::Xml),
            _ => None,
        }
    }

    /// The name of the namespace; empty for none.
    pub(crate) fn resolve<'a>(self, text: &'a str, scope: &'a Scope) -> Cow<'a, str> {
        match self {
            Self::None => Cow::Borrowed(""),
            Self::Client => Cow::Borrowed(namespace::CLIENT),
            Self::Server => Cow::Borrowed(namespace::SERVER),
            Self::Streams => Cow::Borrowed(namespace::STREAMS),
            Self::Xml => Cow::Borrowed(namespace::XML),
            Self::Here(span) => escape::unescape_attribute(span.of(text)),
            Self::Header(number) => Cow::Borrowed(scope.namespace(number)),
        }
    }
}

impl Scope {
    /// The namespace of the declaration of that number.
    pub(crate) fn namespace(&self, number: u8) -> &str {
        self.declared(number).map_or("", |declared| &declared.namespace)
    }

    /// The declaration of that number.
    pub(crate) fn declared(&self, number: u8) -> Option<&Declared> {
        self.declared.as_deref().unwrap_or_default().get(usize::from(number))
    }

    /// The number of the declaration of that prefix.
    pub(crate) fn find(&self, prefix: &[u8]) -> Option<u8> {
        let declared = self.declared.as_deref().unwrap_or_default();
        let at = declared.iter().position(|declared| declared.prefix.as_bytes() == prefix)?;
        u8::try_from(at).ok()
    }
}
