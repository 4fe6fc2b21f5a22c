//! What is sealed: the whole of one message, or one note of the house, in a form an outsider can
//! read (`docs/archive-format.md`). It knows no keys and no files.

use std::{fmt, sync::Arc};

use model::{Conversation, Format, MessageId, Submission, Timestamp};
use policy::Refused;

use crate::{
    field::{Field, Fields, Writer},
    merkle::{Digest, sha256},
};

/// The form of what is sealed.
const RECORD_VERSION: u8 = 1;
const RECORD_MESSAGE: u8 = 1;
const RECORD_NOTE: u8 = 2;

/// What is sealed is filled up to a multiple of this many bytes, so that the length of a record
/// tells less about the length of a message.
pub const RECORD_BLOCK_BYTES: usize = 256;

/// Bytes that a record takes beside what the submission says.
const RECORD_OVERHEAD_BYTES: usize = 768;

mod tag {
    pub(super) const ID: u8 = 1;
    pub(super) const CONVERSATION: u8 = 2;
    pub(super) const SEQUENCE: u8 = 3;
    pub(super) const PREVIOUS: u8 = 4;
    pub(super) const KIND: u8 = 5;
    pub(super) const FORMAT: u8 = 6;
    pub(super) const OCTETS: u8 = 7;
    pub(super) const TEXT: u8 = 8;
    pub(super) const SENDER: u8 = 9;
    pub(super) const SESSION: u8 = 10;
    pub(super) const RECIPIENT: u8 = 11;
    pub(super) const ACCEPTED: u8 = 12;
    pub(super) const SEALED: u8 = 13;
    pub(super) const CLOCK: u8 = 14;
    pub(super) const MEMBER: u8 = 15;
    pub(super) const MEMBERS: u8 = 16;
    pub(super) const ORIGIN: u8 = 17;
    pub(super) const NETWORK: u8 = 18;
    pub(super) const CLASS: u8 = 19;
    pub(super) const POLICY: u8 = 20;
    pub(super) const RULE: u8 = 21;
    pub(super) const DISPOSITION: u8 = 22;
    pub(super) const REFERS_TO: u8 = 23;
    pub(super) const CLIENT_ID: u8 = 24;
    pub(super) const HANDLING: u8 = 25;
    pub(super) const NAME: u8 = 26;
    pub(super) const DETAIL: u8 = 27;
    pub(super) const ATTEMPT: u8 = 28;
    /// Inside a recipient, a rule or a detail.
    pub(super) const FIRST: u8 = 1;
    pub(super) const SECOND: u8 = 2;
    pub(super) const THIRD: u8 = 3;
    pub(super) const FOURTH: u8 = 4;
}

/// The head of a conversation before the next record: how many records it has, and the leaf hash
/// of the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Link {
    /// The sequence number that the next record of the conversation gets; the first is 0.
    pub sequence: u64,
    /// [`crate::Record::leaf`] of the record before; zeros before the first.
    pub previous: Digest,
}

/// One rule that had a say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleRecord {
    /// The rule's name.
    pub name: String,
    /// What it did: log, warn, confirm, hold, block and so on.
    pub action: String,
}

/// One recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecipientRecord {
    /// The prepared address.
    pub address: String,
    /// The session that the sender named, if any.
    pub session: Option<String>,
    /// The bytes the sender wrote.
    pub as_given: String,
    /// What became of it: `deliver`, `hold`, or `refused` and why.
    pub verdict: String,
}

