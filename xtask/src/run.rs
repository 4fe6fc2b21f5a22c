//! Calling other programs: the command is shown, its output passes through, its failure is a sentence.

use crate::Outcome;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Top of the checkout, where `xtask/` lies.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let here = PathBuf::from(here);
    here.parent().map_or(here.clone(), Path::to_path_buf)
}

/// Folder of build products; `CARGO_TARGET_DIR` moves it.
pub(crate) fn target() -> PathBuf {
    std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root().join("target"), PathBuf::from)
}

/// A command in the checkout that never waits for a keyboard.
pub(crate) fn command(program: impl AsRef<Path>, words: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(words).current_dir(root()).stdin(Stdio::null());
    // `cargo run` hands these to us; handed on, they would make the inner cargo rebuild things.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"]
    {
        command.env_remove(name);
    }
    command
}

/// The cargo that called us, or the one in the path.
pub(crate) fn cargo(words: &[&str]) -> Command {
    command(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), words)
}

/// Says what it does, does it, and makes a sentence of a failure.
pub(crate) fn pass(mut command: Command) -> Outcome {
    let shown = shown(&command);
    eprintln!("\n── {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(fault) => Err(format!("`{shown}` cannot be started: {fault}")),
    }
}

/// Like `pass`, up to `times`: mirrors and registries have bad seconds.
pub(crate) fn pass_patiently(times: u32, mut make: impl FnMut() -> Command) -> Outcome {
    let mut last = Ok(());
    for attempt in 1..=times {
        last = pass(make());
        if last.is_ok() || attempt == times {
            break;
        }
        eprintln!("   attempt {attempt} of {times} failed; again in {} s", attempt * 5);
        std::thread::sleep(Duration::from_secs(u64::from(attempt) * 5));
    }
    last
}

/// Runs the command, shows every line as it comes and also gives it to `see`.
pub(crate) fn watch(mut command: Command, mut see: impl FnMut(&str)) -> Outcome {
    let shown = shown(&command);
    eprintln!("\n── {shown}");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().map_err(|fault| format!("`{shown}` cannot be started: {fault}"))?;
    let (lines, seen) = mpsc::channel();
    let out = child.stdout.take().map(|pipe| forward(pipe, lines.clone()));
    let err = child.stderr.take().map(|pipe| forward(pipe, lines.clone()));
    drop(lines);
    for line in seen {
        println!("{line}");
        see(&line);
    }
    drop((out, err));
    // A reader of our output may have gone (`| head`); that is no failure of the tests.
    let _gone = std::io::stdout().flush();
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(fault) => Err(format!("`{shown}` was lost: {fault}")),
    }
}

fn forward(
    pipe: impl Read + Send + 'static,
    lines: mpsc::Sender<String>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut raw = Vec::new();
        // Tests may print bytes that are no UTF-8; they must not end the watch.
        while matches!(reader.read_until(b'\n', &mut raw), Ok(count) if count > 0) {
            let line = String::from_utf8_lossy(&raw).trim_end_matches(['\n', '\r']).to_owned();
            if lines.send(line).is_err() {
                return;
            }
            raw.clear();
        }
    })
}

/// Whether a program of this name is in the path.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut words = vec![name.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
