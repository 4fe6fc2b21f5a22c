//! Character data to and from its written form (XML §2.4, §2.10, §2.11, §4.6). Knows no tags.
//!
//! Reading takes text whose references were checked by the framer; anything else stays as it is
//! written. Writing never fails: a character that XML cannot carry becomes U+FFFD.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

/// Appends character data.
pub fn text(out: &mut Vec<u8>, text: &str) {
    write(out, text, false);
}

/// Appends an attribute's value, for either kind of quote.
pub fn attribute(out: &mut Vec<u8>, value: &str) {
    write(out, value, true);
}

fn write(out: &mut Vec<u8>, text: &str, quoted: bool) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let (instead, len): (&[u8], usize) = match byte {
            b'<' => (b"&lt;", 1),
            b'>' => (b"&gt;", 1),
            b'&' => (b"&amp;", 1),
            b'"' if quoted => (b"&quot;", 1),
            b'\'' if quoted => (b"&apos;", 1),
            b'\t' if quoted => (b"&#x9;", 1),
            b'\n' if quoted => (b"&#xA;", 1),
            // A reader would take it for a line end (XML §2.11).
            b'\r' => (b"&#xD;", 1),
            b'\t' | b'\n' => continue,
            0x00..=0x1f => ("\u{fffd}".as_bytes(), 1),
            0xef if matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])) => {
                ("\u{fffd}".as_bytes(), 3)
            }
            _ => continue,
        };
        out.extend_from_slice(bytes.get(written..at).unwrap_or_default());
        out.extend_from_slice(instead);
        written = at + len;
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
}

/// What checked character data says: references replaced, line ends made one (XML §2.11).
#[must_use]
pub fn unescape_text(raw: &str) -> Cow<'_, str> {
    match memchr2(b'&', b'\r', raw.as_bytes()) {
        None => Cow::Borrowed(raw),
        Some(at) => Cow::Owned(unescape(raw, at, false)),
    }
}

/// What a checked attribute value says: references replaced, written white space made blanks
/// (XML §3.3.3).
#[must_use]
pub fn unescape_attribute(raw: &str) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    match (memchr(b'&', bytes), memchr3(b'\t', b'\n', b'\r', bytes)) {
        (None, None) => Cow::Borrowed(raw),
        (at, other) => {
            let first = at.unwrap_or(usize::MAX).min(other.unwrap_or(usize::MAX));
            Cow::Owned(unescape(raw, first, true))
        }
    }
}

/// What a CDATA section says: only line ends are changed.
#[must_use]
pub(crate) fn line_ends(raw: &str) -> Cow<'_, str> {
    match memchr(b'\r', raw.as_bytes()) {
        None => Cow::Borrowed(raw),
        Some(_) => Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n")),
    }
}

fn unescape(raw: &str, first: usize, quoted: bool) -> String {
    let (plain, mut rest) = raw.split_at_checked(first).unwrap_or((raw, ""));
    let mut out = String::with_capacity(raw.len());
    out.push_str(plain);
    while let Some(c) = rest.chars().next() {
        let mut len = c.len_utf8();
        match c {
            '&' => {
                let reference = rest.split_once(';').map(|(reference, _)| reference);
                match reference.and_then(|text| Some((text, resolve(text.get(1..)?)?))) {
                    Some((text, meant)) => {
                        out.push(meant);
                        len = text.len() + 1;
                    }
                    None => out.push('&'),
                }
            }
            '\r' => {
                len += usize::from(rest.as_bytes().get(1) == Some(&b'\n'));
                out.push(if quoted { ' ' } else { '\n' });
            }
            '\t' | '\n' if quoted => out.push(' '),
            other => out.push(other),
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    out
}

/// The character that a reference means; `name` is what stands between `&` and `;`. None for an
/// entity that no XMPP stream may use (RFC 6120 §11.1) and for a character that XML cannot carry.
pub(crate) fn resolve(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match code.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (code, 10),
    };
    // `from_str_radix` would take a sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let meant = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    is_char(meant).then_some(meant)
}

/// Whether XML can carry the character (XML §2.2).
pub(crate) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests;
