//! Tests of the archive: a small house with two custodians, and what can be done to its log.

mod cost;
mod crash;
mod damage;
mod export;
mod forms;
mod fuzz;
mod log;
mod proofs;
mod reading;
mod sealing;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use model::{
    Address, Content, ContentKind, Conversation, Format as ContentFormat, Handling, MessageId,
    MessageIds, Origin, PrivacyClass, Recipient, Secret, Submission, Timestamp,
};
use policy::{
    AccessRule, Action, Book, Effect, Fact, Facts, Judged, Node, PolicySet, RecipientFacts,
    Selector, judge,
};

use crate::{
    ArchivePrivateKey, Custodian, Entry, Expected, Link, Log, Note, Record, Report, SALTS_PER_FILE,
    Sealed, Sealer, SegmentLimits, SigningKey, TILE_WIDTH, VerifyingKey, bodies_path,
    claimed_checkpoint, entries_path, salts_path, verify,
};

pub(crate) const ORIGIN: &str = "archive.bank.example/log";

/// A word that must not lie in any file.
pub(crate) const PLANTED: &str = "xylophonist";

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("chancery-archive-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn who(name: &str) -> Address {
    Address::new(name, "bank.example").unwrap()
}

pub(crate) fn noon() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T12:00:00Z").unwrap()
}

pub(crate) fn salt() -> [u8; 32] {
    crate::key::random().unwrap()
}

/// A book that lets everybody write to everybody.
pub(crate) fn open_book() -> Book {
    let rule = AccessRule {
        name: "all".into(),
        node: Node::Domain,
        effect: Effect::Permit,
        action: Action::Message,
        from: Selector::Anyone,
        to: Selector::Anyone,
        text: String::new(),
        when: None,
    };
    Book::compile(PolicySet {
        version: 7,
        domain: "bank.example".into(),
        groups: Vec::new(),
        members: Vec::new(),
        people: ["ann", "bob", "cid"].into_iter().map(who).collect(),
        statements: Vec::new(),
        access: vec![rule],
        lexicons: Vec::new(),
    })
    .unwrap_or_else(|fault| panic!("{fault}"))
}

pub(crate) fn submission(from: &str, to: &str, text: &str, accepted: Timestamp) -> Submission {
    Submission {
        origin: Origin::Chat,
        sender: who(from),
        session: None,
        recipients: vec![Recipient {
            address: who(to),
            session: None,
            as_given: to.to_uppercase().into(),
        }],
        class: PrivacyClass::Private,
        content: Content {
            format: ContentFormat::Stanza,
            kind: ContentKind::Message,
            octets: format!("<message><body>{text}</body></message>").into_bytes().into(),
            text: text.into(),
            client_id: Some("c1".into()),
            refers_to: None,
        },
        handling: Handling { history: true, wait: true, copies: true, fallback: false },
        accepted,
    }
}

/// The honest way to an admitted message.
pub(crate) fn judged(book: &Book, submission: Submission, access: bool) -> Judged {
    let now = submission.accepted;
    let profile = |address: &Address| Fact::Known(Arc::new(book.profile(address, now)));
    let recipients = submission
        .recipients
        .iter()
        .map(|one| {
            let mut may = book.may(Action::Message, &submission.sender, &one.address, now);
            may.allowed &= access;
            RecipientFacts {
                local: Fact::Known(true),
                exists: Fact::Known(true),
                access: Fact::Known(may),
                profile: profile(&one.address),
                blocked: Fact::Known(false),
                blocking: Fact::Known(false),
            }
        })
        .collect();
    let facts = Facts {
        now,
        policy_version: book.version(),
        sender: profile(&submission.sender),
        recipients,
        confirmed: false,
        released: false,
    };
    judge(&facts, submission)
}

