//! What goes in, goes in whole.

use std::sync::atomic::{AtomicBool, Ordering};

use archive::Link;
use model::Conversation;
use store::{Batch, Change, Counts, Entry, HistoryQuery, StoreFault, Stored};

use crate::ground::{Ground, Sealing, ana, append, ben, both_rows, entries, row, submission};

/// MSG-12, ARC-30: message, queue and sealed record are in together and are counted together.
pub(crate) fn one_batch_is_one_commit(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    assert_eq!(reader.counts().unwrap(), Counts::default());
    assert_eq!(reader.last_message_id().unwrap(), None);
    let one = ground.entry(&ana(), &ben(), "one");
    let two = ground.entry(&ben(), &ana(), "two");
    let link = *two.sealed.next_link();
    let committed = writer.append(entries(vec![one, two])).unwrap();
    let ids: Vec<_> = committed.stored.iter().map(Stored::id).collect();
    assert_eq!(committed.stored[0].rows(), both_rows(&ana(), &ben()));
    assert_eq!(committed.stored[0].admitted().submission().content.text.as_ref(), "one");

    let page = reader.history(&HistoryQuery::of(ana(), 10)).unwrap();
    assert!(page.complete && page.total.is_none());
    let seen: Vec<_> = page.items.iter().map(|item| (item.id, item.incoming)).collect();
    assert_eq!(seen, [(ids[0], false), (ids[1], true)]);
    let first = &page.items[0];
    let expect = submission(&ana(), &ben(), "one");
    assert_eq!((&first.sender, &first.peer), (&ana(), &ben()));
    assert_eq!(first.octets, expect.content.octets);
    assert_eq!((first.accepted, &first.session), (expect.accepted, &expect.session));
    assert_eq!((first.format, first.kind), (expect.content.format, expect.content.kind));
    assert_eq!((first.class, first.origin), (expect.class, expect.origin));
    assert_eq!(first.client_id.as_deref(), Some("c1"));
    assert_eq!(reader.message(&ben(), ids[1]).unwrap().as_ref().unwrap().peer, ana());
    assert!(reader.message(&ben(), ground.ids.next()).unwrap().is_none());

    let conversation = Conversation::direct(&ana(), &ben());
    assert_eq!(reader.conversation_link(&conversation).unwrap(), link);
    assert_eq!(reader.last_message_id().unwrap(), Some(ids[1]));
    // The opening of the segment is a record too.
    let counts = Counts { messages: 2, notes: 0, records: 3, outbox: 3 };
    assert_eq!(reader.counts().unwrap(), counts);
}

/// ARC-30: numbers are gap-free over batches, faults and restarts.
pub(crate) fn records_are_numbered_without_gaps(ground: Ground) {
    let mut expect = Vec::new();
    for round in 0..3 {
        let store = ground.open();
        let (mut writer, reader) = (store.writer().unwrap(), store.reader());
        for _ in 0..4 {
            let mut batch =
                entries(vec![ground.entry(&ana(), &ben(), "x"), ground.entry(&ben(), &ana(), "y")]);
            batch.notes.push(ground.sealing.note(ground.ids.next()));
            expect.extend(batch.entries.iter().flat_map(|entry| entry.sealed.records()).cloned());
            expect.extend(batch.notes.iter().flat_map(|note| note.records()).cloned());
            append(&mut writer, batch);
        }
        let from = round * 5;
        let records = reader.outbox(from, 1_000).unwrap();
        assert_eq!(records.first().unwrap().0, from);
        for (place, (number, record)) in (from..).zip(&records) {
            assert_eq!(*number, place);
            assert_eq!(*record, expect[usize::try_from(place).unwrap()]);
        }
        assert_eq!(u64::try_from(expect.len()).unwrap(), reader.counts().unwrap().records);
        // A few at a time, as the sequencer takes them.
        assert!(!reader.outbox(from, 1).unwrap().is_empty());
        // Said twice, and never back; half of a batch may be done.
        let through = (round + 1) * 5 - 1;
        writer.outbox_done(through).unwrap();
        writer.outbox_done(through).unwrap();
        writer.outbox_done(0).unwrap();
        let counts = reader.counts().unwrap();
        assert_eq!(counts.outbox, counts.records - through - 1);
        assert!(reader.outbox(0, 1).unwrap()[0].0 <= through + 1);
        assert_eq!(reader.outbox(counts.records, 9).unwrap(), []);
    }
    let store = ground.open();
    let mut writer = store.writer().unwrap();
    writer.outbox_done(u64::MAX).unwrap();
    assert_eq!(store.reader().counts().unwrap().outbox, 0);
    assert_eq!(store.reader().outbox(0, 9).unwrap(), []);
    drop((writer, store));
    assert_eq!(ground.number("SELECT COUNT(*) FROM outbox"), 0);
}

