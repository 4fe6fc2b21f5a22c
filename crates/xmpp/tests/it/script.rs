//! How a conversation is written, and how it is played.
//!
//! A file holds conversations, each begun by `== title`. One line is one thing:
//!
//! ```text
//! # comment
//! transport plain | tls | tls-exporter   how the client comes (tls by default)
//! client WISH                            how `{first}` signs in, see `client::Wish`
//! config KEY=NUMBER                      another setting than the usual one
//! include NAME                           the lines of include/NAME.txt
//! whole                                  not played byte by byte, for a reason given beside
//! C: BYTES                               the client sends; lines in a row come in one piece
//! S: BYTES                               the server sends; `*` is anything, `{challenge}` and
//!                                        `{success}` are kept for the client
//! ask: TEXT                              the session asks, in the words of `describe`
//! octets: BYTES                          the canonical stanza of the ask before
//! answer: WORDS                          the house answers
//! tls                                    the session wants the handshake, and it succeeds
//! starttls                               the session wants the handshake
//! wait 30s                               time passes, and the session's deadlines with it
//! close                                  the connection is closed
//! end CONDITION                          the driver ends the stream
//! ```
//!
//! In `C:` lines `{first}` and `{proof}` are the client's SCRAM messages and `{N*text}` is text N
//! times. After each input, all that the session does must stand in the script.

use std::{collections::VecDeque, fs, mem, path::Path, sync::Arc};

use auth::{ChannelBindings, DECOY_SECRET_BYTES, Decoy, NONCE_BYTES};
use model::{Address, Timestamp};
use xmpp::{
    fault::{StanzaCondition, StreamCondition},
    jid::Jid,
    session::{
        Answer, Ask, Capabilities, IqRequest, LoginAnswer, MessageAsk, PresenceAsk, Session,
        SessionConfig, Step, Transport,
    },
};

use crate::client::{Client, Wish, bindings, verifiers};

/// In which pieces the client's bytes come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    Lines,
    Bytes,
}

/// One conversation.
pub(crate) struct Script {
    pub(crate) title: String,
    lines: Vec<String>,
}

/// Something that the session does.
#[derive(Debug)]
enum Event {
    Send(String),
    Ask { text: String, octets: Option<String> },
    StartTls,
    Close,
}

struct Player {
    session: Session,
    now: Timestamp,
    pace: Pace,
    wish: Wish,
    client: Client,
    challenge: String,
    streams: u32,
    events: VecDeque<Event>,
    octets: Option<String>,
}

impl Script {
    pub(crate) fn read_file(folder: &Path, path: &Path) -> Vec<Self> {
        let mut scripts = Vec::new();
        for line in fs::read_to_string(path).unwrap().lines() {
            if let Some(title) = line.strip_prefix("== ") {
                scripts.push(Self { title: title.to_owned(), lines: Vec::new() });
            } else if let Some(name) = line.strip_prefix("include ") {
                let included = folder.join("include").join(format!("{name}.txt"));
                let included = fs::read_to_string(included).unwrap();
                let into = &mut scripts.last_mut().unwrap().lines;
                into.extend(included.lines().map(str::to_owned));
            } else if let Some(script) = scripts.last_mut() {
                script.lines.push(line.to_owned());
            }
        }
        for script in &mut scripts {
            script.lines.retain(|line| !line.trim().is_empty() && !line.starts_with('#'));
        }
        scripts
    }

    /// The lines that other conversations begin with.
    pub(crate) fn of_include(folder: &Path, name: &str) -> Self {
        let lines = fs::read_to_string(folder.join("include").join(format!("{name}.txt"))).unwrap();
        Self { title: name.to_owned(), lines: lines.lines().map(str::to_owned).collect() }
    }

    pub(crate) fn play(&self, pace: Pace) -> Result<(), String> {
        if pace == Pace::Bytes && self.lines.iter().any(|line| line == "whole") {
            return Ok(());
        }
        self.run(pace)?.quiet("the end of the script")
    }

