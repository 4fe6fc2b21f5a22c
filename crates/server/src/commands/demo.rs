//! `demo`: a domain to play with, ready in one command. What is in it is in `demo_content`.

use std::{
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use clap::Args;
use model::Secret;

use super::{
    Scene, demo_content,
    init::{self, Plan},
};
use crate::{
    boot::Server,
    config::Listen,
    fault::Fault,
    files, logging,
    place::{CONFIG_FILE, Place, is_empty},
    random, screen,
};

/// The domain of the demonstration.
const DOMAIN: &str = "bank.example";

/// Marks a folder that a demonstration made, and that `--fresh` may therefore remove.
const MARK_FILE: &str = "DEMO";

/// Passwords and passphrase, which no real installation would keep in a file.
const PASSWORDS_FILE: &str = "demo-passwords.txt";

/// Bytes of that file.
const PASSWORDS_BYTES_MAX: u64 = 16 * 1_024;

/// The ports that are tried first; the next free ones follow.
const PORTS: [u16; 2] = [5222, 5223];

/// Ports tried after a taken one.
const PORTS_TRIED: u16 = 200;

/// Makes a ready domain in a folder and serves it on this machine until Ctrl-C.
///
/// Use it to see everything at work: five accounts in nested groups, rules that log, warn, ask,
/// hold and block, an ethical wall, a history, and an archive to verify. It prints how to connect
/// and what to try. A second start on the same folder goes on with it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  chancery demo\n  chancery demo --dir /tmp/play --fresh\n")]
pub(crate) struct Demo {
    /// The folder
    #[arg(long, value_name = "DIR", default_value = "./chancery-demo")]
    dir: PathBuf,
    /// Remove the folder first, if a demonstration made it
    #[arg(long)]
    fresh: bool,
}

/// What the screen shows and a real installation would hide.
struct Passwords {
    /// One for each account, in their order.
    accounts: Vec<String>,
    passphrase: String,
}

pub(crate) fn run(scene: &Scene, demo: &Demo) -> Result<(), Fault> {
    logging::start(scene.log.as_deref().unwrap_or("warn"))?;
    let dir = demo.dir.strip_prefix(".").unwrap_or(&demo.dir).to_owned();
    let passwords = prepare(&dir, demo.fresh)?;
    let place = Place::open(&dir)?;
    let ports = free_ports()?;
    let listener = |port: Option<&u16>| {
        port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).into_iter().collect()
    };
    let listen = Listen { starttls: listener(ports.first()), direct_tls: listener(ports.last()) };
    let server = Server::start(&place, &listen)?;
    if server.is_new()? {
        server.block_on(demo_content::talk(server.hub()))?;
    }
    screen::print(&page(&dir, &passwords, &ports));
    screen::print(&server.ready());
    server.run()
}

/// Makes the folder what it should be, or finds that it is.
fn prepare(dir: &Path, fresh: bool) -> Result<Passwords, Fault> {
    let ours = dir.join(MARK_FILE).exists();
    // Without a configuration an earlier start was interrupted: nothing of it is worth keeping.
    if ours && (fresh || !dir.join(CONFIG_FILE).exists()) {
        fs::remove_dir_all(dir).map_err(|why| Fault::io("remove", dir, &why))?;
    } else if ours {
        return read_passwords(dir);
    }
    if !is_empty(dir)? {
        return Err(Fault::Refused(format!(
            "{} is not empty and no demonstration made it; name another folder by --dir",
            dir.display()
        )));
    }
    screen::remark("making a domain to play with …");
    files::private_folder(dir)?;
    files::write_public(&dir.join(MARK_FILE), b"Made by `chancery demo`; may be removed.\n")?;
    let passwords = Passwords::new();
    write_passwords(dir, &passwords)?;
    let port = |port: u16| format!("[\"127.0.0.1:{port}\"]");
    let [starttls, direct_tls] = PORTS.map(port);
    let settings = [("listen.starttls", starttls), ("listen.direct_tls", direct_tls)];
    let staged = Plan {
        dir,
        domain: DOMAIN,
        passphrase: &Secret::new(passwords.passphrase.clone().into_bytes()),
        author: "demo",
        names: &["localhost", "127.0.0.1"],
        settings: &settings,
    };
    init::make_before_config(&staged)?;
    demo_content::fill(&dir.join(init::DIRECTORY_FILE), &passwords.accounts)?;
    init::write_config(&staged)?;
    Ok(passwords)
}

impl Passwords {
    fn new() -> Self {
        let accounts = demo_content::PEOPLE.iter().map(|_| simple_password()).collect();
        Self { accounts, passphrase: format!("{}-{}", simple_password(), simple_password()) }
    }
}