/// One message as it was sealed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MessageRecord {
    /// The house's name of the message; none for an attempt that was refused.
    pub id: Option<MessageId>,
    /// The key text of the conversation.
    pub conversation: String,
    /// The gap-free number in the conversation, from 0.
    pub sequence: u64,
    /// The leaf hash of the conversation's record before this one.
    pub previous: Digest,
    /// [`model::ContentKind::name`].
    pub kind: String,
    /// [`model::Format::media_type`].
    pub format: String,
    /// The message as it came.
    pub octets: Vec<u8>,
    /// The one reading of it that was judged.
    pub text: String,
    /// The authenticated sender.
    pub sender: String,
    /// Which session of the sender.
    pub session: Option<String>,
    /// To whom, in the order given.
    pub recipients: Vec<RecipientRecord>,
    /// When the house took it from the wire, in microseconds since 1970.
    pub accepted: i64,
    /// When it was sealed, in microseconds since 1970.
    pub sealed: i64,
    /// Where these times come from.
    pub clock: String,
    /// Who was in the conversation at that moment, sorted.
    pub members: Vec<String>,
    /// [`member_hash`] of the members.
    pub member_hash: Digest,
    /// [`model::Origin::name`].
    pub origin: String,
    /// The network it came by: `xmpp`, `mail`, `house`.
    pub network: String,
    /// [`model::PrivacyClass::name`].
    pub class: String,
    /// The policies in force.
    pub policy_version: u64,
    /// The rules that had a say.
    pub rules: Vec<RuleRecord>,
    /// What the judge decided for the message as a whole: `deliver`, `hold`, `refused`.
    pub disposition: String,
    /// The message that this one edits, retracts or reacts to, as the sender named it.
    pub refers_to: Option<String>,
    /// The sender's own name of the message.
    pub client_id: Option<String>,
    /// [`model::Handling`]: 1 history, 2 wait, 4 fallback, 8 copies.
    pub handling: u64,
}

/// One note as it was sealed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NoteRecord {
    /// The house's name of the note.
    pub id: Option<MessageId>,
    /// When it was sealed, in microseconds since 1970.
    pub sealed: i64,
    /// Where the time comes from.
    pub clock: String,
    /// What happened: [`Note::name`].
    pub name: String,
    /// What there is to say of it: key and value.
    pub details: Vec<(String, String)>,
    /// The whole message of an attempt that was refused.
    pub attempt: Option<MessageRecord>,
}

/// What a sealed body holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plain {
    /// A message.
    Message(Box<MessageRecord>),
    /// A note.
    Note(Box<NoteRecord>),
}

/// What the house did, as a record of the same log.
#[derive(Clone)]
pub enum Note {
    /// A message that was refused, for some or all of its recipients, with its content.
    Refused {
        /// The message.
        submission: Arc<Submission>,
        /// The policies in force.
        policy_version: u64,
        /// Why, for each recipient that was refused.
        verdicts: Vec<Verdict>,
    },
    /// The policies changed; records after this name the new version.
    Policy {
        /// The version that is in force from now on.
        version: u64,
        /// Who changed them.
        author: String,
        /// What changed, in words.
        summary: String,
    },
    /// A decision on a message that waits for review.
    Review {
        /// The message.
        message: MessageId,
        /// What was decided.
        decision: Decision,
        /// Who decided; none if a rule did.
        reviewer: Option<String>,
        /// Why.
        reason: String,
    },
    /// The archive itself was looked into.
    Access {
        /// What was done.
        deed: Deed,
        /// Who did it.
        who: String,
        /// The query, as typed.
        query: String,
        /// Why.
        reason: String,
        /// How many records were found or handed out.
        hits: u64,
        /// How many records the log had.
        size: u64,
    },
    /// The account of one day: what the store counted since the daily seal before.
    DailySeal {
        /// The day, `YYYY-MM-DD`.
        day: String,
        /// Message records in the log since the last daily seal, as the store counted them.
        messages: u64,
        /// Note records since the last daily seal, as the store counted them, without this one.
        notes: u64,
        /// Further counts, each with its name, for example one for each origin.
        counts: Vec<(String, u64)>,
    },
}

/// Why one recipient was refused.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The recipient's place in the submission.
    pub index: usize,
    /// Why, in the house's words.
    pub reason: String,
    /// The rules that had a say.
    pub rules: Vec<RuleRecord>,
}

