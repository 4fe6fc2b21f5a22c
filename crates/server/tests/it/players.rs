//! Clients that no one here wrote, driven by lines of JSON or, where a client only has a screen, by
//! typing. What is missing is said with the way to install it; nothing is skipped.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::house::{Folder, House, finish, pause};

/// Seconds after which something that should have happened is missed.
const PATIENCE_SECS: u64 = 40;

/// What to do when a client is not there.
const INSTALL: &str = "install it with `cargo xtask test`, which tells what it installs";

/// How a player comes in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Entry {
    pub(crate) direct: bool,
    pub(crate) mechanism: Option<&'static str>,
}

/// A client that speaks lines of JSON.
pub(crate) struct Player {
    child: Child,
    input: ChildStdin,
    events: Receiver<Value>,
    /// What happened and nobody has asked for yet.
    seen: Vec<Value>,
    name: String,
}

/// The folder in which the foreign clients were installed.
fn installed(what: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let beside = here.ancestors().nth(3).unwrap().join("test-clients");
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-clients");
    for folder in [beside, checkout] {
        if folder.join(what).exists() {
            return folder.join(what);
        }
    }
    panic!("there is no test-clients/{what} in the target folder; {INSTALL}");
}

/// The Python that slixmpp was installed for.
pub(crate) fn python() -> PathBuf {
    installed("venv/bin/python")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

impl Player {
    /// slixmpp, a Python library.
    pub(crate) fn python(house: &House, name: &str, resource: &str, entry: Entry) -> Self {
        let mut command = Command::new(python());
        command.arg(script("slixmpp_client.py"));
        Self::start(command, house, name, resource, entry)
    }

    /// @xmpp/client, a JavaScript library.
    pub(crate) fn node(house: &House, name: &str, resource: &str) -> Self {
        let mut command = Command::new("node");
        command.arg(script("xmpp_client.js")).arg(installed("node/node_modules"));
        command.env("NODE_EXTRA_CA_CERTS", house.authority());
        Self::start(command, house, name, resource, Entry::default())
    }

    fn start(
        mut command: Command,
        house: &House,
        name: &str,
        resource: &str,
        entry: Entry,
    ) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|why| panic!("{command:?} cannot be started: {why}; {INSTALL}"));
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "said": line }));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let name_and_place = format!("{name}/{resource}");
        let mut player = Self { child, input, events, seen: Vec::new(), name: name_and_place };
        player.tell(&json!({
            "jid": format!("{name}@bank.example/{resource}"),
            "login": house.login(name),
            "password": house.password(name),
            "authority": house.authority(),
            "host": "127.0.0.1",
            "port": if entry.direct { house.direct } else { house.starttls },
            "tls": if entry.direct { "direct" } else { "starttls" },
            "mechanism": entry.mechanism,
        }));
        player
    }

    fn tell(&mut self, what: &Value) {
        writeln!(self.input, "{what}").and_then(|()| self.input.flush()).unwrap();
    }

    /// Has it do something.
    pub(crate) fn perform(&mut self, deed: &str, mut with: Value) {
        with["do"] = deed.into();
        self.tell(&with);
    }

    /// Has it ask something, and gives the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, deed: &str, with: Value) -> Value {
        self.perform(deed, with);
        self.wait(|event| event["event"] == "done" && event["what"] == deed)
    }

    /// Has it write to somebody.
    pub(crate) fn say(&mut self, to: &str, body: &str) {
        self.perform("send", json!({ "to": to, "id": format!("id-{body}"), "body": body }));
    }

    /// Waits until it is signed in, and gives its full address.
    #[track_caller]
    pub(crate) fn online(&mut self) -> String {
        let event = self.wait(|event| event["event"] == "online");
        event["jid"].as_str().unwrap().to_owned()
    }

    /// Waits for a message with this body.
    #[track_caller]
    pub(crate) fn hear(&mut self, body: &str) -> Value {
        self.wait(|event| event["event"] == "message" && event["body"] == body)
    }

    /// Waits for the presence of somebody.
    #[track_caller]
    pub(crate) fn sees(&mut self, who: &str, kind: &str) -> Value {
        self.wait(|event| {
            let from = event["from"].as_str().unwrap_or_default();
            event["event"] == "presence" && event["kind"] == kind && from.starts_with(who)
        })
    }

    /// Waits for something, which may have happened already.
    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.seen.iter().position(&wanted) {
            return self.seen.remove(at);
        }
        let end = Instant::now() + Duration::from_secs(PATIENCE_SECS);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) if wanted(&event) => return event,
                Ok(event) => self.seen.push(event),
                Err(why) => panic!("{}: {why}; it has seen: {:#?}", self.name, self.seen),
            }
        }
    }

    /// What has happened and was not waited for.
    pub(crate) fn seen(&self) -> &[Value] {
        &self.seen
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// profanity, in a terminal of its own that tmux holds.
pub(crate) struct Profanity {
    /// The socket of its own tmux, so that nobody else's is touched, and its home.
    home: Folder,
}

impl Profanity {
    /// Starts it and signs in.
    pub(crate) fn start(house: &House, name: &str, resource: &str, direct: bool) -> Self {
        let terminal = Self { home: Folder::new() };
        for program in ["tmux", "profanity"] {
            let found = Command::new("which").arg(program).output();
            let found = found.is_ok_and(|output| output.status.success());
            assert!(found, "there is no {program}; {INSTALL}");
        }
        let home = terminal.home.path().to_str().unwrap();
        let run = format!(
            "env HOME={home} XDG_CONFIG_HOME={home}/config XDG_DATA_HOME={home}/data LANG=C.UTF-8 \
             profanity"
        );
        terminal.tmux(&["new-session", "-d", "-x", "160", "-y", "50", &run]);
        terminal.shows("Profanity");
        // Its own settings: no waiting for the screen, no logs that hide lines.
        terminal.types(&format!("/tls certpath set {}", terminal.trust(house)));
        terminal.types("/carbons on");
        let tls = if direct { "legacy" } else { "force" };
        let port = if direct { house.direct } else { house.starttls };
        terminal.types(&format!(
            "/connect {}@bank.example/{resource} server 127.0.0.1 port {port} tls {tls}",
            house.login(name)
        ));
        terminal.shows("password");
        terminal.types(&house.password(name));
        terminal.shows("logged in successfully");
        terminal
    }

    /// A folder with the house's authority in the form that OpenSSL looks for.
    fn trust(&self, house: &House) -> String {
        let folder = self.home.path().join("trust");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(house.authority(), folder.join("ca.pem")).unwrap();
        finish(Command::new("openssl").args(["rehash", folder.to_str().unwrap()])).good();
        folder.to_str().unwrap().to_owned()
    }

    fn tmux(&self, words: &[&str]) -> String {
        let socket = self.home.path().join("tmux");
        let mut command = Command::new("tmux");
        command.args(["-S", socket.to_str().unwrap(), "-f", "/dev/null"]).args(words);
        finish(&mut command).good()
    }

    /// Types a line.
    pub(crate) fn types(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// What stands on the screen.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until something stands on the screen.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if screen.contains(text) {
                return;
            }
            let late = began.elapsed().as_secs() >= PATIENCE_SECS;
            assert!(!late, "profanity does not show {text:?}:\n{screen}");
            pause();
        }
    }
}

impl Drop for Profanity {
    fn drop(&mut self) {
        let socket = self.home.path().join("tmux");
        let mut command = Command::new("tmux");
        command.args(["-S", socket.to_str().unwrap(), "kill-server"]);
        drop(finish(&mut command));
    }
}
