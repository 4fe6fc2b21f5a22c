//! The catalogue: every setting there is, as data. To add one, add a [`Definition`] here and, where
//! the house reads it, a field to [`crate::Profile`]. Knows no node and no statement.

use std::{fmt, hash};

use crate::{
    hours::Hours,
    value::{Kind, Strict, Value},
};

/// A setting of the catalogue. Compared by name.
#[derive(Clone, Copy)]
pub struct Setting(&'static Definition);

/// What the catalogue says of one setting.
#[derive(Debug)]
pub struct Definition {
    /// The dotted name, as in `message.max_bytes`.
    pub name: &'static str,
    /// Whose business it is.
    pub class: Class,
    /// Its values, their order and their limits.
    pub kind: Kind,
    /// The value when nobody says anything.
    pub default: fn() -> Value,
    /// Whether the domain may hand it on. `false` keeps it with the domain.
    pub delegable: bool,
    /// One sentence for the administrator.
    pub doc: &'static str,
}

/// The three classes of policy (POL-01).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Preferences of a person.
    Individual,
    /// Access, encryption, archive and logging.
    Security,
    /// Rules of conduct.
    Usage,
}

/// Bytes of one message that no policy can exceed.
pub const MESSAGE_BYTES_LIMIT: u64 = 16 * 1_024 * 1_024;

/// Bytes of one message when nobody says anything.
pub const MESSAGE_BYTES_DEFAULT: u64 = 256 * 1_024;

/// Seconds in which a message can be confirmed when nobody says anything.
pub const CONFIRM_SECS_DEFAULT: u64 = 300;

/// The names of the privacy classes, as [`model::PrivacyClass`] writes them.
const CLASS_NAMES: &[&str] = &["private", "public", "secured"];

/// The questions that clients may put to each other when nobody says anything. None of them moves a
/// file or a text past the judge.
const QUERIES_DEFAULT: &[&str] = &[
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "jabber:iq:last",
    "jabber:iq:version",
    "urn:xmpp:ping",
    "urn:xmpp:time",
];

static CATALOGUE: &[Definition] = &[
    Definition {
        name: "access.default",
        class: Class::Security,
        kind: Kind::Word { words: &["nobody", "inside", "everyone"], ordered: true },
        default: || Value::Word("inside"),
        delegable: false,
        doc: "Who may reach whom where no access rule speaks: nobody, people of the domain each \
              other, or everyone.",
    },
    Definition {
        name: "access.hours",
        class: Class::Security,
        kind: Kind::Hours,
        default: || Value::Hours(Hours::always()),
        delegable: true,
        doc: "The hours in which a person or an application may use the service.",
    },
    Definition {
        name: "archive.seal",
        class: Class::Security,
        kind: Kind::Flag { strict: true },
        default: || Value::Flag(true),
        delegable: false,
        doc: "Whether messages are sealed into the archive; only the domain can switch it off.",
    },
    Definition {
        name: "confirm.seconds",
        class: Class::Usage,
        kind: Kind::Number { min: 10, max: 86_400, strict: Strict::Less },
        default: || Value::Number(CONFIRM_SECS_DEFAULT),
        delegable: true,
        doc: "For how many seconds a sender who was asked may confirm a message.",
    },
    Definition {
        name: "history.keep",
        class: Class::Usage,
        kind: Kind::Flag { strict: false },
        default: || Value::Flag(true),
        delegable: true,
        doc: "Whether messages are kept in the person's own history; the archive is apart.",
    },
    Definition {
        name: "message.class",
        class: Class::Individual,
        kind: Kind::Word { words: CLASS_NAMES, ordered: false },
        default: || Value::Word("private"),
        delegable: true,
        doc: "The privacy class of a message that names none.",
    },
    Definition {
        name: "message.classes",
        class: Class::Security,
        kind: Kind::Set { members: Some(CLASS_NAMES), strict: Strict::Less },
        default: || Value::set(CLASS_NAMES),
        delegable: true,
        doc: "The privacy classes that a person may send and get.",
    },
    Definition {
        name: "message.lexicons",
        class: Class::Security,
        kind: Kind::Set { members: None, strict: Strict::More },
        default: || Value::set(&[]),
        delegable: true,
        doc: "The lexicon rules that read what a person sends.",
    },
    Definition {
        name: "message.max_bytes",
        class: Class::Usage,
        kind: Kind::Number { min: 1_024, max: MESSAGE_BYTES_LIMIT, strict: Strict::Less },
        default: || Value::Number(MESSAGE_BYTES_DEFAULT),
        delegable: true,
        doc: "The greatest message in bytes that a person may send and get.",
    },
    Definition {
        name: "message.queries",
        class: Class::Security,
        kind: Kind::Set { members: None, strict: Strict::Less },
        default: || Value::set(QUERIES_DEFAULT),
        delegable: true,
        doc: "The namespaces of the questions that clients may put to each other.",
    },
    Definition {
        name: "presence.hours",
        class: Class::Usage,
        kind: Kind::Hours,
        default: || Value::Hours(Hours::always()),
        delegable: true,
        doc: "The hours in which others see the state that a person set.",
    },
    Definition {
        name: "presence.outside",
        class: Class::Individual,
        kind: Kind::Word { words: &["own", "away", "xa", "dnd", "offline"], ordered: false },
        default: || Value::Word("xa"),
        delegable: true,
        doc: "The state that others see outside presence.hours; own leaves it to the person.",
    },
    Definition {
        name: "presence.visible_to",
        class: Class::Individual,
        kind: Kind::Word { words: &["nobody", "team", "contacts"], ordered: true },
        default: || Value::Word("contacts"),
        delegable: true,
        doc: "Who sees a person's presence: nobody, contacts of one of their groups, or contacts.",
    },
];

