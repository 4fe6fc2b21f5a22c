//! What a play stands on: a house in a folder, its people, and clients that behave as the driver of
//! a connection does. Knows the hub's public functions only.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use archive::{
    ArchivePrivateKey, Custodian, Expected, Log, MessageRecord, NoteRecord, Opened, Plain, Sealer,
    SegmentLimits, SigningKey, verify,
};
use auth::{ITERATIONS_MIN, Login, Verifiers};
use directory::{Author, Change, Directory};
use hub::{EndReason, Hub, Interest, Letter, Notice, Parts, Presence, Receipt, Running, Session};
use model::{
    Address, Content, ContentKind, Format, Handling, MessageId, Origin, PrivacyClass, Recipient,
    Resource, Secret, Submission, Timestamp,
};
use policy::{Audience, GroupId, LexiconAction, LexiconRule, Node, Setting, Statement, Value};
use store::{Backend, Limits, Store, Vault};

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The people of every house.
pub(crate) const PEOPLE: [&str; 4] = ["ann", "ben", "cat", "dan"];

/// A house in a folder, open or closed.
pub(crate) struct House {
    folder: PathBuf,
    limits: Limits,
    random: fn(&mut [u8]),
    archive: Option<(ArchivePrivateKey, Secret)>,
    open: Option<(Arc<Hub>, Running)>,
    delivered: Delivered,
}

/// Who has written which message to a peer.
type Delivered = Arc<Mutex<BTreeMap<(Address, Resource), Vec<MessageId>>>>;

/// What the log holds, opened.
pub(crate) struct Records {
    pub(crate) messages: Vec<MessageRecord>,
    pub(crate) notes: Vec<NoteRecord>,
}

/// A session with what a connection's driver does for it.
pub(crate) struct Client {
    pub(crate) session: Arc<Session>,
    hub: Arc<Hub>,
    delivered: Delivered,
    /// Notices that were taken and that no question has used up.
    pub(crate) seen: Vec<Notice>,
    /// Why the session ended, once it has.
    pub(crate) ended: Option<EndReason>,
}

impl House {
    /// A new house with its people, open.
    pub(crate) fn new() -> Self {
        Self::with(Limits::default(), true, random)
    }

    /// A new house whose domain has no archive.
    pub(crate) fn without_archive() -> Self {
        Self::with(Limits::default(), false, random)
    }