/// A batch with one bad entry leaves nothing, and the writer goes on.
pub(crate) fn a_fault_leaves_nothing_in(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let conversation = Conversation::direct(&ana(), &ben());
    let first = append(&mut writer, entries(vec![ground.entry(&ana(), &ben(), "one")]));
    let before = reader.counts().unwrap();
    let link = reader.conversation_link(&conversation).unwrap();

    // The same message twice.
    let again = Entry {
        sealed: ground.sealing.seal(submission(&ana(), &ben(), "one"), first[0]),
        rows: both_rows(&ana(), &ben()),
        held: None,
    };
    let stranger = crate::ground::address("new@elsewhere.example");
    let good = ground.entry(&stranger, &ben(), "good");
    let mut batch = entries(vec![good, again]);
    batch.changes.push(Change::Block { owner: ana(), address: "spam.example".into() });
    assert!(matches!(writer.append(batch), Err(StoreFault::Unavailable(_))));

    // A record that goes on from an old head.
    ground.sealing.go_back(&conversation, Link::start());
    let stale = ground.entry(&ana(), &ben(), "stale");
    assert!(matches!(writer.append(entries(vec![stale])), Err(StoreFault::OutOfOrder)));

    assert_eq!(reader.counts().unwrap(), before);
    assert_eq!(reader.conversation_link(&conversation).unwrap(), link);
    assert_eq!(reader.history(&HistoryQuery::of(stranger.clone(), 9)).unwrap().items, []);
    assert_eq!(reader.blocklist(&ana()).unwrap(), Vec::<String>::new());

    ground.sealing.go_back(&conversation, link);
    ground.sealing.go_back(&Conversation::direct(&stranger, &ben()), Link::start());
    let good = ground.entry(&stranger, &ben(), "good");
    append(&mut writer, entries(vec![good, ground.entry(&ana(), &ben(), "two")]));
    assert_eq!(reader.history(&HistoryQuery::of(ben(), 9)).unwrap().items.len(), 3);
    assert_eq!(reader.counts().unwrap().messages, 3);
}

/// Rows in their place and on their way to it.
const ROWS: &str = "SELECT (SELECT COUNT(*) FROM mailbox) + (SELECT COUNT(*) FROM arrival)";

/// More rows than one statement takes on either database.
pub(crate) fn a_large_batch_goes_in(ground: Ground) {
    let store = ground.open();
    let mut writer = store.writer().unwrap();
    let people: Vec<_> =
        (0..30).map(|n| crate::ground::address(&format!("p{n}@bank.example"))).collect();
    let batch = (0..333).map(|n| ground.entry(&people[n % 30], &people[(n * 7 + 1) % 30], "x"));
    let ids = append(&mut writer, entries(batch.collect()));
    assert_eq!(ids.len(), 333);
    assert_eq!(ground.number("SELECT COUNT(*) FROM message"), 333);
    let nobody_writes_to_himself = (0..333).filter(|n| n % 30 != (n * 7 + 1) % 30).count();
    let rows = i64::try_from(333 + nobody_writes_to_himself).unwrap();
    assert_eq!(ground.number(ROWS), rows);
    assert_eq!(store.reader().outbox(0, 1_000).unwrap().len(), 334);
}

/// A message to oneself is one row that both came in and is kept; unwritten rows stay away.
pub(crate) fn an_owner_has_one_row_of_a_message(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let mut own = ground.entry(&ana(), &ana(), "note to self");
    own.rows.push(row(&ben(), &ana(), false, false));
    let committed = writer.append(entries(vec![own])).unwrap();
    assert_eq!(committed.stored[0].rows(), [row(&ana(), &ana(), true, true)]);
    assert_eq!(reader.history(&HistoryQuery::of(ana(), 9)).unwrap().items.len(), 1);
    assert_eq!(reader.waiting(&ana(), None, 9).unwrap().items.len(), 1);
    // Without archive and rows there is nothing to write; with a record there is.
    let off = Sealing::off();
    let nothing = off.seal(submission(&ana(), &ben(), "typing"), ground.ids.next());
    assert!(Stored::unrecorded(nothing).is_ok());
    let something = ground.sealing.seal(submission(&ana(), &ben(), "x"), ground.ids.next());
    assert!(Stored::unrecorded(something).is_err());
}

