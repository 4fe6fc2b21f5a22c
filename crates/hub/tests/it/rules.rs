//! What rules do with messages, and what a change of them does to those who are signed in.

use std::sync::Arc;

use archive::NoteRecord;
use directory::Change;
use hub::{Denied, EndReason, Reason};
use model::Resource;
use policy::{LexiconAction, Node, Setting, Value};
use store::Limits;

use crate::house::{House, address, now, random, statement, word};

fn named<'a>(name: &'a str) -> impl Fn(&NoteRecord) -> bool + 'a {
    move |note| note.name == name
}

/// MON-05: a warning goes with the message; the house says so through the same door.
#[tokio::test]
async fn a_warning_is_a_message_of_the_house() {
    let mut house = House::new();
    house.word("guarantee", LexiconAction::Warn).await;
    let mut ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    assert!(ann.send("ben", "I guarantee it").await.refused.is_empty());
    assert_eq!(ben.message().await, "I guarantee it");
    assert!(ann.message().await.starts_with("Mind the word guarantee."));
    ann.leave();
    ben.leave();
    let records = house.check().await;
    assert_eq!(records.messages.len(), 2, "the notice is recorded as well");
    assert_eq!(records.messages[1].origin, "house");
}

/// MON-05: the same words said again mean yes, once; other words or other recipients do not.
#[tokio::test]
async fn saying_it_again_confirms() {
    let mut house = House::new();
    house.word("merger", LexiconAction::Confirm).await;
    let ann = house.sign_in("ann", "desk", 0).await;
    let refused = async |to, text| ann.send(to, text).await.refused.first().map(|r| r.reason);
    assert_eq!(refused("ben", "the merger is on").await, Some(Reason::Confirm));
    assert_eq!(refused("cat", "the merger is on").await, Some(Reason::Confirm));
    assert_eq!(refused("ben", "the merger is off").await, Some(Reason::Confirm));
    assert_eq!(refused("ben", "the merger is on").await, None);
    assert_eq!(refused("ben", "the merger is on").await, Some(Reason::Confirm), "asked anew");
    ann.leave();
    let records = house.check().await;
    assert_eq!(records.texts(), ["the merger is on"]);
    assert_eq!(records.count(|note| note.attempt.is_some()), 4);
}

/// MON-05: a held message reaches nobody until a supervisor lets it go, and then reaches once.
#[tokio::test]
async fn held_messages_are_decided_on() {
    let mut house = House::new();
    house.word("fraud", LexiconAction::Hold).await;
    let mut ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    for text in ["fraud one", "fraud two"] {
        assert!(ann.send("ben", text).await.refused.is_empty());
        assert!(ann.message().await.starts_with("Mind the word fraud."));
    }
    assert!(ben.messages().await.is_empty());
    let page = ann.hub().history(&ann.session, hub::Span::default()).await.unwrap();
    assert!(page.items.iter().all(|item| !item.octets.starts_with(b"fraud")), "it is nowhere yet");
    let held = house.hub().held().await.unwrap();
    let [first, second] = held.as_slice() else { panic!("{}", held.len()) };
    let (one, other) = tokio::join!(
        house.hub().release(first.id, "sue", "harmless"),
        house.hub().release(first.id, "sam", "harmless"),
    );
    assert!(one.is_ok() != other.is_ok(), "one of two decisions counts");
    assert_eq!(ben.message().await, "fraud one");
    assert!(matches!(house.hub().release(first.id, "sue", "again").await, Err(Denied::NoSuchItem)));
    house.hub().reject(second.id, "sue", "not good").await.unwrap();
    assert!(ann.message().await.contains("will not be sent"));
    assert!(ben.messages().await.is_empty());
    assert!(house.hub().held().await.unwrap().is_empty());
    ann.leave();
    ben.leave();
    let records = house.check().await;
    let texts = records.texts();
    assert_eq!(texts.iter().filter(|text| **text == "fraud one").count(), 2, "held and released");
    assert_eq!(texts.iter().filter(|text| **text == "fraud two").count(), 1);
    assert_eq!(records.count(named("review")), 2);
}