    /// Plays the script, then lets the pieces come, and tells what the session does with them.
    pub(crate) fn play_then<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
        let mut player = self.run(Pace::Lines).unwrap();
        for piece in pieces {
            player.session.receive(piece, player.now);
            player.drain();
        }
        player.events.iter().map(|event| format!("{event:?}")).collect()
    }

    fn run(&self, pace: Pace) -> Result<Player, String> {
        let mut player = Player::new(self, pace);
        let mut lines = self.lines.iter().map(String::as_str).peekable();
        while let Some(line) = lines.next() {
            if let Some(bytes) = line.strip_prefix("C: ") {
                let mut all = player.expand(bytes);
                while let Some(more) = lines.peek().and_then(|line| line.strip_prefix("C: ")) {
                    all.push_str(&player.expand(more));
                    lines.next();
                }
                player.quiet(line)?;
                player.send(&all);
            } else if let Some(pattern) = line.strip_prefix("S: ") {
                let mut all = pattern.to_owned();
                while let Some(more) = lines.peek().and_then(|line| line.strip_prefix("S: ")) {
                    all.push_str(more);
                    lines.next();
                }
                player.expect_sent(&all)?;
            } else {
                player.line(line)?;
            }
        }
        Ok(player)
    }

    fn setting<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{key} ");
        self.lines.iter().filter_map(move |line| line.strip_prefix(prefix.as_str()))
    }
}

impl Player {
    fn new(script: &Script, pace: Pace) -> Self {
        let mut config = SessionConfig {
            domain: Address::parse("im.example.com").unwrap(),
            other_domains: vec![Address::parse("rooms.example.com").unwrap()],
            stanza_bytes_max: 262_144,
            negotiation_timeout_secs: 60,
            idle_timeout_secs: 300,
            ping_timeout_secs: 30,
            pre_approval: false,
            capabilities: None,
            decoy: Decoy::with_iterations([9; DECOY_SECRET_BYTES], auth::ITERATIONS_MIN),
        };
        for setting in script.setting("config") {
            match setting.split_once('=').unwrap() {
                ("stanza-bytes", number) => config.stanza_bytes_max = number.parse().unwrap(),
                ("pre-approval", yes) => config.pre_approval = yes == "yes",
                ("capabilities", both) => {
                    let (node, verification) = both.split_once(' ').unwrap();
                    config.capabilities =
                        Some(Capabilities { node: node.into(), verification: verification.into() });
                }
                (other, _) => panic!("no setting is called {other}"),
            }
        }
        let transport = match script.setting("transport").next() {
            Some("plain") => Transport::Plain,
            Some("tls-exporter") => Transport::Tls(bindings()),
            Some("tls") | None => Transport::Tls(ChannelBindings::none()),
            Some(other) => panic!("no transport is called {other}"),
        };
        let now = Timestamp::from_secs(1_000_000);
        let session = Session::new(Arc::new(config), transport, "stream-1".to_owned(), now);
        Self {
            session,
            now,
            pace,
            wish: Wish::parse(""),
            client: Client::default(),
            challenge: String::new(),
            streams: 1,
            events: VecDeque::new(),
            octets: None,
        }
    }

