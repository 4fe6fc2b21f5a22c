//! From the bytes of a stream to its header, its stanzas and its end: strict, bounded, once over
//! each byte (RFC 6120 §4, §11). Payload is passed on as it came. Knows no session: what is legal
//! when is decided above.

use std::fmt;

use crate::{
    fault::{StreamCondition, StreamFault},
    limits::{IDLE_BUFFER_BYTES_MAX, Limits, XML_DECLARATION_BYTES_MAX},
    namespace,
    stanza::{Child, Head, Needed, Stanza, StanzaKind},
};

mod chars;
mod declaration;
mod header;
mod scan;
mod span;
mod tag;

use chars::{not_well_formed, too_much};
pub(crate) use scan::{Event, Scanner, Start};
pub(crate) use span::{Declared, NamespaceAt, Scope, Span};
pub(crate) use tag::read_start;

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
    buffer: Vec<u8>,
    /// Where in the buffer the current frame begins.
    base: usize,
    scanner: Scanner,
    state: State,
    /// The name of the stream element as written, which its end tag must repeat.
    root: Box<[u8]>,
    index: Index,
    fault: Option<StreamFault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The XML declaration or the stream's start tag comes next. White space may only stand here
    /// if it belongs to the stream before.
    Prologue { space_allowed: bool },
    /// After the XML declaration.
    Declared,
    /// Stanzas come.
    Stream,
    /// Nothing comes any more.
    Closed,
}

/// What is known so far of the stanza that is being scanned.
#[derive(Default)]
struct Index {
    name: Span,
    namespace: NamespaceAt,
    inner_default: NamespaceAt,
    start_tag: Span,
    head: Head,
    children: Vec<Child>,
}

