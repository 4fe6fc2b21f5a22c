//! The sealer: turns what the judge admitted into records of the log, under the key of the running
//! segment. It knows custodians by their public keys only and cannot open what it sealed.

use std::fmt;

use model::{Conversation, MessageId, Timestamp};
use policy::{Admitted, Disposition};

use crate::{
    entry::{Kind, NO_SALT, Record},
    key::{ArchivePublicKey, KeyFault},
    record::{Judgement, Link, Moment, Note, conversation, encode_message, encode_note},
    segment::SegmentKey,
};

/// When a segment ends and its key is forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentLimits {
    /// Seconds after the opening.
    pub age_secs_max: i64,
    /// Bytes of bodies.
    pub bytes_max: u64,
}

/// Seconds that a segment lasts unless set otherwise.
pub const SEGMENT_AGE_SECS: i64 = 3_600;

/// Bytes of bodies in a segment unless set otherwise.
pub const SEGMENT_BYTES: u64 = 16 << 20;

impl Default for SegmentLimits {
    fn default() -> Self {
        Self { age_secs_max: SEGMENT_AGE_SECS, bytes_max: SEGMENT_BYTES }
    }
}

/// Seals messages and notes, one after the other. Belongs to the one thread that commits.
pub struct Sealer {
    /// None if archiving is switched off.
    custodians: Option<Vec<ArchivePublicKey>>,
    limits: SegmentLimits,
    clock: &'static str,
    running: Option<Running>,
}

/// The running segment.
struct Running {
    key: SegmentKey,
    opening: Record,
    opened: Timestamp,
    /// The index of the next record in the segment.
    next: u32,
    bytes: u64,
    /// The opening has not been handed out yet.
    opening_due: bool,
}

/// A place to go back to when a batch could not be stored; see [`Sealer::rewind`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    next: u32,
    bytes: u64,
    opening_due: bool,
    segment: Option<crate::SegmentId>,
}

/// A message with its sealed record. Only [`Sealer::seal`] makes one.
pub struct Sealed {
    admitted: Admitted,
    id: MessageId,
    conversation: Conversation,
    /// None, one, or two with the opening of a new segment.
    records: Vec<Record>,
    next_link: Link,
}

/// A note's sealed record. Only [`Sealer::note`] makes one.
pub struct SealedNote {
    id: MessageId,
    records: Vec<Record>,
}

/// Why something cannot be sealed. Nothing was sealed then, and the message must not pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealFault {
    /// A segment could not be opened: no randomness, or a custodian's key is unusable.
    Segment(KeyFault),
    /// The encryption failed, which it does only for contents beyond all limits.
    Encryption,
    /// The random bytes given are all zero, which stands for a destroyed salt.
    Salt,
}

impl Sealer {
    /// A sealer for these custodians: each of them alone can open what is sealed. An empty list
    /// would seal for nobody, so it is refused.
    pub fn new(
        custodians: Vec<ArchivePublicKey>,
        limits: SegmentLimits,
    ) -> Result<Self, SealFault> {
        if custodians.is_empty() {
            return Err(SealFault::Segment(KeyFault::Malformed));
        }
        Ok(Self { custodians: Some(custodians), limits, clock: "system", running: None })
    }

    /// A sealer of a domain that has switched archiving off: messages pass without a record.
    #[must_use]
    pub fn off() -> Self {
        Self { custodians: None, limits: SegmentLimits::default(), clock: "system", running: None }
    }

