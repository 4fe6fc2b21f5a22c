//! The command line: that it is put together well, and that every command says when to use it.

use clap::{Command, CommandFactory as _, Parser as _};

use super::Cli;

#[test]
fn it_is_put_together_well() {
    Cli::command().debug_assert();
}

/// Every command has a sentence; those at the top say when to use them and give an example.
#[test]
fn every_command_explains_itself() {
    fn walk(command: &Command) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "{} says nothing", inner.get_name());
            for argument in inner.get_arguments().filter(|argument| !argument.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{} {argument}", inner.get_name());
            }
            walk(inner);
        }
    }
    let cli = Cli::command();
    walk(&cli);
    for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
        let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        let name = command.get_name();
        assert!(long.lines().count() > 1, "{name} does not say when to use it");
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(after.contains("Example"), "{name} has no example");
    }
}

#[test]
fn passwords_are_not_taken_from_the_command_line() {
    let secret = |argument: &clap::Arg| {
        let name = argument.get_id().as_str();
        (name.contains("password") || name.contains("passphrase")) && !name.ends_with("_file")
    };
    fn all(command: &Command, into: &mut Vec<clap::Arg>) {
        into.extend(command.get_arguments().cloned());
        command.get_subcommands().for_each(|inner| all(inner, into));
    }
    let mut arguments = Vec::new();
    all(&Cli::command(), &mut arguments);
    assert!(!arguments.iter().any(secret));
}

#[test]
fn wrong_values_are_named() {
    for (line, expect) in [
        ("account add ana", "ana@bank.example"),
        ("policy set domain message.size 5", "there is no setting"),
        ("policy set nowhere message.max_bytes 5", "a node is domain"),
        ("policy explain ana@bank.example message.max_bytes --at now", "is not a time"),
        ("archive export --key k --out o --format pdf x", "eml, jsonl or csv"),
    ] {
        let words = std::iter::once("chancery").chain(line.split(' '));
        let fault = Cli::try_parse_from(words).expect_err(line).to_string();
        assert!(fault.contains(expect), "{line}: {fault}");
    }
}
