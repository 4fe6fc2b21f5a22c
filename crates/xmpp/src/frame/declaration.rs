//! The XML declaration (XML §2.8): read only to be sure that the stream is XML 1.0 in UTF-8.

use super::chars::{is_space, not_well_formed};
use crate::fault::{StreamCondition, StreamFault};

/// Checks `<?xml version='1.0' encoding='UTF-8' standalone='yes'`, without the `?>`. Another
/// processing instruction is none that XMPP allows (RFC 6120 §11.1).
pub(super) fn check(bytes: &[u8]) -> Result<(), StreamFault> {
    let rest =
        bytes.strip_prefix(b"<?xml").filter(|rest| rest.first().is_some_and(|b| is_space(*b)));
    let Some(mut rest) = rest else {
        return Err(StreamCondition::RestrictedXml.because("a processing instruction"));
    };
    let mut names = [&b"version"[..], b"encoding", b"standalone"].into_iter();
    let mut version = false;
    while let Some((name, value, after)) = pseudo_attribute(rest)? {
        if !names.any(|wanted| wanted == name) {
            return Err(not_well_formed("an XML declaration that cannot be read"));
        }
        match name {
            b"version" if value == b"1.0" => version = true,
            b"version" => return Err(not_well_formed("this is not XML 1.0")),
            b"encoding" if !value.eq_ignore_ascii_case(b"utf-8") => {
                // RFC 6120 §11.6.
                return Err(StreamCondition::UnsupportedEncoding.because("this is not UTF-8"));
            }
            b"standalone" if !matches!(value, b"yes" | b"no") => {
                return Err(not_well_formed("an XML declaration that cannot be read"));
            }
            _ => {}
        }
        rest = after;
    }
    if version { Ok(()) } else { Err(not_well_formed("an XML declaration without a version")) }
}

type Pseudo<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// The next `name='value'` and what follows it; none at the end.
fn pseudo_attribute(bytes: &[u8]) -> Result<Option<Pseudo<'_>>, StreamFault> {
    let start = bytes.trim_ascii_start();
    if start.is_empty() {
        return Ok(None);
    }
    let read = || {
        let equals = memchr::memchr(b'=', start).filter(|_| start.len() < bytes.len())?;
        let (name, after) = start.split_at_checked(equals)?;
        let (quote, after) = after.get(1..)?.trim_ascii_start().split_first()?;
        let end = memchr::memchr(*quote, after).filter(|_| matches!(quote, b'"' | b'\''))?;
        Some((name.trim_ascii_end(), after.get(..end)?, after.get(end + 1..)?))
    };
    let pseudo = read().ok_or_else(|| not_well_formed("an XML declaration that cannot be read"))?;
    Ok(Some(pseudo))
}
