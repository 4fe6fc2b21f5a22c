//! What a message says: the octets as they came, and the one reading of them that is judged.

use std::sync::Arc;

/// The octets of a message and what the house read in them. They are read once, by the protocol
/// that carried them; the judge sees `text`, the archive seals `octets`, the recipient gets
/// `octets`.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// How `octets` are to be read.
    pub format: Format,
    /// What kind of event this is.
    pub kind: ContentKind,
    /// The message as it came, with only what its protocol says a server must set.
    pub octets: Arc<[u8]>,
    /// Every word a person would see: subject, body and their translations, one after the other,
    /// with line breaks between.
    pub text: Box<str>,
    /// The sender's own name for this message, as given.
    pub client_id: Option<Box<str>>,
    /// The sender's or server's name of the message that this one edits, retracts or reacts to.
    pub refers_to: Option<Box<str>>,
}

/// The media type of the octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Format {
    /// One `message` stanza in the `jabber:client` namespace (RFC 6121 §5).
    Stanza,
    /// One Internet message (RFC 5322).
    Mail,
    /// Plain text of the house itself.
    Plain,
}

/// What a message does. Edits, retractions and reactions are events of their own and never change
/// the record of the message they speak of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum ContentKind {
    /// Somebody says something.
    Message,
    /// A new text for an earlier message (XEP-0308).
    Edit,
    /// An earlier message is taken back (XEP-0424).
    Retraction,
    /// A reaction to an earlier message (XEP-0444).
    Reaction,
    /// An earlier message was received or displayed (XEP-0184, XEP-0333).
    Receipt,
    /// Machine to machine: an invitation, a call, an event without words.
    Event,
    /// An answer that an earlier message could not be delivered.
    Bounce,
}

impl Content {
    /// Length of the octets in bytes, which is what size limits count.
    #[must_use]
    pub fn size(&self) -> usize {
        self.octets.len()
    }
}

impl Format {
    /// The media type, as exports name it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Stanza => "application/xmpp+xml",
            Self::Mail => "message/rfc822",
            Self::Plain => "text/plain; charset=utf-8",
        }
    }
}

impl ContentKind {
    /// The word used in records, exports and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Edit => "edit",
            Self::Retraction => "retraction",
            Self::Reaction => "reaction",
            Self::Receipt => "receipt",
            Self::Event => "event",
            Self::Bounce => "bounce",
        }
    }
}
