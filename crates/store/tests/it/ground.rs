//! What a case stands on: a database, people, and a way to sealed messages.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use archive::{ArchivePrivateKey, Link, Sealed, Sealer, SegmentLimits};
use model::{
    Address, Content, ContentKind, Conversation, Format, Handling, MessageId, Origin, PrivacyClass,
    Recipient, Secret, Submission,
};
use policy::{Access, Admitted, Book, Fact, Facts, PolicySet, RecipientFacts};
use store::{Backend, Batch, Committed, Entry, HeldRow, Limits, MailboxRow, Store, Vault, Writer};

use crate::clock::{Ids, START};

/// Where a store of a test lies.
pub(crate) struct Ground {
    pub(crate) backend: Backend,
    pub(crate) ids: Ids,
    pub(crate) sealing: Sealing,
    folder: Option<Folder>,
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

/// From a text to a sealed message.
pub(crate) struct Sealing {
    sealer: Mutex<Sealer>,
    book: Book,
    links: Mutex<std::collections::HashMap<Conversation, Link>>,
    random: AtomicU32,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("chancery-store-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn key(byte: u8) -> Secret {
    Secret::new(vec![byte; store::VAULT_KEY_BYTES])
}

pub(crate) fn vault() -> Vault {
    Vault::new(&key(7)).unwrap()
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn ana() -> Address {
    address("ana@bank.example")
}

pub(crate) fn ben() -> Address {
    address("ben@bank.example")
}

impl Ground {
    pub(crate) fn sqlite() -> Self {
        let folder = Folder::new();
        let backend = Backend::Sqlite { path: folder.path().join("store") };
        Self { backend, ids: Ids::new(), sealing: Sealing::new(), folder: Some(folder) }
    }

    pub(crate) fn postgres() -> Self {
        let backend = Backend::Postgres { url: crate::server::new_database() };
        Self { backend, ids: Ids::new(), sealing: Sealing::new(), folder: None }
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(self.backend.clone(), vault()).unwrap()
    }

    pub(crate) fn open_within(&self, limits: Limits) -> Store {
        Store::open_within(self.backend.clone(), vault(), limits).unwrap()
    }

    /// The folder of an SQLite store.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("store")
    }

    /// Runs a statement behind the store's back.
    pub(crate) fn tamper(&self, sql: &str) {
        match &self.backend {
            Backend::Sqlite { path } => {
                let file = path.join("store.sqlite");
                rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
            }
            Backend::Postgres { url } => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                client.batch_execute(sql).unwrap();
            }
        }
    }

    /// A number, read behind the store's back.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        match &self.backend {
            Backend::Sqlite { path } => {
                let file = path.join("store.sqlite");
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.query_row(sql, [], |row| row.get(0)).unwrap()
            }
            Backend::Postgres { url } => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                client.query_one(sql, &[]).unwrap().get(0)
            }
        }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.backend, Backend::Sqlite { .. })
    }

    /// A message from one to the other, in the history of both.
    pub(crate) fn entry(&self, from: &Address, to: &Address, text: &str) -> Entry {
        let sealed = self.sealing.seal(submission(from, to, text), self.ids.next());
        Entry { sealed, rows: both_rows(from, to), held: None }
    }

    /// A message that only waits for its recipient.
    pub(crate) fn passing(&self, from: &Address, to: &Address, text: &str) -> Entry {
        let rows = vec![row(to, from, true, false)];
        Entry { rows, ..self.entry(from, to, text) }
    }

    /// A message that waits for review.
    pub(crate) fn held(&self, from: &Address, to: &Address, text: &str, rule: &str) -> Entry {
        let held = HeldRow { rules: vec![rule.to_owned()] };
        Entry { rows: Vec::new(), held: Some(held), ..self.entry(from, to, text) }
    }
}

pub(crate) fn row(owner: &Address, peer: &Address, incoming: bool, history: bool) -> MailboxRow {
    MailboxRow { owner: owner.clone(), peer: peer.clone(), incoming, history }
}

pub(crate) fn both_rows(from: &Address, to: &Address) -> Vec<MailboxRow> {
    vec![row(from, to, false, true), row(to, from, true, true)]
}

pub(crate) fn entries(entries: Vec<Entry>) -> Batch {
    Batch { entries, ..Batch::default() }
}

pub(crate) fn changes(changes: Vec<store::Change>) -> Batch {
    Batch { changes, ..Batch::default() }
}

