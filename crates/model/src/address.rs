//! Addresses: one person, room, application or domain, as others see it.
//!
//! An address is prepared once, here, whatever protocol it came by, so that two spellings of one
//! name are one value (RFC 7622 §3, RFC 8265 §3.3). The sign-in name is not an address and never
//! becomes one.

use std::{borrow::Cow, fmt, sync::Arc};

use precis_profiles::{OpaqueString, UsernameCaseMapped, precis_core::profile::Profile};

use crate::limits::{ADDRESS_PART_BYTES_MAX, DOMAIN_BYTES_MAX};

/// `local@domain` or `domain`, prepared and bounded. Cheap to clone, compared byte for byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    text: Arc<str>,
    /// Bytes before the `@`; none for a bare domain.
    local_len: Option<u16>,
}

/// The name of one session of an address (RFC 7622 §3.4), prepared as an opaque string.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource(Arc<str>);

/// Why a text is not an address. Says nothing about whether somebody lives there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressFault {
    /// A part that must be there is empty.
    Empty,
    /// A part is longer than [`ADDRESS_PART_BYTES_MAX`] or [`DOMAIN_BYTES_MAX`].
    TooLong,
    /// A character that may not stand in this part.
    Forbidden,
}

impl Address {
    /// Prepares `local@domain` or `domain`. A resource is not accepted here.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        match text.split_once('@') {
            Some((local, domain)) => Self::new(local, domain),
            None => Self::domain_only(text),
        }
    }

    /// Prepares the two parts and joins them.
    pub fn new(local: &str, domain: &str) -> Result<Self, AddressFault> {
        let local = prepare_local(local)?;
        let domain = prepare_domain(domain)?;
        let local_len = u16::try_from(local.len()).map_err(|_| AddressFault::TooLong)?;
        let mut text = String::with_capacity(local.len() + 1 + domain.len());
        text.push_str(&local);
        text.push('@');
        text.push_str(&domain);
        Ok(Self { text: text.into(), local_len: Some(local_len) })
    }

    /// The address of a whole domain, for example of the house itself.
    pub fn domain_only(domain: &str) -> Result<Self, AddressFault> {
        Ok(Self { text: prepare_domain(domain)?.as_ref().into(), local_len: None })
    }

    /// `local@domain`, or the domain alone.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        self.local_len.and_then(|len| self.text.get(..usize::from(len)))
    }

    /// The part after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        let start = self.local_len.map_or(0, |len| usize::from(len) + 1);
        self.text.get(start..).unwrap_or_default()
    }

    /// The address of the domain that this address lives in.
    #[must_use]
    pub fn to_domain(&self) -> Self {
        Self { text: self.domain().into(), local_len: None }
    }
}

impl Resource {
    /// Prepares a session name: opaque, case kept, no control characters.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let prepared = if is_plain(text, |byte| (0x20..0x7f).contains(&byte)) {
            Cow::Borrowed(text)
        } else if text.is_empty() {
            return Err(AddressFault::Empty);
        } else {
            Cow::Owned(prepare_opaque(text)?)
        };
        bounded(&prepared, ADDRESS_PART_BYTES_MAX)?;
        Ok(Self(prepared.as_ref().into()))
    }

    /// The prepared text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The characters that RFC 7622 §3.3.1 keeps out of a localpart beside those PRECIS refuses.
const LOCAL_FORBIDDEN: &[char] = &['"', '&', '\'', '/', ':', '<', '>', '@'];

fn prepare_local(text: &str) -> Result<Cow<'_, str>, AddressFault> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'+' | b'=' | b'~' | b'!');
    let prepared = if is_plain(text, plain) {
        Cow::Borrowed(text)
    } else if text.is_empty() {
        return Err(AddressFault::Empty);
    } else {
        Cow::Owned(stable(text, |text| UsernameCaseMapped::new().enforce(text).ok())?)
    };
    if prepared.contains(LOCAL_FORBIDDEN) {
        return Err(AddressFault::Forbidden);
    }
    bounded(&prepared, ADDRESS_PART_BYTES_MAX)?;
    Ok(prepared)
}

/// Prepares a domain: lower case, without the root dot, labels of letters, digits and inner
/// hyphens, or an address literal in brackets (RFC 7622 §3.2). International labels are kept as
/// Unicode in lower case.
pub fn prepare_domain(text: &str) -> Result<Cow<'_, str>, AddressFault> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let prepared = if is_plain(text, plain) {
        Cow::Borrowed(text)
    } else if text.starts_with('[') {
        return prepare_literal(text);
    } else if text.is_ascii() {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Owned(stable(text, |text| UsernameCaseMapped::new().enforce(text).ok())?)
    };
    bounded(&prepared, DOMAIN_BYTES_MAX)?;
    for label in prepared.split('.') {
        if label.is_empty() {
            return Err(AddressFault::Empty);
        }
        let fits = |c: char| c == '-' || c.is_alphanumeric() || !c.is_ascii();
        if label.starts_with('-') || label.ends_with('-') || !label.chars().all(fits) {
            return Err(AddressFault::Forbidden);
        }
    }
    Ok(prepared)
}

fn prepare_literal(text: &str) -> Result<Cow<'_, str>, AddressFault> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner.map(str::parse::<std::net::IpAddr>) {
        Some(Ok(_)) => Ok(Cow::Borrowed(text)),
        Some(Err(_)) | None => Err(AddressFault::Forbidden),
    }
}

/// Prepares until nothing changes any more. What one round makes may be what the next one refuses:
/// the rules are checked before the text is normalised.
fn stable(
    text: &str,
    enforce: impl for<'b> Fn(&'b str) -> Option<Cow<'b, str>>,
) -> Result<String, AddressFault> {
    let mut known = text.to_owned();
    for _ in 0..PREPARING_ROUNDS_MAX {
        let prepared = enforce(&known).ok_or(AddressFault::Forbidden)?.into_owned();
        if prepared == known {
            return Ok(known);
        }
        known = prepared;
    }
    Err(AddressFault::Forbidden)
}

/// Rounds of preparation; a text that still changes then is refused.
const PREPARING_ROUNDS_MAX: usize = 4;

/// Prepares by the OpaqueString profile (RFC 8265 §4.2), but lets pictographs stand as they are: the
/// profile allows symbols, and its tables are older than most of them.
fn prepare_opaque(text: &str) -> Result<String, AddressFault> {
    let mut prepared = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let alike = |c: char| is_pictograph(c) == is_pictograph(first);
        let (run, after) = rest.split_at(rest.find(|c| !alike(c)).unwrap_or(rest.len()));
        if is_pictograph(first) {
            prepared.push_str(run);
        } else {
            prepared.push_str(&stable(run, |run| OpaqueString::new().enforce(run).ok())?);
        }
        rest = after;
    }
    Ok(prepared)
}

/// The blocks of Unicode that hold pictographs and nothing else.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{1F300}'..='\u{1F64F}' | '\u{1F680}'..='\u{1F6FF}' | '\u{1F900}'..='\u{1FAFF}')
}

fn is_plain(text: &str, plain: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(plain)
}

fn bounded(text: &str, bytes_max: usize) -> Result<(), AddressFault> {
    match text.len() {
        0 => Err(AddressFault::Empty),
        len if len > bytes_max => Err(AddressFault::TooLong),
        _ => Ok(()),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a part of the address is empty",
            Self::TooLong => "a part of the address is too long",
            Self::Forbidden => "the address holds a character that may not stand there",
        })
    }
}

impl std::error::Error for AddressFault {}
