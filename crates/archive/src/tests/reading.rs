//! What custodians do: search, completeness.

use std::collections::BTreeSet;

use model::{ContentKind, PrivacyClass};

use super::{House, noon, submission};
use crate::{Decision, Deed, GapKind, Link, Note, Opened, Plain, Query, QueryFault, SegmentLimits};

fn planted() -> House {
    let mut house = House::with_limits(SegmentLimits { age_secs_max: 3, bytes_max: 1 << 20 });
    house.say("ann", "bob", "The invoice is due on Friday"); // 1
    house.say("bob", "ann", "Which INVOICE? Déjà vu"); // 2
    house.say("ann", "cid", "lunch on friday, due south"); // 3
    let mut edit = submission("ann", "cid", "lunch on monday", noon());
    edit.content.kind = ContentKind::Edit;
    edit.content.refers_to = Some("c1".into());
    edit.class = PrivacyClass::Secured;
    let records = house.seal(edit).records().to_vec(); // 5, after an opening
    house.append(&records);
    house.note(&Note::Policy { version: 8, author: "root".into(), summary: "no lunch".into() });
    house.log().checkpoint().unwrap();
    house
}

fn hits(house: &House, query: &str) -> BTreeSet<String> {
    let query = Query::parse(query).unwrap_or_else(|fault| panic!("{query}: {fault}"));
    let mut hits = BTreeSet::new();
    let mut all = 0;
    let tally = house.custodian.search(
        house.dir(),
        &query,
        |_| {},
        |found| {
            let Opened::Plain(plain) = found.content else { panic!("a hit is open") };
            hits.insert(match plain {
                Plain::Message(message) => message.text,
                Plain::Note(note) => note.name,
            });
            all += 1;
            Ok(())
        },
    );
    assert_eq!(tally.unwrap().hits, all);
    hits
}

/// ARC-04: user, time and word, alone and combined, find exactly the planted ones; ARC-28: both
/// texts of an edit.
#[test]
fn queries_find_exactly_what_they_ask_for() {
    let house = planted();
    let (one, two, three, four) = (
        "The invoice is due on Friday",
        "Which INVOICE? Déjà vu",
        "lunch on friday, due south",
        "lunch on monday",
    );
    let cases: [(&str, &[&str]); 24] = [
        ("invoice", &[one, two]),
        ("INVOICE friday", &[one]),
        ("friday OR monday", &[one, three, four]),
        ("invoice NOT friday", &[two]),
        ("NOT friday type:message", &[two]),
        ("\"due on friday\"", &[one]),
        ("\"friday due\"", &[three]),
        ("\"on due\"", &[]),
        ("inv*", &[one, two]),
        ("nvoice", &[]),
        ("déjà", &[two]),
        ("deja", &[]),
        ("from:ann@bank.example", &[one, three, four]),
        ("from:Ann@Bank.example invoice", &[one]),
        ("to:ann@bank.example", &[two]),
        ("with:cid@bank.example", &[three, four]),
        ("type:edit", &[four]),
        ("type:policy", &["policy"]),
        ("lunch", &[three, four, "policy"]),
        ("class:secured", &[four]),
        ("after:2026-11-21T12:00:04Z", &["policy"]),
        ("before:2026-11-21T12:00:01Z type:message", &[one]),
        ("from:ann@bank.example after:2026-11-21T12:00:02+00:00 friday", &[three]),
        ("after:2026-11-22Z OR rule:none", &[]),
    ];
    for (query, expected) in cases {
        let expected: BTreeSet<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(hits(&house, query), expected, "{query}");
    }
}

