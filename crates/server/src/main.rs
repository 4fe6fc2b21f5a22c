//! The program `chancery`: reads the command line, does the one thing it says, and ends with an
//! exit code that means something. What a command does is in `commands`; how the server begins and
//! ends is in `boot`.

mod boot;
mod certificate;
mod cli;
mod commands;
mod config;
mod control;
mod fault;
mod files;
mod logging;
mod place;
mod random;
mod reference;
mod screen;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            screen::remark(&format!("chancery: {fault}"));
            fault.exit_code()
        }
    }
}
