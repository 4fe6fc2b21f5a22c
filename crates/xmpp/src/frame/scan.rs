//! The one reader of XML in the house: bytes to tags and text, with namespaces, each byte once,
//! whatever pieces it comes in (XML, XML-NAMES, RFC 6120 §11). Knows no stream and no stanza.

use super::{
    NamespaceAt, Scope, Span,
    chars::{self, Run, not_well_formed, too_much},
    tag::{self, RawAttribute},
};
use crate::{
    escape,
    fault::{StreamCondition, StreamFault},
    limits::Limits,
    namespace,
};

/// Something whole.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    /// A start tag, or an element without content. Its attributes are in
    /// [`Scanner::attributes`].
    Start(Start),
    /// The end tag of an element that was begun; the depth is that of the element.
    End { tag: Span, depth: usize },
    /// The end tag of something that was begun before this frame; its name as written.
    Close { name: Span },
    /// Character data as written, maybe not all of it.
    Text(Span),
    /// The inside of a CDATA section, maybe not all of it.
    Cdata(Span),
}

#[derive(Clone, Copy)]
pub(crate) struct Start {
    /// From `<` to `>`.
    pub(crate) tag: Span,
    /// The local name.
    pub(crate) name: Span,
    pub(crate) namespace: NamespaceAt,
    /// The default namespace of what is inside.
    pub(crate) inner_default: NamespaceAt,
    /// 1 for the outermost element of the frame.
    pub(crate) depth: usize,
    /// There will be no [`Event::End`].
    pub(crate) empty: bool,
}

/// The scanner's state, with everything it needs to go on where the bytes ended.
pub(crate) struct Scanner {
    limits: Limits,
    scope: Scope,
    mode: Mode,
    /// The next byte to look at, counted from the start of the frame.
    at: usize,
    /// Where the tag that is being looked for begins.
    tag_start: usize,
    open: Vec<Open>,
    bindings: Vec<Binding>,
    attributes: Vec<RawAttribute>,
    elements: usize,
    /// How many of the bindings the outermost element declares.
    outermost_bindings: usize,
    /// Bits of those bindings of the outermost element that are used inside of it.
    used: u32,
    /// Bits of those declarations of the scope that are used inside of the outermost element.
    used_scope: u32,
}

#[derive(Clone, Copy)]
enum Mode {
    Text,
    /// After `<`.
    Markup,
    /// After `<!`.
    Declaration,
    StartTag,
    /// In an attribute's value, after the quote.
    Value(u8),
    EndTag,
    Cdata,
}

struct Open {
    /// The name as written.
    name: Span,
    default: NamespaceAt,
    /// Bindings that were in force before this element.
    bindings: usize,
}

#[derive(Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) prefix: Span,
    pub(crate) namespace: NamespaceAt,
}

const CDATA: &[u8] = b"<![CDATA[";

impl Scanner {
    pub(crate) fn new(limits: Limits, scope: Scope) -> Self {
        Self {
            limits,
            scope,
            mode: Mode::Text,
            at: 0,
            tag_start: 0,
            open: Vec::new(),
            bindings: Vec::new(),
            attributes: Vec::new(),
            elements: 0,
            outermost_bindings: 0,
            used: 0,
            used_scope: 0,
        }
    }

    /// Forgets the frame; the next byte begins another.
    pub(crate) fn reset(&mut self) {
        self.mode = Mode::Text;
        self.at = 0;
        self.open.clear();
        self.bindings.clear();
        self.elements = 0;
        self.outermost_bindings = 0;
        self.used = 0;
        self.used_scope = 0;
    }

    pub(crate) fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How far the frame was looked at.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The attributes of the last start tag, without declarations.
    pub(crate) fn attributes(&self) -> &[RawAttribute] {
        &self.attributes
    }

    /// The prefixes that are declared here.
    pub(crate) fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// Bindings of the outermost element that are used inside of it.
    pub(crate) fn used_bindings(&self) -> impl Iterator<Item = &Binding> {
        let used = self.used;
        self.bindings
            .iter()
            .take(32)
            .enumerate()
            .filter(move |(n, _)| used >> n & 1 == 1)
            .map(|(_, b)| b)
    }

