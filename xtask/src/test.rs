//! The verbs `test` and `ci`: make the machine ready, build, run everything, count.

use crate::prerequisites::Purpose;
use crate::{Outcome, check, fuzz, install, requirements, run, specs};

#[cfg(test)]
mod tests;

pub(crate) const HELP: &str = "\
Installs what the tests need and runs them all: unit and property tests, the store's conformance
suite on SQLite and PostgreSQL, and whole-system tests with clients that no one here wrote.

Usage: cargo xtask test [--no-install]

  --no-install   touch nothing outside the checkout; tests that miss a program will fail

What is missing is named, with the reason, before it is installed: Debian packages by apt-get
(needs root or sudo), Python and JavaScript clients into target/test-clients. The list is
xtask/src/prerequisites.rs. A second run installs nothing.
";

pub(crate) const CI_HELP: &str = "\
All that must be green before a change goes in: `check`, `specs --check`, `requirements --check`,
`test`, and each fuzz target for ten seconds. .ci/run calls this and nothing else.

Usage: cargo xtask ci

All parts run, also after one has failed; the faults are named together at the end.
";

/// How each fuzz target runs in `ci`: the same each time, so that a change is judged by what it
/// changed. Long runs with other seeds are for a night.
const CI_FUZZ: [&str; 4] = ["--seconds", "10", "--seed", "1"];

/// Tests run and failed, over all test programs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    seen: bool,
}

impl Tally {
    /// Adds a summary line of nextest or of the built-in runner; other lines are nothing.
    fn add(&mut self, line: &str) {
        let line = line.trim();
        let summary = line.starts_with("test result:")
            || (line.starts_with("Summary [") && line.contains("run:"));
        if !summary {
            return;
        }
        self.seen = true;
        let words: Vec<&str> =
            line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let [number, what] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match *what {
                "passed" => self.passed += number,
                "failed" | "timed" => self.failed += number,
                _ => {}
            }
        }
    }
}

/// The verb.
pub(crate) fn test(words: &[String]) -> Outcome {
    if let Some(word) = words.iter().find(|word| *word != "--no-install") {
        return Err(format!("test knows no `{word}`; see `cargo xtask test --help`"));
    }
    if words.is_empty() {
        install::install(Purpose::Test)?;
    }
    // Whole-system tests start the program that a user would start.
    let server = run::root().join("crates/server/Cargo.toml").is_file();
    if server {
        run::pass(run::cargo(&["build", "--locked", "--release", "-p", "server"]))?;
    }
    let runner: &[&str] = if run::has("cargo-nextest") {
        &["nextest", "run", "--locked", "--workspace", "--no-fail-fast"]
    } else {
        &["test", "--locked", "--workspace", "--no-fail-fast"]
    };
    let mut tally = Tally::default();
    let outcome = run::watch(run::cargo(runner), |line| tally.add(line));
    if tally.seen {
        println!("\n{} passed, {} failed", tally.passed, tally.failed);
    }
    outcome
}

/// The verb.
pub(crate) fn ci(_words: &[String]) -> Outcome {
    let only_compare = ["--check".to_owned()];
    let mut faults = Vec::new();
    let mut part = |name: &str, outcome: Outcome| {
        if let Err(fault) = outcome {
            eprintln!("xtask: {name}: {fault}");
            faults.push(format!("{name}: {fault}"));
        }
    };
    part("check", check::check(&[]));
    part("specs", specs::specs(&only_compare));
    part("requirements", requirements::requirements(&only_compare));
    part("test", test(&[]));
    if run::root().join("fuzz/Cargo.toml").is_file() {
        part("fuzz", fuzz::fuzz(&CI_FUZZ.map(str::to_owned)));
    }
    if faults.is_empty() {
        println!("\nci: all green");
        return Ok(());
    }
    Err(format!("ci: {} parts failed\n  {}", faults.len(), faults.join("\n  ")))
}