/// What is decided on a message that waits for review.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It waits.
    Held,
    /// It may go on.
    Released,
    /// It does not go on.
    Rejected,
}

/// What is done with the archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// A search.
    Searched,
    /// One record was looked at.
    Shown,
    /// Records were handed out.
    Exported,
    /// Salts were destroyed.
    Erased,
}

/// Why a body is not a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordFault {
    /// Cut off, or a field of a wrong form.
    Malformed,
    /// A version this program does not know.
    Version,
}

impl Link {
    /// The head of a conversation that has no record yet.
    #[must_use]
    pub const fn start() -> Self {
        Self { sequence: 0, previous: [0; 32] }
    }
}

/// The conversation that a submission belongs to: that of its sender and its first recipient.
#[must_use]
pub fn conversation(submission: &Submission) -> Conversation {
    let other = submission.recipients.first().map_or(&submission.sender, |first| &first.address);
    Conversation::direct(&submission.sender, other)
}

/// SHA-256 over the members, sorted, each followed by a line feed.
#[must_use]
pub fn member_hash(members: &[&str]) -> Digest {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(members.len() * 2);
    for member in members {
        parts.push(member.as_bytes());
        parts.push(b"\n");
    }
    sha256(&parts)
}

impl Note {
    /// The note of a message that was refused for these recipients.
    #[must_use]
    pub fn refused(submission: Arc<Submission>, policy_version: u64, refused: &[Refused]) -> Self {
        let verdicts = refused
            .iter()
            .map(|refused| Verdict {
                index: refused.index,
                reason: format!("refused: {}: {}", refused.reason.name(), refused.private),
                rules: refused
                    .fired
                    .iter()
                    .map(|fired| RuleRecord {
                        name: fired.rule.to_string(),
                        action: fired.action.name().to_owned(),
                    })
                    .collect(),
            })
            .collect();
        Self::Refused { submission, policy_version, verdicts }
    }
}

impl Decision {
    /// The word used in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }
}

impl Deed {
    /// The word used in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Searched => "searched",
            Self::Shown => "shown",
            Self::Exported => "exported",
            Self::Erased => "erased",
        }
    }
}

impl Note {
    /// The word used in records, exports and `type:` queries.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Policy { .. } => "policy",
            Self::Review { .. } => "review",
            Self::Access { .. } => "access",
            Self::DailySeal { .. } => "daily-seal",
        }
    }

    fn details(&self) -> Vec<(&str, String)> {
        match self {
            Self::Refused { policy_version, .. } => vec![("policy", policy_version.to_string())],
            Self::Policy { version, author, summary } => vec![
                ("version", version.to_string()),
                ("author", author.clone()),
                ("summary", summary.clone()),
            ],
            Self::Review { message, decision, reviewer, reason } => vec![
                ("message", message.to_string()),
                ("decision", decision.name().to_owned()),
                ("reviewer", reviewer.clone().unwrap_or_default()),
                ("reason", reason.clone()),
            ],
            Self::Access { deed, who, query, reason, hits, size } => vec![
                ("deed", deed.name().to_owned()),
                ("who", who.clone()),
                ("query", query.clone()),
                ("reason", reason.clone()),
                ("hits", hits.to_string()),
                ("size", size.to_string()),
            ],
            Self::DailySeal { day, messages, notes, counts } => {
                let mut details = vec![
                    ("day", day.clone()),
                    ("messages", messages.to_string()),
                    ("notes", notes.to_string()),
                ];
                details.extend(counts.iter().map(|(name, n)| (name.as_str(), n.to_string())));
                details
            }
        }
    }
}

/// When and by which clock something is sealed.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) now: Timestamp,
    pub(crate) clock: &'a str,
}

/// What the judge said of a submission, borrowed from wherever it said so.
pub(crate) struct Judgement<'a> {
    pub(crate) policy_version: u64,
    pub(crate) disposition: &'a str,
    /// What became of the recipient of that number.
    pub(crate) verdict: &'a dyn Fn(usize) -> &'a str,
    /// Name and action of each rule that fired.
    pub(crate) rules: &'a [(&'a str, &'a str)],
}