/// A house with its log.
pub(crate) struct House {
    pub(crate) folder: Folder,
    pub(crate) log: Option<Log>,
    pub(crate) sealer: Sealer,
    pub(crate) custodian: Custodian,
    pub(crate) book: Book,
    pub(crate) signing: Secret,
    pub(crate) verifying: VerifyingKey,
    pub(crate) now: Timestamp,
    heads: HashMap<Conversation, Link>,
    ids: MessageIds,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with_limits(SegmentLimits::default())
    }

    pub(crate) fn with_limits(limits: SegmentLimits) -> Self {
        let folder = Folder::new();
        let key = ArchivePrivateKey::generate().unwrap();
        let signing = SigningKey::generate().unwrap();
        let verifying = signing.verifying();
        let sealer = Sealer::new(vec![key.public()], limits).unwrap();
        let text = signing.to_text();
        let log = Log::open(folder.path(), signing, ORIGIN).unwrap();
        Self {
            folder,
            log: Some(log),
            sealer,
            custodian: Custodian::new(key),
            book: open_book(),
            signing: text,
            verifying,
            now: noon(),
            heads: HashMap::new(),
            ids: MessageIds::after(None),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn signing(&self) -> SigningKey {
        SigningKey::from_text(std::str::from_utf8(self.signing.expose()).unwrap()).unwrap()
    }

    pub(crate) fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    pub(crate) fn reopen(&mut self) {
        self.log = None;
        let log = Log::open(self.dir(), self.signing(), ORIGIN).unwrap();
        self.log = Some(log);
    }

    pub(crate) fn next_id(&mut self) -> MessageId {
        self.now = self.now.plus_secs(1);
        self.ids.next(self.now, 1)
    }

    pub(crate) fn seal(&mut self, submission: Submission) -> Sealed {
        let id = self.next_id();
        let admitted = judged(&self.book, submission, true).admitted.expect("admitted");
        let conversation = crate::conversation(admitted.submission());
        let link = self.heads.get(&conversation).copied().unwrap_or(Link::start());
        let sealed = self.sealer.seal(admitted, id, &link, self.now, salt()).unwrap();
        self.heads.insert(conversation, *sealed.next_link());
        sealed
    }

    pub(crate) fn append(&mut self, records: &[Record]) {
        let first = self.log().size();
        let numbered: Vec<(u64, Record)> = (first..).zip(records.iter().cloned()).collect();
        self.log().append(&numbered).unwrap();
    }

    pub(crate) fn say(&mut self, from: &str, to: &str, text: &str) {
        let submission = submission(from, to, text, self.now);
        let sealed = self.seal(submission);
        let records = sealed.records().to_vec();
        self.append(&records);
    }

    /// Many messages, in one append.
    pub(crate) fn chat(&mut self, count: usize) {
        let mut records = Vec::new();
        for number in 0..count {
            let (from, to) = if number % 2 == 0 { ("ann", "bob") } else { ("cid", "bob") };
            let submission = submission(from, to, &format!("{PLANTED} {number}"), self.now);
            records.extend_from_slice(self.seal(submission).records());
        }
        self.append(&records);
    }

    pub(crate) fn note(&mut self, note: &Note) {
        let id = self.next_id();
        let sealed = self.sealer.note(note, id, self.now, salt()).unwrap();
        let records = sealed.records().to_vec();
        self.append(&records);
    }

    pub(crate) fn verify(&self) -> Report {
        verify(self.dir(), &self.verifying, &Expected::default(), |_| {})
    }
}

/// All signed records of a log, read by hand.
pub(crate) fn read_all(dir: &Path) -> Vec<Record> {
    let size = claimed_checkpoint(dir).unwrap().size;
    let mut records = Vec::new();
    for bundle in 0..size.div_ceil(TILE_WIDTH) {
        let width = (size - bundle * TILE_WIDTH).min(TILE_WIDTH);
        let entries = fs::read(dir.join(entries_path(bundle, width))).unwrap();
        let bodies = fs::read(dir.join(bodies_path(bundle))).unwrap();
        let mut rest = bodies.as_slice();
        for entry in crate::log::Bundle::new(&entries) {
            let entry = entry.unwrap();
            let length = Entry::decode(entry).unwrap().length as usize;
            let (body, after) = rest.split_at(length);
            rest = after;
            let leaf = records.len() as u64;
            let salts = fs::read(dir.join(salts_path(leaf / SALTS_PER_FILE))).unwrap();
            let at = (leaf % SALTS_PER_FILE) as usize * 32;
            let salt = salts[at..at + 32].try_into().unwrap();
            records.push(Record { entry: entry.to_vec(), salt, body: body.to_vec() });
        }
    }
    records
}

/// Every file under a folder, with its path in it.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for name in fs::read_dir(dir.join(&folder)).unwrap() {
            let name = name.unwrap();
            let path = folder.join(name.file_name());
            if name.file_type().unwrap().is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}
