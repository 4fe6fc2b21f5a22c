//! What goes in: messages with their rows, events, and changes of what people keep. Only data;
//! the writing is done in `writer`.

use std::sync::Arc;

use archive::{Record, Sealed, SealedNote};
use model::{Address, MessageId, Timestamp};
use policy::Admitted;

/// Everything of one transaction. Entries go in first, then changes in their order.
#[derive(Default)]
pub struct Batch {
    /// Sealed messages, in the order of their records.
    pub entries: Vec<Entry>,
    /// Sealed events; their records follow those of the entries.
    pub notes: Vec<SealedNote>,
    /// Changes of rosters, marks and the like.
    pub changes: Vec<Change>,
}

/// One sealed message and where it is to be seen.
pub struct Entry {
    /// The message with its records.
    pub sealed: Sealed,
    /// Whose mailboxes it goes into. An owner has one row of a message: several become one.
    pub rows: Vec<MailboxRow>,
    /// Set if the message waits for review instead of going on.
    pub held: Option<HeldRow>,
}

/// One message as one person sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailboxRow {
    /// Whose mailbox.
    pub owner: Address,
    /// The other side of it.
    pub peer: Address,
    /// Whether it came to the owner. What came waits until delivered; what was sent does not.
    pub incoming: bool,
    /// Kept in the history. Otherwise it only waits, and is removed once delivered; a row that
    /// neither came in nor is kept is not written.
    pub history: bool,
}

/// Why a message is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldRow {
    /// The names of the rules that hold it, for the reviewer.
    pub rules: Vec<String>,
}

/// One change of what the house keeps for a person.
pub enum Change {
    /// A contact is new or changed; raises the roster's version.
    RosterSet {
        /// Whose list.
        owner: Address,
        /// The item as it is from now on.
        item: RosterItem,
    },
    /// A contact is removed; raises the roster's version also if there was none.
    RosterRemove {
        /// Whose list.
        owner: Address,
        /// Who is removed from it.
        contact: Address,
    },
    /// Somebody's subscription request waits for the owner's answer (RFC 6121 §3.1.3), or, without
    /// a request, waits no more.
    PendingSubscription {
        /// Who is asked.
        owner: Address,
        /// Who asks.
        contact: Address,
        /// The request as it came.
        request: Option<Vec<u8>>,
    },
    /// The owner's card (XEP-0054).
    VcardSet {
        /// Whose card.
        owner: Address,
        /// The whole element.
        xml: String,
    },
    /// One element of private data (XEP-0049).
    PrivateSet {
        /// Whose.
        owner: Address,
        /// Local name of the element.
        name: String,
        /// Its namespace.
        namespace: String,
        /// The whole element.
        xml: String,
    },
    /// An address is blocked (XEP-0191).
    Block {
        /// Who blocks.
        owner: Address,
        /// The address as text: a domain, a person or a session.
        address: String,
    },
    /// An address is blocked no more.
    Unblock {
        /// Who blocked.
        owner: Address,
        /// The text that was blocked.
        address: String,
    },
    /// All that waited up to here has been delivered. Never goes back; removes what is not kept
    /// in the history.
    Delivered {
        /// Whose mailbox.
        owner: Address,
        /// The newest message delivered.
        through: MessageId,
    },
    /// When the owner was last here (XEP-0012).
    LastActivity {
        /// Who.
        owner: Address,
        /// When.
        at: Timestamp,
        /// What their last presence said.
        status: Option<String>,
    },
    /// A held message is decided on.
    HeldRemove {
        /// Which message.
        id: MessageId,
    },
    /// Everything of this owner goes: mailbox, lists, marks. Others keep their copies.
    Forget {
        /// Who is forgotten.
        owner: Address,
    },
}

/// One contact (RFC 6121 §2.1.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RosterItem {
    /// Who.
    pub contact: Address,
    /// What the owner calls them.
    pub name: Option<String>,
    /// The owner's groups for them.
    pub groups: Vec<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// The owner has asked for the contact's presence and waits for the answer.
    pub ask: bool,
    /// The owner has approved a request that may come (RFC 6121 §3.4).
    pub approved: bool,
}

/// Who sees whose presence, as the owner of the roster sees it (RFC 6121 §2.1.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Subscription {
    /// Neither.
    #[default]
    None,
    /// The owner sees the contact's.
    To,
    /// The contact sees the owner's.
    From,
    /// Each sees the other's.
    Both,
}

/// What came of a [`Batch`].
pub struct Committed {
    /// The messages, in the order of the entries.
    pub stored: Vec<Stored>,
    /// The sealed records with their numbers, which the log is to have. They are in the outbox too.
    pub records: Vec<(u64, Record)>,
    /// The version of each roster after each roster change, in the order of the changes.
    pub roster_versions: Vec<(Address, u64)>,
}

/// A message that is on the disk, with its record. Made by [`crate::Writer::append`] alone, but for
/// [`Stored::unrecorded`].
pub struct Stored {
    sealed: Sealed,
    rows: Arc<[MailboxRow]>,
}

impl Stored {
    /// For this crate's writer, after the commit.
    pub(crate) fn new(sealed: Sealed, rows: Vec<MailboxRow>) -> Self {
        Self { sealed, rows: rows.into() }
    }

    /// A message of which nothing is to be written: the archive is off, and nobody keeps it or
    /// waits for it. Handed back if it has a record after all.
    pub fn unrecorded(sealed: Sealed) -> Result<Self, Sealed> {
        if sealed.records().is_empty() { Ok(Self::new(sealed, Vec::new())) } else { Err(sealed) }
    }

    /// The sealed message.
    #[must_use]
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// The message as the judge admitted it.
    #[must_use]
    pub fn admitted(&self) -> &Admitted {
        self.sealed.admitted()
    }

    /// The house's name for it.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.sealed.id()
    }

    /// Whose mailboxes it is in.
    #[must_use]
    pub fn rows(&self) -> &[MailboxRow] {
        &self.rows
    }
}
