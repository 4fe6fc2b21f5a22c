//! Who may open a store, and when.

use std::os::unix::fs::PermissionsExt;

use store::{Backend, Limits, Store, StoreFault, Vault};

use crate::ground::{Folder, Ground, ana, append, ben, entries, key, vault};

fn refusal(ground: &Ground, vault: Vault) -> StoreFault {
    match Store::open(ground.backend.clone(), vault) {
        Ok(_) => panic!("the store opened"),
        Err(fault) => fault,
    }
}

pub(crate) fn there_is_one_writer(ground: Ground) {
    let store = ground.open();
    let writer = store.writer().unwrap();
    assert!(matches!(store.writer(), Err(StoreFault::WriterTaken)));
    drop(writer);
    append(&mut store.writer().unwrap(), entries(vec![ground.entry(&ana(), &ben(), "x")]));
}

pub(crate) fn a_second_server_is_refused(ground: Ground) {
    let store = ground.open();
    assert_eq!(refusal(&ground, vault()), StoreFault::InUse);
    let reader = store.reader();
    drop(store);
    assert_eq!(refusal(&ground, vault()), StoreFault::InUse, "a reader keeps it open");
    drop(reader);
    // PostgreSQL lets a lock go a moment after the session that had it.
    for _ in 0..100 {
        if Store::open(ground.backend.clone(), vault()).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the lock outlives the store");
}

pub(crate) fn another_key_is_refused(ground: Ground) {
    drop(ground.open());
    settle(&ground);
    assert_eq!(refusal(&ground, Vault::new(&key(8)).unwrap()), StoreFault::WrongKey);
    settle(&ground);
    drop(ground.open());
    assert!(matches!(Vault::new(&model::Secret::new(vec![1; 31])), Err(StoreFault::WrongKey)));
}

pub(crate) fn a_newer_version_is_refused(ground: Ground) {
    drop(ground.open());
    settle(&ground);
    ground.tamper("UPDATE schema_version SET version = 99");
    let fault = refusal(&ground, vault());
    assert_eq!(fault, StoreFault::Newer { found: 99, known: 1 });
    let said = "the data has version 99, and this program knows versions up to 1; \
                start a newer program on it";
    assert_eq!(fault.to_string(), said);
    settle(&ground);
    ground.tamper("UPDATE schema_version SET version = 1");
    settle(&ground);
    drop(ground.open());
}

/// PostgreSQL lets a lock go a moment after the session that had it.
fn settle(ground: &Ground) {
    if !ground.is_sqlite() {
        let held = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                    (SELECT oid FROM pg_database WHERE datname = current_database())";
        while ground.number(held) > 0 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// ENC-14: nobody else on the machine may read the folder or its files.
#[test]
fn the_folder_is_private() {
    let ground = Ground::sqlite();
    let store = ground.open();
    append(&mut store.writer().unwrap(), entries(vec![ground.entry(&ana(), &ben(), "x")]));
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&ground.folder()), 0o700);
    for file in std::fs::read_dir(ground.folder()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

/// What is not a folder, or not a server, is one clear sentence.
#[test]
fn places_that_are_none_are_unavailable() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let backend = Backend::Sqlite { path: file };
    assert!(matches!(Store::open(backend, vault()), Err(StoreFault::Unavailable(_))));
    for url in ["host=/nonexistent user=x", "nonsense"] {
        let backend = Backend::Postgres { url: url.to_owned() };
        assert!(matches!(Store::open(backend, vault()), Err(StoreFault::Unavailable(_))));
    }
}

/// ARC-31: a full disk refuses the batch whole, keeps what is there, and takes again when there is
/// room.
#[test]
fn a_full_store_recovers() {
    let ground = Ground::sqlite();
    let store = ground.open_within(Limits { pages_max: Some(120), ..Limits::default() });
    let mut writer = store.writer().unwrap();
    let text = "x".repeat(10_000);
    let (mut stored, mut fault) = (0, None);
    while fault.is_none() && stored < 200 {
        // Each to somebody new, for a conversation whose message was refused must begin again.
        let to = crate::ground::address(&format!("p{stored}@bank.example"));
        match writer.append(entries(vec![ground.entry(&ana(), &to, &text)])) {
            Ok(_) => stored += 1,
            Err(refused) => fault = Some(refused),
        }
    }
    assert_eq!(fault, Some(StoreFault::Full));
    assert!(stored > 5);
    let counts = store.reader().counts().unwrap();
    assert_eq!(counts.messages, stored);
    assert_eq!(counts.records, stored + 1);
    writer.outbox_done(counts.records - 1).unwrap();
    append(&mut writer, entries(vec![ground.entry(&ben(), &ana(), &text)]));
    assert_eq!(store.reader().counts().unwrap().messages, stored + 1);
}
