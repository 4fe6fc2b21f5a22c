//! The terminal: results to standard output, progress and warnings to standard error, passwords
//! from the keyboard. Knows no command.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use hub::clock;
use model::{Secret, Timestamp};

use crate::{fault::Fault, files};

/// Bytes of a password or passphrase file that are read.
const SECRET_BYTES_MAX: u64 = 4_096;

/// Milliseconds after which something is worth a word on progress.
const PATIENCE_MILLIS: i64 = 1_000;

/// Milliseconds between two words on progress where nobody watches a terminal.
const QUIET_MILLIS: i64 = 10_000;

/// Milliseconds between two words on progress on a terminal.
const SHOW_MILLIS: i64 = 200;

/// Prints a result. A reader who has gone away is no fault of ours.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &serde_json::Value) {
    let text = serde_json::to_string_pretty(value);
    print(&text.unwrap_or_else(|fault| format!("{{\"error\":\"{fault}\"}}")));
}

/// Says something that is no result.
pub(crate) fn remark(text: &str) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "{text}");
}

/// A count that moves, on standard error: at once on a terminal, now and then elsewhere, and not
/// at all if it is over within a second.
pub(crate) struct Counter {
    doing: &'static str,
    terminal: bool,
    began: Timestamp,
    shown: Option<Timestamp>,
}

impl Counter {
    pub(crate) fn new(doing: &'static str) -> Self {
        Self { doing, terminal: io::stderr().is_terminal(), began: clock::now(), shown: None }
    }

    pub(crate) fn show(&mut self, done: u64, total: u64) {
        let now = clock::now();
        let pause = if self.terminal { SHOW_MILLIS } else { QUIET_MILLIS };
        let waited = |since: Timestamp, millis: i64| now.micros_since(since) >= millis * 1_000;
        if !waited(self.began, PATIENCE_MILLIS)
            || self.shown.is_some_and(|shown| !waited(shown, pause))
        {
            return;
        }
        self.shown = Some(now);
        let mut err = io::stderr().lock();
        let text = format!("{}: {done} of {total} records", self.doing);
        let _ = if self.terminal { write!(err, "\r{text}\x1b[K") } else { writeln!(err, "{text}") };
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if self.terminal && self.shown.is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

/// A secret from the first line of a file, or typed without echo; a new one is typed twice.
pub(crate) fn secret(file: Option<&Path>, what: &str, new: bool) -> Result<Secret, Fault> {
    if let Some(file) = file {
        let text = files::read_text(file, SECRET_BYTES_MAX)?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(Fault::Usage(format!(
                "{} holds no {what} in its first line",
                file.display()
            )));
        }
        return Ok(Secret::new(line.as_bytes().to_vec()));
    }
    if !io::stdin().is_terminal() {
        return Err(Fault::Usage(format!(
            "the {what} cannot be asked for without a terminal; give it in a file"
        )));
    }
    let typed = ask(&format!("{what}: "))?;
    if new && ask(&format!("{what} again: "))?.expose() != typed.expose() {
        return Err(Fault::Refused(format!("the two entries of the {what} differ; try again")));
    }
    Ok(typed)
}

fn ask(prompt: &str) -> Result<Secret, Fault> {
    rpassword::prompt_password(prompt)
        .map(|text| Secret::new(text.into_bytes()))
        .map_err(|why| Fault::Environment(format!("cannot read from the terminal: {why}")))
}
