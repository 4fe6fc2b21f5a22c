//! What was changed behind the store's back is never shown.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
};

use store::{Batch, Change, HistoryQuery, Store, StoreFault};

use crate::ground::{Ground, ana, append, ben, entries, vault};

fn is_damaged<T>(outcome: Result<T, StoreFault>) -> bool {
    matches!(outcome, Err(StoreFault::Damaged(_)))
}

/// The last byte of an envelope, another one.
fn flip(ground: &Ground, table: &str) {
    if ground.is_sqlite() {
        ground.tamper(&format!(
            "UPDATE {table} SET body = CAST(substr(body, 1, length(body) - 1) || \
             CASE WHEN hex(substr(body, -1)) = '00' THEN x'01' ELSE x'00' END AS BLOB)"
        ));
    } else {
        ground.tamper(&format!(
            "UPDATE {table} SET body = set_byte(body, length(body) - 1, \
             get_byte(body, length(body) - 1) # 1)"
        ));
    }
}

/// ENC-16: every table's entries fail as damage when one bit is another.
pub(crate) fn a_flipped_bit_is_damage(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let item = store::RosterItem {
        contact: ben(),
        name: None,
        groups: Vec::new(),
        subscription: store::Subscription::Both,
        ask: false,
        approved: false,
    };
    let batch = Batch {
        entries: vec![
            ground.entry(&ana(), &ben(), "one"),
            ground.held(&ana(), &ben(), "two", "rule"),
        ],
        changes: vec![
            Change::RosterSet { owner: ana(), item },
            Change::VcardSet { owner: ana(), xml: "<vCard/>".into() },
            Change::PendingSubscription { owner: ana(), contact: ben(), request: Some(vec![1]) },
        ],
        ..Batch::default()
    };
    append(&mut writer, batch);
    for table in ["message", "held", "outbox", "roster", "keepsake", "request"] {
        flip(&ground, table);
    }
    assert!(is_damaged(reader.history(&HistoryQuery::of(ana(), 9))));
    assert!(is_damaged(reader.waiting(&ben(), None, 9)));
    assert!(is_damaged(reader.held(None, 9)));
    assert!(is_damaged(reader.outbox(0, 9)));
    assert!(is_damaged(reader.roster(&ana())));
    assert!(is_damaged(reader.vcard(&ana())));
    assert!(is_damaged(reader.pending_subscriptions(&ana())));
    // Others notice nothing, and the writer goes on.
    append(&mut writer, entries(vec![ground.entry(&ben(), &ben(), "three")]));
    let query = HistoryQuery { with: Some(ben()), ..HistoryQuery::of(ben(), 9) };
    assert_eq!(reader.history(&query).unwrap().items.len(), 1);
}

/// An envelope is good only where it was put.
pub(crate) fn an_envelope_on_another_row_is_damage(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let batch = vec![ground.entry(&ana(), &ben(), "one"), ground.entry(&ana(), &ben(), "two")];
    append(&mut writer, entries(batch));
    ground.tamper("UPDATE message SET body = (SELECT m.body FROM message m ORDER BY id LIMIT 1)");
    let first = HistoryQuery::of(ana(), 1);
    assert_eq!(reader.history(&first).unwrap().items.len(), 1);
    assert!(is_damaged(reader.history(&HistoryQuery::of(ana(), 2))));
    ground.tamper("DELETE FROM message");
    assert!(is_damaged(reader.history(&first)));
}

/// A file that is none, one cut off, and one overwritten in its middle do not open.
#[test]
fn a_damaged_file_is_refused() {
    let ground = Ground::sqlite();
    let store = ground.open();
    let batch = (0..200).map(|_| ground.entry(&ana(), &ben(), &"x".repeat(500)));
    append(&mut store.writer().unwrap(), entries(batch.collect()));
    drop(store);
    let file = ground.folder().join("store.sqlite");
    let good = fs::read(&file).unwrap();
    let refused = || is_damaged(Store::open(ground.backend.clone(), vault()));

    fs::write(&file, b"this is no database, whatever its name says").unwrap();
    assert!(refused());
    fs::write(&file, &good[..good.len() / 2 / 4_096 * 4_096]).unwrap();
    assert!(refused());
    fs::write(&file, &good).unwrap();
    let mut open = fs::OpenOptions::new().write(true).open(&file).unwrap();
    open.seek(SeekFrom::Start(4_096)).unwrap();
    open.write_all(&vec![0x5a; good.len() - 8_192]).unwrap();
    drop(open);
    assert!(refused());
    fs::write(&file, &good).unwrap();
    let store = ground.open();
    assert_eq!(store.reader().counts().unwrap().messages, 200);
}