/// The octets of a message record, filled up.
pub(crate) fn encode_message(
    submission: &Submission,
    conversation: &Conversation,
    judgement: &Judgement<'_>,
    id: MessageId,
    link: &Link,
    moment: Moment<'_>,
) -> Vec<u8> {
    let capacity = submission.content.octets.len()
        + submission.content.text.len()
        + RECORD_OVERHEAD_BYTES
        + 256 * submission.recipients.len();
    let mut out = Writer::new(&[RECORD_VERSION, RECORD_MESSAGE], capacity);
    out.bytes(tag::ID, &id.to_i64().to_be_bytes());
    out.text(tag::CONVERSATION, conversation.as_str());
    out.number(tag::SEQUENCE, link.sequence);
    out.bytes(tag::PREVIOUS, &link.previous);
    out.signed(tag::SEALED, moment.now.as_micros());
    out.text(tag::CLOCK, moment.clock);
    write_submission(&mut out, submission, judgement);
    out.pad(RECORD_BLOCK_BYTES);
    out.finish()
}

fn write_submission(out: &mut Writer, submission: &Submission, judgement: &Judgement<'_>) {
    let content = &submission.content;
    out.text(tag::KIND, content.kind.name());
    out.text(tag::FORMAT, content.format.media_type());
    out.bytes(tag::OCTETS, &content.octets);
    out.text(tag::TEXT, &content.text);
    out.text(tag::SENDER, submission.sender.as_str());
    if let Some(session) = &submission.session {
        out.text(tag::SESSION, session.as_str());
    }
    for (number, recipient) in submission.recipients.iter().enumerate() {
        out.nested(tag::RECIPIENT, |out| {
            out.text(tag::FIRST, recipient.address.as_str());
            if let Some(session) = &recipient.session {
                out.text(tag::SECOND, session.as_str());
            }
            out.text(tag::THIRD, &recipient.as_given);
            out.text(tag::FOURTH, (judgement.verdict)(number));
        });
    }
    out.signed(tag::ACCEPTED, submission.accepted.as_micros());
    write_members(out, submission);
    out.text(tag::ORIGIN, submission.origin.name());
    out.text(tag::NETWORK, network(content.format));
    out.text(tag::CLASS, submission.class.name());
    out.number(tag::POLICY, judgement.policy_version);
    out.text(tag::DISPOSITION, judgement.disposition);
    for (name, action) in judgement.rules {
        write_pair(out, tag::RULE, name, action);
    }
    if let Some(refers_to) = &content.refers_to {
        out.text(tag::REFERS_TO, refers_to);
    }
    if let Some(client_id) = &content.client_id {
        out.text(tag::CLIENT_ID, client_id);
    }
    let handling = submission.handling;
    let bits = u64::from(handling.history)
        | u64::from(handling.wait) << 1
        | u64::from(handling.fallback) << 2
        | u64::from(handling.copies) << 3;
    out.number(tag::HANDLING, bits);
}

fn network(format: Format) -> &'static str {
    match format {
        Format::Stanza => "xmpp",
        Format::Mail => "mail",
        Format::Plain => "house",
    }
}

fn write_members(out: &mut Writer, submission: &Submission) {
    let mut members: Vec<&str> = Vec::with_capacity(submission.recipients.len() + 1);
    members.push(submission.sender.as_str());
    members.extend(submission.recipients.iter().map(|recipient| recipient.address.as_str()));
    members.sort_unstable();
    members.dedup();
    for member in &members {
        out.text(tag::MEMBER, member);
    }
    out.bytes(tag::MEMBERS, &member_hash(&members));
}

fn write_pair(out: &mut Writer, tag: u8, first: &str, second: &str) {
    out.nested(tag, |out| {
        out.text(tag::FIRST, first);
        out.text(tag::SECOND, second);
    });
}

