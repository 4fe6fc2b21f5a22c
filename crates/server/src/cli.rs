//! The command line as a whole.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    boot,
    commands::{Scene, account, archive, check, demo, group, init, policy, review},
    fault::Fault,
    place::CONFIG_FILE,
};

/// Chancery: one server for all of an organisation's messages, with one policy checkpoint and one
/// sealed archive.
///
/// Start with `chancery demo`, which makes a domain to play with; `chancery init` makes a real one.
#[derive(Parser, Debug)]
#[command(name = "chancery", version, max_term_width = 100, after_help = EXAMPLES,
          after_long_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Cli {
    /// The configuration: a file, or a folder that holds chancery.toml
    #[arg(long, global = true, value_name = "PATH", default_value = CONFIG_FILE)]
    config: PathBuf,
    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,
    /// How much to log to standard error: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:\n  chancery demo\n  chancery init /srv/chancery --domain \
bank.example\n  chancery --config /srv/chancery account add ana@bank.example --generate\n  \
chancery --config /srv/chancery serve\n\nExit codes: 0 done; 1 refused, not found, or a check \
failed; 2 wrong usage or\nconfiguration; 3 the surroundings: a port, the disk, damaged or newer \
data, a lost key.";

#[derive(Subcommand, Debug)]
enum Command {
    Init(init::Init),
    Serve(Serve),
    CheckConfig(check::Check),
    Account(account::Account),
    Group(group::Group),
    Policy(policy::Policy),
    Review(review::Review),
    Archive(archive::Archive),
    Demo(demo::Demo),
}

/// Serves the domain until it is told to end.
///
/// Use it as the one long-running command, under systemd or in a terminal. When it is ready it
/// prints one line, `serving DOMAIN on …`, to standard output. SIGTERM and SIGINT (Ctrl-C) end it
/// cleanly: clients are told, what is under way is written. SIGHUP reads accounts, groups and
/// policies again.
#[derive(Args, Debug)]
#[command(
    after_help = "Each connection takes a file descriptor: start it with a limit that fits, \
                        as by `ulimit -n 65536`\nor LimitNOFILE=65536 in a systemd unit.\n\n\
                        Examples:\n  chancery serve\n  chancery --config /srv/chancery serve \
                        --log debug\n"
)]
struct Serve {}

impl Cli {
    pub(crate) fn run(self) -> Result<(), Fault> {
        let scene = Scene { config: self.config, json: self.json, log: self.log };
        match &self.command {
            Command::Init(init) => init::run(&scene, init),
            Command::Serve(Serve {}) => boot::serve(&scene),
            Command::CheckConfig(check) => check::run(&scene, check),
            Command::Account(account) => account::run(&scene, account),
            Command::Group(group) => group::run(&scene, group),
            Command::Policy(policy) => policy::run(&scene, policy),
            Command::Review(review) => review::run(&scene, review),
            Command::Archive(archive) => archive::run(&scene, archive),
            Command::Demo(demo) => demo::run(&scene, demo),
        }
    }
}

#[cfg(test)]
mod tests;