    /// Numbers of the scope's declarations that are used inside of the outermost element.
    pub(crate) fn used_scope(&self) -> impl Iterator<Item = u8> {
        let used = self.used_scope;
        (0..32_u8).filter(move |n| used >> n & 1 == 1)
    }

    /// The next event of the frame, or none if more bytes are needed. `frame` begins where it began
    /// the last time and is at least as long.
    pub(crate) fn next(&mut self, frame: &[u8]) -> Result<Option<Event>, StreamFault> {
        // What is beyond the limit is not looked at, so that the fault is the same whether or not
        // it has come yet.
        let max = self.limits.frame_bytes_max;
        let window = frame.get(..max).unwrap_or(frame);
        match self.scan(window)? {
            Some(event) => Ok(Some(event)),
            None if window.len() == max => Err(too_much("a stanza is too long")),
            None => Ok(None),
        }
    }

    fn scan(&mut self, frame: &[u8]) -> Result<Option<Event>, StreamFault> {
        loop {
            let Some(rest @ [byte, ..]) = frame.get(self.at..) else { return Ok(None) };
            match self.mode {
                Mode::Text if *byte == b'<' => {
                    self.tag_start = self.at;
                    self.at += 1;
                    self.mode = Mode::Markup;
                }
                Mode::Text => return self.text(rest),
                Mode::Markup => self.markup(*byte)?,
                Mode::Declaration => self.declaration(frame)?,
                Mode::StartTag => {
                    let Some(len) =
                        rest.iter().position(|b| matches!(b, b'>' | b'"' | b'\'' | b'<'))
                    else {
                        self.at = frame.len();
                        return Ok(None);
                    };
                    self.at += len + 1;
                    match rest.get(len) {
                        Some(b'>') => return self.start_tag(frame).map(Some),
                        Some(quote @ (b'"' | b'\'')) => self.mode = Mode::Value(*quote),
                        Some(_) | None => return Err(not_well_formed("< inside of a tag")),
                    }
                }
                Mode::Value(quote) => match memchr::memchr2(quote, b'<', rest) {
                    None => {
                        self.at = frame.len();
                        return Ok(None);
                    }
                    Some(len) if rest.get(len) == Some(&b'<') => {
                        return Err(not_well_formed("< inside of an attribute value"));
                    }
                    Some(len) => {
                        self.at += len + 1;
                        self.mode = Mode::StartTag;
                    }
                },
                Mode::EndTag => match memchr::memchr2(b'>', b'<', rest) {
                    None => {
                        self.at = frame.len();
                        return Ok(None);
                    }
                    Some(len) if rest.get(len) == Some(&b'<') => {
                        return Err(not_well_formed("< inside of a tag"));
                    }
                    Some(len) => {
                        self.at += len + 1;
                        return self.end_tag(frame).map(Some);
                    }
                },
                Mode::Cdata => return self.cdata(rest),
            }
        }
    }

    fn markup(&mut self, byte: u8) -> Result<(), StreamFault> {
        match byte {
            b'/' => {
                self.at += 1;
                self.mode = Mode::EndTag;
            }
            b'!' => {
                self.at += 1;
                self.mode = Mode::Declaration;
            }
            // RFC 6120 §11.1.
            b'?' => {
                return Err(StreamCondition::RestrictedXml.because("a processing instruction"));
            }
            _ => self.mode = Mode::StartTag,
        }
        Ok(())
    }

    /// After `<!`, byte by byte: a CDATA section, or something that XMPP does not allow.
    fn declaration(&mut self, frame: &[u8]) -> Result<(), StreamFault> {
        let so_far = frame.get(self.tag_start..=self.at).unwrap_or_default();
        if !CDATA.starts_with(so_far) {
            // RFC 6120 §11.1.
            return Err(StreamCondition::RestrictedXml.because("a comment or a DTD"));
        }
        self.at += 1;
        if so_far == CDATA {
            if self.open.is_empty() {
                return Err(StreamCondition::BadFormat.because("text between stanzas"));
            }
            self.mode = Mode::Cdata;
        }
        Ok(())
    }

    fn text(&mut self, rest: &[u8]) -> Result<Option<Event>, StreamFault> {
        let (run, complete) = match memchr::memchr(b'<', rest) {
            Some(len) => (rest.get(..len).unwrap_or_default(), true),
            None => (rest, false),
        };
        let settled = chars::check(run, Run::Text, complete)?;
        let span = Span::new(self.at, self.at + settled);
        self.at += settled;
        Ok((settled > 0).then_some(Event::Text(span)))
    }