/// Appends messages and gives back their ids.
pub(crate) fn append(writer: &mut Writer, batch: Batch) -> Vec<MessageId> {
    let Committed { stored, .. } = writer.append(batch).unwrap();
    stored.iter().map(store::Stored::id).collect()
}

pub(crate) fn submission(from: &Address, to: &Address, text: &str) -> Submission {
    let octets = format!("<message to='{to}'><body>{text}</body></message>").into_bytes();
    Submission {
        origin: Origin::Chat,
        sender: from.clone(),
        session: Some(model::Resource::parse("phone").unwrap()),
        recipients: vec![Recipient {
            address: to.clone(),
            session: None,
            as_given: to.as_str().into(),
        }],
        class: PrivacyClass::Private,
        content: Content {
            format: Format::Stanza,
            kind: ContentKind::Message,
            octets: octets.into(),
            text: text.into(),
            client_id: Some("c1".into()),
            refers_to: None,
        },
        handling: Handling { history: true, wait: true, copies: true, fallback: true },
        accepted: START,
    }
}

impl Sealing {
    pub(crate) fn new() -> Self {
        let custodian = ArchivePrivateKey::generate().unwrap();
        Self::with(Sealer::new(vec![custodian.public()], SegmentLimits::default()).unwrap())
    }

    pub(crate) fn off() -> Self {
        Self::with(Sealer::off())
    }

    fn with(sealer: Sealer) -> Self {
        let set = PolicySet {
            version: 1,
            domain: "bank.example".to_owned(),
            groups: Vec::new(),
            members: Vec::new(),
            people: vec![ana(), ben()],
            statements: Vec::new(),
            access: Vec::new(),
            lexicons: Vec::new(),
        };
        Self {
            sealer: Mutex::new(sealer),
            book: Book::compile(set).unwrap(),
            links: Mutex::default(),
            random: AtomicU32::new(1),
        }
    }

    /// What the judge says to a message when everything is allowed.
    pub(crate) fn admit(&self, submission: Submission) -> Admitted {
        let profile = |address: &Address| {
            let mut profile = self.book.profile(address, START);
            profile.open = true;
            profile.valid_until = None;
            profile.message_bytes_max = u64::MAX;
            profile.archive = true;
            Fact::Known(Arc::new(profile))
        };
        let access = Access { allowed: true, rules: Vec::new(), text: None, valid_until: None };
        let recipients = submission.recipients.iter().map(|recipient| RecipientFacts {
            local: Fact::Known(true),
            exists: Fact::Known(true),
            access: Fact::Known(access.clone()),
            profile: profile(&recipient.address),
            blocked: Fact::Known(false),
            blocking: Fact::Known(false),
        });
        let facts = Facts {
            now: START,
            policy_version: 1,
            sender: profile(&submission.sender),
            recipients: recipients.collect(),
            confirmed: false,
            released: false,
        };
        let judged = policy::judge(&facts, submission);
        judged.admitted.unwrap_or_else(|| panic!("refused: {:?}", judged.refused))
    }

    pub(crate) fn seal(&self, submission: Submission, id: MessageId) -> Sealed {
        let conversation = archive::conversation(&submission);
        let admitted = self.admit(submission);
        let mut links = self.links.lock().unwrap();
        let link = links.entry(conversation).or_insert_with(Link::start);
        let random = self.random.fetch_add(1, Ordering::Relaxed);
        let mut salt = [9; 32];
        salt[..4].copy_from_slice(&random.to_be_bytes());
        let sealed = self.sealer.lock().unwrap().seal(admitted, id, link, START, salt).unwrap();
        *link = *sealed.next_link();
        sealed
    }

    /// Goes on after a batch that did not get in.
    pub(crate) fn go_back(&self, conversation: &Conversation, link: Link) {
        self.links.lock().unwrap().insert(conversation.clone(), link);
    }

    pub(crate) fn note(&self, id: MessageId) -> archive::SealedNote {
        let note = archive::Note::Policy {
            version: 2,
            author: "ana".to_owned(),
            summary: "hours".to_owned(),
        };
        let random = self.random.fetch_add(1, Ordering::Relaxed);
        let mut salt = [8; 32];
        salt[..4].copy_from_slice(&random.to_be_bytes());
        self.sealer.lock().unwrap().note(&note, id, START, salt).unwrap()
    }
}