    /// Whether messages get records at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.custodians.is_some()
    }

    /// Sets the word that records say of where their times come from; `system` unless set.
    #[must_use]
    pub fn with_clock(mut self, clock: &'static str) -> Self {
        self.clock = clock;
        self
    }

    /// Seals one message; one that no side wants archived gets no record. `link` is the head of its [`conversation`], `random` fresh random bytes
    /// that were never used before: they become the salt and decide the record's key.
    pub fn seal(
        &mut self,
        admitted: Admitted,
        id: MessageId,
        link: &Link,
        now: Timestamp,
        random: [u8; 32],
    ) -> Result<Sealed, SealFault> {
        let conversation = conversation(admitted.submission());
        if !self.is_on() || !admitted.archive() {
            return Ok(Sealed {
                admitted,
                id,
                conversation,
                records: Vec::new(),
                next_link: *link,
            });
        }
        let moment = Moment { now, clock: self.clock };
        let plain = encode_admitted(&admitted, &conversation, id, link, moment);
        let records = self.seal_plain(Kind::Message, plain, now, random)?;
        let previous = records.last().map_or(link.previous, Record::leaf);
        let next_link = Link { sequence: link.sequence + 1, previous };
        Ok(Sealed { admitted, id, conversation, records, next_link })
    }

    /// Seals one note. Records must reach the log in the order in which they were sealed. With archiving off the note has no records.
    pub fn note(
        &mut self,
        note: &Note,
        id: MessageId,
        now: Timestamp,
        random: [u8; 32],
    ) -> Result<SealedNote, SealFault> {
        if !self.is_on() {
            return Ok(SealedNote { id, records: Vec::new() });
        }
        let plain = encode_note(note, id, Moment { now, clock: self.clock });
        let records = self.seal_plain(Kind::Note, plain, now, random)?;
        Ok(SealedNote { id, records })
    }

    fn seal_plain(
        &mut self,
        kind: Kind,
        plain: Vec<u8>,
        now: Timestamp,
        salt: [u8; 32],
    ) -> Result<Vec<Record>, SealFault> {
        if salt == NO_SALT {
            return Err(SealFault::Salt);
        }
        let running = self.running_segment(now)?;
        let record =
            running.key.seal(kind, running.next, &salt, plain).ok_or(SealFault::Encryption)?;
        running.next += 1;
        running.bytes += u64::try_from(record.body.len()).unwrap_or(u64::MAX);
        if running.opening_due {
            running.opening_due = false;
            Ok(vec![running.opening.clone(), record])
        } else {
            Ok(vec![record])
        }
    }

    /// The running segment, or a new one if that is over. The old key is wiped first.
    fn running_segment(&mut self, now: Timestamp) -> Result<&mut Running, SealFault> {
        if self.running.as_ref().is_some_and(|running| running.is_over(&self.limits, now)) {
            self.running = None;
        }
        if self.running.is_none() {
            let custodians = self.custodians.as_deref().unwrap_or_default();
            let (key, opening) =
                SegmentKey::open_new(custodians, now).map_err(SealFault::Segment)?;
            let bytes = u64::try_from(opening.body.len()).unwrap_or(u64::MAX);
            self.running =
                Some(Running { key, opening, opened: now, next: 1, bytes, opening_due: true });
        }
        self.running.as_mut().ok_or(SealFault::Encryption)
    }

    /// Ends the running segment if its time is over, so that its key does not stay in memory
    /// while nobody writes. To be called now and then.
    pub fn expire(&mut self, now: Timestamp) {
        if self.running.as_ref().is_some_and(|running| running.is_over(&self.limits, now)) {
            self.running = None;
        }
    }

    /// Forgets the segment key at once; the next record opens a new segment.
    pub fn forget(&mut self) {
        self.running = None;
    }

    /// Where the sealer stands. Taken before a batch is sealed.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let running = self.running.as_ref();
        Mark {
            next: running.map_or(1, |running| running.next),
            bytes: running.map_or(0, |running| running.bytes),
            opening_due: running.is_none_or(|running| running.opening_due),
            segment: running.map(|running| running.key.id()),
        }
    }

    /// Goes back to `mark` after a batch that was not stored: the records sealed since then are
    /// void and their places in the segment are given out again, with other salts and therefore
    /// other keys. A segment that was opened since then starts again, opening included.
    pub fn rewind(&mut self, mark: Mark) {
        let Some(running) = self.running.as_mut() else { return };
        if Some(running.key.id()) == mark.segment {
            running.next = mark.next;
            running.bytes = mark.bytes;
            running.opening_due = mark.opening_due;
        } else {
            running.next = 1;
            running.bytes = u64::try_from(running.opening.body.len()).unwrap_or(u64::MAX);
            running.opening_due = true;
        }
    }
}

impl Running {
    /// A clock that went back ends the segment too: its age cannot be told.
    fn is_over(&self, limits: &SegmentLimits, now: Timestamp) -> bool {
        let age_secs = now.micros_since(self.opened).div_euclid(1_000_000);
        age_secs < -CLOCK_BACK_SECS_MAX
            || age_secs >= limits.age_secs_max
            || self.bytes >= limits.bytes_max
            || self.next == u32::MAX
    }
}

/// Seconds that the clock may go back without ending the segment.
const CLOCK_BACK_SECS_MAX: i64 = 60;

fn encode_admitted(
    admitted: &Admitted,
    conversation: &Conversation,
    id: MessageId,
    link: &Link,
    moment: Moment<'_>,
) -> Vec<u8> {
    let submission = admitted.submission();
    let disposition = match admitted.disposition() {
        Disposition::Deliver => "deliver",
        Disposition::Hold => "hold",
    };
    let rules: Vec<(&str, &str)> =
        admitted.fired().iter().map(|fired| (&*fired.rule, fired.action.name())).collect();
    let verdict = |number: usize| {
        let admitted = admitted.recipients().iter().any(|recipient| recipient.index == number);
        if admitted { disposition } else { "refused" }
    };
    let judgement = Judgement {
        policy_version: admitted.policy_version(),
        disposition,
        verdict: &verdict,
        rules: &rules,
    };
    encode_message(submission, conversation, &judgement, id, link, moment)
}

impl Sealed {
    /// A message that policy keeps out of the archive: it has no record. Handed back if it is to
    /// have one.
    pub fn unrecorded(admitted: Admitted, id: MessageId) -> Result<Self, Admitted> {
        if admitted.archive() {
            return Err(admitted);
        }
        let conversation = conversation(admitted.submission());
        let next_link = Link::start();
        Ok(Self { admitted, id, conversation, records: Vec::new(), next_link })
    }

    /// What was admitted.
    #[must_use]
    pub fn admitted(&self) -> &Admitted {
        &self.admitted
    }

    /// Gives the admitted message back, for example to seal it again after a failed batch.
    #[must_use]
    pub fn into_admitted(self) -> Admitted {
        self.admitted
    }

    /// The message's name.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }

    /// The records to be stored with the message, in order: the opening of a new segment comes
    /// first. Empty if archiving is off.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Moves the records out, once they are stored and the log is to have them.
    #[must_use]
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Whose head [`Self::next_link`] is.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The conversation's head after this record.
    #[must_use]
    pub fn next_link(&self) -> &Link {
        &self.next_link
    }
}

impl SealedNote {
    /// The note's name.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }

    /// The records to be stored, in order. Empty if archiving is off.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records, once they are stored and the log is to have them.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }
}

impl fmt::Display for SealFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(fault) => write!(f, "no segment can be opened: {fault}"),
            Self::Encryption => f.write_str("the record cannot be encrypted"),
            Self::Salt => f.write_str("the random bytes given are not random"),
        }
    }
}

impl std::error::Error for SealFault {}