    fn cdata(&mut self, rest: &[u8]) -> Result<Option<Event>, StreamFault> {
        let (run, complete) = match memchr::memmem::find(rest, b"]]>") {
            Some(len) => (rest.get(..len).unwrap_or_default(), true),
            None => (rest, false),
        };
        let settled = chars::check(run, Run::Raw, complete)?;
        let span = Span::new(self.at, self.at + settled);
        self.at += settled;
        if complete {
            self.at += b"]]>".len();
            self.mode = Mode::Text;
        }
        Ok((complete || settled > 0).then_some(Event::Cdata(span)))
    }

    fn end_tag(&mut self, frame: &[u8]) -> Result<Event, StreamFault> {
        self.mode = Mode::Text;
        let tag = Span::new(self.tag_start, self.at);
        let inside = frame.get(self.tag_start + 2..self.at.saturating_sub(1)).unwrap_or_default();
        let len = inside.iter().position(|byte| chars::is_space(*byte)).unwrap_or(inside.len());
        let name = Span::new(self.tag_start + 2, self.tag_start + 2 + len);
        if !inside.iter().skip(len).all(|byte| chars::is_space(*byte)) {
            return Err(not_well_formed("an end tag that cannot be read"));
        }
        let depth = self.open.len();
        let Some(open) = self.open.pop() else { return Ok(Event::Close { name }) };
        if open.name.of_bytes(frame) != name.of_bytes(frame) {
            return Err(not_well_formed("an end tag that fits no start tag"));
        }
        if depth > 1 {
            self.bindings.truncate(open.bindings);
        }
        Ok(Event::End { tag, depth })
    }

    fn start_tag(&mut self, frame: &[u8]) -> Result<Event, StreamFault> {
        self.mode = Mode::Text;
        self.elements += 1;
        let depth = self.open.len() + 1;
        if depth > self.limits.depth_max {
            return Err(too_much("elements are nested too deep"));
        }
        if self.elements > self.limits.elements_max {
            return Err(too_much("a stanza has too many elements"));
        }
        let tag = Span::new(self.tag_start, self.at);
        let bindings = self.bindings.len();
        let mut default = self.open.last().map_or(self.scope.default, |open| open.default);
        let (name, empty) = self.read_tag(frame, tag, &mut default)?;
        if depth == 1 {
            self.outermost_bindings = self.bindings.len();
        }
        let namespace = if name.prefix.is_empty() {
            default
        } else {
            self.find(frame, name.prefix.of_bytes(frame), depth)?
        };
        self.resolve_attributes(frame, depth)?;
        if !empty {
            self.open.push(Open { name: name.whole, default, bindings });
        } else if depth > 1 {
            self.bindings.truncate(bindings);
        }
        let inner_default = default;
        Ok(Event::Start(Start { tag, name: name.local, namespace, inner_default, depth, empty }))
    }

    /// Fills `attributes`, and `bindings` and `default` from what the tag declares.
    fn read_tag(
        &mut self,
        frame: &[u8],
        tag: Span,
        default: &mut NamespaceAt,
    ) -> Result<(tag::Name, bool), StreamFault> {
        let Self { limits, attributes, bindings, .. } = self;
        let before = bindings.len();
        let mut default_declared = false;
        attributes.clear();
        tag::read_start(frame, tag, limits, |attribute| {
            let (prefix, local) = (attribute.name.prefix, attribute.name.local);
            if prefix.is_empty() && local.of_bytes(frame) == b"xmlns" {
                if std::mem::replace(&mut default_declared, true) {
                    return Err(not_well_formed("an attribute that is there twice"));
                }
                *default = declared(frame, b"", attribute.value)?;
            } else if prefix.of_bytes(frame) == b"xmlns" {
                let prefix = local.of_bytes(frame);
                let namespace = declared(frame, prefix, attribute.value)?;
                let mut own = bindings.iter().skip(before);
                if own.any(|binding| binding.prefix.of_bytes(frame) == prefix) {
                    return Err(not_well_formed("an attribute that is there twice"));
                }
                if bindings.len() - before >= limits.declarations_max.min(32) {
                    return Err(too_much("an element declares too many namespaces"));
                }
                bindings.push(Binding { prefix: local, namespace });
            } else if attributes.len() >= limits.attributes_max {
                return Err(too_much("an element has too many attributes"));
            } else {
                attributes.push(attribute);
            }
            Ok(())
        })
    }