    fn expand(&mut self, line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let (name, after) = after.split_once('}').unwrap();
            match name {
                "first" => out.push_str(&self.client.first(&self.wish)),
                "proof" => out.push_str(&self.client.proof(&self.challenge)),
                "n" => out.push('\n'),
                repeat => {
                    let (count, text) = repeat.split_once('*').unwrap();
                    out.push_str(&text.repeat(count.parse().unwrap()));
                }
            }
            rest = after;
        }
        out + rest
    }

    fn send(&mut self, text: &str) {
        match self.pace {
            Pace::Lines => {
                self.session.receive(text.as_bytes(), self.now);
                self.drain();
            }
            Pace::Bytes => {
                for byte in text.as_bytes() {
                    self.session.receive(&[*byte], self.now);
                    self.drain();
                }
            }
        }
    }

    fn drain(&mut self) {
        while let Some(step) = self.session.next_step() {
            let event = match step {
                Step::Send(bytes) => {
                    let text = String::from_utf8(bytes).unwrap();
                    if let Some(Event::Send(before)) = self.events.back_mut() {
                        before.push_str(&text);
                        continue;
                    }
                    Event::Send(text)
                }
                Step::StartTls => Event::StartTls,
                Step::Ask(ask) => {
                    let (text, octets) = describe(&ask);
                    Event::Ask { text, octets }
                }
                Step::Close => Event::Close,
            };
            self.events.push_back(event);
        }
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "transport" | "config" | "whole" => {}
            "client" => self.wish = Wish::parse(rest),
            "ask:" => match self.events.pop_front() {
                Some(Event::Ask { text, octets }) => {
                    matches(rest, &text).map_err(|()| differ(rest, &text))?;
                    self.octets = octets;
                }
                other => return Err(differ(line, &format!("{other:?}"))),
            },
            "octets:" => {
                let octets = self.octets.take().unwrap_or_default();
                matches(rest, &octets).map_err(|()| differ(rest, &octets))?;
            }
            "close" => match self.events.pop_front() {
                Some(Event::Close) => {}
                other => return Err(differ(line, &format!("{other:?}"))),
            },
            "tls" => {
                match self.events.pop_front() {
                    Some(Event::StartTls) => {}
                    other => return Err(differ(line, &format!("{other:?}"))),
                }
                self.quiet(line)?;
                let id = self.next_stream();
                self.session.tls_ready(bindings(), id, self.now);
                self.drain();
            }
            "starttls" => match self.events.pop_front() {
                Some(Event::StartTls) => {}
                other => return Err(differ(line, &format!("{other:?}"))),
            },
            "answer:" => {
                self.quiet(line)?;
                let answer = self.answer(rest);
                self.session.answer(answer, self.now);
                self.drain();
            }
            "wait" => {
                self.quiet(line)?;
                let secs = rest.strip_suffix('s').and_then(|secs| secs.parse().ok());
                self.wait(self.now.plus_secs(secs.ok_or("no number of seconds")?));
            }
            "end" => {
                self.quiet(line)?;
                assert_eq!(rest, "system-shutdown");
                self.session.end(&StreamCondition::SystemShutdown.into(), self.now);
                self.drain();
            }
            other => return Err(format!("no line begins with {other}")),
        }
        Ok(())
    }

    /// Lets time pass from deadline to deadline.
    fn wait(&mut self, until: Timestamp) {
        while let Some(deadline) = self.session.deadline().filter(|deadline| *deadline <= until) {
            assert!(deadline >= self.now, "the deadline is over");
            self.now = deadline;
            self.session.tick(self.now);
            self.drain();
            assert!(self.session.deadline() != Some(deadline), "the deadline stays");
        }
        self.now = until;
    }

    fn answer(&mut self, words: &str) -> Answer {
        let juliet = Address::parse("juliet@im.example.com").unwrap();
        let account = Some((verifiers(), juliet));
        let stream_id = self.next_stream();
        let login = LoginAnswer {
            account,
            allowed: true,
            throttled: false,
            nonce: [4; NONCE_BYTES],
            stream_id,
        };
        match words.split_once(' ').unwrap_or((words, "")) {
            ("login", "known") => Answer::Login(login),
            ("login", "unknown") => Answer::Login(LoginAnswer { account: None, ..login }),
            ("login", "forbidden") => Answer::Login(LoginAnswer { allowed: false, ..login }),
            ("login", "throttled") => Answer::Login(LoginAnswer { throttled: true, ..login }),
            ("bound", jid) => Answer::Bound { jid: Jid::parse(jid).unwrap() },
            ("refused", "conflict") => Answer::BindRefused(StanzaCondition::Conflict.error()),
            ("refused", "resource-constraint") => {
                Answer::BindRefused(StanzaCondition::ResourceConstraint.error())
            }
            _ => panic!("no answer is called {words}"),
        }
    }

    fn next_stream(&mut self) -> String {
        self.streams += 1;
        format!("stream-{}", self.streams)
    }

    fn expect_sent(&mut self, pattern: &str) -> Result<(), String> {
        let Some(Event::Send(sent)) = self.events.pop_front() else {
            return Err(differ(pattern, "nothing sent"));
        };
        let plain = pattern.replace("{challenge}", "*").replace("{success}", "*");
        matches(&plain, &sent).map_err(|()| differ(pattern, &sent))?;
        for name in ["{challenge}", "{success}"] {
            if let Some((before, after)) = pattern.split_once(name) {
                let start = before.len();
                let end = sent.len() - after.len();
                let value = sent[start..end].to_owned();
                match name {
                    "{success}" => self.client.check(&value),
                    _ => self.challenge = value,
                }
            }
        }
        Ok(())
    }

    /// Nothing was done that the script does not know.
    fn quiet(&mut self, before: &str) -> Result<(), String> {
        match mem::take(&mut self.events) {
            events if events.is_empty() => Ok(()),
            events => Err(format!("before {before:?} the session also does {events:?}")),
        }
    }
}

