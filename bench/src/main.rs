//! Measures Chancery beside Prosody, ejabberd and the floor: a forwarder that only carries the same
//! bytes from one TLS connection into another. Knows how each is started and what each costs the
//! machine; links nothing of the product but the sign-in.
//!
//! Read in this order: `options` (what was asked), `peers` (how each server is started), `floor` (the
//! forwarder), `wire` and `session` (the client), `messages`, `presence`, `logins` and `memory` (what is
//! measured), `process` (what it cost), `campaign` (in which order), `report` (what came out).
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal that starts servers and reads clocks; the bans are for the server"
)]

mod campaign;
mod floor;
mod logins;
mod memory;
mod messages;
mod options;
mod peers;
mod presence;
mod process;
mod profile;
mod report;
mod session;
mod stanza;
mod wire;

use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Threads of the client's runtime, and of the floor's: the machines compared have two cores.
const WORKERS: usize = 2;

/// What can go wrong here is always for a person to read.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match begin(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("bench: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn begin(words: &[String]) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|why| format!("no runtime: {why}"))?;
    if words.first().is_some_and(|word| word == "floor") {
        return runtime.block_on(floor::serve(&words[1..]));
    }
    let Some(options) = options::Options::parse(words)? else {
        print!("{}", options::HELP);
        return Ok(());
    };
    runtime.block_on(async {
        // Dropping the campaign ends the servers that it started and takes its folder away.
        tokio::select! {
            done = campaign::run(&options) => done,
            name = asked_to_end() => Err(format!("ended by {name}")),
        }
    })
}

/// Waits for the signal by which a terminal or a supervisor ends a program.
async fn asked_to_end() -> &'static str {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => "SIGINT",
        _ = terminated.recv() => "SIGTERM",
    }
}
