//! Several handles on one file, as the server and the command line have.

use std::{
    collections::{BTreeSet, HashSet},
    thread,
};

use crate::{
    Change, Directory, DirectoryFault, Rejection,
    tests::{Folder, account_add, admin, apply, at, dump, person, small, verifiers},
};

/// Writers each with a file handle of their own, which is what processes have: `flock` belongs to
/// the open file, not to the process.
#[test]
fn writers_with_their_own_handles_lose_nothing_and_share_no_number() {
    const WRITERS: usize = 4;
    const EACH: usize = 20;
    let folder = Folder::new();
    let reader = folder.create();
    let numbers: Vec<u64> = thread::scope(|scope| {
        let write = |writer: usize| {
            let directory = Directory::open(folder.file()).unwrap();
            let add = |index: usize| {
                let name = format!("p{writer}-{index}");
                apply(&directory, &[account_add(&name, &name)]).unwrap()
            };
            (0..EACH).map(add).collect::<Vec<_>>()
        };
        let threads: Vec<_> =
            (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        while reader.snapshot().accounts().len() < WRITERS * EACH {
            reader.refresh().unwrap();
            thread::sleep(std::time::Duration::from_millis(1));
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let unique: BTreeSet<u64> = numbers.iter().copied().collect();
    let last = (WRITERS * EACH) as u64 + 1;
    assert_eq!(unique, (2..=last).collect());
    let fresh = Directory::open(folder.file()).unwrap();
    assert_eq!(dump(&fresh.snapshot()), dump(&reader.snapshot()));
    assert_eq!(fresh.snapshot().version(), last);
}

#[test]
fn one_name_goes_to_one_of_two_writers() {
    let folder = Folder::new();
    let one = folder.create();
    let two = Directory::open(folder.file()).unwrap();
    let add = account_add("ann", "u4711");
    let won = thread::scope(|scope| {
        let threads = [&one, &two].map(|directory| {
            let add = add.clone();
            scope.spawn(move || apply(directory, &[add]).is_ok())
        });
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(won[0] != won[1]);
}

#[test]
fn a_change_is_judged_against_what_others_wrote_first() {
    let folder = Folder::new();
    let one = small(&folder);
    let two = Directory::open(folder.file()).unwrap();
    apply(&one, &[Change::AccountRemove(person("bob"))]).unwrap();
    assert!(two.snapshot().account(&person("bob")).is_some());
    let applied = apply(&two, &[Change::AccountDisable(person("bob"))]);
    assert!(matches!(applied, Err(DirectoryFault::Rejected(Rejection::AccountUnknown(_)))));
    assert!(two.snapshot().account(&person("bob")).is_none(), "it was read all the same");
}

#[test]
fn refreshing_tells_whether_there_was_something_and_wakes_those_who_wait() {
    let folder = Folder::new();
    let one = small(&folder);
    let two = Directory::open(folder.file()).unwrap();
    let mut waiting = two.watch();
    assert!(!two.refresh().unwrap() && !waiting.has_changed().unwrap());
    let held = two.snapshot();
    apply(&one, &[Change::AccountDisable(person("bob"))]).unwrap();
    assert!(two.refresh().unwrap() && waiting.has_changed().unwrap());
    assert_eq!(*waiting.borrow_and_update(), 5);
    assert!(two.snapshot().active(&person("bob")).is_none());
    assert!(held.active(&person("bob")).is_some(), "a snapshot does not change");
    let version = apply(&two, &[Change::AccountEnable(person("bob"))]).unwrap();
    assert_eq!(*waiting.borrow_and_update(), version);
}

/// DIR-20: ten thousand accounts, made in sets and read again. The time is printed.
#[test]
#[allow(clippy::disallowed_methods, reason = "measures how long reading takes")]
#[allow(clippy::print_stdout, reason = "the figure is what the test is for")]
fn dir_20_ten_thousand_accounts_are_read_quickly() {
    const ACCOUNTS: usize = 10_000;
    let folder = Folder::new();
    let directory = folder.create();
    let add = |index: usize| Change::AccountAdd {
        address: person(&format!("person.{index}")),
        login: crate::tests::login(&format!("u{index:06}")),
        name: format!("Person Number {index}"),
        verifiers: verifiers((index % 26) as u8),
    };
    let changes: Vec<Change> = (0..ACCOUNTS).map(add).collect();
    for set in changes.chunks(500) {
        directory.apply(set, &admin(), "moved from the old server", at(1)).unwrap();
    }
    let bytes = std::fs::metadata(folder.file()).unwrap().len();
    let start = std::time::Instant::now();
    let read = Directory::open(folder.file()).unwrap();
    println!("{ACCOUNTS} accounts, {bytes} bytes, read in {:?}", start.elapsed());
    let snapshot = read.snapshot();
    assert_eq!(snapshot.accounts().len(), ACCOUNTS);
    let logins: HashSet<_> = snapshot
        .accounts()
        .map(|account| account.login_for_administrators().as_str().to_owned())
        .collect();
    assert_eq!(logins.len(), ACCOUNTS);
    assert_eq!(
        snapshot.find_login(&crate::tests::login("U004711")).unwrap().address(),
        &person("person.4711")
    );
}
