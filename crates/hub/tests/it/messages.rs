//! Who gets a message now: bare and full addresses, priorities, copies, and the sender's own house.

use hub::Reason;

use crate::house::House;

/// MSG-02, ARC-01: one message each way is delivered, kept in both histories and in the archive.
#[tokio::test]
async fn a_message_arrives_and_is_recorded() {
    let mut house = House::new();
    let mut ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    assert!(ann.send("ben", "hello").await.refused.is_empty());
    assert_eq!(ben.message().await, "hello");
    assert!(ben.send("ann", "hello yourself").await.refused.is_empty());
    assert_eq!(ann.message().await, "hello yourself");
    for client in [&ann, &ben] {
        let page = client.hub().history(&client.session, hub::Span::default()).await.unwrap();
        assert_eq!(page.items.len(), 2, "both histories have both");
    }
    ann.leave();
    ben.leave();
    assert_eq!(house.check().await.texts(), ["hello", "hello yourself"]);
    assert_eq!(house.deliveries(), 2);
}

/// RFC 6121 §8.5: the bare address reaches all sessions of no negative priority, a full one its
/// session, and one that is gone falls back.
#[tokio::test]
async fn addresses_choose_sessions() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut desk = house.sign_in("ben", "desk", 5).await;
    let mut phone = house.sign_in("ben", "phone", 0).await;
    let mut hidden = house.sign_in("ben", "hidden", -1).await;
    let mut bound = house.bind("ben", "bound").await;
    ann.send("ben", "to all").await;
    ann.send("ben/phone", "to the phone").await;
    ann.send("ben/hidden", "to the hidden one").await;
    ann.send("ben/lost", "to whoever is there").await;
    assert_eq!(desk.messages().await, ["to all", "to whoever is there"]);
    assert_eq!(phone.messages().await, ["to all", "to the phone", "to whoever is there"]);
    assert_eq!(hidden.messages().await, ["to the hidden one"]);
    assert!(bound.messages().await.is_empty());
    for client in [ann, desk, phone, hidden, bound] {
        client.leave();
    }
    assert_eq!(house.check().await.messages.len(), 4);
}

/// XEP-0280: the other sessions that asked get copies, each message once in each session.
#[tokio::test]
async fn other_sessions_get_copies() {
    let mut house = House::new();
    let mut desk = house.sign_in("ann", "desk", 0).await.with_copies();
    let mut phone = house.sign_in("ann", "phone", 0).await.with_copies();
    let mut quiet = house.sign_in("ann", "quiet", -1).await.with_copies();
    let ben = house.sign_in("ben", "desk", 0).await;
    desk.send("ben", "from the desk").await;
    assert_eq!(phone.copies().await, [("from the desk".to_owned(), true)]);
    assert!(desk.copies().await.is_empty(), "the sending session knows");
    ben.send("ann/desk", "to the desk").await;
    assert_eq!(desk.messages().await, ["to the desk"]);
    assert!(desk.copies().await.is_empty());
    assert_eq!(phone.copies().await, [("to the desk".to_owned(), false)]);
    assert_eq!(quiet.copies().await.len(), 2);
    for client in [desk, phone, quiet, ben] {
        client.leave();
    }
    assert_eq!(house.check().await.messages.len(), 2);
}

/// POL-03: what is refused leaves a record with its content, and goes nowhere.
#[tokio::test]
async fn refusals_are_recorded() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ben.hub().block(&ben.session, vec!["ann@bank.example".into()]).await.unwrap();
    let receipt = ann.send("ben", "let me in").await;
    assert_eq!(receipt.refused[0].reason, Reason::Blocked);
    let receipt = ann.send("nobody", "is there anybody").await;
    assert_eq!(receipt.refused[0].reason, Reason::NoSuchRecipient);
    let receipt = ben.send("ann", "go away").await;
    assert_eq!(receipt.refused[0].reason, Reason::Blocking);
    assert!(ben.messages().await.is_empty());
    ben.hub().unblock(&ben.session, Vec::new()).await.unwrap();
    assert!(ann.send("ben", "at last").await.refused.is_empty());
    assert_eq!(ben.message().await, "at last");
    ann.leave();
    ben.leave();
    let records = house.check().await;
    assert_eq!(records.texts(), ["at last"]);
    assert_eq!(records.count(|note| note.attempt.is_some()), 3);
}
