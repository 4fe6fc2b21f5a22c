//! The control socket: how the command line tells a running server that something has changed.
//! A Unix socket in the data folder that only its owner may open; one line in, one line out.

use std::{io, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use hub::{Denied, Held};
use model::MessageId;

use crate::listen::House;

/// Bytes of one command line at most.
pub const COMMAND_BYTES_MAX: u64 = 4_096;

/// Opens the socket, taking the place of one that a dead server left behind.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers commands until the house closes.
pub async fn serve(listener: UnixListener, house: Arc<House>) {
    let mut closing = house.closing.clone();
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(converse(stream, Arc::clone(&house)))),
                Err(fault) => tracing::warn!(%fault, "the control socket does not accept"),
            },
        }
    }
}

async fn converse(stream: UnixStream, house: Arc<House>) {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut read = BufReader::new(read.take(COMMAND_BYTES_MAX));
    if read.read_line(&mut line).await.is_err() {
        return;
    }
    let answer = match obey(&house, line.trim_end()).await {
        Ok(answer) => format!("ok {answer}\n"),
        Err(sentence) => format!("error {sentence}\n"),
    };
    if let Err(fault) = write.write_all(answer.as_bytes()).await {
        tracing::debug!(%fault, "nobody reads the answer on the control socket");
    }
}

/// One command: a word, then what it needs. `read`, `release` and `reject` take the message's id,
/// who decides, and why. Line breaks of an answer become tabs.
async fn obey(house: &House, line: &str) -> Result<String, String> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut words = rest.splitn(3, ' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let reason = words.next().unwrap_or_default();
    let id = || first.parse::<MessageId>().map_err(|()| format!("{first} is no message id"));
    let said = |outcome: Result<(), Denied>| outcome.map_err(|denied| denied.to_string());
    match command {
        "reload" => house.hub.reload().await.map(|version| format!("version {version}")),
        "status" => Ok(house.hub.status()),
        "sign-out" => house.hub.sign_out(first),
        "held" => {
            let held = house.hub.held().await.map_err(|denied| denied.to_string())?;
            Ok(held.iter().map(describe).collect::<Vec<_>>().join("\t"))
        }
        "read" => {
            let text = house.hub.read_held(id()?, second, reason).await;
            text.map(|text| text.replace('\n', "\t")).map_err(|denied| denied.to_string())
        }
        "release" => {
            said(house.hub.release(id()?, second, reason).await).map(|()| "released".to_owned())
        }
        "reject" => {
            said(house.hub.reject(id()?, second, reason).await).map(|()| "rejected".to_owned())
        }
        _ => Err(format!("there is no command {command:?}")),
    }
}

/// A held message on one line: id, sender, recipients, rules. Its words are not shown here.
fn describe(held: &Held) -> String {
    let recipients = held.submission.recipients.iter();
    let recipients: Vec<&str> = recipients.map(|one| one.address.as_str()).collect();
    format!(
        "{} {} {} {}",
        held.id,
        held.submission.sender,
        recipients.join(","),
        held.rules.join(",")
    )
}
