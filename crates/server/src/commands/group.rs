//! `group`: groups, subgroups and who is in them.

use clap::{Args, Subcommand};
use directory::{Change, Snapshot};
use model::Address;
use serde_json::json;

use super::{Scene, Signature, address, group_id};
use crate::fault::Fault;

use ::policy::{Group as Known, GroupId};

/// Adds, lists, moves and removes groups, and lets accounts join and leave.
///
/// Use it to lay out the organisation: what a policy says at a group holds for all below it.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  chancery group add desk --under traders --name 'Bond desk'\n  \
                        chancery group join desk ana@bank.example\n  chancery group list\n"
)]
pub(crate) struct Group {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Add a group
    Add {
        /// What rules and commands call it; no blanks
        #[arg(value_parser = group_id)]
        id: GroupId,
        /// What people read [default: the id]
        #[arg(long)]
        name: Option<String>,
        /// The group above [default: none, directly below the domain]
        #[arg(long, value_name = "ID", value_parser = group_id)]
        under: Option<GroupId>,
        /// Decides between several groups of a person where settings have no order; higher first
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        priority: i32,
        #[command(flatten)]
        signature: Signature,
    },
    /// Show the tree of groups with their members
    List,
    /// Remove a group that nothing refers to
    Remove {
        /// The group
        #[arg(value_parser = group_id)]
        id: GroupId,
        #[command(flatten)]
        signature: Signature,
    },
    /// Put a group, with all below it, under another
    Move {
        /// The group
        #[arg(value_parser = group_id)]
        id: GroupId,
        /// The group above [default: none, directly below the domain]
        #[arg(long, value_name = "ID", value_parser = group_id)]
        under: Option<GroupId>,
        #[command(flatten)]
        signature: Signature,
    },
    /// Let an account join a group
    Join(Member),
    /// Take an account out of a group
    Leave(Member),
}

#[derive(Args, Debug)]
struct Member {
    /// The group
    #[arg(value_parser = group_id)]
    id: GroupId,
    /// The account
    #[arg(value_parser = address)]
    address: Address,
    #[command(flatten)]
    signature: Signature,
}

pub(crate) fn run(scene: &Scene, group: &Group) -> Result<(), Fault> {
    let (change, signature) = match &group.command {
        Command::List => return list(scene),
        Command::Add { id, name, under, priority, signature } => {
            let name = name.clone().unwrap_or_else(|| id.to_string());
            let (id, parent) = (id.clone(), under.clone());
            (Change::GroupAdd { id, name, parent, priority: *priority }, signature)
        }
        Command::Remove { id, signature } => (Change::GroupRemove(id.clone()), signature),
        Command::Move { id, under, signature } => {
            (Change::GroupMove { id: id.clone(), parent: under.clone() }, signature)
        }
        Command::Join(member) => {
            let (address, group) = (member.address.clone(), member.id.clone());
            (Change::MemberAdd { address, group }, &member.signature)
        }
        Command::Leave(member) => {
            let (address, group) = (member.address.clone(), member.id.clone());
            (Change::MemberRemove { address, group }, &member.signature)
        }
    };
    let place = scene.place()?;
    let directory = place.directory()?;
    scene.change(&place, &directory, &[change], signature)
}

fn list(scene: &Scene) -> Result<(), Fault> {
    let snapshot = scene.place()?.directory()?.snapshot();
    scene.show(
        || {
            let mut lines = Vec::new();
            branch(&snapshot, None, 0, &mut lines);
            lines.join("\n")
        },
        || {
            let value = |group: &Known| {
                let members = snapshot.members(&group.id).map(Address::as_str);
                json!({
                    "id": group.id.as_str(),
                    "name": group.name,
                    "under": group.parent.as_ref().map(GroupId::as_str),
                    "priority": group.priority,
                    "members": members.collect::<Vec<_>>(),
                })
            };
            snapshot.groups().map(value).collect()
        },
    );
    Ok(())
}

/// The groups under one, each with those under it; the directory bounds the depth.
fn branch(snapshot: &Snapshot, under: Option<&GroupId>, depth: usize, lines: &mut Vec<String>) {
    for group in snapshot.groups().filter(|group| group.parent.as_ref() == under) {
        let members: Vec<&str> = snapshot.members(&group.id).map(Address::as_str).collect();
        let name = if group.name == group.id.as_str() { "" } else { group.name.as_str() };
        let indent = "  ".repeat(depth);
        let line = format!("{indent}{}  {name}  {}", group.id, members.join(" "));
        lines.push(line.trim_end().to_owned());
        branch(snapshot, Some(&group.id), depth + 1, lines);
    }
}