/// The octets of a note record, filled up.
pub(crate) fn encode_note(note: &Note, id: MessageId, moment: Moment<'_>) -> Vec<u8> {
    let mut out = Writer::new(&[RECORD_VERSION, RECORD_NOTE], RECORD_OVERHEAD_BYTES);
    out.bytes(tag::ID, &id.to_i64().to_be_bytes());
    out.signed(tag::SEALED, moment.now.as_micros());
    out.text(tag::CLOCK, moment.clock);
    out.text(tag::NAME, note.name());
    for (key, value) in note.details() {
        write_pair(&mut out, tag::DETAIL, key, &value);
    }
    if let Note::Refused { submission, policy_version, verdicts } = note {
        let mut rules: Vec<(&str, &str)> = verdicts
            .iter()
            .flat_map(|verdict| &verdict.rules)
            .map(|rule| (rule.name.as_str(), rule.action.as_str()))
            .collect();
        rules.sort_unstable();
        rules.dedup();
        let verdict = |number: usize| {
            let refused = |verdict: &&Verdict| verdict.index == number;
            verdicts.iter().find(refused).map_or("accepted", |verdict| verdict.reason.as_str())
        };
        let judgement = Judgement {
            policy_version: *policy_version,
            disposition: "refused",
            verdict: &verdict,
            rules: &rules,
        };
        out.nested(tag::ATTEMPT, |out| write_submission(out, submission, &judgement));
    }
    out.pad(RECORD_BLOCK_BYTES);
    out.finish()
}

impl Plain {
    /// Reads what was sealed. Fields of unknown tags are passed over.
    pub fn decode(octets: &[u8]) -> Result<Self, RecordFault> {
        let (head, fields) = octets.split_first_chunk::<2>().ok_or(RecordFault::Malformed)?;
        match *head {
            [RECORD_VERSION, RECORD_MESSAGE] => {
                MessageRecord::decode(fields).map(|message| Self::Message(Box::new(message)))
            }
            [RECORD_VERSION, RECORD_NOTE] => {
                NoteRecord::decode(fields).map(|note| Self::Note(Box::new(note)))
            }
            _ => Err(RecordFault::Version),
        }
    }

    /// The house's name of it.
    #[must_use]
    pub fn id(&self) -> Option<MessageId> {
        match self {
            Self::Message(message) => message.id,
            Self::Note(note) => note.id,
        }
    }

    /// The message, or the message of a refused attempt.
    #[must_use]
    pub fn message(&self) -> Option<&MessageRecord> {
        match self {
            Self::Message(message) => Some(message),
            Self::Note(note) => note.attempt.as_ref(),
        }
    }

    /// The time that queries and exports go by: when the message was accepted, when the note was
    /// sealed.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        Timestamp::from_micros(match self {
            Self::Message(message) => message.accepted,
            Self::Note(note) => note.sealed,
        })
    }

    /// The word of `type:` queries: the kind of a message, the name of a note.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Message(message) => &message.kind,
            Self::Note(note) => &note.name,
        }
    }
}

fn string(field: Field<'_>) -> Result<String, RecordFault> {
    field.text().map(str::to_owned).ok_or(RecordFault::Malformed)
}

fn number(field: Field<'_>) -> Result<u64, RecordFault> {
    field.number().ok_or(RecordFault::Malformed)
}

fn signed(field: Field<'_>) -> Result<i64, RecordFault> {
    field.signed().ok_or(RecordFault::Malformed)
}

fn digest(field: Field<'_>) -> Result<Digest, RecordFault> {
    field.digest().ok_or(RecordFault::Malformed)
}

fn message_id(field: Field<'_>) -> Result<MessageId, RecordFault> {
    field.signed().and_then(MessageId::from_i64).ok_or(RecordFault::Malformed)
}

