//! A house for one test: an installation in a folder of its own, served on loopback ports that were
//! free, and the commands that a person would type at it. Knows nothing of what is said in a stream.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::{self, File},
    io::Read as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The domain of every house.
pub(crate) const DOMAIN: &str = "bank.example";

/// The passphrase of the archive's private key.
const PASSPHRASE: &str = "correct horse battery staple";

/// Seconds in which a server must begin to listen.
const START_SECS_MAX: u64 = 60;

/// Seconds in which a server must end when it is asked to.
const STOP_SECS_MAX: u64 = 30;

/// Somebody with an account.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    /// The part of the address before the @.
    pub(crate) name: &'static str,
    /// What they sign in with, which is not their address.
    pub(crate) login: &'static str,
    pub(crate) groups: &'static [&'static str],
}

/// What a house has when it opens.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Groups with the group above each.
    pub(crate) groups: &'static [(&'static str, Option<&'static str>)],
    pub(crate) people: &'static [Person],
    /// Keys of the configuration, by full name, with their values as TOML.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Where the data is, if not in a folder of the test's own.
    pub(crate) data: Option<PathBuf>,
}

/// The usual cast: five people in three groups, one below another.
pub(crate) const CAST: &[Person] = &[
    Person { name: "ana", login: "a.keller.7", groups: &["bonds"] },
    Person { name: "ben", login: "b.ortiz.3", groups: &["bonds"] },
    Person { name: "cleo", login: "c.dumas.9", groups: &["traders"] },
    Person { name: "dan", login: "d.novak.5", groups: &["research"] },
    Person { name: "eve", login: "e.brandt.2", groups: &["research"] },
];

/// An installation, served or not.
pub(crate) struct House {
    root: Folder,
    child: Option<Child>,
    pub(crate) starttls: u16,
    pub(crate) direct: u16,
    people: HashMap<&'static str, Person>,
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

/// What a command said and how it ended.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            groups: &[("traders", None), ("bonds", Some("traders")), ("research", None)],
            people: CAST,
            settings: Vec::new(),
            data: None,
        }
    }
}

impl Plan {
    /// The first so many of the cast.
    pub(crate) fn of(count: usize) -> Self {
        Self { people: &CAST[..count], ..Self::default() }
    }

    pub(crate) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.settings.push((key, value.to_owned()));
        self
    }
}

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("chancery-it-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The program: what CHANCERY_BIN names, else the release build beside this test, else the build
/// that came with it.
pub(crate) fn program() -> PathBuf {
    if let Ok(given) = std::env::var("CHANCERY_BIN") {
        return given.into();
    }
    let here = std::env::current_exe().unwrap();
    let release = here.ancestors().nth(3).unwrap().join("release/chancery");
    if release.exists() { release } else { env!("CARGO_BIN_EXE_chancery").into() }
}

/// Runs the program to its end.
pub(crate) fn run(folder: &Path, words: &[&str]) -> Output {
    finish(Command::new(program()).args(words).current_dir(folder))
}

/// Runs a command to its end, with nothing to read.
pub(crate) fn finish(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|why| panic!("{command:?} cannot be started: {why}"));
    Output {
        status: output.status,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A port of loopback that nobody used a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The milliseconds between two looks at something that another process does.
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(10));
}

/// Looks until it is so, or says what was waited for.
pub(crate) fn eventually(what: &str, secs: u64, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed().as_secs() < secs, "{what}: not after {secs} seconds");
        pause();
    }
}

impl Output {
    /// What was said, of a command that went well.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.out, self.err);
        self.out
    }

    /// The one sentence of a command that went wrong with this code.
    #[track_caller]
    pub(crate) fn bad(self, code: i32) -> String {
        let (out, err) = (self.out.trim(), self.err.trim());
        assert_eq!(self.status.code(), Some(code), "{out}\n{err}");
        let said: Vec<&str> = err.lines().filter(|line| line.starts_with("chancery: ")).collect();
        assert!(said.len() == 1 && err.ends_with(said[0]), "not one sentence:\n{err}");
        assert!(!err.contains("panicked"), "{err}");
        said[0].to_owned()
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.good();
        serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"))
    }
}

impl House {
    /// Makes an installation and serves it.
    pub(crate) fn start(plan: &Plan) -> Self {
        let mut house = Self::make(plan);
        house.serve();
        house
    }

    /// Makes an installation.
    pub(crate) fn make(plan: &Plan) -> Self {
        let root = Folder::new();
        let mut house = Self {
            root,
            child: None,
            starttls: free_port(),
            direct: free_port(),
            people: HashMap::new(),
        };
        let phrase = house.file("phrase.txt", &format!("{PASSPHRASE}\n"));
        let words =
            ["init", "house", "--domain", DOMAIN, "--passphrase-file", phrase.to_str().unwrap()];
        run(house.root.path(), &words).good();
        house.set("listen.starttls", &format!("[\"127.0.0.1:{}\"]", house.starttls));
        house.set("listen.direct_tls", &format!("[\"127.0.0.1:{}\"]", house.direct));
        if let Some(data) = &plan.data {
            let whence = house.folder().join("data/directory");
            fs::copy(whence, data.join("directory")).unwrap();
            house.set("data.folder", &format!("{:?}", data.to_str().unwrap()));
        }
        for (key, value) in &plan.settings {
            house.set(key, value);
        }
        for (id, under) in plan.groups {
            let mut words = vec!["group", "add", id];
            words.extend(under.iter().flat_map(|under| ["--under", under]));
            house.cli(&words).good();
        }
        for person in plan.people {
            house.add(*person);
        }
        house
    }