impl Setting {
    /// Default access, see the catalogue.
    pub const ACCESS_DEFAULT: Self = Self::named("access.default");
    /// Hours of use, see the catalogue.
    pub const ACCESS_HOURS: Self = Self::named("access.hours");
    /// Sealing, see the catalogue.
    pub const ARCHIVE_SEAL: Self = Self::named("archive.seal");
    /// Time to confirm, see the catalogue.
    pub const CONFIRM_SECONDS: Self = Self::named("confirm.seconds");
    /// Own history, see the catalogue.
    pub const HISTORY_KEEP: Self = Self::named("history.keep");
    /// Default class, see the catalogue.
    pub const MESSAGE_CLASS: Self = Self::named("message.class");
    /// Allowed classes, see the catalogue.
    pub const MESSAGE_CLASSES: Self = Self::named("message.classes");
    /// Lexicon rules in force, see the catalogue.
    pub const MESSAGE_LEXICONS: Self = Self::named("message.lexicons");
    /// Size limit, see the catalogue.
    pub const MESSAGE_MAX_BYTES: Self = Self::named("message.max_bytes");
    /// Questions between clients, see the catalogue.
    pub const MESSAGE_QUERIES: Self = Self::named("message.queries");
    /// Hours of own presence, see the catalogue.
    pub const PRESENCE_HOURS: Self = Self::named("presence.hours");
    /// State outside those hours, see the catalogue.
    pub const PRESENCE_OUTSIDE: Self = Self::named("presence.outside");
    /// Visibility of presence, see the catalogue.
    pub const PRESENCE_VISIBLE_TO: Self = Self::named("presence.visible_to");

    /// Looked up when the program is built: a name that is not there does not compile.
    const fn named(name: &str) -> Self {
        let mut index = 0;
        while !same(CATALOGUE[index].name, name) {
            index += 1;
        }
        Self(&CATALOGUE[index])
    }

    /// A setting beside the catalogue: the algebra knows only what the definition says.
    #[must_use]
    pub const fn new(definition: &'static Definition) -> Self {
        Self(definition)
    }

    /// Every setting of the catalogue, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.iter().map(Self)
    }

    /// Every setting of one class.
    pub fn of_class(class: Class) -> impl Iterator<Item = Self> {
        Self::all().filter(move |setting| setting.class() == class)
    }

    /// The setting of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|setting| setting.name() == name)
    }

    /// The dotted name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Its class.
    #[must_use]
    pub const fn class(self) -> Class {
        self.0.class
    }

    /// Its values and their order.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.0.kind
    }

    /// The value when nobody says anything.
    #[must_use]
    pub fn default(self) -> Value {
        (self.0.default)()
    }

    /// Whether the domain may hand it on.
    #[must_use]
    pub const fn is_delegable(self) -> bool {
        self.0.delegable
    }

    /// One sentence on what it does.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        self.0.doc
    }
}

impl Class {
    /// The word used in catalogues and the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Individual => "individual",
            Self::Security => "security",
            Self::Usage => "usage",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Individual, Self::Security, Self::Usage];
        all.into_iter().find(|class| class.name() == name)
    }
}

/// Equality of texts for constants.
const fn same(one: &str, two: &str) -> bool {
    let (one, two) = (one.as_bytes(), two.as_bytes());
    let mut index = 0;
    while index < one.len() && index < two.len() && one[index] == two[index] {
        index += 1;
    }
    one.len() == two.len() && index == one.len()
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Setting {}

impl hash::Hash for Setting {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl PartialOrd for Setting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Setting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name().cmp(other.name())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
