//! The commands: each reads the installation, does one thing, and says what came of it.

pub(crate) mod account;
pub(crate) mod archive;
pub(crate) mod check;
pub(crate) mod demo;
mod demo_content;
pub(crate) mod group;
pub(crate) mod init;
pub(crate) mod policy;
mod policy_rules;
pub(crate) mod review;

use std::path::PathBuf;

use ::policy::{GroupId, Node};
use clap::Args;
use directory::{Author, Change, Directory};
use hub::clock;
use model::Address;
use serde_json::{Value, json};

use crate::{
    control::{self, Answer},
    fault::Fault,
    place::Place,
    screen,
};

/// What every command gets.
pub(crate) struct Scene {
    /// The configuration file as given.
    pub(crate) config: PathBuf,
    /// Results as JSON.
    pub(crate) json: bool,
    /// How much to log, if the command line says so.
    pub(crate) log: Option<String>,
}

/// Who makes a change, and why.
#[derive(Args, Clone, Debug)]
pub(crate) struct Signature {
    /// Who makes the change, for the audit trail [default: the name in $USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}

impl Signature {
    /// The name for the audit trail.
    #[expect(clippy::disallowed_methods, reason = "the command line names its author so")]
    pub(crate) fn name(&self) -> String {
        let environment = || std::env::var("USER").ok().filter(|name| !name.is_empty());
        self.by.clone().or_else(environment).unwrap_or_else(|| "administrator".to_owned())
    }
}

impl Scene {
    /// The installation.
    pub(crate) fn place(&self) -> Result<Place, Fault> {
        Place::open(&self.config)
    }

    /// Prints a result in the form that was asked for.
    pub(crate) fn show(&self, text: impl FnOnce() -> String, value: impl FnOnce() -> Value) {
        if self.json {
            screen::print_json(&value());
        } else {
            screen::print(&text());
        }
    }

    /// Makes changes in the directory, tells the running server, and says what is in force.
    pub(crate) fn change(
        &self,
        place: &Place,
        directory: &Directory,
        changes: &[Change],
        signature: &Signature,
    ) -> Result<(), Fault> {
        self.change_and_tell(place, directory, changes, signature, None)
    }

    /// The same, and prints a password that was made for it, once it holds.
    pub(crate) fn change_and_tell(
        &self,
        place: &Place,
        directory: &Directory,
        changes: &[Change],
        signature: &Signature,
        password: Option<&str>,
    ) -> Result<(), Fault> {
        let author = Author::Administrator(signature.name());
        let version = directory
            .apply(changes, &author, &signature.reason, clock::now())
            .map_err(|fault| Fault::directory(&fault, &place.directory_file()))?;
        let done: Vec<String> = changes.iter().map(Change::to_string).collect();
        // It is written, so the password holds whatever the server says next.
        if let Some(password) = password.filter(|_| !self.json) {
            screen::print(&format!("password: {password}"));
        }
        let (in_force, sentence) = match control::ask(&place.control_socket(), "reload")? {
            Answer::Done(_) => (true, format!("version {version} is in force")),
            Answer::Nobody => (
                false,
                format!(
                    "version {version} is written; no server is running, it is in force from the \
                     next start"
                ),
            ),
            Answer::Denied(why) => {
                return Err(Fault::Refused(format!(
                    "version {version} is written, but the running server does not take it: {why}"
                )));
            }
        };
        self.show(
            || format!("{}; {sentence}", done.join("; ")),
            || {
                let mut value =
                    json!({ "changes": done, "version": version, "in_force": in_force });
                if let (Some(password), Some(object)) = (password, value.as_object_mut()) {
                    object.insert("password".to_owned(), json!(password));
                }
                value
            },
        );
        Ok(())
    }
}

/// Reads an address of the command line.
pub(crate) fn address(text: &str) -> Result<Address, String> {
    let address = Address::parse(text).map_err(|fault| format!("{text:?}: {fault}"))?;
    if address.local().is_none() {
        return Err(format!("{text:?} is a domain; give an address such as ana@bank.example"));
    }
    Ok(address)
}

/// Reads the id of a group.
pub(crate) fn group_id(text: &str) -> Result<GroupId, String> {
    let id = text.strip_prefix("group:").unwrap_or(text);
    GroupId::parse(id).map_err(|fault| fault.to_string())
}

/// Reads a node: `domain`, `group:ID`, `person:ADDRESS`, or an address.
pub(crate) fn node(text: &str) -> Result<Node, String> {
    if text.contains('@') && !text.contains(':') {
        return address(text).map(Node::Person);
    }
    text.parse().map_err(|fault: ::policy::NodeFault| format!("{text:?}: {fault}"))
}
