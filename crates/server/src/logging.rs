//! The log: lines on standard error, by `tracing`. No secret and no content of a message is ever
//! given to it.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::fault::Fault;

/// Whether a text says how much to log.
pub(crate) fn is_level(text: &str) -> bool {
    filter(text).is_some()
}

/// Begins logging.
pub(crate) fn start(level: &str) -> Result<(), Fault> {
    let filter = filter(level).ok_or_else(|| {
        Fault::Usage(format!("--log {level}: give error, warn, info, debug or trace"))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init()
        .map_err(|why| Fault::Environment(format!("cannot begin to log: {why}")))
}

/// Words that are no level would be taken for the name of a module and log nothing.
fn filter(text: &str) -> Option<EnvFilter> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let known = |part: &str| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        LEVELS.contains(&level.trim())
    };
    if text.is_empty() || !text.split(',').all(known) {
        return None;
    }
    EnvFilter::builder().parse(text).ok()
}
