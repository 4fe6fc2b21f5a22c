//! What people keep: rosters and block lists, also when the disk does not take a change.

use hub::{Denied, Interest, Notice, RosterChange, RosterView};
use store::Limits;

use crate::house::{Client, House, address, random};

async fn whole(client: &Client) -> (u64, Vec<String>) {
    match client.hub().roster(&client.session, None).await.unwrap() {
        RosterView::Whole(version, items) => {
            (version, items.iter().map(|item| item.contact.to_string()).collect())
        }
        RosterView::Since(_) => panic!("no version was given"),
    }
}

fn change(notice: &Notice) -> Option<std::sync::Arc<RosterChange>> {
    if let Notice::Roster(change) = notice { Some(std::sync::Arc::clone(change)) } else { None }
}

/// RFC 6121 §2.1.6, §2.6: changes are pushed to who asked for the roster, and can be had later by
/// version.
#[tokio::test]
async fn roster_changes_are_pushed_and_kept() {
    let mut house = House::new();
    let mut desk = house.sign_in("ann", "desk", 0).await;
    let mut phone = house.sign_in("ann", "phone", 0).await;
    assert_eq!(whole(&phone).await, (0, Vec::new()));
    let hub = desk.hub().clone();
    hub.roster_set(&desk.session, address("ben"), Some("Ben".into()), Vec::new()).await.unwrap();
    hub.roster_set(&desk.session, address("cat"), None, vec!["Desk".into()]).await.unwrap();
    hub.roster_remove(&desk.session, &address("ben")).await.unwrap();
    let pushed: Vec<_> =
        [phone.next(change).await, phone.next(change).await, phone.next(change).await]
            .iter()
            .map(|change| (change.version, change.item.contact.to_string(), change.removed))
            .collect();
    let (ben, cat) = (address("ben").to_string(), address("cat").to_string());
    assert_eq!(pushed, [(1, ben.clone(), false), (2, cat.clone(), false), (3, ben, true)]);
    assert!(desk.all(change).await.is_empty(), "who has not asked hears nothing");
    match hub.roster(&desk.session, Some(1)).await.unwrap() {
        RosterView::Since(changes) => {
            let versions: Vec<u64> = changes.iter().map(|change| change.version).collect();
            assert_eq!(versions, [2, 3]);
        }
        RosterView::Whole(..) => panic!("two changes are little"),
    }
    let missing = hub.roster_remove(&desk.session, &address("dan")).await;
    assert!(matches!(missing, Err(Denied::NoSuchItem)));
    drop(hub);
    desk.leave();
    phone.leave();
    house.close().await;
    house.open();
    let ann = house.sign_in("ann", "desk", 0).await;
    assert_eq!(whole(&ann).await, (3, vec![cat]));
    ann.leave();
    house.check().await;
}

/// A change that the disk does not take is in memory no more than on the disk.
#[tokio::test]
async fn a_refused_change_leaves_no_trace() {
    let limits = Limits { pages_max: Some(200), ..Limits::default() };
    let mut house = House::with(limits, true, random);
    let mut ann = house.sign_in("ann", "desk", 0).await;
    let hub = ann.hub().clone();
    hub.roster_set(&ann.session, address("ben"), None, Vec::new()).await.unwrap();
    let before = whole(&ann).await;
    let huge = Some("x".repeat(2_000_000));
    let refused = hub.roster_set(&ann.session, address("cat"), huge.clone(), Vec::new()).await;
    assert!(matches!(refused, Err(Denied::TryLater)));
    let refused = hub.roster_set(&ann.session, address("ben"), huge, Vec::new()).await;
    assert!(matches!(refused, Err(Denied::TryLater)));
    assert_eq!(whole(&ann).await, before);
    ann.session.set_interest(Interest::Roster, true);
    hub.roster_set(&ann.session, address("dan"), None, Vec::new()).await.unwrap();
    assert_eq!(ann.next(change).await.version, before.0 + 1, "versions go on from the stored one");
    let entries = vec!["x".repeat(2_000_000).into()];
    assert!(hub.block(&ann.session, entries).await.is_err());
    assert!(hub.block_list(&ann.session).await.unwrap().is_empty());
    drop(hub);
    ann.leave();
    house.check().await;
}
