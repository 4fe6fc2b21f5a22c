//! What was asked on the command line, and how much of everything is done; starts nothing.

use crate::{Outcome, peers::Kind};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Measures Chancery beside Prosody, ejabberd and the floor, on loopback with TLS 1.3.

Usage: cargo xtask bench [options]

  --rounds N         how often everything is measured, one server after another (3)
  --quick            one round of short windows: whether it works, not what it costs
  --only A,B         servers: floor, prosody, ejabberd, chancery (these are all by default), and
                     prosody-gen (with its generational collector)
  --workload A,B     full, paced, presence, login, memory (all by default)
  --storage A,B      off (nothing stored), on (history and archive); both by default
  --json FILE        also writes every single figure
  --profile          records Chancery with perf while it is measured
  --chancery FILE    the program to measure (the release build beside this one)
  --keep             leaves the temporary folder with configurations and logs

Only the server's processor time counts: user and system time of all its processes and threads. The floor
carries the same bytes without looking at them; a ratio to it says what the server adds to TLS and the
kernel. All servers of a round run at the same time and are measured one after another.
";

/// How much of everything is done.
pub(crate) struct Scale {
    pub(crate) full_secs: u64,
    pub(crate) paced_secs: u64,
    pub(crate) presence_secs: u64,
    /// Before a window, so that caches and collectors are where they will be.
    pub(crate) warm_secs: u64,
    pub(crate) logins: usize,
    pub(crate) idle_sessions: usize,
}

/// What of each server is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Workload {
    /// Memory of an idle session, of servers that have done nothing else.
    Memory,
    /// A sign-in and its end.
    Login,
    /// Chat messages at a thousand a second. Before the full load, which fills archives.
    Paced,
    /// Chat messages as fast as they go.
    Full,
    /// One person's presence to many watchers.
    Presence,
}

/// Everything that was asked.
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) workloads: Vec<Workload>,
    /// Whether messages are kept.
    pub(crate) storages: Vec<bool>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) profile: bool,
    pub(crate) chancery: PathBuf,
    pub(crate) keep: bool,
    pub(crate) scale: Scale,
}

/// Rounds that can be asked for.
const ROUNDS_MAX: usize = 99;

const USUAL: Scale = Scale {
    full_secs: 6,
    paced_secs: 10,
    presence_secs: 5,
    warm_secs: 2,
    logins: 400,
    idle_sessions: 2_000,
};

const QUICK: Scale = Scale {
    full_secs: 2,
    paced_secs: 3,
    presence_secs: 2,
    warm_secs: 1,
    logins: 80,
    idle_sessions: 300,
};

impl Workload {
    const ALL: [Self; 5] = [Self::Memory, Self::Login, Self::Paced, Self::Full, Self::Presence];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Login => "login",
            Self::Full => "full",
            Self::Paced => "paced",
            Self::Presence => "presence",
        }
    }

    /// Whether it is another figure when messages are kept.
    pub(crate) const fn stores(self) -> bool {
        matches!(self, Self::Full | Self::Paced)
    }
}

impl Options {
    /// Reads the words; none if help was asked for.
    pub(crate) fn parse(words: &[String]) -> Outcome<Option<Self>> {
        let beside = std::env::current_exe()
            .map_err(|why| format!("cannot find myself: {why}"))?
            .with_file_name("chancery");
        let mut options = Self {
            rounds: 0,
            kinds: Kind::USUAL.to_vec(),
            workloads: Workload::ALL.to_vec(),
            storages: vec![false, true],
            json: None,
            profile: false,
            chancery: beside,
            keep: false,
            scale: USUAL,
        };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("`{word}` needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--rounds" => options.rounds = rounds(value()?)?,
                "--quick" => {
                    options.scale = QUICK;
                    options.rounds = options.rounds.max(1);
                }
                "--only" => options.kinds = list(value()?, "server", Kind::named)?,
                "--workload" => {
                    options.workloads = list(value()?, "workload", |name| {
                        Workload::ALL.into_iter().find(|workload| workload.name() == name)
                    })?;
                }
                "--storage" => options.storages = list(value()?, "storage", storage)?,
                "--json" => options.json = Some(PathBuf::from(value()?)),
                "--profile" => options.profile = true,
                "--chancery" => options.chancery = PathBuf::from(value()?),
                "--keep" => options.keep = true,
                other => {
                    return Err(format!("no option `{other}`; see `cargo xtask bench --help`"));
                }
            }
        }
        if options.rounds == 0 {
            options.rounds = 3;
        }
        options.workloads.sort_unstable();
        Ok(Some(options))
    }
}

fn rounds(word: &str) -> Outcome<usize> {
    word.parse()
        .ok()
        .filter(|count| (1..=ROUNDS_MAX).contains(count))
        .ok_or_else(|| format!("--rounds is a number from 1 to {ROUNDS_MAX}, not `{word}`"))
}

fn storage(word: &str) -> Option<bool> {
    match word {
        "off" => Some(false),
        "on" => Some(true),
        _ => None,
    }
}

fn list<T: PartialEq>(
    words: &str,
    what: &str,
    known: impl Fn(&str) -> Option<T>,
) -> Outcome<Vec<T>> {
    let mut found = Vec::new();
    for word in words.split(',') {
        let one = known(word).ok_or_else(|| format!("no {what} `{word}`; see --help"))?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    Ok(found)
}
