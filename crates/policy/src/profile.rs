//! A profile: every setting of one subject at one instant, typed, as the judge and the hub read it.
//! Made only by [`crate::Book::profile`]; knows no statement and no group.

use std::{collections::BTreeSet, sync::Arc};

use model::{PrivacyClass, Timestamp};

use crate::{hours::Hours, lexicon::Lexicon};

/// What is in force for one person, application or foreign address.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The policy version that it comes from.
    pub version: u64,
    /// The first instant at which it is no longer to be used.
    pub valid_until: Option<Timestamp>,
    /// `access.hours`.
    pub hours: Hours,
    /// Whether the instant asked for lies in those hours.
    pub open: bool,
    /// `message.max_bytes`, in bytes.
    pub message_bytes_max: u64,
    /// `message.classes`.
    pub classes: Classes,
    /// `message.class`.
    pub class: PrivacyClass,
    /// `message.lexicons`, ready for looking.
    pub lexicons: Vec<Arc<Lexicon>>,
    /// `message.queries`: namespaces.
    pub queries: BTreeSet<Box<str>>,
    /// `history.keep`.
    pub history: bool,
    /// `archive.seal`.
    pub archive: bool,
    /// `confirm.seconds`, in seconds.
    pub confirm_secs: u64,
    /// `presence.visible_to`.
    pub presence_visible_to: Visibility,
    /// The state that others see whatever the person set (PRS-02): `presence.outside` outside
    /// `presence.hours`, else `None`.
    pub presence_forced: Option<ForcedState>,
}

/// A set of privacy classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Classes(u8);

/// Who sees a person's presence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// No one.
    Nobody,
    /// Contacts who share a group with the person, see [`crate::Book::are_teammates`].
    Team,
    /// All contacts.
    Contacts,
}

/// A state that policy sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForcedState {
    /// Away.
    Away,
    /// Away for long.
    ExtendedAway,
    /// Not to be disturbed.
    DoNotDisturb,
    /// Looks as if nobody were there.
    Offline,
}

impl Profile {
    /// Whether the profile may still be used at `now`.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|end| now < end)
    }

    /// Whether a client's question in this namespace may be put to another client.
    #[must_use]
    pub fn allows_query(&self, namespace: &str) -> bool {
        self.queries.contains(namespace)
    }
}

impl Classes {
    /// The set without members.
    pub const NONE: Self = Self(0);

    /// Whether the class is a member.
    #[must_use]
    pub fn contains(self, class: PrivacyClass) -> bool {
        self.0 & Self::bit(class) != 0
    }

    /// The set and one member more.
    #[must_use]
    pub fn with(self, class: PrivacyClass) -> Self {
        Self(self.0 | Self::bit(class))
    }

    fn bit(class: PrivacyClass) -> u8 {
        match class {
            PrivacyClass::Public => 1,
            PrivacyClass::Private => 2,
            PrivacyClass::Secured => 4,
        }
    }
}

impl Visibility {
    /// From the word of the setting; an unknown one is the strictest.
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "contacts" => Self::Contacts,
            "team" => Self::Team,
            _ => Self::Nobody,
        }
    }
}

impl ForcedState {
    /// From the word of the setting; `own` is none.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "away" => Some(Self::Away),
            "xa" => Some(Self::ExtendedAway),
            "dnd" => Some(Self::DoNotDisturb),
            "offline" => Some(Self::Offline),
            _ => None,
        }
    }
}
