//! How the house ends, and what becomes of those who still want something of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use hub::{Denied, EndReason};
use store::Limits;

use crate::house::{House, now, random};

/// A clean end waits for sessions to write what they have, so that nothing comes twice (MSG-12).
#[tokio::test]
async fn what_is_written_at_the_end_counts() {
    let mut house = House::new();
    let ann = house.sign_in("ann", "desk", 0).await;
    let ben = house.sign_in("ben", "desk", 0).await;
    for number in 0..20 {
        ann.post("ben", &number.to_string()).await;
    }
    ann.settled().await;
    let leaving = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        ann.leave();
        ben.end().await
    });
    house.close().await;
    assert_eq!(leaving.await.unwrap(), EndReason::Shutdown);
    assert_eq!(house.deliveries(), 20);
    house.open();
    let mut ben = house.sign_in("ben", "desk", 0).await;
    assert!(ben.messages().await.is_empty(), "all of it was written");
    ben.leave();
    house.check().await;
}

/// After the end nothing is taken, and nobody waits for ever.
#[tokio::test]
async fn a_closed_house_answers() {
    let mut house = House::new();
    let ann = house.bind("ann", "desk").await;
    let (hub, session) = (Arc::clone(house.hub()), Arc::clone(&ann.session));
    hub.unbind(&session, &[], now());
    house.close().await;
    let receipt = ann.send("ben", "too late").await;
    assert!(matches!(receipt.fault, Some(Denied::TryLater)));
    let receipt = ann.send("nobody", "not even this is recorded").await;
    assert!(matches!(receipt.fault, Some(Denied::TryLater)), "ARC-31");
    let set = hub.set_vcard(&session, "<vCard/>".to_owned()).await;
    assert!(matches!(set, Err(Denied::TryLater)));
    drop(hub);
    drop(ann);
    assert!(house.check().await.messages.is_empty());
}

/// A fault of the commit thread refuses everything from then on; nobody waits for ever.
#[tokio::test]
async fn without_its_thread_the_house_refuses() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    fn brittle(buffer: &mut [u8]) {
        assert!(!BROKEN.load(Ordering::Relaxed), "this fault is part of the test");
        random(buffer);
    }
    let mut house = House::with(Limits::default(), true, brittle);
    let ann = house.sign_in("ann", "desk", 0).await;
    ann.send("ben", "in time").await;
    BROKEN.store(true, Ordering::Relaxed);
    let receipt = ann.post("ben", "into the break").await;
    assert!(receipt.fault.is_none());
    ann.settled().await;
    // The thread may still be on its way out; what it finds in the queue then is settled, too.
    for _ in 0..1_000 {
        let receipt = ann.send("ben", "after it").await;
        ann.settled().await;
        if matches!(receipt.fault, Some(Denied::TryLater)) {
            break;
        }
    }
    let failed = tokio::time::timeout(std::time::Duration::from_secs(5), house.hub().failed());
    assert_eq!(failed.await.unwrap(), "commit", "the house is to close");
    let receipt = ann.send("ben", "long after it").await;
    assert!(matches!(receipt.fault, Some(Denied::TryLater)));
    ann.leave();
    assert_eq!(house.check().await.texts(), ["in time"]);
}