    pub(crate) fn with(limits: Limits, archive: bool, random: fn(&mut [u8])) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("chancery-hub-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let keys = || {
            let signing = SigningKey::generate().unwrap();
            (ArchivePrivateKey::generate().unwrap(), signing.to_text())
        };
        let archive = archive.then(keys);
        let mut house =
            Self { folder, limits, random, archive, open: None, delivered: Delivered::default() };
        house.people();
        house.open();
        house
    }

    fn people(&self) {
        let directory =
            Directory::create(self.path("directory"), "bank.example", &root(), now()).unwrap();
        let verifiers = word();
        let add = |name: &&str| Change::AccountAdd {
            address: address(name),
            login: Login::parse(name).unwrap(),
            name: String::new(),
            verifiers: verifiers.clone(),
        };
        let changes: Vec<Change> = PEOPLE.iter().map(add).collect();
        directory.apply(&changes, &root(), "", now()).unwrap();
    }

    /// Opens the house, as a start of the server does.
    pub(crate) fn open(&mut self) {
        assert!(self.open.is_none(), "the house is open");
        let vault = Vault::new(&Secret::new(vec![7; store::VAULT_KEY_BYTES])).unwrap();
        let backend = Backend::Sqlite { path: self.path("store") };
        let (sealer, log) = match &self.archive {
            None => (Sealer::off(), None),
            Some((key, signing)) => {
                let sealer = Sealer::new(vec![key.public()], SegmentLimits::default()).unwrap();
                let text = std::str::from_utf8(signing.expose()).unwrap();
                let signing = SigningKey::from_text(text).unwrap();
                (sealer, Some(Log::open(&self.path("log"), signing, "bank.example").unwrap()))
            }
        };
        let parts = Parts {
            directory: Directory::open(self.path("directory")).unwrap(),
            store: Store::open_within(backend, vault, self.limits).unwrap(),
            sealer,
            log,
            decoy: [3; auth::DECOY_SECRET_BYTES],
            random: self.random,
        };
        self.open = Some(Hub::start(parts).unwrap());
    }

    /// Ends the house as a signal to the server does.
    pub(crate) async fn close(&mut self) {
        let (hub, running) = self.open.take().unwrap();
        drop(hub);
        let stopped = tokio::task::spawn_blocking(move || running.stop());
        tokio::time::timeout(PATIENCE, stopped).await.expect("the house ends").unwrap();
    }

    /// The disk has room from the next start on.
    pub(crate) fn give_room(&mut self) {
        self.limits = Limits::default();
    }

    /// The store of a closed house.
    pub(crate) fn store(&self) -> Store {
        assert!(self.open.is_none(), "the house is open");
        let vault = Vault::new(&Secret::new(vec![7; store::VAULT_KEY_BYTES])).unwrap();
        Store::open(Backend::Sqlite { path: self.path("store") }, vault).unwrap()
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.open.as_ref().unwrap().0
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Changes the directory as the command line does, from beside the house, and puts it in force.
    pub(crate) async fn change(&self, changes: &[Change]) {
        self.change_silently(changes);
        self.hub().reload().await.unwrap();
    }

    /// Changes the directory and tells nobody.
    pub(crate) fn change_silently(&self, changes: &[Change]) {
        let directory = Directory::open(self.path("directory")).unwrap();
        directory.apply(changes, &root(), "a test", now()).unwrap();
    }

    /// Sets one setting for the whole domain.
    pub(crate) async fn set(&self, setting: Setting, value: Value) {
        self.change(&[statement(Node::Domain, setting, value)]).await;
    }

    /// A rule that finds one word in what anybody writes.
    pub(crate) async fn word(&self, word: &str, action: LexiconAction) {
        let rule = LexiconRule {
            name: word.to_owned(),
            words: vec![word.to_owned()],
            patterns: Vec::new(),
            action,
            audience: Audience::Everyone,
            text: format!("Mind the word {word}."),
        };
        let value = Value::set(&[word]);
        let setting = Setting::MESSAGE_LEXICONS;
        self.change(&[Change::LexiconSet(rule), statement(Node::Domain, setting, value)]).await;
    }

    /// The directory's version that a proof of somebody would be checked with now.
    pub(crate) fn version(&self, name: &str) -> u64 {
        self.hub().caller(name, std::net::Ipv4Addr::LOCALHOST.into()).version
    }

    /// Signs somebody in; nobody sees it yet.
    pub(crate) async fn bind(&self, name: &str, resource: &str) -> Client {
        let resource = Resource::parse(resource).unwrap();
        let session = self.hub().bind(&address(name), resource, self.version(name)).await.unwrap();
        Client {
            session,
            hub: Arc::clone(self.hub()),
            delivered: Arc::clone(&self.delivered),
            seen: Vec::new(),
            ended: None,
        }
    }

    /// Signs somebody in who shows themselves with this priority.
    pub(crate) async fn sign_in(&self, name: &str, resource: &str, priority: i8) -> Client {
        let client = self.bind(name, resource).await;
        client.show(priority);
        client
    }

    /// Two who see each other's presence, as if they had always known each other.
    pub(crate) async fn befriend(&self, one: &str, other: &str) {
        let (a, b) = (self.bind(one, "setup").await, self.bind(other, "setup").await);
        for (from, to) in [(&a, &b), (&b, &a)] {
            from.say(hub::PresenceKind::Subscribe, &to.session.address).await;
            to.say(hub::PresenceKind::Subscribed, &from.session.address).await;
        }
        a.leave();
        b.leave();
    }

    /// Closes the house if it is open and opens its log: it is intact, holds every message that was
    /// delivered, and no session was given one twice.
    pub(crate) async fn check(&mut self) -> Records {
        let records = self.check_but_doubles().await;
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        for ((owner, resource), written) in &*delivered {
            let once: BTreeSet<_> = written.iter().collect();
            assert_eq!(once.len(), written.len(), "{owner}/{resource} was told something twice");
        }
        records
    }

    /// As [`Self::check`], where a session may have been told something twice: what was not marked
    /// before a crash or on a full disk.
    pub(crate) async fn check_but_doubles(&mut self) -> Records {
        if self.open.is_some() {
            self.close().await;
        }
        let records = self.records();
        let ids: BTreeSet<MessageId> =
            records.messages.iter().filter_map(|message| message.id).collect();
        assert_eq!(ids.len(), records.messages.len(), "each message has one record");
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        for ((owner, resource), written) in &*delivered {
            for id in written {
                assert!(ids.contains(id), "{owner}/{resource} was told something unrecorded");
            }
        }
        records
    }

    fn records(&self) -> Records {
        let (key, signing) = self.archive.as_ref().unwrap();
        let text = std::str::from_utf8(signing.expose()).unwrap();
        let verifying = SigningKey::from_text(text).unwrap().verifying();
        let log = self.path("log");
        let report = verify(&log, &verifying, &Expected::default(), |_| {});
        assert!(report.is_intact(), "{report:?}");
        let passphrase = Secret::new(b"correct horse battery staple".to_vec());
        let key = key.to_file(&passphrase).unwrap();
        let key = ArchivePrivateKey::from_file(&key, &passphrase).unwrap();
        let mut records = Records { messages: Vec::new(), notes: Vec::new() };
        let each = |found: archive::Found| {
            match found.content {
                Opened::Plain(Plain::Message(message)) => records.messages.push(*message),
                Opened::Plain(Plain::Note(note)) => records.notes.push(*note),
                Opened::Opening(_) => {}
                Opened::Destroyed | Opened::Unreadable(_) => panic!("{} is unreadable", found.leaf),
            }
            Ok(())
        };
        Custodian::new(key).scan(&log, |_| {}, each).unwrap();
        assert_eq!(records.messages.len() as u64, report.messages);
        assert_eq!(records.notes.len() as u64, report.notes);
        // ARC-30: what was accepted and what is archived are the same.
        let counts = self.store().reader().counts().unwrap();
        assert_eq!(counts.messages, report.messages);
        assert_eq!(counts.notes, report.notes);
        assert_eq!(counts.records, report.openings + report.messages + report.notes);
        records
    }

    /// How many times a message of this text was delivered to somebody, over all their sessions.
    pub(crate) fn deliveries(&self) -> usize {
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        delivered.values().map(Vec::len).sum()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some((_, running)) = self.open.take() {
            running.stop();
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

impl Records {
    /// The texts of the messages in the order of their records.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.messages.iter().map(|message| message.text.as_str()).collect()
    }

    /// How many notes there are of a kind.
    pub(crate) fn count(&self, wanted: impl Fn(&NoteRecord) -> bool) -> usize {
        self.notes.iter().filter(|note| wanted(note)).count()
    }
}

impl Client {
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(crate) fn show(&self, priority: i8) {
        self.hub.show(&self.session, priority, Arc::from(b"here".as_slice()));
    }

    pub(crate) fn hide(&self) {
        self.hub.hide(&self.session, &Arc::from(b"gone".as_slice()));
    }

    pub(crate) async fn say(&self, word: hub::PresenceKind, to: &Address) {
        let octets = Arc::from(b"a word".as_slice());
        self.hub.subscription(&self.session, word, to, &octets).await.unwrap();
    }

    /// Hears copies of what the other sessions send and get.
    pub(crate) fn with_copies(self) -> Self {
        self.session.set_interest(Interest::Copies, true);
        self
    }

    /// Submits a chat message and waits until it is durable or refused.
    pub(crate) async fn send(&self, to: &str, text: &str) -> Receipt {
        let receipt = self.post(to, text).await;
        self.settled().await;
        receipt
    }

    /// Submits a chat message and does not wait for the disk.
    pub(crate) async fn post(&self, to: &str, text: &str) -> Receipt {
        self.hub.submit(chat(&self.session, to, text), Some(&self.session)).await
    }

    pub(crate) async fn settled(&self) {
        tokio::time::timeout(PATIENCE, self.session.settled()).await.expect("it settles");
    }

    /// Does what the driver of a connection does until there is nothing to do: fetches what waits,
    /// takes the notices and writes them.
    pub(crate) async fn work(&mut self) {
        loop {
            self.take();
            if !self.session.is_pulling() || self.ended.is_some() {
                return;
            }
            self.hub.pull(&self.session).await;
        }
    }

    fn take(&mut self) {
        let mut notices = Vec::new();
        self.ended = self.session.take(&mut notices);
        let ids: Vec<MessageId> = notices.iter().filter_map(Notice::message_id).collect();
        let whose = (self.session.address.clone(), self.session.resource.clone());
        let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        delivered.entry(whose).or_default().extend(&ids);
        drop(delivered);
        self.hub.written(&self.session, &ids);
        self.seen.extend(notices);
    }

    /// Waits for the first notice for which `pick` has an answer, and uses it up.
    pub(crate) async fn next<T>(&mut self, pick: impl Fn(&Notice) -> Option<T>) -> T {
        let waiting = async {
            loop {
                self.work().await;
                let found = self.seen.iter().position(|notice| pick(notice).is_some());
                if let Some(index) = found {
                    return pick(&self.seen.remove(index)).unwrap();
                }
                assert!(self.ended.is_none(), "the session ended: {:?}", self.ended);
                let ready =
                    |context: &mut std::task::Context<'_>| self.session.poll_ready(context.waker());
                std::future::poll_fn(ready).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("what must come comes")
    }

    /// Waits for the next message and says what it says.
    pub(crate) async fn message(&mut self) -> String {
        self.next(|notice| message(notice).map(text)).await
    }

    /// All messages that are there now.
    pub(crate) async fn messages(&mut self) -> Vec<String> {
        self.all(|notice| message(notice).map(text)).await
    }

    /// How many of the messages of this session came back because they could not be kept.
    pub(crate) async fn not_kept(&mut self) -> usize {
        self.all(|notice| matches!(notice, Notice::NotKept(_)).then_some(())).await.len()
    }

    pub(crate) async fn copies(&mut self) -> Vec<(String, bool)> {
        self.all(copy).await
    }

    pub(crate) async fn presences(&mut self) -> Vec<Arc<Presence>> {
        self.all(presence).await
    }

    /// All notices that are there now and for which `pick` has an answer.
    pub(crate) async fn all<T>(&mut self, pick: impl Fn(&Notice) -> Option<T>) -> Vec<T> {
        self.work().await;
        let (picked, rest) = self.seen.drain(..).partition(|notice| pick(notice).is_some());
        self.seen = rest;
        let picked: Vec<Notice> = picked;
        picked.iter().filter_map(pick).collect()
    }

    /// Waits until the session is ended, and leaves as a driver does.
    pub(crate) async fn end(mut self) -> EndReason {
        let waiting = async {
            loop {
                self.work().await;
                if let Some(reason) = self.ended {
                    return reason;
                }
                std::future::poll_fn(|context| self.session.poll_ready(context.waker())).await;
            }
        };
        let reason = tokio::time::timeout(PATIENCE, waiting).await.expect("the session ends");
        self.leave();
        reason
    }

    /// The connection is gone; what was not taken goes back.
    pub(crate) fn leave(self) {
        self.hub.unbind(&self.session, &[], now());
    }
}

/// A chat message with all that an ordinary client's has.
pub(crate) fn chat(from: &Session, to: &str, text: &str) -> Submission {
    let (name, session) = match to.split_once('/') {
        Some((name, session)) => (name, Resource::parse(session).ok()),
        None => (to, None),
    };
    let to = address(name);
    let as_given = to.as_str().into();
    Submission {
        origin: Origin::Chat,
        sender: from.address.clone(),
        session: Some(from.resource.clone()),
        recipients: vec![Recipient { address: to, session, as_given }],
        class: PrivacyClass::Private,
        content: Content {
            format: Format::Stanza,
            kind: ContentKind::Message,
            octets: Arc::from(text.as_bytes()),
            text: text.into(),
            client_id: None,
            refers_to: None,
        },
        handling: Handling { history: true, wait: true, copies: true, fallback: true },
        accepted: now(),
    }
}

pub(crate) fn message(notice: &Notice) -> Option<&Letter> {
    if let Notice::Message { letter, .. } = notice { Some(letter) } else { None }
}

pub(crate) fn text(letter: &Letter) -> String {
    String::from_utf8(letter.octets.to_vec()).unwrap()
}

fn copy(notice: &Notice) -> Option<(String, bool)> {
    if let Notice::Copy { letter, sent, .. } = notice { Some((text(letter), *sent)) } else { None }
}

pub(crate) fn presence(notice: &Notice) -> Option<Arc<Presence>> {
    if let Notice::Presence(presence) = notice { Some(Arc::clone(presence)) } else { None }
}

/// An address of the house by its local part.
pub(crate) fn address(name: &str) -> Address {
    let text = if name.contains('@') { name.to_owned() } else { format!("{name}@bank.example") };
    Address::parse(&text).unwrap()
}

pub(crate) fn group(id: &str) -> GroupId {
    GroupId::parse(id).unwrap()
}

pub(crate) fn statement(node: Node, setting: Setting, value: Value) -> Change {
    Change::StatementSet(Statement { value: Some(value), ..Statement::new(node, setting) })
}

pub(crate) fn now() -> Timestamp {
    hub::clock::now()
}

/// What a password is checked with.
pub(crate) fn word() -> Verifiers {
    let password = Secret::new(b"a password of a test".to_vec());
    Verifiers::derive(&password, [[1; 16], [2; 16]], ITERATIONS_MIN).unwrap()
}

fn root() -> Author {
    Author::Administrator("root".into())
}

pub(crate) fn random(buffer: &mut [u8]) {
    let mut source = std::fs::File::open(Path::new("/dev/urandom")).unwrap();
    source.read_exact(buffer).unwrap();
}
