//! ejabberd of Debian: chat, presence and rosters for clients, nothing else; mod_mam where it keeps. Its
//! virtual machine is started without distribution, so that neither epmd nor a cookie is needed; accounts
//! are made by its own administration interface.

use super::{Peer, Place, await_port, folder, free_port, tail, write};
use crate::Outcome;
use crate::process::Server;
use crate::session::{DOMAIN, PASSWORD, login};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Starts it.
pub(super) fn start(peer: &Peer, place: &Place, keeps: bool, first: bool) -> Outcome<Server> {
    let spool = folder(peer.folder.join("spool"))?;
    let config = peer.folder.join("ejabberd.yml");
    let admin = free_port()?;
    write(&config, &configuration(peer, place, admin, keeps)?)?;
    let mut command = peer.logged("/usr/bin/erl")?;
    command.args(["+K", "true", "+P", "250000", "-noinput"]);
    command.args(["-mnesia", "dir", &format!("\"{}\"", spool.display()), "-s", "ejabberd"]);
    command.env("EJABBERD_CONFIG_PATH", &config);
    command.env("EJABBERD_LOG_PATH", peer.folder.join("ejabberd.log"));
    command.env("ERL_CRASH_DUMP", peer.folder.join("crash.dump"));
    command.env("ERL_LIBS", libraries()).env("HOME", &peer.folder);
    command.current_dir(&peer.folder);
    let mut server = Server::start(command)?;
    if first {
        await_port(admin, &mut server)
            .and_then(|()| register(place, admin))
            .map_err(|why| format!("ejabberd: {why}; {}", tail(&peer.folder)))?;
    }
    Ok(server)
}

/// Where Debian keeps ejabberd's libraries, as its own script says it.
fn libraries() -> String {
    let script = fs::read_to_string("/usr/sbin/ejabberdctl").unwrap_or_default();
    let line = script.lines().find_map(|line| line.strip_prefix("ERL_LIBS="));
    line.map_or_else(|| "/usr/lib".to_owned(), |path| path.trim_matches(['\'', '"']).to_owned())
}

fn configuration(peer: &Peer, place: &Place, admin: u16, keeps: bool) -> Outcome<String> {
    let pair = peer.folder.join("pair.pem");
    let read = |path| fs::read_to_string(path).map_err(|why| format!("certificate: {why}"));
    write(&pair, &format!("{}{}", read(&place.certificate)?, read(&place.key)?))?;
    let mut text = format!(
        "hosts: [\"{DOMAIN}\"]\n\
         loglevel: warning\n\
         certfiles: [\"{pair}\"]\n\
         auth_method: internal\n\
         auth_password_format: scram\n\
         auth_scram_hash: sha256\n\
         listen:\n\
         \x20 - {{ port: {port}, ip: \"127.0.0.1\", module: ejabberd_c2s, tls: true, \
         max_stanza_size: 262144, access: all }}\n\
         \x20 - {{ port: {admin}, ip: \"127.0.0.1\", module: ejabberd_http, \
         request_handlers: {{ /api: mod_http_api }} }}\n\
         api_permissions:\n\
         \x20 \"bench\": {{ from: [mod_http_api], who: {{ ip: 127.0.0.1/8 }}, what: [register] }}\n\
         modules:\n\
         \x20 mod_roster: {{}}\n\
         \x20 mod_disco: {{}}\n",
        pair = pair.display(),
        port = peer.target.port,
    );
    if keeps {
        text.push_str("  mod_mam: { default: always, db_type: mnesia }\n");
    }
    Ok(text)
}

/// The command `register` of ejabberdctl, over HTTP: a virtual machine for each account would take long.
fn register(place: &Place, admin: u16) -> Outcome<()> {
    for account in 0..place.accounts {
        let body = format!(
            "{{\"user\":\"{}\",\"host\":\"{DOMAIN}\",\"password\":\"{PASSWORD}\"}}",
            login(account)
        );
        let request = format!(
            "POST /api/register HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = ask(admin, &request).map_err(|why| format!("administration: {why}"))?;
        if !answer.starts_with("HTTP/1.1 200") {
            return Err(format!("{} is not registered: {answer}", login(account)));
        }
    }
    Ok(())
}

fn ask(port: u16, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
