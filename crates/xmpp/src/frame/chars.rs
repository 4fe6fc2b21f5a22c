//! Which characters may stand where (XML §2.2, §2.3, §4.1). Knows no tags.

use crate::{
    escape,
    fault::{StreamCondition, StreamFault},
    limits::REFERENCE_BYTES_MAX,
};

const SPACE: u8 = 1;
const NAME_START: u8 = 2;
const NAME: u8 = 4;

/// What each byte may be, on its own. Bytes above 0x7f are parts of characters and are nothing.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut rest: &mut [u8] = &mut classes;
    let mut byte = 0_u8;
    while let Some((class, others)) = rest.split_first_mut() {
        *class = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => SPACE,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => NAME_START | NAME,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            _ => 0,
        };
        byte = byte.wrapping_add(1);
        rest = others;
    }
    classes
};

/// What a run of characters is, which says what may stand in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// Character data: references, but no `]]>`.
    Text,
    /// An attribute's value: references.
    Value,
    /// The inside of a CDATA section, or a whole tag: no references.
    Raw,
}

fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

pub(super) fn is_space(byte: u8) -> bool {
    class(byte) & SPACE != 0
}

/// Whether an ASCII byte may go on a name. The colon is not one: it parts names.
pub(super) fn is_name(byte: u8) -> bool {
    class(byte) & NAME != 0
}

/// Whether an ASCII byte may begin a name.
pub(super) fn is_name_start(byte: u8) -> bool {
    class(byte) & NAME_START != 0
}

/// Whether a character beyond ASCII may begin a name (XML §2.3, fifth edition).
pub(super) fn begins_name(c: char) -> bool {
    matches!(c,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// Whether a character beyond ASCII may go on a name (XML §2.3, fifth edition).
pub(super) fn continues_name(c: char) -> bool {
    begins_name(c) || matches!(c, '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Checks a run and says how much of it is settled. If it is not `complete`, what more bytes could
/// still change is left: a character or reference that is not whole, brackets that may become
/// `]]>`. The fault is always that of the earliest byte at which it can be seen, so that it does
/// not depend on how the bytes were cut.
pub(super) fn check(bytes: &[u8], run: Run, complete: bool) -> Result<usize, StreamFault> {
    // One pass without branches for what nearly all runs are.
    let odd = if run == Run::Raw {
        bytes.iter().fold(false, |odd, byte| odd | !(0x20..0x80).contains(byte))
    } else {
        bytes.iter().fold(false, |odd, &byte| {
            odd | !(0x20..0x80).contains(&byte) | (byte == b'&') | (byte == b'>')
        })
    };
    let settled = if odd { check_each(bytes, run, complete)? } else { bytes.len() };
    if complete || settled < bytes.len() {
        return Ok(settled);
    }
    let brackets = bytes.iter().rev().take(2).take_while(|byte| **byte == b']').count();
    Ok(settled.saturating_sub(brackets))
}

fn check_each(bytes: &[u8], run: Run, complete: bool) -> Result<usize, StreamFault> {
    let (valid, broken) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.as_bytes(), false),
        Err(error) => {
            let (valid, _) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
            (valid, complete || error.error_len().is_some())
        }
    };
    let mut rest = valid;
    while let Some((&byte, after)) = rest.split_first() {
        let at = valid.len().saturating_sub(rest.len());
        match byte {
            b'\t' | b'\n' | b'\r' => {}
            // XML §2.2; RFC 6120 §11.3.
            0..0x20 => return Err(not_well_formed("a control character")),
            0xef if matches!(after, [0xbf, 0xbe | 0xbf, ..]) => {
                return Err(not_well_formed("a character that XML has not"));
            }
            // XML §2.4.
            b'>' if run == Run::Text && valid.get(..at).is_some_and(|b| b.ends_with(b"]]")) => {
                return Err(not_well_formed("]]> outside of a CDATA section"));
            }
            b'&' if run != Run::Raw => match check_reference(after)? {
                Some(len) => {
                    rest = after.get(len..).unwrap_or_default();
                    continue;
                }
                None if broken => break,
                None if complete => return Err(not_well_formed("a reference without end")),
                None => return Ok(at),
            },
            _ => {}
        }
        rest = after;
    }
    if broken {
        // RFC 6120 §4.9.3.22, §11.6.
        return Err(StreamCondition::UnsupportedEncoding.because("this is not UTF-8"));
    }
    Ok(valid.len())
}

/// Checks what follows an `&`. The bytes of the reference without the `&`, or none if it is not
/// whole.
fn check_reference(bytes: &[u8]) -> Result<Option<usize>, StreamFault> {
    for (at, &byte) in bytes.iter().enumerate().take(REFERENCE_BYTES_MAX) {
        if byte == b';' {
            let name = bytes.get(..at).unwrap_or_default();
            let name = std::str::from_utf8(name).unwrap_or_default();
            if escape::resolve(name).is_some() {
                return Ok(Some(at + 1));
            }
            let entity = name.bytes().next().is_some_and(is_name_start);
            return Err(if entity {
                // RFC 6120 §11.1.
                StreamCondition::RestrictedXml.because("an entity that XMPP does not allow")
            } else {
                not_well_formed("a reference to a character that XML has not")
            });
        }
        if !(is_name(byte) || byte == b':' || (byte == b'#' && at == 0)) {
            return Err(not_well_formed("an ampersand that begins no reference"));
        }
    }
    if bytes.len() >= REFERENCE_BYTES_MAX {
        return Err(not_well_formed("a reference that is too long"));
    }
    Ok(None)
}

/// The fault for XML that breaks XML or its namespaces (RFC 6120 §4.9.3.13).
pub(super) fn not_well_formed(text: &'static str) -> StreamFault {
    StreamCondition::NotWellFormed.because(text)
}

/// The fault for XML that is too much (RFC 6120 §4.9.3.14).
pub(super) fn too_much(text: &'static str) -> StreamFault {
    StreamCondition::PolicyViolation.because(text)
}
