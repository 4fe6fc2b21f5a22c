//! `account`: people and applications that may sign in.

use std::path::PathBuf;

use auth::{ITERATIONS_DEFAULT, Login, SALT_BYTES, Verifiers};
use clap::{Args, Subcommand};
use directory::{Account as Known, Change, Snapshot};
use model::{Address, Secret};
use serde_json::{Value, json};

use super::{Scene, Signature, address, group_id};
use crate::{fault::Fault, random, screen};

/// Adds, shows, changes and removes accounts.
///
/// Use it for everything about who may sign in. A change is written at once, and a running server
/// puts it in force at once, also for those who are signed in. Passwords are asked for without
/// echo, read from a file or generated; they are never given on the command line.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  chancery account add ana@bank.example --login a.keller\n  \
                        chancery account password ana@bank.example --generate\n  \
                        chancery account list --json\n")]
pub(crate) struct Account {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Add an account
    #[command(after_help = "The sign-in name may differ from the address and is shown to nobody \
                            else.\n\nExamples:\n  chancery account add ana@bank.example --login \
                            a.keller --name 'Ana Keller' --group desk\n  chancery account add \
                            bot@bank.example --password-file bot.txt\n")]
    Add(Add),
    /// List all accounts
    List {
        /// Only the members of a group
        #[arg(long, value_name = "ID", value_parser = group_id)]
        group: Option<::policy::GroupId>,
    },
    /// Show one account, with its sign-in name
    Show {
        /// The address
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Set a new password; ends the account's sessions
    Password {
        /// The address
        #[arg(value_parser = address)]
        address: Address,
        #[command(flatten)]
        password: PasswordSource,
        #[command(flatten)]
        signature: Signature,
    },
    /// Change the sign-in name or the name that is shown
    Rename(Rename),
    /// Keep an account from signing in; ends its sessions
    Disable(One),
    /// Let a disabled account sign in again
    Enable(One),
    /// Remove an account with its memberships and settings
    Remove(One),
    /// End the sessions of an account
    SignOut(One),
}

#[derive(Args, Debug)]
struct Add {
    /// The address that others write to
    #[arg(value_parser = address)]
    address: Address,
    /// The name to sign in with [default: the part of the address before the @]
    #[arg(long)]
    login: Option<String>,
    /// The name that others are shown
    #[arg(long, default_value = "")]
    name: String,
    /// A group to join; may be given more than once
    #[arg(long, value_name = "ID", value_parser = group_id)]
    group: Vec<::policy::GroupId>,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    signature: Signature,
}

#[derive(Args, Debug)]
struct Rename {
    /// The address
    #[arg(value_parser = address)]
    address: Address,
    /// The new name to sign in with
    #[arg(long, required_unless_present = "name")]
    login: Option<String>,
    /// The new name that others are shown; may be empty
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    signature: Signature,
}

#[derive(Args, Debug)]
struct One {
    /// The address
    #[arg(value_parser = address)]
    address: Address,
    #[command(flatten)]
    signature: Signature,
}

/// Where a password comes from; from the keyboard if nothing is said.
#[derive(Args, Debug)]
struct PasswordSource {
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    password_file: Option<PathBuf>,
    /// Make a password and print it
    #[arg(long)]
    generate: bool,
}

pub(crate) fn run(scene: &Scene, account: &Account) -> Result<(), Fault> {
    match &account.command {
        Command::Add(add) => add_account(scene, add),
        Command::List { group } => list(scene, group.as_ref()),
        Command::Show { address } => show(scene, address),
        Command::Password { address, password, signature } => {
            let place = scene.place()?;
            let directory = place.directory()?;
            known(&directory.snapshot(), address)?;
            let (verifiers, made) = password.verifiers(address)?;
            let change = [Change::AccountPassword { address: address.clone(), verifiers }];
            scene.change_and_tell(&place, &directory, &change, signature, made.as_deref())
        }
        Command::Rename(rename) => {
            let mut changes = Vec::new();
            let address = &rename.address;
            if let Some(login) = &rename.login {
                let login = parse_login(login)?;
                changes.push(Change::AccountLogin { address: address.clone(), login });
            }
            if let Some(name) = &rename.name {
                let name = name.clone();
                changes.push(Change::AccountRename { address: address.clone(), name });
            }
            apply(scene, &changes, &rename.signature)
        }
        Command::Disable(one) => one.apply(scene, Change::AccountDisable),
        Command::Enable(one) => one.apply(scene, Change::AccountEnable),
        Command::Remove(one) => one.apply(scene, Change::AccountRemove),
        Command::SignOut(one) => one.apply(scene, Change::AccountSignOut),
    }
}

impl One {
    fn apply(&self, scene: &Scene, change: fn(Address) -> Change) -> Result<(), Fault> {
        apply(scene, &[change(self.address.clone())], &self.signature)
    }
}

impl PasswordSource {
    /// What the password is checked with, and the password itself if it was made here.
    fn verifiers(&self, address: &Address) -> Result<(Verifiers, Option<String>), Fault> {
        if self.generate {
            let made = random::password();
            let verifiers = derive(&Secret::new(made.clone().into_bytes()))?;
            return Ok((verifiers, Some(made)));
        }
        let what = format!("password of {address}");
        let password = screen::secret(self.password_file.as_deref(), &what, true)?;
        Ok((derive(&password)?, None))
    }
}

/// What a password is checked with.
pub(crate) fn derive(password: &Secret) -> Result<Verifiers, Fault> {
    let salts = [random::bytes::<SALT_BYTES>(), random::bytes::<SALT_BYTES>()];
    Verifiers::derive(password, salts, ITERATIONS_DEFAULT)
        .map_err(|fault| Fault::Refused(fault.to_string()))
}

/// Reads a sign-in name.
pub(crate) fn parse_login(text: &str) -> Result<Login, Fault> {
    Login::parse(text).map_err(|fault| Fault::Usage(format!("the sign-in name {text:?}: {fault}")))
}

fn apply(scene: &Scene, changes: &[Change], signature: &Signature) -> Result<(), Fault> {
    let place = scene.place()?;
    let directory = place.directory()?;
    scene.change(&place, &directory, changes, signature)
}

fn add_account(scene: &Scene, add: &Add) -> Result<(), Fault> {
    let place = scene.place()?;
    let directory = place.directory()?;
    let address = &add.address;
    if directory.snapshot().account(address).is_some() {
        return Err(Fault::Refused(format!("{address} has an account already")));
    }
    let login = add.login.as_deref().or(address.local()).unwrap_or_default();
    let login = parse_login(login)?;
    let (verifiers, made) = add.password.verifiers(address)?;
    let name = add.name.clone();
    let mut changes = vec![Change::AccountAdd { address: address.clone(), login, name, verifiers }];
    let join = |group: &::policy::GroupId| Change::MemberAdd {
        address: address.clone(),
        group: group.clone(),
    };
    changes.extend(add.group.iter().map(join));
    scene.change_and_tell(&place, &directory, &changes, &add.signature, made.as_deref())
}

fn known<'a>(snapshot: &'a Snapshot, address: &Address) -> Result<&'a Known, Fault> {
    let unknown = || Fault::Refused(format!("{address} has no account"));
    snapshot.account(address).map(std::sync::Arc::as_ref).ok_or_else(unknown)
}

