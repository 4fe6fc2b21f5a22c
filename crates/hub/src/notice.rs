//! What the hub tells a session unasked, in words that every protocol can say in its own way.

use std::sync::Arc;

use model::{Address, Format, MessageId, Resource, Submission, Timestamp};
use policy::ForcedState;
use store::{RosterItem, Subscription};

/// One notice on its way to a session. Cheap to clone: one message to a hundred sessions is one
/// allocation.
#[derive(Clone)]
pub enum Notice {
    /// A message for this address.
    Message {
        /// The message.
        letter: Arc<Letter>,
        /// It is in the address's own history and can be fetched there by its id.
        kept: bool,
        /// It waited for a session since this time.
        waited_since: Option<Timestamp>,
    },
    /// A copy of a message that another session of this address sent or got.
    Copy {
        /// The message.
        letter: Arc<Letter>,
        /// It is in the address's own history.
        kept: bool,
        /// This address sent it; otherwise it got it.
        sent: bool,
    },
    /// A message that this session submitted could not be kept, so it went nowhere.
    NotKept(Arc<NotKept>),
    /// The presence of somebody, or a word about a subscription.
    Presence(Arc<Presence>),
    /// The roster has changed.
    Roster(Arc<RosterChange>),
    /// The block list has changed.
    BlockList(Arc<BlockListChange>),
    /// Something that is passed on and kept nowhere: a typing notice, a query, its answer.
    Signal(Arc<[u8]>),
}

/// A message that is durable, or that the organisation has decided not to keep.
pub struct Letter {
    /// Its name in the house.
    pub id: MessageId,
    /// How the octets are to be read.
    pub format: Format,
    /// The octets as the sender's session stamped them.
    pub octets: Arc<[u8]>,
    /// Who sent it.
    pub sender: Address,
}

/// Why a submission that passed the judge went nowhere after all.
pub struct NotKept {
    /// What was submitted.
    pub submission: Arc<Submission>,
    /// One sentence for the sender.
    pub sentence: &'static str,
}

/// Presence or a word about a subscription (RFC 6121 §3, §4).
pub struct Presence {
    /// Whose.
    pub from: Address,
    /// Of which session, where it is one session's.
    pub resource: Option<Resource>,
    /// To whom: an address, not one of its sessions.
    pub to: Address,
    /// Which kind.
    pub kind: PresenceKind,
    /// The protocol's own form with everything the sender said; empty for what the house says.
    pub octets: Arc<[u8]>,
    /// The octets name the recipient already: the sender said this to that address alone.
    pub directed: bool,
    /// The state that others see in place of the person's own, because policy says so.
    pub forced: Option<ForcedState>,
}

/// The kinds of presence (RFC 6121 §4.7.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PresenceKind {
    /// Here.
    Available,
    /// Not here.
    Unavailable,
    /// Asks to see the presence of the other.
    Subscribe,
    /// Lets the other see.
    Subscribed,
    /// Wants to see no more.
    Unsubscribe,
    /// Lets the other see no more, or declines.
    Unsubscribed,
}

/// One change of a roster, with the version that the roster has since.
pub struct RosterChange {
    /// The item as it is now; its subscription says so if it was removed.
    pub item: RosterItem,
    /// The item is gone.
    pub removed: bool,
    /// The roster's version after the change.
    pub version: u64,
}

/// One change of a block list.
pub struct BlockListChange {
    /// The addresses blocked or unblocked; empty with `blocked` false means all are unblocked.
    pub entries: Vec<Box<str>>,
    /// Blocked, or unblocked.
    pub blocked: bool,
}

/// Why the house ends a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// A later session of the same name took its place.
    Replaced,
    /// The account was closed, or its sessions were ended by an administrator.
    SignedOut,
    /// Its peer does not read what it is sent.
    TooSlow,
    /// What the session needs cannot be read.
    Trouble,
    /// The server stops.
    Shutdown,
}

impl From<store::RosterChange> for RosterChange {
    fn from(change: store::RosterChange) -> Self {
        match change {
            store::RosterChange::Set { version, item } => Self { item, removed: false, version },
            store::RosterChange::Removed { version, contact } => {
                let item = RosterItem {
                    contact,
                    name: None,
                    groups: Vec::new(),
                    subscription: Subscription::None,
                    ask: false,
                    approved: false,
                };
                Self { item, removed: true, version }
            }
        }
    }
}

impl Notice {
    /// The message that is delivered by this notice, if it is one.
    #[must_use]
    pub fn message_id(&self) -> Option<MessageId> {
        match self {
            Self::Message { letter, .. } => Some(letter.id),
            Self::Copy { .. }
            | Self::NotKept(_)
            | Self::Presence(_)
            | Self::Roster(_)
            | Self::BlockList(_)
            | Self::Signal(_) => None,
        }
    }

    /// What the notice counts towards a session's bound, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        const OVERHEAD: usize = 64;
        OVERHEAD
            + match self {
                Self::Message { letter, .. } | Self::Copy { letter, .. } => letter.octets.len(),
                Self::NotKept(fault) => fault.submission.content.size(),
                Self::Presence(presence) => presence.octets.len(),
                Self::Signal(octets) => octets.len(),
                Self::Roster(_) => 256,
                Self::BlockList(change) => change.entries.len() * 64,
            }
    }
}