fn pair(field: Field<'_>) -> Result<(String, String), RecordFault> {
    let (mut first, mut second) = (String::new(), String::new());
    for field in Fields::new(field.value) {
        let field = field.map_err(|()| RecordFault::Malformed)?;
        match field.tag {
            tag::FIRST => first = string(field)?,
            tag::SECOND => second = string(field)?,
            _ => {}
        }
    }
    Ok((first, second))
}

impl MessageRecord {
    fn decode(fields: &[u8]) -> Result<Self, RecordFault> {
        let mut record = Self::default();
        for field in Fields::new(fields) {
            record.take(field.map_err(|()| RecordFault::Malformed)?)?;
        }
        Ok(record)
    }

    fn take(&mut self, field: Field<'_>) -> Result<(), RecordFault> {
        match field.tag {
            tag::ID => self.id = Some(message_id(field)?),
            tag::CONVERSATION => self.conversation = string(field)?,
            tag::SEQUENCE => self.sequence = number(field)?,
            tag::PREVIOUS => self.previous = digest(field)?,
            tag::KIND => self.kind = string(field)?,
            tag::FORMAT => self.format = string(field)?,
            tag::OCTETS => self.octets = field.value.to_vec(),
            tag::TEXT => self.text = string(field)?,
            tag::SENDER => self.sender = string(field)?,
            tag::SESSION => self.session = Some(string(field)?),
            tag::RECIPIENT => self.recipients.push(RecipientRecord::decode(field.value)?),
            tag::ACCEPTED => self.accepted = signed(field)?,
            tag::SEALED => self.sealed = signed(field)?,
            tag::CLOCK => self.clock = string(field)?,
            tag::MEMBER => self.members.push(string(field)?),
            tag::MEMBERS => self.member_hash = digest(field)?,
            tag::ORIGIN => self.origin = string(field)?,
            tag::NETWORK => self.network = string(field)?,
            tag::CLASS => self.class = string(field)?,
            tag::POLICY => self.policy_version = number(field)?,
            tag::RULE => {
                let (name, action) = pair(field)?;
                self.rules.push(RuleRecord { name, action });
            }
            tag::DISPOSITION => self.disposition = string(field)?,
            tag::REFERS_TO => self.refers_to = Some(string(field)?),
            tag::CLIENT_ID => self.client_id = Some(string(field)?),
            tag::HANDLING => self.handling = number(field)?,
            _ => {}
        }
        Ok(())
    }
}

impl RecipientRecord {
    fn decode(fields: &[u8]) -> Result<Self, RecordFault> {
        let mut recipient = Self {
            address: String::new(),
            session: None,
            as_given: String::new(),
            verdict: String::new(),
        };
        for field in Fields::new(fields) {
            let field = field.map_err(|()| RecordFault::Malformed)?;
            match field.tag {
                tag::FIRST => recipient.address = string(field)?,
                tag::SECOND => recipient.session = Some(string(field)?),
                tag::THIRD => recipient.as_given = string(field)?,
                tag::FOURTH => recipient.verdict = string(field)?,
                _ => {}
            }
        }
        Ok(recipient)
    }
}

impl NoteRecord {
    fn decode(fields: &[u8]) -> Result<Self, RecordFault> {
        let mut record = Self::default();
        for field in Fields::new(fields) {
            let field = field.map_err(|()| RecordFault::Malformed)?;
            match field.tag {
                tag::ID => record.id = Some(message_id(field)?),
                tag::SEALED => record.sealed = signed(field)?,
                tag::CLOCK => record.clock = string(field)?,
                tag::NAME => record.name = string(field)?,
                tag::DETAIL => record.details.push(pair(field)?),
                tag::ATTEMPT => record.attempt = Some(MessageRecord::decode(field.value)?),
                _ => {}
            }
        }
        Ok(record)
    }

    /// The value of a detail.
    #[must_use]
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.details.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the record inside is cut off or has a field of a wrong form",
            Self::Version => "the record inside is of a version that this program does not know",
        })
    }
}

impl std::error::Error for RecordFault {}
