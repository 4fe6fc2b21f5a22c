//! How commands speak to a running server: one line to the control socket, an answer back. The
//! server's side is in `edge`.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::fault::Fault;

/// Seconds that a server may take to answer.
const ANSWER_SECS_MAX: u64 = 60;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 16 * 1_024 * 1_024;

/// What came of asking.
pub(crate) enum Answer {
    /// The server did it; what it said, without the `ok`.
    Done(String),
    /// The server did not do it, and said why.
    Denied(String),
    /// No server is running.
    Nobody,
}

/// Asks the server whose socket this is.
pub(crate) fn ask(socket: &Path, command: &str) -> Result<Answer, Fault> {
    let fault = |why: &io::Error| Fault::io("speak to the running server by", socket, why);
    let mut stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(why)
            if matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
        {
            return Ok(Answer::Nobody);
        }
        Err(why) => return Err(fault(&why)),
    };
    let converse = || -> io::Result<String> {
        let patience = Some(Duration::from_secs(ANSWER_SECS_MAX));
        stream.set_read_timeout(patience)?;
        stream.set_write_timeout(patience)?;
        // One line in: what a person typed must not become two.
        let line: String = command.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        stream.write_all(format!("{line}\n").as_bytes())?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = converse().map_err(|why| fault(&why))?;
    let answer = answer.trim_end();
    if let Some(said) = answer.strip_prefix("ok") {
        return Ok(Answer::Done(said.trim_start().to_owned()));
    }
    match answer.strip_prefix("error ") {
        Some(said) => Ok(Answer::Denied(said.to_owned())),
        None => Err(Fault::Environment(format!(
            "the server behind {} ended before it answered",
            socket.display()
        ))),
    }
}
