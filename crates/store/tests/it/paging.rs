//! Pages of a history, put together, are the history.

use model::{MessageId, Timestamp};
use proptest::{
    prelude::{Strategy, any},
    prop_assert, prop_assert_eq,
    test_runner::{Config, TestRunner},
};
use store::{HistoryItem, HistoryQuery, Limits, Page, Reader, StoreFault};

use crate::{
    clock::START,
    ground::{Ground, address, ana, append, ben, entries},
};

const MESSAGES: usize = 40;

/// ENC-08: for every filter, direction and size of page.
pub(crate) fn pages_put_together_are_the_whole(ground: Ground) {
    // Some rows are in their place when it begins, and some on their way to it.
    let store = ground.open_within(Limits { arrivals_max: Some(25), ..Limits::default() });
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let eve = address("eve@bank.example");
    let batch = (0..MESSAGES).map(|n| match n % 5 {
        0 | 3 => ground.entry(&ana(), &ben(), "a"),
        1 => ground.entry(&eve, &ana(), "b"),
        2 => ground.entry(&ben(), &eve, "not hers"),
        _ => ground.passing(&ben(), &ana(), "not kept"),
    });
    for entry in batch {
        append(&mut writer, entries(vec![entry]));
    }
    assert!(ground.number("SELECT COUNT(*) FROM mailbox") > 30);
    assert!(ground.number("SELECT COUNT(*) FROM arrival") > 0);
    let all = reader.history(&HistoryQuery::of(ana(), 1_000)).unwrap().items;
    assert_eq!(all.len(), MESSAGES / 5 * 3);

    let time = || proptest::option::of(0..50_i64);
    let cases = (1..9_usize, 0..4_usize, time(), time(), any::<bool>());
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(
        &cases.prop_map(|(max, with, start, end, last)| {
            let with = [None, Some(ben()), Some(eve.clone()), Some(address("no@bank.example"))]
                [with]
                .clone();
            let at = |millis: i64| Timestamp::from_millis(START.as_millis() + millis);
            let page = if last { Page::Last } else { Page::First };
            let (start, end) = (start.map(at), end.map(at));
            HistoryQuery { with, start, end, page, count: true, ..HistoryQuery::of(ana(), max) }
        }),
        |query| {
            let fits = |item: &&HistoryItem| {
                query.with.as_ref().is_none_or(|with| *with == item.peer)
                    && query.start.is_none_or(|start| item.id.time() >= start)
                    && query.end.is_none_or(|end| item.id.time() <= end)
            };
            let expect: Vec<MessageId> = all.iter().filter(fits).map(|item| item.id).collect();
            let found = walk(&reader, &query);
            prop_assert_eq!(&found, &expect);
            let none = HistoryQuery { max: 0, ..query.clone() };
            let none = reader.history(&none).unwrap();
            prop_assert!(none.items.is_empty());
            prop_assert_eq!(none.total.unwrap().0, u64::try_from(expect.len()).unwrap());
            Ok(())
        },
    );
    outcome.unwrap();
}

/// Follows the pages from one end to the other.
fn walk(reader: &Reader, query: &HistoryQuery) -> Vec<MessageId> {
    let mut query = query.clone();
    let mut found: Vec<MessageId> = Vec::new();
    loop {
        let page = reader.history(&query).unwrap();
        let ids: Vec<MessageId> = page.items.iter().map(|item| item.id).collect();
        assert!(ids.is_sorted() && ids.len() <= query.max);
        let (total, older) = page.total.unwrap();
        match query.page {
            Page::First => {
                assert_eq!(older, u64::try_from(found.len()).unwrap());
                query.after = ids.last().copied().or(query.after);
                found.extend(ids);
            }
            Page::Last => {
                query.before = ids.first().copied().or(query.before);
                found = [ids, found].concat();
                assert_eq!(older, total - u64::try_from(found.len()).unwrap());
            }
        }
        if page.complete {
            return found;
        }
    }
}

/// XEP-0313 §4.3.4: an anchor that is not in the archive is an error, not an empty page.
pub(crate) fn an_unknown_anchor_is_no_such_item(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let unknown = ground.ids.next();
    let after = |id| HistoryQuery { after: Some(id), ..HistoryQuery::of(ana(), 9) };
    let before = |id| HistoryQuery { before: Some(id), ..HistoryQuery::of(ana(), 9) };
    assert_eq!(reader.history(&after(unknown)).unwrap_err(), StoreFault::NoSuchItem);
    let batch = vec![
        ground.entry(&ana(), &ben(), "hers"),
        ground.entry(&ben(), &address("eve@bank.example"), "not hers"),
        ground.passing(&ben(), &ana(), "not kept"),
    ];
    let ids = append(&mut writer, entries(batch));
    for id in [unknown, ids[1], ids[2]] {
        assert_eq!(reader.history(&after(id)).unwrap_err(), StoreFault::NoSuchItem);
        assert_eq!(reader.history(&before(id)).unwrap_err(), StoreFault::NoSuchItem);
    }
    let page = reader.history(&after(ids[0])).unwrap();
    assert!(page.items.is_empty() && page.complete);
}
