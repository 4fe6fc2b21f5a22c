//! The inside of one tag that is there whole: names and attributes, not yet namespaces (XML §3.1,
//! XML-NAMES §4).

use super::{
    NamespaceAt, Span,
    chars::{self, Run, not_well_formed, too_much},
};
use crate::{fault::StreamFault, limits::Limits};

/// A name with its parts. The prefix is empty if there is none.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    pub(crate) whole: Span,
    pub(crate) prefix: Span,
    pub(crate) local: Span,
}

/// An attribute as it is written.
#[derive(Clone, Copy)]
pub(crate) struct RawAttribute {
    pub(crate) name: Name,
    /// Between the quotes.
    pub(crate) value: Span,
    /// That of the prefix, once it is known.
    pub(crate) namespace: NamespaceAt,
}

/// Reads a start tag or an empty-element tag. `tag` runs from `<` to `>` in `frame`; the scanner
/// has seen to it that no other `<` is in it and that quotes are closed. Attributes and
/// declarations are handed to `each` in their order. Answers with the name and whether the element
/// is empty.
pub(crate) fn read_start(
    frame: &[u8],
    tag: Span,
    limits: &Limits,
    mut each: impl FnMut(RawAttribute) -> Result<(), StreamFault>,
) -> Result<(Name, bool), StreamFault> {
    let bytes = tag.of_bytes(frame);
    chars::check(bytes, Run::Raw, true)?;
    let mut cursor =
        Cursor { frame, at: tag.start as usize + 1, name_bytes_max: limits.name_bytes_max };
    let name = cursor.name()?;
    loop {
        let spaced = cursor.skip_space();
        match cursor.peek() {
            Some(b'>') if cursor.at + 1 == tag.end as usize => return Ok((name, false)),
            Some(b'/') if cursor.at + 2 == tag.end as usize => return Ok((name, true)),
            Some(_) if spaced => each(cursor.attribute()?)?,
            Some(_) | None => return Err(not_well_formed("a tag that cannot be read")),
        }
    }
}

struct Cursor<'a> {
    frame: &'a [u8],
    at: usize,
    name_bytes_max: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.frame.get(self.at).copied()
    }

    fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(chars::is_space) {
            self.at += 1;
        }
        self.at > start
    }

    fn expect(&mut self, byte: u8) -> Result<(), StreamFault> {
        if self.peek() != Some(byte) {
            return Err(not_well_formed("an attribute that cannot be read"));
        }
        self.at += 1;
        Ok(())
    }

    fn attribute(&mut self) -> Result<RawAttribute, StreamFault> {
        let name = self.name()?;
        self.skip_space();
        self.expect(b'=')?;
        self.skip_space();
        let quote = self.peek().filter(|byte| matches!(byte, b'"' | b'\''));
        let quote = quote.ok_or_else(|| not_well_formed("an attribute value without quotes"))?;
        self.at += 1;
        let rest = self.frame.get(self.at..).unwrap_or_default();
        let len = memchr::memchr(quote, rest)
            .ok_or_else(|| not_well_formed("an attribute value without end"))?;
        let value = rest.get(..len).unwrap_or_default();
        if memchr::memchr(b'&', value).is_some() {
            chars::check(value, Run::Value, true)?;
        }
        let value = Span::new(self.at, self.at + len);
        self.at += len + 1;
        Ok(RawAttribute { name, value, namespace: NamespaceAt::None })
    }

    /// A name with at most one colon, each part of it a name itself (XML-NAMES §4).
    fn name(&mut self) -> Result<Name, StreamFault> {
        let start = self.at;
        let first = self.part()?;
        let name = if self.peek() == Some(b':') {
            self.at += 1;
            let local = self.part()?;
            Name { whole: Span::new(start, self.at), prefix: first, local }
        } else {
            Name { whole: first, prefix: Span::default(), local: first }
        };
        if name.whole.len() > self.name_bytes_max {
            return Err(too_much("a name is too long"));
        }
        Ok(name)
    }

    fn part(&mut self) -> Result<Span, StreamFault> {
        let start = self.at;
        let begins = match self.peek() {
            Some(byte) if byte < 0x80 => chars::is_name_start(byte),
            Some(_) | None => self.character().is_some_and(chars::begins_name),
        };
        if !begins {
            return Err(not_well_formed("a name that begins with no letter"));
        }
        loop {
            match self.peek() {
                Some(byte) if chars::is_name(byte) => self.at += 1,
                Some(byte) if byte >= 0x80 => match self.character() {
                    Some(c) if chars::continues_name(c) => self.at += c.len_utf8(),
                    Some(_) | None => return Err(not_well_formed("a name with a sign in it")),
                },
                Some(_) | None => return Ok(Span::new(start, self.at)),
            }
        }
    }

    /// The character at the cursor; the tag is known to be UTF-8.
    fn character(&self) -> Option<char> {
        let rest = self.frame.get(self.at..)?;
        let len = match rest.first()? {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
        };
        std::str::from_utf8(rest.get(..len)?).ok()?.chars().next()
    }
}
