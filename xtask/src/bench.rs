//! The verb `bench`: builds the product and the measuring program for release and runs the latter.

use crate::{Outcome, run};

pub(crate) const HELP: &str = "\
Measures Chancery beside Prosody, ejabberd and the floor, on loopback with TLS 1.3.

Usage: cargo xtask bench [--quick] [--rounds N] [--only A,B] [--workload A,B] [--storage A,B]
                         [--json FILE] [--profile] [--chancery FILE] [--keep]

Builds for release, then starts each server with temporary state on free ports of loopback and
measures the processor time that it takes, round by round. `target/release/bench --help` explains the
options. Needs the Debian packages prosody and ejabberd; starts and ends only processes of its own.
";

/// The verb.
pub(crate) fn bench(words: &[String]) -> Outcome {
    run::pass(run::cargo(&["build", "--release", "-p", "server", "-p", "bench"]))?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    run::pass(run::command(run::target().join("release/bench"), &words))
}