/// A release where nothing is kept is no less a decision.
#[tokio::test]
async fn a_release_without_an_archive_is_done_once() {
    let house = House::without_archive();
    let node = Node::Domain;
    house.word("fraud", LexiconAction::Hold).await;
    house.change(&[statement(node.clone(), Setting::ARCHIVE_SEAL, Value::Flag(false))]).await;
    house.change(&[statement(node, Setting::HISTORY_KEEP, Value::Flag(false))]).await;
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ann.send("ben", "fraud").await;
    let held = house.hub().held().await.unwrap();
    house.hub().release(held[0].id, "sue", "harmless").await.unwrap();
    assert_eq!(ben.message().await, "fraud");
    assert!(house.hub().held().await.unwrap().is_empty());
    ann.leave();
    ben.leave();
}

/// MON-05: what a rule blocks leaves a note with its content.
#[tokio::test]
async fn blocked_words_leave_a_note() {
    let mut house = House::new();
    house.word("secret", LexiconAction::Block).await;
    let ann = house.sign_in("ann", "desk", 0).await;
    let receipt = ann.send("ben", "the secret is out").await;
    assert_eq!(receipt.refused[0].reason, Reason::Lexicon);
    ann.leave();
    let records = house.check().await;
    assert!(records.messages.is_empty());
    let attempt = records.notes.iter().find_map(|note| note.attempt.as_ref()).unwrap();
    assert_eq!(attempt.text, "the secret is out");
}

/// DIR-23: who has proved an old password and not bound yet comes too late when it is changed, or
/// when an administrator ends the sessions.
#[tokio::test]
async fn a_proof_of_yesterday_binds_nothing() {
    let house = House::new();
    let resource = Resource::parse("desk").unwrap();
    let hub = house.hub();
    let proved = house.version("ann");
    house.change(&[Change::AccountPassword { address: address("ann"), verifiers: word() }]).await;
    assert!(hub.bind(&address("ann"), resource.clone(), proved).await.is_err());
    let proved = house.version("ann");
    house.change(&[Change::AccountSignOut(address("ben"))]).await;
    assert!(hub.bind(&address("ben"), resource.clone(), proved).await.is_err());
    let ann = hub.bind(&address("ann"), resource.clone(), proved).await.unwrap();
    hub.unbind(&ann, &[], now());
    let ben = hub.bind(&address("ben"), resource, house.version("ben")).await.unwrap();
    hub.unbind(&ben, &[], now());
}

/// DIR-23: the sessions of an account that is disabled, or signed out by an administrator, end at
/// once; others stay.
#[tokio::test]
async fn closed_accounts_lose_their_sessions() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let ben = house.sign_in("ben", "desk", 0).await;
    let cat = house.sign_in("cat", "desk", 0).await;
    house.change(&[Change::AccountDisable(address("ann"))]).await;
    assert_eq!(ann.end().await, EndReason::SignedOut);
    let (seen, resource) = (house.version("ann"), cat.session.resource.clone());
    assert!(house.hub().bind(&address("ann"), resource, seen).await.is_err());
    house.change(&[Change::AccountSignOut(address("ben"))]).await;
    assert_eq!(ben.end().await, EndReason::SignedOut);
    let ben = house.sign_in("ben", "desk", 0).await;
    assert_eq!(cat.send("ann", "are you there").await.refused[0].reason, Reason::NoSuchRecipient);
    assert!(cat.send("ben", "are you there").await.refused.is_empty());
    house.hub().sign_out("ben@bank.example").unwrap();
    assert_eq!(ben.end().await, EndReason::SignedOut);
    cat.leave();
    let records = house.check().await;
    let by_root = |note: &NoteRecord| note.details.contains(&("author".into(), "root".into()));
    assert_eq!(records.count(by_root), 2, "each change is an event of the archive");
}

/// POL-17: hours that end act on sessions that are open.
#[tokio::test]
async fn hours_end_for_open_sessions() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    assert!(ann.send("ben", "open").await.refused.is_empty());
    let never = Value::Hours(policy::Hours::never());
    house.set(Setting::ACCESS_HOURS, never).await;
    let refused = ann.send("ben", "closed").await.refused;
    assert_eq!(refused[0].reason, Reason::Closed);
    assert!(refused[0].public.contains("open to you"), "{}", refused[0].public);
    ann.leave();
    assert_eq!(house.check().await.texts(), ["open"]);
}

