//! The octets that go into an envelope: numbers, texts and what is made of them. Knows neither
//! database nor encryption. Every form begins with its version.

use std::sync::Arc;

use model::{
    Address, Content, ContentKind, Format, Handling, Origin, PrivacyClass, Recipient, Resource,
    Submission, Timestamp,
};

use crate::batch::{RosterItem, Subscription};

/// Form of everything written here; a later form gets the next number.
const FORM: u8 = 1;

/// Writes fields one after the other.
pub(crate) struct Encoder(Vec<u8>);

/// Reads them back. Nothing is read beyond the end, and what is left over is a fault.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl Encoder {
    /// Begins with the form; `bytes` is room for what is to come.
    pub(crate) fn new(bytes: usize) -> Self {
        let mut octets = Vec::with_capacity(bytes + 64);
        octets.push(FORM);
        Self(octets)
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    pub(crate) fn number(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    /// A length or count; more than `u32::MAX` is more than any limit lets in.
    pub(crate) fn length(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Lets somebody else write their own form.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.0);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn optional(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub(crate) fn end(self) -> Vec<u8> {
        self.0
    }
}

impl<'a> Decoder<'a> {
    /// Nothing if the form is not one that is known.
    pub(crate) fn new(octets: &'a [u8]) -> Option<Self> {
        let (form, rest) = octets.split_first()?;
        (*form == FORM).then_some(Self(rest))
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn number(&mut self) -> Option<i64> {
        let (bytes, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(i64::from_be_bytes(*bytes))
    }

    pub(crate) fn length(&mut self) -> Option<usize> {
        let (bytes, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn optional(&mut self) -> Option<Option<&'a str>> {
        if self.flag()? { self.text().map(Some) } else { Some(None) }
    }

    fn address(&mut self) -> Option<Address> {
        Address::parse(self.text()?).ok()
    }

    fn session(&mut self) -> Option<Option<Resource>> {
        match self.optional()? {
            None => Some(None),
            Some(text) => Resource::parse(text).ok().map(Some),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value`, if everything has been read.
    pub(crate) fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

/// Values and the bytes they are written as. The order never changes; new ones go to the end.
const FORMATS: &[Format] = &[Format::Stanza, Format::Mail, Format::Plain];
const KINDS: &[ContentKind] = &[
    ContentKind::Message,
    ContentKind::Edit,
    ContentKind::Retraction,
    ContentKind::Reaction,
    ContentKind::Receipt,
    ContentKind::Event,
    ContentKind::Bounce,
];
const ORIGINS: &[Origin] =
    &[Origin::Chat, Origin::Mail, Origin::App, Origin::Gateway, Origin::House, Origin::Release];
const CLASSES: &[PrivacyClass] =
    &[PrivacyClass::Public, PrivacyClass::Private, PrivacyClass::Secured];
const SUBSCRIPTIONS: &[Subscription] =
    &[Subscription::None, Subscription::To, Subscription::From, Subscription::Both];

fn code<T: PartialEq>(table: &[T], value: &T) -> u8 {
    let index = table.iter().position(|known| known == value);
    index.and_then(|index| u8::try_from(index).ok()).unwrap_or(u8::MAX)
}

fn value<T: Copy>(table: &[T], code: u8) -> Option<T> {
    table.get(usize::from(code)).copied()
}

/// A message as a mailbox needs it: who, how, what. Recipients are the mailbox's own business.
pub(crate) struct Letter {
    pub(crate) sender: Address,
    pub(crate) session: Option<Resource>,
    pub(crate) origin: Origin,
    pub(crate) class: PrivacyClass,
    pub(crate) accepted: Timestamp,
    pub(crate) format: Format,
    pub(crate) kind: ContentKind,
    pub(crate) client_id: Option<Box<str>>,
    pub(crate) refers_to: Option<Box<str>>,
    pub(crate) octets: Arc<[u8]>,
}

/// The octets of a [`Letter`].
pub(crate) fn encode_letter(submission: &Submission) -> Vec<u8> {
    let mut to = Encoder::new(submission.content.octets.len() + 128);
    letter_fields(&mut to, submission);
    to.end()
}

fn letter_fields(to: &mut Encoder, submission: &Submission) {
    let content = &submission.content;
    to.text(submission.sender.as_str());
    to.optional(submission.session.as_ref().map(Resource::as_str));
    to.byte(code(ORIGINS, &submission.origin));
    to.byte(code(CLASSES, &submission.class));
    to.number(submission.accepted.as_micros());
    to.byte(code(FORMATS, &content.format));
    to.byte(code(KINDS, &content.kind));
    to.optional(content.client_id.as_deref());
    to.optional(content.refers_to.as_deref());
    to.bytes(&content.octets);
}

/// The letter of its octets.
pub(crate) fn decode_letter(octets: &[u8]) -> Option<Letter> {
    let mut from = Decoder::new(octets)?;
    let letter = read_letter(&mut from)?;
    from.end(letter)
}

fn read_letter(from: &mut Decoder<'_>) -> Option<Letter> {
    Some(Letter {
        sender: from.address()?,
        session: from.session()?,
        origin: value(ORIGINS, from.byte()?)?,
        class: value(CLASSES, from.byte()?)?,
        accepted: Timestamp::from_micros(from.number()?),
        format: value(FORMATS, from.byte()?)?,
        kind: value(KINDS, from.byte()?)?,
        client_id: from.optional()?.map(Into::into),
        refers_to: from.optional()?.map(Into::into),
        octets: from.bytes()?.into(),
    })
}

/// A held message whole, so that it can be submitted again.
pub(crate) fn encode_held(submission: &Submission, rules: &[String]) -> Vec<u8> {
    let content = &submission.content;
    let mut to = Encoder::new(content.octets.len() + content.text.len() + 256);
    letter_fields(&mut to, submission);
    to.text(&content.text);
    let handling = submission.handling;
    for flag in [handling.history, handling.wait, handling.fallback, handling.copies] {
        to.flag(flag);
    }
    to.length(submission.recipients.len());
    for recipient in &submission.recipients {
        to.text(recipient.address.as_str());
        to.optional(recipient.session.as_ref().map(Resource::as_str));
        to.text(&recipient.as_given);
    }
    to.length(rules.len());
    for rule in rules {
        to.text(rule);
    }
    to.end()
}

/// The submission and the rules that hold it.
pub(crate) fn decode_held(octets: &[u8]) -> Option<(Submission, Vec<String>)> {
    let mut from = Decoder::new(octets)?;
    let letter = read_letter(&mut from)?;
    let text = from.text()?.into();
    let handling = Handling {
        history: from.flag()?,
        wait: from.flag()?,
        fallback: from.flag()?,
        copies: from.flag()?,
    };
    let mut recipients = Vec::new();
    for _ in 0..from.length()? {
        recipients.push(Recipient {
            address: from.address()?,
            session: from.session()?,
            as_given: from.text()?.into(),
        });
    }
    let mut rules = Vec::new();
    for _ in 0..from.length()? {
        rules.push(from.text()?.to_owned());
    }
    let Letter {
        sender,
        session,
        origin,
        class,
        accepted,
        format,
        kind,
        client_id,
        refers_to,
        octets,
    } = letter;
    let content = Content { format, kind, octets, text, client_id, refers_to };
    let submission =
        Submission { origin, sender, session, recipients, class, content, handling, accepted };
    from.end((submission, rules))
}

/// A contact without its address, which its row has.
pub(crate) fn encode_contact(item: &RosterItem) -> Vec<u8> {
    let mut to = Encoder::new(64);
    to.byte(code(SUBSCRIPTIONS, &item.subscription));
    to.flag(item.ask);
    to.flag(item.approved);
    to.optional(item.name.as_deref());
    to.length(item.groups.len());
    for group in &item.groups {
        to.text(group);
    }
    to.end()
}

/// The contact of that address.
pub(crate) fn decode_contact(contact: Address, octets: &[u8]) -> Option<RosterItem> {
    let mut from = Decoder::new(octets)?;
    let subscription = value(SUBSCRIPTIONS, from.byte()?)?;
    let (ask, approved) = (from.flag()?, from.flag()?);
    let name = from.optional()?.map(str::to_owned);
    let mut groups = Vec::new();
    for _ in 0..from.length()? {
        groups.push(from.text()?.to_owned());
    }
    from.end(RosterItem { contact, name, groups, subscription, ask, approved })
}

#[cfg(test)]
mod tests;