/// MSG-12: nothing is given back or closed in order: the process is as good as killed.
pub(crate) fn what_is_committed_outlives_the_process(ground: Ground) {
    let store = ground.open();
    let mut writer = store.writer().unwrap();
    let ids = append(&mut writer, entries(vec![ground.entry(&ana(), &ben(), "one")]));
    if let store::Backend::Sqlite { path } = &ground.backend {
        // What lies on the disk at this moment, journal included, is all that a crash leaves.
        let copy = crate::ground::Folder::new();
        for file in ["store.sqlite", "store.sqlite-wal"] {
            std::fs::copy(path.join(file), copy.path().join(file)).unwrap();
        }
        let backend = store::Backend::Sqlite { path: copy.path().to_owned() };
        let after = store::Store::open(backend, crate::ground::vault()).unwrap();
        let page = after.reader().history(&HistoryQuery::of(ben(), 9)).unwrap();
        assert_eq!(page.items[0].id, ids[0]);
        assert_eq!(after.reader().outbox(0, 9).unwrap().len(), 2);
    } else {
        // The server ends our sessions in the middle; the next call makes a new one.
        ground.tamper(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        append(&mut writer, entries(vec![ground.entry(&ana(), &ben(), "two")]));
        let page = store.reader().history(&HistoryQuery::of(ben(), 9)).unwrap();
        assert_eq!(page.items.len(), 2);
    }
}

/// Four readers look while a batch of two goes in again and again: they never see one of the two.
pub(crate) fn readers_see_whole_batches(ground: Ground) {
    let store = ground.open();
    let mut writer = store.writer().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let (reader, done) = (store.reader(), &done);
            scope.spawn(move || {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let query = HistoryQuery { count: true, ..HistoryQuery::of(ana(), 1_000) };
                    let page = reader.history(&query).unwrap();
                    let count = page.items.len();
                    assert_eq!(count % 2, 0);
                    assert_eq!(page.total, Some((u64::try_from(count).unwrap(), 0)));
                    assert!(count >= last);
                    last = count;
                }
            });
        }
        for _ in 0..40 {
            let two = vec![ground.entry(&ana(), &ben(), "a"), ground.entry(&ben(), &ana(), "b")];
            append(&mut writer, entries(two));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(store.reader().counts().unwrap().messages, 80);
}

/// A held message waits whole, with what was submitted, and is in nobody's mailbox.
pub(crate) fn held_messages_come_back_whole(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let batch = vec![
        ground.held(&ana(), &ben(), "secret project", "projects"),
        ground.held(&ana(), &ben(), "another", "projects"),
    ];
    let ids = append(&mut writer, entries(batch));
    let held = reader.held(None, 9).unwrap();
    assert_eq!(held.iter().map(|held| held.id).collect::<Vec<_>>(), ids);
    let expect = submission(&ana(), &ben(), "secret project");
    let back = &held[0].submission;
    assert!(back.content == expect.content);
    assert_eq!((&back.recipients, back.handling), (&expect.recipients, expect.handling));
    assert_eq!(
        (back.accepted, back.class, back.origin),
        (expect.accepted, expect.class, expect.origin)
    );
    assert_eq!(held[0].rules, ["projects"]);
    assert_eq!(reader.history(&HistoryQuery::of(ben(), 9)).unwrap().items, []);
    let released = Batch {
        entries: vec![ground.entry(&ana(), &ben(), "secret project")],
        changes: vec![Change::HeldRemove { id: ids[0] }, Change::HeldRemove { id: ids[0] }],
        ..Batch::default()
    };
    append(&mut writer, released);
    assert!(reader.held_message(ids[0]).unwrap().is_none());
    assert_eq!(reader.held_message(ids[1]).unwrap().unwrap().id, ids[1]);
    assert_eq!(reader.held(Some(ids[0]), 9).unwrap().len(), 1);
}