fn groups(account: &Known) -> Vec<&str> {
    account.groups().iter().map(::policy::GroupId::as_str).collect()
}

fn value(account: &Known) -> Value {
    json!({
        "address": account.address().as_str(),
        "name": account.name(),
        "enabled": account.is_enabled(),
        "created": account.created().to_string(),
        "groups": groups(account),
    })
}

fn list(scene: &Scene, group: Option<&::policy::GroupId>) -> Result<(), Fault> {
    let snapshot = scene.place()?.directory()?.snapshot();
    if let Some(group) = group
        && snapshot.group(group).is_none()
    {
        return Err(Fault::Refused(format!("there is no group {group}")));
    }
    let wanted = |account: &&Known| group.is_none_or(|group| account.groups().contains(group));
    let all = snapshot.accounts().map(std::sync::Arc::as_ref);
    let mut accounts: Vec<&Known> = all.filter(wanted).collect();
    accounts.sort_by(|one, two| one.address().cmp(two.address()));
    let line = |account: &&Known| {
        let state = if account.is_enabled() { "" } else { " (disabled)" };
        let name = account.name();
        format!("{:32} {name:20} {}{state}", account.address().as_str(), groups(account).join(" "))
            .trim_end()
            .to_owned()
    };
    scene.show(
        || accounts.iter().map(line).collect::<Vec<_>>().join("\n"),
        || accounts.iter().map(|account| value(account)).collect(),
    );
    Ok(())
}

fn show(scene: &Scene, address: &Address) -> Result<(), Fault> {
    let snapshot = scene.place()?.directory()?.snapshot();
    let account = known(&snapshot, address)?;
    let login = account.login_for_administrators();
    scene.show(
        || {
            format!(
                "address   {address}\nname      {}\nsigns in  {login}\nstate     {}\n\
                 created   {}\ngroups    {}",
                account.name(),
                if account.is_enabled() { "enabled" } else { "disabled" },
                account.created(),
                groups(account).join(" ")
            )
        },
        || {
            let mut value = value(account);
            if let Some(object) = value.as_object_mut() {
                object.insert("login".to_owned(), json!(login.as_str()));
            }
            value
        },
    );
    Ok(())
}