fn differ(expect: &str, got: &str) -> String {
    format!("expected {expect}\n         but got {got}")
}

/// Whether the text is the pattern, in which `*` is anything.
fn matches(pattern: &str, text: &str) -> Result<(), ()> {
    let mut parts = pattern.split('*');
    let mut rest = text.strip_prefix(parts.next().unwrap_or_default()).ok_or(())?;
    let mut last = None;
    for part in parts {
        last = Some(part);
        rest = &rest[rest.find(part).ok_or(())? + part.len()..];
    }
    let whole = rest.is_empty() || last.is_some_and(|last| last.is_empty() || text.ends_with(last));
    if whole { Ok(()) } else { Err(()) }
}

/// An ask in words.
fn describe(ask: &Ask) -> (String, Option<String>) {
    match ask {
        Ask::Login { login, domain } => (format!("login {login} at {domain}"), None),
        Ask::Authenticated { login, address } => {
            (format!("authenticated {login} as {address}"), None)
        }
        Ask::AuthFailed { login } => (format!("auth-failed {login}"), None),
        Ask::Bind { address, resource: Some(resource) } => {
            (format!("bind {address} as {resource}"), None)
        }
        Ask::Bind { address, resource: None } => (format!("bind {address}"), None),
        Ask::Message(message) => (describe_message(message), Some(text(&message.octets))),
        Ask::Presence(presence) => (describe_presence(presence), Some(text(&presence.octets))),
        Ask::Iq(iq) => {
            let (request, octets) =
                if let IqRequest::Opaque { wants_answer, namespace, octets } = &iq.request {
                    let kind = if *wants_answer { "opaque request" } else { "opaque answer" };
                    (format!("{kind} of {namespace}"), Some(text(octets)))
                } else {
                    (format!("{:?}", iq.request), None)
                };
            (format!("iq {} to {:?} {request}", iq.id, iq.target), octets)
        }
        Ask::Ended => ("ended".to_owned(), None),
    }
}

fn describe_message(message: &MessageAsk) -> String {
    let mut out = format!("message to {:?} {}", message.to, message.kind.name());
    out += &format!(" {} {:?}", message.content.name(), message.text);
    let named = [("id", &message.id), ("refers-to", &message.refers_to)];
    for (name, value) in named {
        if let Some(value) = value {
            out += &format!(" {name}={value}");
        }
    }
    let flags = [
        ("only-chat-state", message.only_chat_state),
        ("no-store", message.hints.no_store),
        ("no-permanent-store", message.hints.no_permanent_store),
        ("no-copy", message.hints.no_copy),
        ("store", message.hints.store),
        ("private-copy", message.private_copy),
    ];
    for (name, set) in flags {
        if set {
            out += &format!(" {name}");
        }
    }
    if let Some(class) = message.class {
        out += &format!(" class={}", class.name());
    }
    out
}

fn describe_presence(presence: &PresenceAsk) -> String {
    let kind = presence.kind.name().unwrap_or("available");
    let mut out = format!("presence to {:?} {kind} priority {}", presence.to, presence.priority);
    if let Some(show) = presence.show {
        out += &format!(" {}", show.name());
    }
    if let Some(status) = &presence.status {
        out += &format!(" {status:?}");
    }
    out
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}
