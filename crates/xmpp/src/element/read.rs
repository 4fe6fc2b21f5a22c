//! Trees from text, by the scanner that frames the stream.

use super::{Attribute, Element};
use crate::{
    escape,
    fault::{StreamCondition, StreamFault},
    frame::{Event, NamespaceAt, Scanner, Scope, Span, Start},
    limits::{Limits, TREE_DEPTH_MAX},
    stanza::Stanza,
};

impl Element {
    /// Reads one element that stands alone, with nothing but white space round it.
    pub fn parse(text: &str, limits: Limits) -> Result<Self, StreamFault> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        let limits = Limits { depth_max: limits.depth_max.min(TREE_DEPTH_MAX), ..limits };
        let mut scanner = Scanner::new(limits, Scope::default());
        match build(&mut scanner, text, Span::default())? {
            Some(element) if scanner.at() == text.len() => Ok(element),
            Some(_) | None => Err(StreamCondition::NotWellFormed.because("not one whole element")),
        }
    }

    /// The element whose start tag is given, within a stanza that was framed before.
    pub(crate) fn framed(stanza: &Stanza, start_tag: Span) -> Self {
        let mut scanner = Scanner::new(Limits::FRAMED, stanza.scope.clone());
        let built = build(&mut scanner, &stanza.text, start_tag).ok().flatten();
        // Framing took every byte of this before, so it is always built.
        built.unwrap_or_else(|| Self::new("", ""))
    }
}

/// Builds the element whose start tag begins where `wanted` does.
fn build(scanner: &mut Scanner, text: &str, wanted: Span) -> Result<Option<Element>, StreamFault> {
    let mut open: Vec<Element> = Vec::new();
    while let Some(event) = scanner.next(text.as_bytes())? {
        let done = match event {
            Event::Start(start) if open.is_empty() && start.tag.start != wanted.start => None,
            Event::Start(start) => {
                let element = begin(scanner, text, &start);
                if start.empty {
                    Some(element)
                } else {
                    open.push(element);
                    None
                }
            }
            Event::End { .. } => open.pop(),
            Event::Text(span) => {
                if let Some(element) = open.last_mut() {
                    element.push_text(&escape::unescape_text(span.of(text)));
                }
                None
            }
            Event::Cdata(span) => {
                if let Some(element) = open.last_mut() {
                    element.push_text(&escape::line_ends(span.of(text)));
                }
                None
            }
            Event::Close { .. } => return Ok(None),
        };
        match (done, open.last_mut()) {
            (Some(element), Some(parent)) => parent.push(element),
            (Some(element), None) => return Ok(Some(element)),
            (None, _) => {}
        }
    }
    Ok(None)
}

fn begin(scanner: &Scanner, text: &str, start: &Start) -> Element {
    let namespace = start.namespace.resolve(text, scanner.scope()).into_owned();
    let mut element = Element::new(start.name.of(text).to_owned(), namespace);
    element.attributes = scanner
        .attributes()
        .iter()
        .map(|attribute| {
            let value = escape::unescape_attribute(attribute.value.of(text)).into_owned();
            let local = attribute.name.local.of(text);
            let (namespace, name) = if attribute.namespace == NamespaceAt::Xml {
                (String::new(), format!("xml:{local}"))
            } else {
                let namespace = attribute.namespace.resolve(text, scanner.scope());
                (namespace.into_owned(), local.to_owned())
            };
            Attribute { namespace: namespace.into(), name: name.into(), value }
        })
        .collect();
    element
}