/// An empty or broken query is an error, never «all».
#[test]
fn broken_queries_are_refused() {
    let cases = [
        ("", QueryFault::Empty),
        ("  ", QueryFault::Empty),
        ("OR", QueryFault::Dangling),
        ("a OR", QueryFault::Dangling),
        ("a OR OR b", QueryFault::Dangling),
        ("NOT", QueryFault::Dangling),
        ("NOT NOT a", QueryFault::Dangling),
        ("NOT OR a", QueryFault::Dangling),
        ("\"a", QueryFault::Quote),
        ("a\"b\"", QueryFault::Quote),
        ("\"\"", QueryFault::Term(String::new())),
        ("*", QueryFault::Term("*".into())),
        ("a-b*", QueryFault::Term("a-b*".into())),
        ("from:", QueryFault::Term("from:".into())),
        ("has:file", QueryFault::Field("has".into())),
        ("after:2026-11-21", QueryFault::Time("2026-11-21".into())),
        ("before:yesterday", QueryFault::Time("yesterday".into())),
        ("...", QueryFault::Term("...".into())),
    ];
    for (query, fault) in cases {
        assert_eq!(Query::parse(query), Err(fault), "{query}");
    }
    assert_eq!(Query::parse(&"a ".repeat(9_000)), Err(QueryFault::TooLong));
    assert!(Query::parse("rule:\"no insider words\" friday").is_ok());
}

/// N4: a record that was never sealed, and one that nobody can open any more.
#[test]
fn gaps_in_a_conversation_are_found() {
    let mut house = House::new();
    house.chat(20);
    house.log().checkpoint().unwrap();
    let complete = house.custodian.verify_complete(house.dir(), |_| {}).unwrap();
    assert!(complete.is_complete(), "{:?}", complete.gaps);
    assert_eq!((complete.conversations, complete.messages), (2, 20));

    house.log().destroy_salts(&[5]).unwrap();
    let complete = house.custodian.verify_complete(house.dir(), |_| {}).unwrap();
    assert!(complete.is_complete(), "{:?}", complete.gaps);
    assert_eq!((complete.destroyed, complete.explained), (1, 1));

    // A record is sealed, its link goes on, and it never reaches the log.
    drop(house.seal(submission("ann", "bob", "lost", noon())));
    house.sealer.forget();
    house.say("ann", "bob", "next");
    house.log().checkpoint().unwrap();
    assert!(house.verify().is_intact());
    let complete = house.custodian.verify_complete(house.dir(), |_| {}).unwrap();
    assert_eq!(complete.gaps.len(), 1);
    let expected =
        matches!(complete.gaps[0].kind, GapKind::Sequence { expected: 10, found: 11, .. });
    assert!(expected, "{:?}", complete.gaps);
}

/// ARC-30: the counts of the day are compared with the log.
#[test]
fn daily_seals_are_counted_again() {
    let mut house = House::new();
    let seal = |messages, notes| Note::DailySeal {
        day: "2026-11-21".into(),
        messages,
        notes,
        counts: vec![("chat".into(), messages)],
    };
    house.chat(5);
    let review = Note::Review {
        message: house.next_id(),
        decision: Decision::Released,
        reviewer: Some("bob".into()),
        reason: "fine".into(),
    };
    house.note(&review);
    house.note(&seal(5, 1));
    house.chat(3);
    house.note(&seal(4, 0));
    let access = Note::Access {
        deed: Deed::Searched,
        who: "cid".into(),
        query: "friday".into(),
        reason: "audit".into(),
        hits: 2,
        size: 9,
    };
    house.note(&access);
    house.log().checkpoint().unwrap();
    let complete = house.custodian.verify_complete(house.dir(), |_| {}).unwrap();
    assert_eq!((complete.daily_seals, complete.gaps_count), (2, 1));
    let expected =
        GapKind::Count { day: "2026-11-21".into(), what: "messages", said: "4".into(), counted: 3 };
    assert_eq!(complete.gaps[0].kind, expected);
    let Opened::Plain(Plain::Note(note)) = house.custodian.show(house.dir(), 6).unwrap().content
    else {
        panic!("a note")
    };
    assert_eq!(note.detail("decision"), Some("released"));
    assert_eq!(Link::start().sequence, 0);
}

/// `show` finds the opening of a segment also in another bundle.
#[test]
fn show_opens_any_record() {
    let mut house = House::new();
    house.chat(600);
    house.log().checkpoint().unwrap();
    for leaf in [1, 255, 256, 257, 512, 600] {
        let found = house.custodian.show(house.dir(), leaf).unwrap();
        assert!(matches!(found.content, Opened::Plain(_)), "{leaf}");
        assert!(found.to_json().to_string().contains("ann@bank") || leaf % 2 == 0);
    }
    assert!(matches!(house.custodian.show(house.dir(), 0).unwrap().content, Opened::Opening(_)));
    assert!(house.custodian.show(house.dir(), 601).is_err());
}