    /// Finds the namespaces of the attributes and refuses those that are there twice, be it by
    /// prefix and name or by namespace and name (XML §3.1, XML-NAMES §6.3).
    fn resolve_attributes(&mut self, frame: &[u8], depth: usize) -> Result<(), StreamFault> {
        for number in 0..self.attributes.len() {
            let Some(attribute) = self.attributes.get(number).copied() else { break };
            let mut namespace = NamespaceAt::None;
            if !attribute.name.prefix.is_empty() {
                namespace = self.find(frame, attribute.name.prefix.of_bytes(frame), depth)?;
            }
            let local = attribute.name.local;
            let twice = self.attributes.iter().take(number).any(|other| {
                other.name.local.len() == local.len()
                    && other.name.local.of_bytes(frame) == local.of_bytes(frame)
                    && same(frame, &self.scope, other.namespace, namespace)
            });
            if twice {
                return Err(not_well_formed("an attribute that is there twice"));
            }
            if let Some(attribute) = self.attributes.get_mut(number) {
                attribute.namespace = namespace;
            }
        }
        Ok(())
    }

    /// The namespace of a prefix (XML-NAMES §5, §6.1), noting what the inside of the outermost
    /// element takes from outside.
    fn find(
        &mut self,
        frame: &[u8],
        prefix: &[u8],
        depth: usize,
    ) -> Result<NamespaceAt, StreamFault> {
        if prefix == b"xml" {
            return Ok(NamespaceAt::Xml);
        }
        let at = self.bindings.iter().rposition(|binding| binding.prefix.of_bytes(frame) == prefix);
        if let Some((at, binding)) = at.and_then(|at| Some((at, self.bindings.get(at)?))) {
            if depth > 1 && at < self.outermost_bindings {
                self.used |= 1 << at;
            }
            return Ok(binding.namespace);
        }
        let number = self.scope.find(prefix);
        let number = number.ok_or_else(|| not_well_formed("a prefix that is not declared"))?;
        if depth > 1 {
            self.used_scope |= 1_u32.checked_shl(u32::from(number)).unwrap_or_default();
        }
        Ok(NamespaceAt::known(self.scope.namespace(number)).unwrap_or(NamespaceAt::Header(number)))
    }
}

/// The namespace that a declaration names, if it may (XML-NAMES §2.2, §3, §5).
fn declared(frame: &[u8], prefix: &[u8], value: Span) -> Result<NamespaceAt, StreamFault> {
    let name = std::str::from_utf8(value.of_bytes(frame)).unwrap_or_default();
    let name = escape::unescape_attribute(name);
    let namespace = NamespaceAt::known(&name).unwrap_or(NamespaceAt::Here(value));
    let is_xml = namespace == NamespaceAt::Xml;
    if prefix == b"xmlns" || *name == *namespace::XMLNS || (prefix == b"xml") != is_xml {
        return Err(not_well_formed("a declaration of a reserved namespace"));
    }
    if namespace == NamespaceAt::None && !prefix.is_empty() {
        return Err(not_well_formed("a prefix that is declared to mean nothing"));
    }
    Ok(namespace)
}

fn same(frame: &[u8], scope: &Scope, one: NamespaceAt, other: NamespaceAt) -> bool {
    let unknown = |at| matches!(at, NamespaceAt::Here(_) | NamespaceAt::Header(_));
    if one == other || !unknown(one) || !unknown(other) {
        return one == other;
    }
    name_of(frame, scope, one) == name_of(frame, scope, other)
}

fn name_of<'a>(frame: &'a [u8], scope: &'a Scope, at: NamespaceAt) -> std::borrow::Cow<'a, str> {
    match at {
        NamespaceAt::Here(span) => escape::unescape_attribute(
            std::str::from_utf8(span.of_bytes(frame)).unwrap_or_default(),
        ),
        NamespaceAt::None
        | NamespaceAt::Client
        | NamespaceAt::Server
        | NamespaceAt::Streams
        | NamespaceAt::Xml
        | NamespaceAt::Header(_) => at.resolve("", scope),
    }
}