/// Of two reloads at once the newer policies stay in force, and each change is recorded once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reloads_do_not_overtake_each_other() {
    let mut house = House::new();
    for round in 0..20_u64 {
        let hub = || Arc::clone(house.hub());
        let size = |bytes| {
            let value = Value::Number(bytes);
            [statement(Node::Domain, Setting::MESSAGE_MAX_BYTES, value)]
        };
        house.change_silently(&size(2_000 + round));
        let one = tokio::spawn({
            let hub = hub();
            async move { hub.reload().await }
        });
        house.change_silently(&size(4_000 + round));
        let hub = hub();
        let other = tokio::spawn(async move { hub.reload().await });
        let newest = one.await.unwrap().unwrap().max(other.await.unwrap().unwrap());
        let profile = house.hub().profile(&address("ann"), now()).await.unwrap();
        assert_eq!((profile.version, profile.message_bytes_max), (newest, 4_000 + round));
    }
    let records = house.check().await;
    let details = records.notes.iter().flat_map(|note| &note.details);
    let said: usize = details.map(|(_, value)| value.matches("message.max_bytes").count()).sum();
    assert_eq!(said, 40, "each change is recorded, and once");
}

/// ARC-31: with a full disk nothing passes, the sender is told, and afterwards nothing is missing.
#[tokio::test]
async fn a_full_disk_stops_messages_and_loses_none() {
    let limits = Limits { pages_max: Some(200), ..Limits::default() };
    let mut house = House::with(limits, true, random);
    let mut ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    let big = "x".repeat(60_000);
    let (mut passed, mut refused) = (0, 0);
    for number in 0..60 {
        ann.send("ben", &format!("{number} {big}")).await;
        refused += ann.not_kept().await;
        passed += ben.messages().await.len();
        assert_eq!(passed + refused, number + 1, "each is delivered or given back");
    }
    assert!(refused > 0, "the disk is full");
    assert!(passed > 0);
    ann.leave();
    ben.leave();
    house.close().await;
    house.give_room();
    house.open();
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ben.messages().await;
    ann.send("ben", "there is room again").await;
    assert_eq!(ben.message().await, "there is room again");
    ann.leave();
    ben.leave();
    assert_eq!(house.check_but_doubles().await.messages.len(), passed + 1);
}

/// POL-03, ARC-31: refusals that a full disk did not take are counted for the administrator.
#[tokio::test]
async fn unrecorded_refusals_are_counted() {
    let limits = Limits { pages_max: Some(200), ..Limits::default() };
    let mut house = House::with(limits, true, random);
    let ann = house.sign_in("ann", "desk", 0).await;
    assert!(!house.hub().status().contains("archived"));
    let big = "x".repeat(60_000);
    for _ in 0..60 {
        ann.send("nobody", &big).await;
    }
    ann.leave();
    let said = "events were not archived";
    for _ in 0..2_000 {
        if house.hub().status().contains(said) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(house.hub().status().contains(said), "{}", house.hub().status());
    house.close().await;
    house.give_room();
    house.open();
    house.check().await;
}

/// POL-05: a domain without archive and history delivers at once and stores nothing; who is not
/// here finds it later, and then it is gone.
#[tokio::test]
async fn where_nothing_is_kept_nothing_is_stored() {
    let mut house = House::without_archive();
    let node = Node::Domain;
    house.change(&[statement(node.clone(), Setting::ARCHIVE_SEAL, Value::Flag(false))]).await;
    house.change(&[statement(node, Setting::HISTORY_KEEP, Value::Flag(false))]).await;
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    assert_eq!(ben.messages().await, [""; 0]);
    assert!(ann.post("ben", "now").await.refused.is_empty());
    assert_eq!(ann.session.unsettled(), 0, "there is nothing to wait for");
    assert_eq!(ben.message().await, "now");
    ben.leave();
    ann.post("ben", "1").await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ann.post("ben", "2").await;
    ann.post("ben", "3").await;
    assert_eq!([ben.message().await, ben.message().await, ben.message().await], ["1", "2", "3"]);
    let page = ben.hub().history(&ben.session, hub::Span::default()).await.unwrap();
    assert!(page.items.is_empty());
    ann.leave();
    ben.leave();
    house.close().await;
    let reader = house.store().reader();
    assert_eq!(reader.counts().unwrap().records, 0);
    assert!(reader.waiting(&address("ben"), None, 10).unwrap().items.is_empty());
}
