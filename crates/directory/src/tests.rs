//! Tests of the directory: what they share is here, what they test is in the files below.

mod changes;
mod damage;
mod fold;
mod sharing;

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use auth::{Login, Verifier, Verifiers};
use model::{Address, Timestamp};
use policy::GroupId;

use crate::{Author, Change, Directory, DirectoryFault, Rejection, Snapshot};

/// A folder of its own for one test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chancery-directory-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("directory.jsonl")
    }

    fn create(&self) -> Directory {
        Directory::create(self.file(), "bank.example", &admin(), at(0)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_795_000_000 + secs)
}

fn admin() -> Author {
    Author::Administrator("root".to_owned())
}

fn person(local: &str) -> Address {
    Address::new(local, "bank.example").unwrap()
}

fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

fn group(id: &str) -> GroupId {
    GroupId::parse(id).unwrap()
}

/// Verifiers that no password fits, told apart by `seed`.
fn verifiers(seed: u8) -> Verifiers {
    let letter = char::from(b'A' + seed % 26);
    let base64 = |len: usize| -> String { std::iter::repeat_n(letter, len).collect() };
    let salt = base64(16);
    let text = |name: &str, keys: &str| {
        Verifier::from_text(&format!("{name}$10000:{salt}${keys}:{keys}")).unwrap()
    };
    Verifiers {
        sha1: text("SCRAM-SHA-1", &format!("{}A=", base64(26))),
        sha256: text("SCRAM-SHA-256", &format!("{}A=", base64(42))),
    }
}

fn account_add(local: &str, login_text: &str) -> Change {
    Change::AccountAdd {
        address: person(local),
        login: login(login_text),
        name: format!("The {local}"),
        verifiers: verifiers(0),
    }
}

fn group_add(id: &str, parent: Option<&str>) -> Change {
    Change::GroupAdd {
        id: group(id),
        name: id.to_uppercase(),
        parent: parent.map(group),
        priority: 0,
    }
}

fn member_add(local: &str, id: &str) -> Change {
    Change::MemberAdd { address: person(local), group: group(id) }
}

fn apply(directory: &Directory, changes: &[Change]) -> Result<u64, DirectoryFault> {
    directory.apply(changes, &admin(), "as asked", at(1))
}

fn rejection(directory: &Directory, changes: &[Change]) -> Rejection {
    match apply(directory, changes) {
        Err(DirectoryFault::Rejected(rejection)) => rejection,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

/// Everything in a state, in one order.
fn dump(state: &Snapshot) -> String {
    let mut accounts: Vec<String> = state
        .accounts()
        .map(|account| {
            format!(
                "{} {} {:?} {} {} {} {} {} {:?}",
                account.address(),
                account.login_for_administrators(),
                account.name(),
                account.verifiers,
                account.is_enabled(),
                account.created(),
                account.added_in(),
                account.sessions_from(),
                account.groups(),
            )
        })
        .collect();
    accounts.sort();
    let mut logins: Vec<_> = state.logins.iter().collect();
    logins.sort();
    let mut set = state.policy_set();
    set.members.sort();
    format!(
        "{} {} {} {} {}\n{accounts:#?}\n{logins:?}\n{set:#?}",
        state.version(),
        state.policy_version(),
        state.domain(),
        state.created(),
        state.statement_count,
    )
}

/// Two people in nested groups, in three lines after the first.
fn small(folder: &Folder) -> Directory {
    let directory = folder.create();
    apply(&directory, &[account_add("ann", "u4711"), account_add("bob", "u4712")]).unwrap();
    apply(&directory, &[group_add("tellers", None), group_add("morning", Some("tellers"))])
        .unwrap();
    apply(&directory, &[member_add("ann", "morning"), member_add("bob", "morning")]).unwrap();
    directory
}
