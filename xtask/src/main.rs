//! The chores of this repository, one verb each; knows the tree and the tools, never the product's crates.
//!
//! Read in this order: `verbs` (this file), `run` (how a tool is called), `tree` and `rust` (how the
//! sources are read), `tidy` (house rules that are tests), `specs` and `requirements` (the two indexes
//! that a program keeps true), `prerequisites` and `install` (what the tests need of the machine).
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal that starts other programs; the bans are for the server"
)]

mod bench;
mod check;
mod fuzz;
mod install;
mod prerequisites;
mod requirements;
mod run;
mod rust;
mod specs;
mod table;
mod test;
mod tidy;
mod tree;

use std::process::ExitCode;

/// What a verb answers: nothing, or one sentence that says what is wrong.
type Outcome = Result<(), String>;

/// A chore: its name, its line in the list, its own page of help, and what it does.
struct Verb {
    name: &'static str,
    line: &'static str,
    help: &'static str,
    act: fn(&[String]) -> Outcome,
}

const VERBS: &[Verb] = &[
    Verb {
        name: "check",
        line: "format, lints and house rules",
        help: check::HELP,
        act: check::check,
    },
    Verb {
        name: "tidy",
        line: "the house rules alone (a second)",
        help: tidy::HELP,
        act: tidy::tidy,
    },
    Verb {
        name: "test",
        line: "install what the tests need, then run them",
        help: test::HELP,
        act: test::test,
    },
    Verb {
        name: "ci",
        line: "all that must be green before a change goes in",
        help: test::CI_HELP,
        act: test::ci,
    },
    Verb {
        name: "specs",
        line: "check and write the list of standards",
        help: specs::HELP,
        act: specs::specs,
    },
    Verb {
        name: "requirements",
        line: "write the list of requirements and their tests",
        help: requirements::HELP,
        act: requirements::requirements,
    },
    Verb {
        name: "fuzz",
        line: "throw random bytes at the parsers",
        help: fuzz::HELP,
        act: fuzz::fuzz,
    },
    Verb {
        name: "bench",
        line: "what a message, a sign-in and a session cost, beside other servers",
        help: bench::HELP,
        act: bench::bench,
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[String]) -> Outcome {
    let (first, rest) = match words.split_first() {
        None => ("help", words),
        Some((first, rest)) => (first.as_str(), rest),
    };
    if matches!(first, "help" | "--help" | "-h") {
        return help(rest.first().map(String::as_str));
    }
    let verb = find(first)?;
    if rest.iter().any(|word| word == "--help" || word == "-h") {
        return help(Some(first));
    }
    (verb.act)(rest)
}

fn find(name: &str) -> Result<&'static Verb, String> {
    VERBS
        .iter()
        .find(|verb| verb.name == name)
        .ok_or_else(|| format!("no verb `{name}`; `cargo xtask help` lists them"))
}

fn help(of: Option<&str>) -> Outcome {
    if let Some(name) = of {
        print!("{}", find(name)?.help);
        return Ok(());
    }
    println!("The chores of this repository, the same on a laptop and on the build machine.\n");
    println!("Usage: cargo xtask <verb> [options]\n\nVerbs:");
    for verb in VERBS {
        println!("  {:<13} {}", verb.name, verb.line);
    }
    println!("\n`cargo xtask <verb> --help` says what a verb does and what it may change.");
    Ok(())
}