    /// Adds an account.
    pub(crate) fn add(&mut self, person: Person) {
        let file = self.file("password.txt", &self.password(person.name));
        let address = format!("{}@{DOMAIN}", person.name);
        let mut words = vec!["account", "add", &address, "--login", person.login];
        words.extend(["--password-file", file.to_str().unwrap()]);
        words.extend(person.groups.iter().flat_map(|group| ["--group", group]));
        self.cli(&words).good();
        self.people.insert(person.name, person);
    }

    /// Sets a key of the configuration, which the annotated file has as a comment.
    pub(crate) fn set(&self, key: &str, value: &str) {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let text = fs::read_to_string(self.config()).unwrap();
        let (mut here, mut done, mut changed) = (section.is_empty(), false, String::new());
        for line in text.lines() {
            if line.starts_with('[') {
                here = line == format!("[{section}]");
            }
            let bare = line.trim_start_matches('#');
            let ours = here && !done && bare.split('=').next().map(str::trim) == Some(name);
            if ours {
                done = true;
                writeln!(changed, "{name} = {value}").unwrap();
            } else {
                writeln!(changed, "{line}").unwrap();
            }
        }
        assert!(done, "the configuration has no key {key}:\n{text}");
        fs::write(self.config(), changed).unwrap();
    }

    /// The folder of the installation.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("house")
    }

    /// A folder beside the installation.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder().join("chancery.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder().join("keys/ca.pem")
    }

    /// The process id of the server.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("a server that runs").id()
    }

    pub(crate) fn login(&self, name: &str) -> &'static str {
        self.people[name].login
    }

    pub(crate) fn password(&self, name: &str) -> String {
        format!("Pass-{name}-8r4vK")
    }

    /// Writes a file beside the installation.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command on this installation.
    pub(crate) fn cli(&self, words: &[&str]) -> Output {
        let folder = self.folder();
        let mut all = vec!["--config", folder.to_str().unwrap()];
        all.extend(words);
        run(self.root.path(), &all)
    }

    /// Runs a command of the custodian, who has the key and its passphrase.
    pub(crate) fn custodian(&self, words: &[&str]) -> Output {
        let (key, phrase) =
            (self.folder().join("custodian/custodian.key"), self.beside("phrase.txt"));
        let log = self.data().join("log");
        let mut all = vec!["archive"];
        all.extend(words.first());
        all.extend(["--folder", log.to_str().unwrap(), "--key", key.to_str().unwrap()]);
        all.extend(["--passphrase-file", phrase.to_str().unwrap()]);
        all.extend(&words[1..]);
        self.cli(&all)
    }

    /// Verifies the log as an outsider would, with the public key only.
    pub(crate) fn verify(&self) -> Output {
        let (log, key) = (self.data().join("log"), self.folder().join("keys/log.pub"));
        let words =
            ["archive", "verify", log.to_str().unwrap(), "--log-key", key.to_str().unwrap()];
        run(self.root.path(), &words)
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn serve(&mut self) {
        let log =
            File::options().append(true).create(true).open(self.beside("server.log")).unwrap();
        let child = Command::new(program())
            .args(["--config", self.folder().to_str().unwrap(), "serve"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let began = Instant::now();
        for port in [self.starttls, self.direct] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                let ended = self.child.as_mut().unwrap().try_wait().unwrap();
                assert!(ended.is_none(), "the server has ended: {ended:?}\n{}", self.log());
                let late = began.elapsed().as_secs() >= START_SECS_MAX;
                assert!(!late, "the server does not listen\n{}", self.log());
                pause();
            }
        }
    }

    /// Kills the server as a power failure would, and waits until it is gone.
    pub(crate) fn kill9(&mut self) {
        let mut child = self.child.take().expect("a server that runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the server to end, and waits until it did.
    pub(crate) fn stop(&mut self) {
        let mut child = self.child.take().expect("a server that runs");
        finish(Command::new("kill").args(["-TERM", &child.id().to_string()])).good();
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "the server ended with {status}\n{}", self.log());
                return;
            }
            if began.elapsed().as_secs() >= STOP_SECS_MAX {
                child.kill().unwrap();
                panic!("the server does not end\n{}", self.log());
            }
            pause();
        }
    }

    /// The end of what the server has logged.
    pub(crate) fn log(&self) -> String {
        let text = fs::read_to_string(self.beside("server.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Kibibytes of memory that the server holds, without the files that it has mapped.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("── the server's log\n{}", self.log());
        }
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The files below a folder in which any of the words stands, whatever the file is.
pub(crate) fn files_with(folder: &Path, words: &[&str]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let mut bytes = Vec::new();
        // A file that went away while we looked holds nothing.
        if File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).is_err() {
            return false;
        }
        words.iter().any(|word| bytes.windows(word.len()).any(|part| part == word.as_bytes()))
    };
    files(folder).into_iter().filter(holds).collect()
}
