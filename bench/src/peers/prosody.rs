//! Prosody of Debian: chat, presence and rosters for clients, nothing else; mod_mam where it keeps.

use super::{Kind, Peer, Place, folder, run, write};
use crate::Outcome;
use crate::process::Server;
use crate::session::{DOMAIN, PASSWORD, login};
use std::path::Path;

/// Messages that the archive of one person may hold: its files refuse more than 10,000 unless told so.
const ARCHIVED_MAX: u64 = 100_000_000;

/// Tools that register accounts at the same time.
const TOGETHER: usize = 2;

/// Starts it.
pub(super) fn start(peer: &Peer, place: &Place, keeps: bool, first: bool) -> Outcome<Server> {
    let data = folder(peer.folder.join("data"))?;
    let config = peer.folder.join("prosody.cfg.lua");
    write(&config, &configuration(peer, place, &data, keeps))?;
    if first {
        register(peer, place, &config)?;
    }
    let mut command = peer.logged("/usr/bin/prosody")?;
    command.arg("--config").arg(&config).args(["-F", "--root"]);
    Server::start(command)
}

fn configuration(peer: &Peer, place: &Place, data: &Path, keeps: bool) -> String {
    let port = peer.target.port;
    let generational = peer.kind == Kind::ProsodyGenerational;
    let mode = if generational { "generational" } else { "incremental" };
    let mam = if keeps { "\"mam\";" } else { "" };
    format!(
        "run_as_root = true\n\
         pidfile = \"{data}/prosody.pid\"\n\
         data_path = \"{data}\"\n\
         plugin_paths = {{}}\n\
         interfaces = {{ \"127.0.0.1\" }}\n\
         c2s_ports = {{}}\n\
         legacy_ssl_ports = {{}}\n\
         c2s_direct_tls_ports = {{ {port} }}\n\
         s2s_ports = {{}}\n\
         modules_enabled = {{ \"roster\"; \"saslauth\"; \"tls\"; \"disco\"; {mam} }}\n\
         modules_disabled = {{ \"s2s\"; \"offline\"; \"s2s_auth_certs\" }}\n\
         authentication = \"internal_hashed\"\n\
         password_hash = \"SHA-256\"\n\
         storage = \"internal\"\n\
         storage_archive_item_limit = {ARCHIVED_MAX}\n\
         archive_expires_after = \"never\"\n\
         default_archive_policy = true\n\
         gc = {{ mode = \"{mode}\" }}\n\
         log = {{ warn = \"{folder}/prosody.log\" }}\n\
         ssl = {{ certificate = \"{certificate}\", key = \"{key}\" }}\n\
         c2s_direct_tls_ssl = {{ certificate = \"{certificate}\", key = \"{key}\" }}\n\
         VirtualHost \"{DOMAIN}\"\n",
        data = data.display(),
        folder = peer.folder.display(),
        certificate = place.certificate.display(),
        key = place.key.display(),
    )
}

fn register(peer: &Peer, place: &Place, config: &Path) -> Outcome<()> {
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..TOGETHER)
            .map(|lane| {
                scope.spawn(move || {
                    (lane..place.accounts).step_by(TOGETHER).try_for_each(|account| {
                        let mut command = peer.logged("/usr/bin/prosodyctl")?;
                        command.arg("--config").arg(config).arg("--root");
                        command.args(["register", &login(account), DOMAIN, PASSWORD]);
                        run(command)
                    })
                })
            })
            .collect();
        lanes.into_iter().try_for_each(|lane| {
            lane.join().map_err(|_| "registering at Prosody broke off".to_owned())?
        })
    })
}
