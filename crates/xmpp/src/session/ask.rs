//! What a session wants of the house and what the house says. The session has found each request
//! legal in its state; whether it is allowed is decided by whoever answers.

use std::sync::Arc;

use auth::{NONCE_BYTES, Verifiers};
use model::{Address, ContentKind, PrivacyClass, Resource};

use crate::{
    encode::{PresenceType, Reply},
    fault::StanzaError,
    jid::Jid,
    payload::{
        blocking::BlockingRequest, mam::MamRequest, private::PrivateRequest, roster::RosterRequest,
        vcard::VcardRequest,
    },
};

/// What to do next, in this order.
#[derive(Debug)]
pub enum Step {
    /// These bytes go to the client.
    Send(Vec<u8>),
    /// All bytes sent so far go out, then the TLS handshake runs on the socket, then
    /// [`super::Session::tls_ready`] is called. Nothing is received between.
    StartTls,
    /// The house is asked or told something.
    Ask(Ask),
    /// All bytes sent so far go out, then the connection is closed. Nothing follows.
    Close,
}

/// A request or a word to the house.
#[derive(Debug)]
pub enum Ask {
    /// Who is this? Answered by [`Answer::Login`]. Nothing further is read until then.
    Login {
        /// The sign-in name, prepared.
        login: Box<str>,
        /// The domain that the stream is for.
        domain: Address,
    },
    /// The login has proved itself; no answer. For the throttle and the log.
    Authenticated {
        /// The sign-in name, prepared.
        login: Box<str>,
        /// The address that it came with.
        address: Address,
    },
    /// The login has failed to prove itself; no answer. For the throttle and the log.
    AuthFailed {
        /// The sign-in name, prepared.
        login: Box<str>,
    },
    /// The session wants a name. Answered by [`Answer::Bound`] or [`Answer::BindRefused`]. Nothing
    /// further is read until then.
    Bind {
        /// The address that signed in.
        address: Address,
        /// The name that the client asks for, if it does (RFC 6120 §7.7).
        resource: Option<Resource>,
    },
    /// A message. No answer; errors are written by whoever finds them.
    Message(Box<MessageAsk>),
    /// Presence. No answer.
    Presence(Box<PresenceAsk>),
    /// An `iq`. Requests are answered by whoever serves them, not through the session.
    Iq(Box<IqAsk>),
    /// The stream has ended, by either side; its last words are sent. Comes once, whatever the
    /// reason, and [`Step::Close`] follows.
    Ended,
}

/// What the house says to the request that is open.
pub enum Answer {
    /// To [`Ask::Login`].
    Login(LoginAnswer),
    /// To [`Ask::Bind`]: the session is called this.
    Bound {
        /// The address that signed in, with the session's name.
        jid: Jid,
    },
    /// To [`Ask::Bind`]: not with that name, or not now.
    BindRefused(StanzaError),
}

/// What the house knows of a login, and the randomness that the session cannot draw.
pub struct LoginAnswer {
    /// The account, if there is one: what its password is checked with, and its address.
    pub account: Option<(Verifiers, Address)>,
    /// Whether the account may sign in at all. If not, that is said only after a right proof.
    pub allowed: bool,
    /// Whether there were too many failures. The try is refused at once, with or without an
    /// account.
    pub throttled: bool,
    /// Fresh random bytes for the server's nonce.
    pub nonce: [u8; NONCE_BYTES],
    /// An unguessable name for the stream that follows a success (RFC 6120 §4.7.3).
    pub stream_id: String,
}

/// The values of the `type` attribute of a message (RFC 6121 §5.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum MessageType {
    /// One of a conversation of two.
    Chat,
    /// In a room.
    Groupchat,
    /// An alert that expects no answer.
    Headline,
    /// Everything else, also what has no type or an unknown one.
    Normal,
    /// An answer that an earlier message failed.
    Error,
}

/// A message as its client wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageAsk {
    /// To whom; none means the sender's own account (RFC 6121 §8.1.1.1).
    pub to: Option<Jid>,
    /// The address in the sender's spelling; empty where there is none.
    pub as_given: Box<str>,
    /// The stanza's type.
    pub kind: MessageType,
    /// The sender's own name for the message.
    pub id: Option<Box<str>>,
    /// Everything that a person could read in it. All character data of the payload in the order
    /// of the document: every `<subject/>` and `<body/>` in any language, XHTML, the text of
    /// elements that the house does not know, and the reason of a direct invitation (XEP-0249);
    /// with line breaks between elements. Left out is what is blank, and the two elements that are
    /// for machines alone: `<thread/>` and the privacy class. So nothing can be said beside the
    /// text that is judged but in threads and in attributes, which no client shows.
    pub text: Box<str>,
    /// What the message does.
    pub content: ContentKind,
    /// The id of the message that it edits, retracts, reacts to or confirms.
    pub refers_to: Option<Box<str>>,
    /// Nothing but chat states inside (XEP-0085): a signal, not a message.
    pub only_chat_state: bool,
    /// What the sender wishes for its stay (XEP-0334).
    pub hints: Hints,
    /// No copies for other sessions (XEP-0280 §9).
    pub private_copy: bool,
    /// The privacy class that the sender chose, in the house's own extension.
    pub class: Option<PrivacyClass>,
    /// The canonical stanza: `from` is the sender's full address, forged marks of the server are
    /// out, and its namespace is declared. To be judged, sealed, kept and delivered.
    pub octets: Arc<[u8]>,
}

