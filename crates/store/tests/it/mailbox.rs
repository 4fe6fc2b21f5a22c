//! What waits, and for how long.

use store::{Batch, Change, HistoryQuery, Limits};

use crate::ground::{Ground, address, ana, append, ben, changes, entries, row};

/// MSG-12: the queue is what came in above the mark, in order, kept or not.
pub(crate) fn what_waits_is_what_came_in(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let batch = vec![
        ground.entry(&ana(), &ben(), "kept"),
        ground.passing(&ana(), &ben(), "passing"),
        ground.entry(&ben(), &ana(), "sent"),
        ground.entry(&ana(), &ben(), "last"),
    ];
    let ids = append(&mut writer, entries(batch));
    let waiting = reader.waiting(&ben(), None, 9).unwrap().items;
    let seen: Vec<_> = waiting.iter().map(|item| (item.id, item.history)).collect();
    assert_eq!(seen, [(ids[0], true), (ids[1], false), (ids[3], true)]);
    assert!(waiting.iter().all(|item| item.incoming && item.peer == ana()));
    assert_eq!(reader.waiting(&ben(), None, 1).unwrap().items[0].id, ids[0]);
    assert_eq!(reader.waiting(&ben(), Some(ids[0]), 1).unwrap().items[0].id, ids[1]);
    assert_eq!(reader.delivered_mark(&ben()).unwrap(), None);
    let history = reader.history(&HistoryQuery::of(ben(), 9)).unwrap();
    assert_eq!(history.items.len(), 3, "what only passes is in no history");
    assert!(reader.message(&ben(), ids[1]).unwrap().is_some_and(|item| !item.history));
}

/// MSG-12: a page of large messages is short, says so, and the pages together are everything.
pub(crate) fn pages_of_large_messages_are_short(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let large = "x".repeat(400_000);
    let texts = ["small", &large, &large, &large, &"x".repeat(1_500_000), "last"];
    let batch = texts.iter().map(|text| ground.entry(&ana(), &ben(), text)).collect();
    let ids = append(&mut writer, entries(batch));
    let (mut after, mut sizes, mut seen) = (None, Vec::new(), Vec::new());
    loop {
        let page = reader.waiting(&ben(), after, 9).unwrap();
        seen.extend(page.items.iter().map(|item| item.id));
        sizes.push(page.items.len());
        after = seen.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(sizes, [3, 1, 1, 1]);
    assert_eq!(seen, ids);
    assert!(reader.waiting(&ben(), None, 2).unwrap().more);
}

/// A mark never goes back; what only waited goes with it, its octets when nobody else has them.
pub(crate) fn marks_only_rise_and_sweep(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let eve = address("eve@bank.example");
    let mut shared = ground.passing(&ana(), &ben(), "to two");
    shared.rows.push(row(&eve, &ana(), true, false));
    let batch = vec![
        ground.passing(&ana(), &ben(), "alone"),
        shared,
        ground.entry(&ana(), &ben(), "kept"),
        ground.passing(&ana(), &ben(), "later"),
    ];
    let ids = append(&mut writer, entries(batch));
    let mark = |owner: &model::Address, place: usize| Change::Delivered {
        owner: owner.clone(),
        through: ids[place],
    };
    assert_eq!(ground.number("SELECT COUNT(*) FROM message"), 4);
    append(&mut writer, changes(vec![mark(&ben(), 2), mark(&ben(), 0)]));
    assert_eq!(reader.delivered_mark(&ben()).unwrap(), Some(ids[2]));
    append(&mut writer, changes(vec![mark(&ben(), 1), mark(&ben(), 1)]));
    assert_eq!(reader.delivered_mark(&ben()).unwrap(), Some(ids[2]));
    let waiting = reader.waiting(&ben(), None, 9).unwrap().items;
    assert_eq!(waiting.iter().map(|item| item.id).collect::<Vec<_>>(), [ids[3]]);
    assert!(reader.message(&ben(), ids[0]).unwrap().is_none());
    assert!(reader.message(&eve, ids[1]).unwrap().is_some(), "the other still waits for it");
    assert!(reader.message(&ben(), ids[2]).unwrap().is_some());
    assert_eq!(ground.number("SELECT COUNT(*) FROM message"), 3);
    append(&mut writer, changes(vec![mark(&eve, 3)]));
    assert_eq!(ground.number("SELECT COUNT(*) FROM message"), 2);
    append(&mut writer, changes(vec![mark(&ben(), 3)]));
    assert_eq!(ground.number("SELECT COUNT(*) FROM message"), 1);
    // Delivered in the very batch that brings it.
    let entry = ground.passing(&ana(), &ben(), "at once");
    let through = entry.sealed.id();
    let changes = vec![Change::Delivered { owner: ben(), through }];
    append(&mut writer, Batch { entries: vec![entry], changes, ..Batch::default() });
    assert_eq!(ground.number("SELECT COUNT(*) FROM message"), 1);
    assert_eq!(ground.number("SELECT COUNT(*) FROM passing"), 0);
}

/// Who is forgotten has nothing; what others have of them stays.
pub(crate) fn the_forgotten_leave_others_theirs(ground: Ground) {
    let store = ground.open_within(Limits { arrivals_max: Some(2), ..Limits::default() });
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let mut own = ground.entry(&ana(), &ben(), "only hers");
    own.rows.truncate(1);
    let batch = vec![
        own,
        ground.entry(&ana(), &ben(), "of both"),
        ground.passing(&ben(), &ana(), "waits for her"),
    ];
    let ids = append(&mut writer, entries(batch));
    let mut recent = ground.entry(&ana(), &ben(), "only hers, and new");
    recent.rows.truncate(1);
    append(&mut writer, entries(vec![recent]));
    assert_eq!(ground.number("SELECT COUNT(*) FROM arrival"), 1);
    let block = Change::Block { owner: ana(), address: "spam.example".into() };
    let card = Change::VcardSet { owner: ana(), xml: "<vCard/>".into() };
    append(&mut writer, changes(vec![block, card]));
    let mark = Change::Delivered { owner: ana(), through: ids[2] };
    append(&mut writer, changes(vec![Change::Forget { owner: ana() }, mark]));
    append(&mut writer, changes(vec![Change::Forget { owner: ana() }]));
    assert_eq!(reader.history(&HistoryQuery::of(ana(), 9)).unwrap().items, []);
    assert!(reader.waiting(&ana(), None, 9).unwrap().items.is_empty());
    assert_eq!(reader.delivered_mark(&ana()).unwrap(), None);
    assert!(reader.blocklist(&ana()).unwrap().is_empty());
    assert_eq!(reader.vcard(&ana()).unwrap(), None);
    let his = reader.history(&HistoryQuery::of(ben(), 9)).unwrap().items;
    assert_eq!(his.iter().map(|item| item.id).collect::<Vec<_>>(), [ids[1]]);
    assert_eq!(ground.number("SELECT COUNT(*) FROM message"), 1);
}
