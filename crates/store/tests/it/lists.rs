//! Rosters with versions, and the other things people keep.

use model::Timestamp;
use store::{Change, ROSTER_MARKS_MAX, Roster, RosterChange, RosterItem, Subscription};

use crate::ground::{Ground, address, ana, append, ben, changes};

fn item(contact: &str, subscription: Subscription) -> RosterItem {
    RosterItem {
        contact: address(contact),
        name: Some("Benno".to_owned()),
        groups: vec!["Tellers".to_owned(), "Friends".to_owned()],
        subscription,
        ask: true,
        approved: false,
    }
}

/// PRS-07: versions grow, and tell those who were away exactly what they missed.
pub(crate) fn a_roster_has_versions(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    assert_eq!(reader.roster_since(&ana(), 0).unwrap(), Some(Vec::new()));
    let set = |contact: &str, subscription| Change::RosterSet {
        owner: ana(),
        item: item(contact, subscription),
    };
    let first = vec![
        set("ben@bank.example", Subscription::None),
        set("eve@bank.example", Subscription::To),
        set("ben@bank.example", Subscription::Both),
    ];
    let committed = writer.append(changes(first)).unwrap();
    assert_eq!(committed.roster_versions, [(ana(), 1), (ana(), 2), (ana(), 3)]);
    let gone = Change::RosterRemove { owner: ana(), contact: address("eve@bank.example") };
    let committed = writer.append(changes(vec![gone])).unwrap();
    assert_eq!(committed.roster_versions, [(ana(), 4)]);

    let ben_now = item("ben@bank.example", Subscription::Both);
    let expect = Roster { version: 4, items: vec![ben_now.clone()] };
    assert_eq!(reader.roster(&ana()).unwrap(), expect);
    let removed = RosterChange::Removed { version: 4, contact: address("eve@bank.example") };
    let both = vec![RosterChange::Set { version: 3, item: ben_now }, removed.clone()];
    assert_eq!(reader.roster_since(&ana(), 0).unwrap(), Some(both));
    assert_eq!(reader.roster_since(&ana(), 3).unwrap(), Some(vec![removed]));
    assert_eq!(reader.roster_since(&ana(), 4).unwrap(), Some(Vec::new()));
    assert_eq!(reader.roster_since(&ana(), 5).unwrap(), None);
    assert_eq!(reader.roster_since(&ana(), u64::MAX).unwrap(), None);
    assert_eq!(reader.roster(&ben()).unwrap(), Roster::default());

    // RFC 6121 §3.1.3: a request waits as it came, once.
    let request = |request: Option<&[u8]>| Change::PendingSubscription {
        owner: ana(),
        contact: ben(),
        request: request.map(<[u8]>::to_vec),
    };
    append(&mut writer, changes(vec![request(Some(b"<a/>")), request(Some(b"<b/>"))]));
    let pending = reader.pending_subscriptions(&ana()).unwrap();
    assert_eq!(pending, [(ben(), b"<b/>".to_vec())]);
    append(&mut writer, changes(vec![request(None), request(None)]));
    assert_eq!(reader.pending_subscriptions(&ana()).unwrap(), []);
}

/// Marks of removal are bounded; who is older than the oldest gets the whole roster.
pub(crate) fn old_marks_of_removal_go(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let removals = (0..ROSTER_MARKS_MAX + 10).map(|n| Change::RosterRemove {
        owner: ana(),
        contact: address(&format!("p{n}@bank.example")),
    });
    append(&mut writer, changes(removals.collect()));
    assert_eq!(ground.number("SELECT COUNT(*) FROM roster"), ROSTER_MARKS_MAX);
    assert_eq!(reader.roster_since(&ana(), 9).unwrap(), None);
    let since = reader.roster_since(&ana(), 10).unwrap().unwrap();
    assert_eq!(i64::try_from(since.len()).unwrap(), ROSTER_MARKS_MAX);
}

/// Cards, private data, block lists and last activities: replaced, not mixed, idempotent.
pub(crate) fn keepsakes_are_kept_apart(ground: Ground) {
    let store = ground.open();
    let (mut writer, reader) = (store.writer().unwrap(), store.reader());
    let private = |name: &str, namespace: &str, xml: &str| Change::PrivateSet {
        owner: ana(),
        name: name.into(),
        namespace: namespace.into(),
        xml: xml.into(),
    };
    let block = |address: &str| Change::Block { owner: ana(), address: address.into() };
    let (first, second) = (Timestamp::from_secs(1), Timestamp::from_secs(2));
    let last = |at, status: Option<&str>| Change::LastActivity {
        owner: ana(),
        at,
        status: status.map(str::to_owned),
    };
    let batch = vec![
        private("storage", "a", "<one/>"),
        private("storage", "b", "<two/>"),
        private("storage", "a", "<three/>"),
        Change::VcardSet { owner: ana(), xml: "<vCard>Ana</vCard>".into() },
        Change::VcardSet { owner: ben(), xml: "<vCard>Ben</vCard>".into() },
        block("spam.example"),
        block("eve@bank.example/x"),
        block("spam.example"),
        last(first, Some("gone")),
        last(second, None),
    ];
    append(&mut writer, changes(batch));
    assert_eq!(reader.private(&ana(), "storage", "a").unwrap().as_deref(), Some("<three/>"));
    assert_eq!(reader.private(&ana(), "storage", "b").unwrap().as_deref(), Some("<two/>"));
    assert_eq!(reader.private(&ana(), "storage", "c").unwrap(), None);
    assert_eq!(reader.private(&ben(), "storage", "a").unwrap(), None);
    assert_eq!(reader.vcard(&ana()).unwrap().as_deref(), Some("<vCard>Ana</vCard>"));
    assert_eq!(reader.vcard(&ben()).unwrap().as_deref(), Some("<vCard>Ben</vCard>"));
    assert_eq!(reader.blocklist(&ana()).unwrap(), ["eve@bank.example/x", "spam.example"]);
    let activity = reader.last_activity(&ana()).unwrap().unwrap();
    assert_eq!((activity.at, activity.status), (second, None));
    let unblock = |address: &str| Change::Unblock { owner: ana(), address: address.into() };
    append(&mut writer, changes(vec![unblock("spam.example"), unblock("other.example")]));
    assert_eq!(reader.blocklist(&ana()).unwrap(), ["eve@bank.example/x"]);
}

/// Questions about people the store has never heard of have empty answers.
pub(crate) fn unknown_people_have_nothing(ground: Ground) {
    let reader = ground.open().reader();
    assert_eq!(reader.roster(&ana()).unwrap(), Roster::default());
    assert_eq!(reader.roster_since(&ana(), 1).unwrap(), None);
    assert_eq!(reader.vcard(&ana()).unwrap(), None);
    assert!(reader.blocklist(&ana()).unwrap().is_empty());
    assert!(reader.pending_subscriptions(&ana()).unwrap().is_empty());
    assert!(reader.waiting(&ana(), None, 9).unwrap().items.is_empty());
    assert!(reader.last_activity(&ana()).unwrap().is_none());
    assert!(reader.held(None, 9).unwrap().is_empty());
    let link = reader.conversation_link(&model::Conversation::direct(&ana(), &ben())).unwrap();
    assert_eq!(link, archive::Link::start());
}
