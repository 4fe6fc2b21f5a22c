//! The verb `check`: what can be said of a change without running it.

use crate::{Outcome, run, tidy};

pub(crate) const HELP: &str = "\
Says what can be said of a change without running it: `cargo fmt --check`, clippy over the whole
workspace with warnings denied, the house rules (`cargo xtask tidy`), and cargo-deny when it is
installed (licences, advisories, duplicates; deny.toml).

Usage: cargo xtask check

Changes nothing. All parts run, also after one has failed.
";

/// The verb.
pub(crate) fn check(_words: &[String]) -> Outcome {
    let mut faults = Vec::new();
    let mut note = |outcome: Outcome| faults.extend(outcome.err());
    note(run::pass(run::cargo(&["fmt", "--all", "--check"])));
    note(tidy::tidy(&[]));
    note(run::pass(run::cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])));
    if run::has("cargo-deny") {
        note(run::pass(run::cargo(&["deny", "--all-features", "check"])));
    } else {
        println!(
            "cargo-deny is not installed: licences and advisories were not looked at, tidy did the rest"
        );
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}
