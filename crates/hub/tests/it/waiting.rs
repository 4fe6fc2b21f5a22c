//! What waits: for somebody who is not here, for a session that does not read, and over a restart.

use hub::{EndReason, PULL_MAX};

use crate::house::{Client, House, address, now};

/// Sends numbered messages.
async fn send(from: &Client, to: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        assert!(from.post(to, &number.to_string()).await.fault.is_none());
        if number % 64 == 0 {
            from.settled().await;
        }
    }
    from.settled().await;
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// MSG-12, XEP-0160: a thousand messages wait, come in order and in pages, and come once.
#[tokio::test]
async fn a_thousand_wait() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    send(&ann, "ben", 0..1_000).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    assert!(ben.session.is_pulling());
    ben.hub().pull(&ben.session).await;
    let mut page = Vec::new();
    ben.session.take(&mut page);
    let ids: Vec<_> = page.iter().filter_map(hub::Notice::message_id).collect();
    assert_eq!(ids.len(), PULL_MAX, "a page at a time");
    ben.hub().written(&ben.session, &ids);
    ann.send("ben", "1000").await;
    assert_eq!(ben.messages().await, numbers(PULL_MAX..1_001));
    assert!(!ben.session.is_pulling());
    ann.send("ben", "live").await;
    assert_eq!(ben.message().await, "live");
    ben.leave();
    let mut again = house.sign_in("ben", "desk", 0).await;
    assert!(again.messages().await.is_empty(), "nothing waits any more");
    again.leave();
    ann.leave();
    assert_eq!(house.check().await.messages.len(), 1_002);
}

/// MSG-12: large messages come in short pages, and all of them come.
#[tokio::test]
async fn large_messages_wait() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let text = |number| format!("{number} {}", "x".repeat(60_000));
    for number in 0..40 {
        assert!(ann.send("ben", &text(number)).await.refused.is_empty());
    }
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ben.hub().pull(&ben.session).await;
    let mut page = Vec::new();
    ben.session.take(&mut page);
    assert!((1..20).contains(&page.len()), "{} at once", page.len());
    let ids: Vec<_> = page.iter().filter_map(hub::Notice::message_id).collect();
    ben.hub().written(&ben.session, &ids);
    assert_eq!(ben.messages().await.len(), 40 - ids.len());
    ben.leave();
    ann.leave();
    assert_eq!(house.check().await.messages.len(), 40);
}

/// MSG-12: a clean end and a start lose nothing and double nothing; the log has all records.
#[tokio::test]
async fn a_restart_loses_and_doubles_nothing() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ann.send("ben", "before").await;
    assert_eq!(ben.message().await, "before");
    ann.send("cat", "for later").await;
    ann.post("ben", "at the end").await;
    let (ann, ben) = (tokio::spawn(ann.end()), tokio::spawn(ben.end()));
    house.close().await;
    assert_eq!(ann.await.unwrap(), EndReason::Shutdown);
    assert_eq!(ben.await.unwrap(), EndReason::Shutdown);
    house.open();
    let mut ben = house.sign_in("ben", "phone", 0).await;
    let again = ben.messages().await;
    assert!(again.is_empty() || again == ["at the end"], "{again:?}");
    let mut cat = house.sign_in("cat", "desk", 0).await;
    assert_eq!(cat.messages().await, ["for later"]);
    assert_eq!(house.deliveries(), 3, "each message reached its recipient once");
    cat.send("ben", "after").await;
    assert_eq!(ben.message().await, "after");
    ben.leave();
    cat.leave();
    let texts = house.check().await;
    assert_eq!(texts.texts(), ["before", "for later", "at the end", "after"]);
}

/// What a session fetched and did not write, while another fetches too, comes to that other.
#[tokio::test]
async fn two_sessions_fetch_and_one_breaks() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    send(&ann, "ben", 0..300).await;
    let first = house.sign_in("ben", "first", 0).await;
    first.hub().pull(&first.session).await;
    let mut second = house.sign_in("ben", "second", 0).await;
    second.hub().pull(&second.session).await;
    first.leave();
    let mut got = second.messages().await;
    got.sort_by_key(|text| text.parse::<usize>().unwrap());
    assert_eq!(got, numbers(0..300));
    second.leave();
    ann.leave();
    house.check().await;
}

/// A session whose peer does not read is ended, and nothing of what it did not get is lost.
#[tokio::test]
async fn a_slow_session_ends_and_its_messages_wait() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let ben = house.sign_in("ben", "desk", 0).await;
    let (total, big) = (60, "x".repeat(200_000));
    for number in 0..total {
        ann.send("ben", &format!("{number} {big}")).await;
    }
    let mut taken = Vec::new();
    assert_eq!(ben.session.take(&mut taken), Some(EndReason::TooSlow), "the bound is 8 MiB");
    let taken: Vec<_> = taken.iter().filter_map(hub::Notice::message_id).collect();
    assert!(taken.len() < total);
    ben.hub().unbind(&ben.session, &taken, now());
    drop(ben);
    let mut ben = house.sign_in("ben", "desk", 0).await;
    let got = ben.messages().await;
    assert_eq!(got.len(), total);
    assert!(got.iter().enumerate().all(|(at, text)| text.starts_with(&format!("{at} "))));
    assert!(ben.ended.is_none(), "fetching in pages does not fill the queue");
    ben.leave();
    ann.leave();
    assert_eq!(house.check().await.messages.len(), total);
}

/// A session that hides, or shows itself with a negative priority, gets what waits no more.
#[tokio::test]
async fn who_hides_does_not_fetch() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    send(&ann, "ben", 0..10).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ben.hide();
    assert!(ben.messages().await.is_empty());
    ben.show(-1);
    assert!(ben.messages().await.is_empty());
    ben.show(0);
    assert_eq!(ben.messages().await, numbers(0..10));
    ben.leave();
    ann.leave();
    house.check().await;
}

/// XEP-0280 §6: a session that is still fetching gets a new message in its turn, not a copy beside.
#[tokio::test]
async fn fetching_sessions_get_no_copies() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    send(&ann, "ben", 0..2).await;
    let mut ben = house.sign_in("ben", "desk", 0).await.with_copies();
    ann.send("ben", "2").await;
    assert_eq!(ben.messages().await, numbers(0..3));
    assert!(ben.copies().await.is_empty());
    ben.leave();
    ann.leave();
    house.check().await;
}

/// Somebody who is loaded because others write to them gets all of it when they come.
#[tokio::test]
async fn arriving_while_others_write() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let hub = std::sync::Arc::clone(house.hub());
    send(&ann, "ben", 0..5).await;
    let writing = tokio::spawn(async move {
        send(&ann, "ben", 5..500).await;
        ann
    });
    let mut got = Vec::new();
    while got.len() < 500 {
        let mut ben = house.sign_in("ben", "desk", 0).await;
        got.push(ben.message().await);
        got.extend(ben.messages().await);
        ben.leave();
        tokio::task::yield_now().await;
    }
    assert_eq!(got, numbers(0..500));
    writing.await.unwrap().leave();
    assert!(hub.exists(&address("ben")));
    drop(hub);
    house.check().await;
}
