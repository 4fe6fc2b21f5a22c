//! A message on its way to the one door, before anybody has judged it.

use crate::{Address, Content, Resource, Timestamp};

/// What a protocol session, a bot, a gateway or the house itself hands to `hub::submit`. The
/// sender is the authenticated one: a session stamps it and no payload can change it.
#[derive(Clone)]
pub struct Submission {
    /// Which way the message came. Data for the judge and the record, never another door.
    pub origin: Origin,
    /// Who says it.
    pub sender: Address,
    /// Which session of the sender says it, if it was a session.
    pub session: Option<Resource>,
    /// To whom, in the order given. Never empty.
    pub recipients: Vec<Recipient>,
    /// How private it is.
    pub class: PrivacyClass,
    /// What it says.
    pub content: Content,
    /// What may be done with it beside delivering it.
    pub handling: Handling,
    /// When the house took it from the wire.
    pub accepted: Timestamp,
}

/// One recipient as the house understood it and as the sender wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// The prepared address.
    pub address: Address,
    /// One session of it, where the sender named one.
    pub session: Option<Resource>,
    /// The bytes the sender used; records keep the original form.
    pub as_given: Box<str>,
}

/// Which way a submission came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Origin {
    /// A chat session of a person.
    Chat,
    /// Mail, by submission or from another server.
    Mail,
    /// An application behind an ordinary account.
    App,
    /// Another messaging network.
    Gateway,
    /// The house itself: notices, answers, reminders.
    House,
    /// A message held for review that a supervisor let go on.
    Release,
}

/// How private a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum PrivacyClass {
    /// Anybody in the organisation may read the archived copy.
    Public,
    /// Encrypted wherever it lies; read by others only by the unsealing procedure.
    Private,
    /// For credentials and the like: encrypted, and not kept in anybody's history.
    Secured,
}

/// What a message's own protocol says of its stay. Policy may ask for more, never for less.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handling {
    /// Kept in the participants' history.
    pub history: bool,
    /// Waits for a recipient who is not there.
    pub wait: bool,
    /// The sender's and recipient's other sessions get a copy.
    pub copies: bool,
    /// Where the sender named a session that is not there, the recipient's others will do.
    pub fallback: bool,
}

impl Origin {
    /// The word used in records, exports and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Mail => "mail",
            Self::App => "app",
            Self::Gateway => "gateway",
            Self::House => "house",
            Self::Release => "release",
        }
    }
}

impl PrivacyClass {
    /// The word used in policies, records and exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Secured => "secured",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Public, Self::Private, Self::Secured].into_iter().find(|class| class.name() == name)
    }
}
