//! No word of anybody lies in the folder, in use, closed or deleted.

use std::path::Path;

use store::{Batch, Change, RosterItem, Subscription};

use crate::ground::{Ground, address, append};

/// Words that go in by every way there is.
const WORDS: &[&str] = &[
    "zinnober-text",
    "zinnober-name",
    "zinnober-group",
    "zinnober-card",
    "zinnober-private",
    "zinnober-status",
    "zinnober-held",
    "zinnober-blocked",
    "zinnober-request",
    "zinnober-person",
    "zinnober-peer",
    "zinnober-namespace",
];

fn search(folder: &Path) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let octets = std::fs::read(&path).unwrap();
        for word in WORDS {
            let found = octets.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} lies in {}", path.display());
        }
    }
}

/// ENC-07, ENC-14: neither while the store is open, nor closed, nor after the owner is forgotten.
#[test]
fn no_planted_word_is_in_any_file() {
    let ground = Ground::sqlite();
    let store = ground.open();
    let mut writer = store.writer().unwrap();
    let owner = address("zinnober-person@bank.example");
    let peer = address("zinnober-peer@bank.example");
    let item = RosterItem {
        contact: peer.clone(),
        name: Some("zinnober-name".into()),
        groups: vec!["zinnober-group".into()],
        subscription: Subscription::Both,
        ask: false,
        approved: false,
    };
    let entries = vec![
        ground.entry(&owner, &peer, "zinnober-text"),
        ground.passing(&owner, &peer, "zinnober-text"),
        ground.held(&owner, &peer, "zinnober-held", "zinnober-held"),
    ];
    let through = entries[1].sealed.id();
    let changes = vec![
        Change::RosterSet { owner: owner.clone(), item },
        Change::VcardSet { owner: owner.clone(), xml: "zinnober-card".into() },
        Change::PrivateSet {
            owner: owner.clone(),
            name: "zinnober-private".into(),
            namespace: "zinnober-namespace".into(),
            xml: "zinnober-private".into(),
        },
        Change::Block { owner: owner.clone(), address: "zinnober-blocked".into() },
        Change::LastActivity {
            owner: owner.clone(),
            at: crate::clock::START,
            status: Some("zinnober-status".into()),
        },
        Change::PendingSubscription {
            owner: owner.clone(),
            contact: peer.clone(),
            request: Some(b"zinnober-request".to_vec()),
        },
    ];
    append(&mut writer, Batch { entries, changes, ..Batch::default() });
    assert!(ground.folder().join("store.sqlite-wal").exists());
    search(&ground.folder());
    let gone = vec![Change::Delivered { owner: peer, through }, Change::Forget { owner }];
    append(&mut writer, Batch { changes: gone, ..Batch::default() });
    search(&ground.folder());
    drop((writer, store));
    search(&ground.folder());
}

/// Deleted rows are overwritten: what their envelopes were is not in the closed file.
#[test]
fn deleted_envelopes_are_overwritten() {
    let ground = Ground::sqlite();
    let store = ground.open();
    let mut writer = store.writer().unwrap();
    let (one, other) = (crate::ground::ana(), crate::ground::ben());
    let id = append(
        &mut writer,
        Batch {
            entries: vec![ground.passing(&one, &other, &"long ".repeat(2_000))],
            ..Batch::default()
        },
    )[0];
    let file = ground.folder().join("store.sqlite");
    let envelope: Vec<u8> = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("SELECT body FROM message", [], |row| row.get(0))
        .unwrap();
    let gone = vec![Change::Delivered { owner: other, through: id }];
    append(&mut writer, Batch { changes: gone, ..Batch::default() });
    drop((writer, store));
    let octets = std::fs::read(&file).unwrap();
    for piece in envelope.chunks_exact(64) {
        assert!(!octets.windows(64).any(|window| window == piece));
    }
}
