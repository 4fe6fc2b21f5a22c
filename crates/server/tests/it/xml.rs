//! Just enough reading of what a server sends to test it: where a stanza ends, what an attribute
//! says. Not the product's parser, so that both cannot be wrong in the same way.

/// Where the first whole thing in the bytes ends: a declaration, the stream's opening or closing
/// tag, or a stanza. None if it is not all there yet.
pub(crate) fn end_of_first(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"<?xml") {
        return find(bytes, b"?>").map(|at| at + 2);
    }
    if bytes.starts_with(b"<stream:stream") || bytes.starts_with(b"</stream:stream") {
        return end_of_tag(bytes, 0);
    }
    if b"<stream:stream".starts_with(bytes) || b"</stream:stream".starts_with(bytes) {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'<')?;
        let end = end_of_tag(bytes, at)?;
        if bytes[at + 1] == b'/' {
            depth = depth.checked_sub(1).expect("a closing tag too many");
        } else if bytes[end - 2] != b'/' {
            depth += 1;
        }
        at = end;
        if depth == 0 {
            return Some(end);
        }
    }
}

fn end_of_tag(bytes: &[u8], start: usize) -> Option<usize> {
    let mut quote = None;
    for (offset, byte) in bytes.get(start..)?.iter().enumerate() {
        match (quote, *byte) {
            (None, b'>') => return Some(start + offset + 1),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == byte => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}

/// An attribute of the first tag, as it stands.
pub(crate) fn attribute<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let tag = &xml[..end_of_tag(xml.as_bytes(), 0)?];
    for quote in ['"', '\''] {
        let start = format!(" {name}={quote}");
        if let Some(at) = tag.find(&start) {
            return tag[at + start.len()..].split(quote).next();
        }
    }
    None
}

/// The first element of that name with all in it, from its own opening to its closing tag.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    elements(xml, name).next()
}

/// Every element of that name that is not inside another one of it.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let open = format!("<{name}");
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(&open)?;
            rest = &rest[at..];
            let next = rest.as_bytes().get(open.len())?;
            if !b" />\t\n".contains(next) {
                rest = &rest[open.len()..];
                continue;
            }
            let end = end_of_first(rest.as_bytes())?;
            let found = &rest[..end];
            rest = &rest[end..];
            return Some(found);
        }
    })
}

/// What stands in the first element of that name, with its references resolved.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    let element = element(xml, name)?;
    let start = end_of_tag(element.as_bytes(), 0)?;
    let end = element.rfind("</").unwrap_or(start).max(start);
    let raw = &element[start..end];
    let resolved =
        [("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&quot;", "\""), ("&amp;", "&")];
    Some(resolved.iter().fold(raw.to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// The name of the first tag.
pub(crate) fn name(xml: &str) -> &str {
    let end = xml.find([' ', '>', '/']).unwrap_or(xml.len());
    xml.get(1..end).unwrap_or_default()
}