/// A password that is easy to type: two words and a number. Good for a port that only this machine
/// reaches.
fn simple_password() -> String {
    const FIRST: [&str; 16] = [
        "amber", "brisk", "calm", "dusky", "early", "fair", "green", "happy", "icy", "jolly",
        "keen", "lucky", "merry", "noble", "quick", "rosy",
    ];
    const SECOND: [&str; 16] = [
        "badger", "crane", "dove", "eagle", "falcon", "gull", "heron", "ibis", "jay", "kite",
        "lark", "marten", "otter", "raven", "swan", "wren",
    ];
    let [first, second, number] = random::bytes::<3>();
    let word = |words: &[&'static str; 16], byte: u8| {
        words.get(usize::from(byte % 16)).copied().unwrap_or_default()
    };
    format!("{}-{}-{}", word(&FIRST, first), word(&SECOND, second), 10 + u32::from(number) % 90)
}

fn write_passwords(dir: &Path, passwords: &Passwords) -> Result<(), Fault> {
    // The passphrase is the first line, so that --passphrase-file can name the file.
    let mut text = format!("{}\n", passwords.passphrase);
    for password in &passwords.accounts {
        let _ = writeln!(text, "{password}");
    }
    files::write_private(&dir.join(PASSWORDS_FILE), text.as_bytes())
}

fn read_passwords(dir: &Path) -> Result<Passwords, Fault> {
    let text = files::read_text(&dir.join(PASSWORDS_FILE), PASSWORDS_BYTES_MAX)?;
    let mut lines = text.lines().map(str::to_owned);
    let passphrase = lines.next().unwrap_or_default();
    Ok(Passwords { passphrase, accounts: lines.collect() })
}

/// Two free ports, the usual ones if they are.
fn free_ports() -> Result<Vec<u16>, Fault> {
    let mut found = Vec::new();
    for wanted in PORTS {
        let mut port = wanted;
        loop {
            if !found.contains(&port) {
                match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                    Ok(_) => break found.push(port),
                    Err(why) if why.kind() == io::ErrorKind::AddrInUse => {}
                    Err(why) => {
                        return Err(Fault::Environment(format!(
                            "cannot listen on 127.0.0.1:{port}: {why}"
                        )));
                    }
                }
            }
            port += 1;
            if port > wanted + PORTS_TRIED {
                return Err(Fault::Environment(format!(
                    "the ports {wanted} to {port} on 127.0.0.1 are all in use; end one of the \
                     programs that use them"
                )));
            }
        }
    }
    Ok(found)
}

/// The one screen: at most 40 lines of 80 columns, if the folder's name is not long.
fn page(dir: &Path, passwords: &Passwords, ports: &[u16]) -> String {
    let (starttls, direct) = (ports.first().unwrap_or(&0), ports.last().unwrap_or(&0));
    let program = program();
    let dir = dir.display();
    let mut text = format!(
        "Connect to 127.0.0.1, port {starttls} (STARTTLS) or {direct} (TLS), domain {DOMAIN}."
    );
    if ports != PORTS {
        let _ = write!(text, "\n(The usual ports {} and {} are in use.)", PORTS[0], PORTS[1]);
    }
    let _ = write!(text, "\nTrust the authority in {dir}/keys/ca.pem\n\n");
    let _ = writeln!(text, "  {:18}{:13}{:18}group", "address", "signs in as", "password");
    for (person, password) in demo_content::PEOPLE.iter().zip(&passwords.accounts) {
        let address = format!("{}@{DOMAIN}", person.local);
        let _ = writeln!(text, "  {address:18} {:12}{password:18}{}", person.login, person.path);
    }
    let _ = write!(
        text,
        "
With profanity:  profanity, and in it
  /connect ben@{DOMAIN} server 127.0.0.1 port {starttls} tls trust
  /msg cleo@{DOMAIN}

Try, as ben, writing to cleo:
  \"overtime on Friday\"      is delivered, and logged
  \"I guarantee 5 percent\"   is delivered, and ben is warned
  \"this is confidential\"    comes back with a question: send it again to confirm
  \"about the merger\"        waits for review: c review list, c review release ID
  \"an insider tip\"          is blocked, and ben reads why
and as dan to eva anything: a wall stands between research and sales.

In another terminal:
  alias c='{program} --config {dir}'
  c policy explain ana@{DOMAIN} message.max_bytes
  c policy set group:desk message.max_bytes 2048   (holds at once)
  c archive verify                                 (needs no secret)
  c archive search --key {dir}/custodian/custodian.key \\
      --passphrase-file {dir}/{PASSWORDS_FILE} from:ben@{DOMAIN}
The custodian's passphrase is {}
Ctrl-C ends it; the next start goes on.
",
        passwords.passphrase
    );
    text
}

/// This program as it can be typed, shorter if it lies below the current folder.
fn program() -> String {
    let Ok(program) = std::env::current_exe() else { return "chancery".to_owned() };
    let here = std::env::current_dir().unwrap_or_default();
    let short = program.strip_prefix(&here).unwrap_or(&program);
    short.display().to_string()
}

#[cfg(test)]
mod tests;
