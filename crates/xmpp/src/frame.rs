//! From the bytes of a stream to its header, its stanzas and its end: strict, bounded, once over
//! each byte (RFC 6120 §4, §11). Payload is passed on as it came. Knows no session: what is legal
//! when is decided above.


use crate::{fault::StreamFault, limits::Limits, namespace, stanza::Stanza};

mod span;

pub(crate) use span::{Declared, NamespaceAt, Scope, Span};

/// What a stream is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// The stream begins (RFC 6120 §4.2).
    Open(StreamHeader),
    /// A top-level element.
    Stanza(Stanza),
    /// The peer ends the stream (RFC 6120 §4.4).
    Close,
}

/// The start tag of a stream (RFC 6120 §4.7). Values are unescaped and not prepared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamHeader {
    /// Whom the stream is for.
    pub to: Option<Box<str>>,
    /// Who opens it.
    pub from: Option<Box<str>>,
    /// The stream's id, which only the receiving side gives.
    pub id: Option<Box<str>>,
    /// The default language of the stream.
    pub lang: Option<Box<str>>,
    /// Major and minor; the major is at least 1.
    pub version: (u32, u32),
    /// The default namespace. None if the header declares none, so that each stanza must.
    pub content: Option<ContentNamespace>,
}

/// The namespaces that stanzas may be in (RFC 6120 §4.8.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ContentNamespace {
    /// Between client and server.
    Client,
    /// Between servers.
    Server,
}

/// Cuts a stream into frames. One for each stream of bytes; after a fault it says the same fault
/// for ever.
pub struct Framer {
    limits: Limits,
}

impl Framer {
    /// For a new stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Takes what was read. Call [`Self::next_frame`] until it has nothing more before pushing
    /// again: what is pushed and not taken is not bounded here.
    pub fn push(&mut self, bytes: &[u8]) {
        let _ = bytes;
    }

    /// The next frame, or none until more is pushed. White space between stanzas is skipped.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, StreamFault> {
        Ok(None)
    }

    /// The peer begins a new stream on the same connection, as after signing in (RFC 6120 §4.3.3).
    /// Bytes that were pushed after the last frame belong to the new stream.
    pub fn restart(&mut self) {}

    /// Other bounds from the next frame on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Bytes that were pushed and are not yet part of a frame. Not zero after `<starttls/>` means
    /// that somebody put clear text before the handshake (RFC 6120 §5.3.3).
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        0
    }
}

impl ContentNamespace {
    /// The namespace.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => namespace::CLIENT,
            Self::Server => namespace::SERVER,
        }
    }
}