/// Processing hints (XEP-0334 §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hints {
    /// Not into any archive, nor kept for later.
    pub no_store: bool,
    /// Not into archives of users.
    pub no_permanent_store: bool,
    /// To the addressed session alone.
    pub no_copy: bool,
    /// Keep it, although it looks as if it need not be.
    pub store: bool,
}

/// Presence as its client wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PresenceAsk {
    /// To whom; none means everybody who may see it (RFC 6121 §4.2).
    pub to: Option<Jid>,
    /// The address in the sender's spelling; empty where there is none.
    pub as_given: Box<str>,
    /// The stanza's type.
    pub kind: PresenceType,
    /// The sender's own name for the stanza.
    pub id: Option<Box<str>>,
    /// How willing the session is to take messages for its account (RFC 6121 §4.7.2.3).
    pub priority: i8,
    /// `away`, `chat`, `dnd` or `xa`; none for plainly there (RFC 6121 §4.7.2.1).
    pub show: Option<Show>,
    /// The first status text.
    pub status: Option<Box<str>>,
    /// Everything a person could read in it, as in [`MessageAsk::text`].
    pub text: Box<str>,
    /// The canonical stanza, as in [`MessageAsk::octets`].
    pub octets: Arc<[u8]>,
}

/// How available somebody is (RFC 6121 §4.7.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    /// Away for a short time.
    Away,
    /// Interested in chatting.
    Chat,
    /// Busy.
    DoNotDisturb,
    /// Away for long.
    ExtendedAway,
}

/// An `iq` as its client wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IqAsk {
    /// The id, which an answer repeats.
    pub id: Box<str>,
    /// Whom it concerns.
    pub target: IqTarget,
    /// The address in the client's spelling, if it gave one; what an answer comes from.
    pub as_given: Option<Box<str>>,
    /// What is asked.
    pub request: IqRequest,
}

/// Whom an `iq` concerns (RFC 6120 §10.3, RFC 6121 §8.5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IqTarget {
    /// The sender's own account: no address, or the own bare one.
    Account,
    /// A domain of ours.
    Server(Address),
    /// Another bare address at a domain of ours; the server speaks for it.
    Person(Address),
    /// A session, or somebody elsewhere. The request is [`IqRequest::Opaque`].
    Other(Jid),
}

/// What an `iq` asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IqRequest {
    /// RFC 6121 §2.
    Roster(RosterRequest),
    /// XEP-0049.
    Private(PrivateRequest),
    /// XEP-0054.
    Vcard(VcardRequest),
    /// XEP-0030 §3.
    DiscoInfo {
        /// The node asked about.
        node: Option<Box<str>>,
    },
    /// XEP-0030 §4.
    DiscoItems {
        /// The node asked about.
        node: Option<Box<str>>,
    },
    /// XEP-0012.
    Last,
    /// XEP-0092.
    Version,
    /// XEP-0202.
    Time,
    /// XEP-0199.
    Ping,
    /// XEP-0191.
    Blocking(BlockingRequest),
    /// XEP-0280 §4, §5.
    Carbons {
        /// On or off.
        enable: bool,
    },
    /// XEP-0313, XEP-0441.
    Mam(MamRequest),
    /// A request that the house does not know. To be answered with `service-unavailable`.
    Unknown {
        /// Whether it orders rather than asks.
        set: bool,
        /// Namespace of the payload.
        namespace: Box<str>,
        /// Name of the payload.
        name: Box<str>,
    },
    /// The client's answer to a request of the server. To be answered with nothing.
    Answered {
        /// Whether it is an error.
        failed: bool,
    },
    /// To be passed on as it is.
    Opaque {
        /// Whether it is a request, which must get an answer.
        wants_answer: bool,
        /// The namespace of what it asks or says; empty for an answer without content.
        namespace: Box<str>,
        /// The canonical stanza, as in [`MessageAsk::octets`].
        octets: Arc<[u8]>,
    },
}

impl MessageType {
    /// The attribute's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Groupchat => "groupchat",
            Self::Headline => "headline",
            Self::Normal => "normal",
            Self::Error => "error",
        }
    }

    /// The type of an attribute. None and unknown values are `normal` (RFC 6121 §5.2.2).
    #[must_use]
    pub fn from_attribute(value: Option<&str>) -> Self {
        match value {
            Some("chat") => Self::Chat,
            Some("groupchat") => Self::Groupchat,
            Some("headline") => Self::Headline,
            Some("error") => Self::Error,
            Some(_) | None => Self::Normal,
        }
    }
}

impl Show {
    /// The element's text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Chat => "chat",
            Self::DoNotDisturb => "dnd",
            Self::ExtendedAway => "xa",
        }
    }

    /// The value of that text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Away, Self::Chat, Self::DoNotDisturb, Self::ExtendedAway]
            .into_iter()
            .find(|show| show.name() == name)
    }
}

impl IqAsk {
    /// What an answer to this request says of itself. `asker` is the full address of the session.
    #[must_use]
    pub fn reply<'a>(&'a self, asker: &'a str) -> Reply<'a> {
        Reply { id: &self.id, from: self.as_given.as_deref(), to: Some(asker) }
    }
}
