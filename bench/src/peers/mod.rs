//! The servers that are compared: how each is set up, started and given accounts. All state lies in
//! one temporary folder.

mod chancery;
mod ejabberd;
mod floor;
mod prosody;

use crate::Outcome;
use crate::process::Server;
use crate::session::{DOMAIN, Dialect, Target};
use rustls::ClientConfig;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const START_SECS_MAX: u64 = 60;

/// A server, with what it is told to be like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Carries bytes and does nothing.
    Floor,
    /// As Debian has it; files for what is kept.
    Prosody,
    /// With the generational collector of Lua 5.4.
    ProsodyGenerational,
    /// As Debian has it; Mnesia for what is kept.
    Ejabberd,
    /// The product.
    Chancery,
}

impl Kind {
    /// Those that are measured when nobody says.
    pub(crate) const USUAL: [Self; 4] =
        [Self::Floor, Self::Prosody, Self::Ejabberd, Self::Chancery];

    const ALL: [Self; 5] =
        [Self::Floor, Self::Prosody, Self::ProsodyGenerational, Self::Ejabberd, Self::Chancery];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Prosody => "prosody",
            Self::ProsodyGenerational => "prosody-gen",
            Self::Ejabberd => "ejabberd",
            Self::Chancery => "chancery",
        }
    }

    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is neither the product nor the floor.
    pub(crate) const fn is_rival(self) -> bool {
        !matches!(self, Self::Floor | Self::Chancery)
    }

    const fn needs(self) -> Option<&'static str> {
        match self {
            Self::Prosody | Self::ProsodyGenerational => Some("/usr/bin/prosody"),
            Self::Ejabberd => Some("/usr/sbin/ejabberdctl"),
            Self::Floor | Self::Chancery => None,
        }
    }
}

/// What all servers have in common.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Accounts that each server gets.
    pub(crate) accounts: usize,
    pub(crate) chancery: PathBuf,
    tls: Arc<ClientConfig>,
    keep: bool,
}

/// One server, running or not.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) target: Target,
    pub(crate) folder: PathBuf,
    /// Whether the accounts are there.
    registered: bool,
    /// Whether the watchers may see whom they watch.
    pub(crate) subscribed: bool,
    pub(crate) server: Option<Server>,
}

impl Place {
    /// Makes the folder and the certificate.
    pub(crate) fn make(
        tls: Arc<ClientConfig>,
        chancery: PathBuf,
        accounts: usize,
        keep: bool,
    ) -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("chancery-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
        let (chain, secret) = self_signed().map_err(|why| format!("no certificate: {why}"))?;
        write(&certificate, &chain)?;
        write(&key, &secret)?;
        Ok(Self { folder, certificate, key, accounts, chancery, tls, keep })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.keep {
            eprintln!("   configurations and logs lie in {}", self.folder.display());
        } else {
            let _left = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Peer {
    /// A server that is yet to be started.
    pub(crate) fn new(kind: Kind, place: &Place) -> Outcome<Self> {
        if let Some(program) = kind.needs()
            && !Path::new(program).exists()
        {
            return Err(format!("{program} is missing: apt-get install prosody ejabberd"));
        }
        let folder = place.folder.join(kind.name());
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        let dialect = if kind == Kind::Floor { Dialect::Floor } else { Dialect::Xmpp };
        let port = free_port()?;
        let target = Target { name: kind.name(), dialect, port, tls: Arc::clone(&place.tls) };
        Ok(Self { kind, target, folder, registered: false, subscribed: false, server: None })
    }

    /// Starts it and waits until it listens; the first time it gets its accounts.
    pub(crate) fn start(&mut self, place: &Place, keeps: bool) -> Outcome<()> {
        let first = !std::mem::replace(&mut self.registered, true);
        let mut server = match self.kind {
            Kind::Floor => floor::start(self, place)?,
            Kind::Prosody | Kind::ProsodyGenerational => prosody::start(self, place, keeps, first)?,
            Kind::Ejabberd => ejabberd::start(self, place, keeps, first)?,
            Kind::Chancery => chancery::start(self, place, keeps, first)?,
        };
        await_port(self.target.port, &mut server)
            .map_err(|why| format!("{}: {why}; {}", self.kind.name(), tail(&self.folder)))?;
        self.server = Some(server);
        Ok(())
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        self.server = None;
    }

    /// A command whose output goes into the log of this server.
    fn logged(&self, program: impl AsRef<Path>) -> Outcome<Command> {
        let path = self.folder.join("output.log");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|why| format!("{}: {why}", path.display()))?;
        let other = file.try_clone().map_err(|why| why.to_string())?;
        let mut command = Command::new(program.as_ref());
        command.stdin(Stdio::null()).stdout(file).stderr(other);
        Ok(command)
    }
}

/// A certificate and its key, P-256. ejabberd cannot read years after 2049.
fn self_signed() -> Result<(String, String), rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(vec![DOMAIN.to_owned()])?;
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2045, 1, 1);
    let key = rcgen::KeyPair::generate()?;
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// Writes a file.
fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))
}

/// Makes a folder.
fn folder(path: PathBuf) -> Outcome<PathBuf> {
    fs::create_dir_all(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(path)
}

/// Runs a command to its end.
fn run(mut command: Command) -> Outcome<()> {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} failed ({status})")),
        Err(why) => Err(format!("{shown} cannot be started: {why}")),
    }
}

/// A port that nobody listens on now.
fn free_port() -> Outcome<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|why| format!("no free port: {why}"))
}

fn await_port(port: u16, server: &mut Server) -> Outcome<()> {
    let since = Instant::now();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    while TcpStream::connect(address).is_err() {
        if let Some(how) = server.ended() {
            return Err(format!("ended at once ({how})"));
        }
        if since.elapsed() > Duration::from_secs(START_SECS_MAX) {
            return Err(format!("does not listen after {START_SECS_MAX} s"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The last lines that a server said.
fn tail(folder: &Path) -> String {
    let text = fs::read(folder.join("output.log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join(" | ")
}