impl Framer {
    /// For a new stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            buffer: Vec::new(),
            base: 0,
            scanner: Scanner::new(limits, Scope::default()),
            state: State::Prologue { space_allowed: false },
            root: Box::default(),
            index: Index::default(),
            fault: None,
        }
    }

    /// Takes what was read. Call [`Self::next_frame`] until it has nothing more before pushing
    /// again: what is pushed and not taken is not bounded here.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        // Moving what is left costs no more than what was taken out before it.
        if self.base > self.buffer.len() / 2 {
            self.buffer.drain(..self.base.min(self.buffer.len()));
            self.base = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, or none until more is pushed. White space between stanzas is skipped.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, StreamFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let frame = self.advance();
        if let Err(fault) = &frame {
            self.fault = Some(fault.clone());
            self.buffer = Vec::new();
            self.base = 0;
        }
        frame
    }

    /// The peer begins a new stream on the same connection, as after signing in (RFC 6120 §4.3.3).
    /// Bytes that were pushed after the last frame belong to the new stream.
    pub fn restart(&mut self) {
        self.scanner.reset();
        self.scanner.set_scope(Scope::default());
        self.state = State::Prologue { space_allowed: true };
        self.root = Box::default();
    }

    /// Other bounds from the next frame on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.scanner.set_limits(limits);
    }

    /// Bytes that were pushed and are not yet part of a frame. Not zero after `<starttls/>` means
    /// that somebody put clear text before the handshake (RFC 6120 §5.3.3).
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len().saturating_sub(self.base)
    }

    fn advance(&mut self) -> Result<Option<Frame>, StreamFault> {
        loop {
            if self.scanner.at() == 0 && !self.begin_frame()? {
                return Ok(None);
            }
            let bytes = self.buffer.get(self.base..).unwrap_or_default();
            let Some(event) = self.scanner.next(bytes)? else { return Ok(None) };
            let frame = match self.state {
                State::Stream => self.stanza_event(event)?,
                State::Prologue { .. } | State::Declared => self.header_event(event)?,
                State::Closed => return Err(not_well_formed("something after the stream")),
            };
            if frame.is_some() {
                return Ok(frame);
            }
        }
    }

    /// Skips what may stand before a frame and says whether one begins.
    fn begin_frame(&mut self) -> Result<bool, StreamFault> {
        let rest = self.buffer.get(self.base..).unwrap_or_default();
        let spaces = rest.iter().take_while(|byte| chars::is_space(**byte)).count();
        if spaces > 0 && self.state == (State::Prologue { space_allowed: false }) {
            // XML §2.8 has the declaration at the very start; without one, space is harmless.
            self.state = State::Declared;
        }
        self.base += spaces;
        let rest = rest.get(spaces..).unwrap_or_default();
        match (rest, self.state) {
            ([], _) => {
                self.release();
                Ok(false)
            }
            // One byte more says whether this is the XML declaration.
            ([b'<'], State::Prologue { .. }) => Ok(false),
            ([b'<', b'?', ..], State::Prologue { .. }) => self.xml_declaration(),
            ([b'<', ..], State::Closed) => Err(not_well_formed("something after the stream")),
            ([b'<', ..], _) => Ok(true),
            (_, State::Stream) => Err(StreamCondition::BadFormat.because("text between stanzas")),
            _ => Err(not_well_formed("text outside of the stream")),
        }
    }

    /// `<?xml version='1.0' encoding='UTF-8'?>`, which may only be first (XML §2.8, RFC 6120
    /// §11.5, §11.6).
    fn xml_declaration(&mut self) -> Result<bool, StreamFault> {
        let rest = self.buffer.get(self.base..).unwrap_or_default();
        let window = rest.get(..XML_DECLARATION_BYTES_MAX).unwrap_or(rest);
        match memchr::memmem::find(window, b"?>") {
            Some(len) => {
                declaration::check(window.get(..len).unwrap_or_default())?;
                self.base += len + b"?>".len();
                self.state = State::Declared;
                self.begin_frame()
            }
            None if window.len() == XML_DECLARATION_BYTES_MAX => {
                Err(too_much("the XML declaration is too long"))
            }
            None => Ok(false),
        }
    }

    fn header_event(&mut self, event: Event) -> Result<Option<Frame>, StreamFault> {
        let Event::Start(start) = event else {
            return Err(not_well_formed("a stream that does not begin"));
        };
        let bytes = self.buffer.get(self.base..).unwrap_or_default();
        let (header, scope) = header::read(bytes, &self.scanner, &start)?;
        let name = start.tag.of_bytes(bytes).get(1..).unwrap_or_default();
        let len = name.iter().position(|b| chars::is_space(*b) || *b == b'>');
        self.root = name.get(..len.unwrap_or(name.len())).unwrap_or_default().into();
        self.end_frame();
        self.scanner.set_scope(scope);
        self.state = State::Stream;
        Ok(Some(Frame::Open(header)))
    }

    fn stanza_event(&mut self, event: Event) -> Result<Option<Frame>, StreamFault> {
        match event {
            Event::Start(start) => match start.depth {
                1 => self.begin_stanza(&start),
                2 => {
                    let inner = Span { start: start.tag.end, end: start.tag.end };
                    self.index.children.push(Child {
                        namespace: start.namespace,
                        name: start.name,
                        start_tag: start.tag,
                        whole: start.tag,
                        inner,
                    });
                    Ok(None)
                }
                _ => Ok(None),
            },
            Event::End { tag, depth: 1 } => self.end_stanza(tag).map(Some),
            Event::End { tag, depth } => {
                if let (2, Some(child)) = (depth, self.index.children.last_mut()) {
                    child.inner.end = tag.start;
                    child.whole.end = tag.end;
                }
                Ok(None)
            }
            Event::Close { name } => {
                let bytes = self.buffer.get(self.base..).unwrap_or_default();
                if *name.of_bytes(bytes) != *self.root {
                    return Err(not_well_formed("an end tag that fits no start tag"));
                }
                self.end_frame();
                self.state = State::Closed;
                Ok(Some(Frame::Close))
            }
            Event::Text(_) | Event::Cdata(_) => Ok(None),
        }
    }

    fn begin_stanza(&mut self, start: &Start) -> Result<Option<Frame>, StreamFault> {
        let bytes = self.buffer.get(self.base..).unwrap_or_default();
        let mut head = Head::default();
        for attribute in self.scanner.attributes() {
            let place = match (attribute.namespace, attribute.name.local.of_bytes(bytes)) {
                (NamespaceAt::None, b"to") => &mut head.to,
                (NamespaceAt::None, b"from") => &mut head.from,
                (NamespaceAt::None, b"id") => &mut head.id,
                (NamespaceAt::None, b"type") => &mut head.kind,
                (NamespaceAt::Xml, b"lang") => &mut head.lang,
                _ => continue,
            };
            *place = Some(attribute.value);
        }
        self.index.name = start.name;
        self.index.namespace = start.namespace;
        self.index.inner_default = start.inner_default;
        self.index.start_tag = start.tag;
        self.index.head = head;
        self.index.children.clear();
        if start.empty {
            return self.end_stanza(Span { start: start.tag.end, end: start.tag.end }).map(Some);
        }
        Ok(None)
    }

    fn end_stanza(&mut self, end_tag: Span) -> Result<Frame, StreamFault> {
        let bytes = self.buffer.get(self.base..).unwrap_or_default();
        let bytes = bytes.get(..self.scanner.at()).unwrap_or_default();
        // Each piece was checked; this is what makes the whole a `str` without `unsafe`.
        let text: Box<str> = std::str::from_utf8(bytes)
            .map_err(|_| StreamCondition::UnsupportedEncoding.because("this is not UTF-8"))?
            .into();
        let scope = self.scanner.scope().clone();
        let mut needed = Vec::new();
        for binding in self.scanner.used_bindings() {
            let namespace = binding.namespace.resolve(&text, &scope).into();
            needed.push(Needed { prefix: binding.prefix.of(&text).into(), namespace });
        }
        for number in self.scanner.used_scope() {
            if let Some(declared) = scope.declared(number) {
                let Declared { prefix, namespace } = declared.clone();
                needed.push(Needed { prefix, namespace });
            }
        }
        let index = &self.index;
        let stanza = Stanza {
            kind: kind_of(index.name.of(&text), index.namespace, scope.default),
            name: index.name,
            namespace: index.namespace,
            head: index.head,
            start_tag: index.start_tag,
            payload: Span { start: index.start_tag.end, end: end_tag.start },
            children: index.children.as_slice().into(),
            inner_default: index.inner_default,
            text,
            scope,
            needed,
        };
        self.end_frame();
        Ok(Frame::Stanza(stanza))
    }

    fn end_frame(&mut self) {
        self.base += self.scanner.at();
        self.scanner.reset();
    }

    /// Gives back what a long stanza took, once there is nothing left of it.
    fn release(&mut self) {
        self.buffer.clear();
        self.base = 0;
        if self.buffer.capacity() > IDLE_BUFFER_BYTES_MAX {
            self.buffer = Vec::new();
        }
    }
}

/// The kind of a top-level element in a stream of that content (RFC 6120 §4.8.2, §8.1).
fn kind_of(name: &str, namespace: NamespaceAt, content: NamespaceAt) -> StanzaKind {
    let is_content = matches!(namespace, NamespaceAt::Client | NamespaceAt::Server)
        && (content == NamespaceAt::None || namespace == content);
    match name {
        "message" if is_content => StanzaKind::Message,
        "presence" if is_content => StanzaKind::Presence,
        "iq" if is_content => StanzaKind::Iq,
        _ => StanzaKind::Other,
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

impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Framer({} bytes pending)", self.pending_bytes())
    }
}

#[cfg(test)]
mod tests;
