//! The product, set up by its own commands. Both storages are policies of the domain; nothing else
//! differs from what `init` makes.

use super::{Peer, Place, run, write};
use crate::Outcome;
use crate::process::Server;
use crate::session::{DOMAIN, PASSWORD, address};
use std::fs;
use std::process::Command;

/// What is switched off when nothing is to be kept.
const KEEPING: [&str; 2] = ["history.keep", "archive.seal"];

/// Starts it.
pub(super) fn start(peer: &Peer, place: &Place, keeps: bool, first: bool) -> Outcome<Server> {
    if !place.chancery.exists() {
        return Err(format!(
            "{} is missing: cargo build --release -p server",
            place.chancery.display()
        ));
    }
    let house = peer.folder.join("house");
    if first {
        make(peer, place)?;
    }
    for setting in KEEPING {
        let mut command = asked(peer, place)?;
        let value = if keeps { "true" } else { "false" };
        command.args(["policy", "set", "domain", setting, value, "--reason", "bench"]);
        run(command)?;
    }
    let mut command = peer.logged(&place.chancery)?;
    command.arg("--config").arg(house).args(["--log", "warn", "serve"]);
    Server::start(command)
}

fn asked(peer: &Peer, place: &Place) -> Outcome<Command> {
    let mut command = peer.logged(&place.chancery)?;
    command.arg("--config").arg(peer.folder.join("house"));
    Ok(command)
}

fn make(peer: &Peer, place: &Place) -> Outcome<()> {
    let house = peer.folder.join("house");
    let (phrase, password) = (peer.folder.join("phrase"), peer.folder.join("password"));
    write(&phrase, &format!("{PASSWORD}\n"))?;
    write(&password, &format!("{PASSWORD}\n"))?;
    let mut command = peer.logged(&place.chancery)?;
    command.arg("init").arg(&house).args(["--domain", DOMAIN, "--passphrase-file"]).arg(&phrase);
    run(command)?;
    configure(peer, place)?;
    for account in 0..place.accounts {
        let mut command = asked(peer, place)?;
        command.args(["account", "add", &address(account), "--password-file"]).arg(&password);
        run(command)?;
    }
    Ok(())
}

/// Another port and the certificate that all servers here have.
fn configure(peer: &Peer, place: &Place) -> Outcome<()> {
    let file = peer.folder.join("house/chancery.toml");
    let text = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
    let direct = format!("direct_tls = [\"127.0.0.1:{}\"]", peer.target.port);
    let certificate = format!("certificate = {:?}", place.certificate.display().to_string());
    let key = format!("key = {:?}", place.key.display().to_string());
    let mut section = "";
    let lines: Vec<&str> = text
        .lines()
        .map(|line| {
            if line.starts_with('[') {
                section = line;
            }
            match (section, line.trim_start_matches('#').split(" =").next()) {
                ("[listen]", Some("starttls")) => "starttls = []",
                ("[listen]", Some("direct_tls")) => &direct,
                ("[tls]", Some("certificate")) => &certificate,
                ("[tls]", Some("key")) => &key,
                _ => line,
            }
        })
        .collect();
    write(&file, &format!("{}\n", lines.join("\n")))
}
