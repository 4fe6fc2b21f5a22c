//! Completeness (N4): whether the opened records leave a gap in any conversation, and whether the
//! counts of the daily seals are those of the log.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::Path,
};

use crate::{
    custodian::{Custodian, Found, Opened, ReadFault},
    entry::Kind,
    merkle::Digest,
    record::{Link, MessageRecord, NoteRecord, Plain},
    verify::Progress,
};

/// Faults of completeness that are named one by one; more are only counted.
pub const GAPS_NAMED_MAX: usize = 1_000;

/// What a check of completeness found.
#[derive(Clone, Debug, Default)]
pub struct Completeness {
    /// Conversations that were followed.
    pub conversations: u64,
    /// Messages that were opened.
    pub messages: u64,
    /// Notes that were opened.
    pub notes: u64,
    /// Daily seals whose counts were compared.
    pub daily_seals: u64,
    /// Records whose salt was destroyed.
    pub destroyed: u64,
    /// Records that could not be opened.
    pub unreadable: u64,
    /// Gaps that records which nobody can open any more explain.
    pub explained: u64,
    /// What is wrong, at most [`GAPS_NAMED_MAX`].
    pub gaps: Vec<Gap>,
    /// How many things are wrong.
    pub gaps_count: u64,
}

/// One thing that is missing or does not add up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The record at which it shows.
    pub leaf: u64,
    /// What it is.
    pub kind: GapKind,
}

/// What is missing or does not add up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GapKind {
    /// The conversation goes on with another number than the next.
    Sequence {
        /// The conversation.
        conversation: String,
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The record before is not the one that this record names.
    Previous {
        /// The conversation.
        conversation: String,
    },
    /// A daily seal counts otherwise than the log.
    Count {
        /// The day of the seal.
        day: String,
        /// What is counted: `messages` or `notes`.
        what: &'static str,
        /// What the seal says.
        said: String,
        /// What the log has.
        counted: u64,
    },
    /// The member set is not the one that its hash stands for.
    Members,
}

impl Completeness {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.gaps_count == 0 && self.unreadable == 0
    }

    fn add(&mut self, leaf: u64, kind: GapKind) {
        self.gaps_count += 1;
        if self.gaps.len() < GAPS_NAMED_MAX {
            self.gaps.push(Gap { leaf, kind });
        }
    }
}

#[derive(Default)]
struct Following {
    report: Completeness,
    heads: HashMap<String, Link>,
    /// Leaf hashes of records that cannot be opened.
    closed: HashSet<Digest>,
    /// Messages and notes since the last daily seal.
    since: (u64, u64),
}

impl Following {
    fn take(&mut self, found: &Found) {
        match found.entry.kind {
            Kind::Message => self.since.0 += 1,
            Kind::Note => self.since.1 += 1,
            Kind::Opening => {}
        }
        match &found.content {
            Opened::Plain(Plain::Message(message)) => self.message(found, message),
            Opened::Plain(Plain::Note(note)) => self.note(found, note),
            Opened::Destroyed => {
                self.report.destroyed += 1;
                self.closed.insert(found.hash);
            }
            Opened::Unreadable(_) => {
                self.report.unreadable += 1;
                self.closed.insert(found.hash);
            }
            Opened::Opening(_) => {}
        }
    }

    fn message(&mut self, found: &Found, message: &MessageRecord) {
        self.report.messages += 1;
        let members: Vec<&str> = message.members.iter().map(String::as_str).collect();
        if crate::member_hash(&members) != message.member_hash {
            self.report.add(found.leaf, GapKind::Members);
        }
        let next = Link { sequence: message.sequence.saturating_add(1), previous: found.hash };
        let before = self.heads.insert(message.conversation.clone(), next);
        let before = before.unwrap_or(Link::start());
        let conversation = || message.conversation.clone();
        let follows = message.sequence == before.sequence;
        if follows && message.previous == before.previous {
            return;
        }
        if message.sequence > before.sequence && self.closed.contains(&message.previous) {
            self.report.explained += 1;
            return;
        }
        let kind = if follows {
            GapKind::Previous { conversation: conversation() }
        } else {
            let (expected, found) = (before.sequence, message.sequence);
            GapKind::Sequence { conversation: conversation(), expected, found }
        };
        self.report.add(found.leaf, kind);
    }

    fn note(&mut self, found: &Found, note: &NoteRecord) {
        self.report.notes += 1;
        if note.name != "daily-seal" {
            return;
        }
        self.report.daily_seals += 1;
        let (messages, notes) = std::mem::take(&mut self.since);
        // The seal does not count itself.
        for (what, counted) in [("messages", messages), ("notes", notes.saturating_sub(1))] {
            let said = note.detail(what).unwrap_or_default();
            if said != counted.to_string() {
                let day = note.detail("day").unwrap_or_default().to_owned();
                let said = said.to_owned();
                self.report.add(found.leaf, GapKind::Count { day, what, said, counted });
            }
        }
    }
}

impl Custodian {
    /// Follows every conversation through all signed records.
    pub fn verify_complete(
        &self,
        dir: &Path,
        progress: impl FnMut(Progress),
    ) -> Result<Completeness, ReadFault> {
        let mut following = Following::default();
        self.scan(dir, progress, |found| {
            following.take(&found);
            Ok(())
        })?;
        following.report.conversations = following.heads.len() as u64;
        Ok(following.report)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: ", self.leaf)?;
        match &self.kind {
            GapKind::Sequence { conversation, expected, found } => write!(
                f,
                "the conversation {conversation} goes on with number {found}, not {expected}"
            ),
            GapKind::Previous { conversation } => {
                write!(f, "the record before in the conversation {conversation} is another one")
            }
            GapKind::Count { day, what, said, counted } => {
                write!(f, "the seal of {day} counts {said} {what}, the log has {counted}")
            }
            GapKind::Members => f.write_str("the member set is not the one that was hashed"),
        }
    }
}
