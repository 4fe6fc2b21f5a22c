//! Who sees whom: subscriptions, presence, walls and block lists.

use directory::Change;
use hub::{Presence, PresenceKind};
use policy::{AccessRule, Node, Selector, Setting, Value};

use crate::house::{Client, House, address, group, presence, statement};

fn is(kind: PresenceKind, from: &str) -> impl Fn(&hub::Notice) -> Option<()> {
    let from = address(from);
    move |notice| presence(notice).filter(|p| p.kind == kind && p.from == from).map(|_| ())
}

/// What a client has heard of somebody's presence until now.
async fn heard(client: &mut Client, of: &str) -> Vec<PresenceKind> {
    let of = address(of);
    let is_of = |presence: &std::sync::Arc<Presence>| presence.from == of;
    client.presences().await.iter().filter(|p| is_of(p)).map(|p| p.kind).collect()
}

/// PRS-08: asked for, granted, seen, cancelled; after that no further notice arrives.
#[tokio::test]
async fn a_subscription_from_beginning_to_end() {
    let mut house = House::new();
    let mut ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ann.say(PresenceKind::Subscribe, &address("ben")).await;
    ben.next(is(PresenceKind::Subscribe, "ann")).await;
    ben.say(PresenceKind::Subscribed, &address("ann")).await;
    ann.next(is(PresenceKind::Subscribed, "ben")).await;
    ann.next(is(PresenceKind::Available, "ben")).await;
    ben.hide();
    ann.next(is(PresenceKind::Unavailable, "ben")).await;
    ben.show(0);
    ann.next(is(PresenceKind::Available, "ben")).await;
    ann.say(PresenceKind::Unsubscribe, &address("ben")).await;
    ann.next(is(PresenceKind::Unavailable, "ben")).await;
    ben.next(is(PresenceKind::Unsubscribe, "ann")).await;
    ben.hide();
    ben.show(0);
    assert!(heard(&mut ann, "ben").await.is_empty());
    ann.leave();
    ben.leave();
    house.check().await;
}

/// RFC 6121 §3.1.3: a request waits for who is not here, over a restart; an approval beforehand
/// answers the request and is in the roster (§3.4.2).
#[tokio::test]
async fn requests_and_approvals_last() {
    let mut house = House::new();
    let (ann, cat) = (house.bind("ann", "desk").await, house.bind("cat", "desk").await);
    ann.say(PresenceKind::Subscribe, &address("ben")).await;
    cat.say(PresenceKind::Subscribed, &address("ann")).await;
    ann.leave();
    cat.leave();
    house.close().await;
    house.open();
    let mut ben = house.sign_in("ben", "desk", 0).await;
    ben.next(is(PresenceKind::Subscribe, "ann")).await;
    let mut ann = house.sign_in("ann", "desk", 0).await;
    let cat = house.sign_in("cat", "desk", 0).await;
    ann.say(PresenceKind::Subscribe, &address("cat")).await;
    ann.next(is(PresenceKind::Subscribed, "cat")).await;
    ann.next(is(PresenceKind::Available, "cat")).await;
    for client in [ann, ben, cat] {
        client.leave();
    }
    house.check().await;
}

/// PRS-13: a stranger who is blocked learns nothing by it; a contact sees the person go, and hears
/// nothing of later sessions.
#[tokio::test]
async fn blocking_tells_strangers_nothing() {
    let mut house = House::new();
    house.befriend("ann", "ben").await;
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    let mut cat = house.sign_in("cat", "desk", 0).await;
    ben.next(is(PresenceKind::Available, "ann")).await;
    let block = vec!["ben@bank.example".into(), "cat@bank.example".into()];
    ann.hub().block(&ann.session, block).await.unwrap();
    ben.next(is(PresenceKind::Unavailable, "ann")).await;
    let again = house.sign_in("ann", "phone", 0).await;
    again.hide();
    ann.hub().probe(&ben.session, &address("ann")).await.unwrap();
    assert!(heard(&mut ben, "ann").await.is_empty(), "nothing of what comes after");
    assert!(heard(&mut cat, "ann").await.is_empty(), "a stranger learns nothing");
    ann.hub().unblock(&ann.session, Vec::new()).await.unwrap();
    ben.next(is(PresenceKind::Available, "ann")).await;
    again.leave();
    ann.hub().block(&ann.session, vec!["bank.example".into()]).await.unwrap();
    ben.next(is(PresenceKind::Unavailable, "ann")).await;
    for client in [ann, ben, cat] {
        client.leave();
    }
    house.check().await;
}

/// PRS-04, POL-06: a wall hides at once, also what was shown to one address only, and behind it
/// nothing can be learned of who comes and goes (PRS-03).
#[tokio::test]
async fn a_wall_hides_at_once_and_for_good() {
    let mut house = House::new();
    house.befriend("ann", "ben").await;
    let (research, trading) = (group("research"), group("trading"));
    let add = |id: &policy::GroupId| Change::GroupAdd {
        id: id.clone(),
        name: String::new(),
        parent: None,
        priority: 0,
    };
    let join = |name, group: &policy::GroupId| Change::MemberAdd {
        address: address(name),
        group: group.clone(),
    };
    let changes = [add(&research), add(&trading), join("ann", &research), join("ben", &trading)];
    house.change(&changes).await;
    house.change(&[join("cat", &trading)]).await;
    let ann = house.sign_in("ann", "desk", 0).await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    let mut cat = house.sign_in("cat", "desk", 0).await;
    ben.next(is(PresenceKind::Available, "ann")).await;
    let octets = std::sync::Arc::from(b"hello".as_slice());
    let kind = PresenceKind::Available;
    ann.hub().show_to(&ann.session, &address("cat"), None, kind, &octets);
    cat.next(is(PresenceKind::Available, "ann")).await;
    let sides = [Selector::Node(Node::Group(research)), Selector::Node(Node::Group(trading))];
    ann.hub().set_vcard(&ann.session, "<vCard/>".to_owned()).await.unwrap();
    assert!(ann.hub().vcard(&ben.session, &address("ann")).await.unwrap().is_some());
    let rules = AccessRule::wall("wall", &sides[0], &sides[1], "");
    house.change(&[Change::AccessRuleSet { name: "wall".into(), rules }]).await;
    ben.next(is(PresenceKind::Unavailable, "ann")).await;
    cat.next(is(PresenceKind::Unavailable, "ann")).await;
    assert_eq!(ann.hub().vcard(&ben.session, &address("ann")).await.unwrap(), None);
    assert!(ann.hub().vcard(&ann.session, &address("ann")).await.unwrap().is_some());
    let phone = house.sign_in("ann", "phone", 0).await;
    ann.hub().probe(&ben.session, &address("ann")).await.unwrap();
    ann.hub().show_to(&ann.session, &address("cat"), None, kind, &octets);
    phone.leave();
    ann.hide();
    assert!(heard(&mut ben, "ann").await.is_empty());
    assert!(heard(&mut cat, "ann").await.is_empty());
    ann.show(0);
    house.change(&[Change::AccessRuleRemove("wall".into())]).await;
    ben.next(is(PresenceKind::Available, "ann")).await;
    for client in [ann, ben, cat] {
        client.leave();
    }
    house.check().await;
}

/// RFC 6121 §4.3.2: who lets one see and is not here is unavailable; of others one learns nothing.
/// §4.5.2, §4.6.3: a contact to whom a session showed itself as well sees it go once.
#[tokio::test]
async fn probes_are_answered_and_goodbyes_said_once() {
    let mut house = House::new();
    house.befriend("ann", "ben").await;
    let mut ann = house.sign_in("ann", "desk", 0).await;
    for whom in ["ben", "cat", "nobody"] {
        ann.hub().probe(&ann.session, &address(whom)).await.unwrap();
    }
    assert_eq!(heard(&mut ann, "ben").await, [PresenceKind::Unavailable]);
    assert!(heard(&mut ann, "cat").await.is_empty());
    let ben = house.sign_in("ben", "desk", 0).await;
    ann.hub().probe(&ann.session, &address("ben")).await.unwrap();
    let seen = heard(&mut ann, "ben").await;
    assert!(seen.iter().all(|kind| *kind == PresenceKind::Available), "{seen:?}");
    let (kind, octets) = (PresenceKind::Available, std::sync::Arc::from(b"here".as_slice()));
    ben.hub().show_to(&ben.session, &address("ann"), None, kind, &octets);
    heard(&mut ann, "ben").await;
    ben.hide();
    assert_eq!(heard(&mut ann, "ben").await, [PresenceKind::Unavailable]);
    ben.show(0);
    ben.hub().show_to(&ben.session, &address("ann"), None, kind, &octets);
    heard(&mut ann, "ben").await;
    ben.leave();
    assert_eq!(heard(&mut ann, "ben").await, [PresenceKind::Unavailable]);
    ann.leave();
    house.check().await;
}

/// PRS-02, PRS-13: who policy shows as offline goes once, and signing out then tells nobody.
#[tokio::test]
async fn who_is_shown_offline_leaves_unseen() {
    let mut house = House::new();
    house.befriend("ann", "ben").await;
    let mut ben = house.sign_in("ben", "desk", 0).await;
    let ann = house.sign_in("ann", "desk", 0).await;
    ben.next(is(PresenceKind::Available, "ann")).await;
    let node = || Node::Domain;
    house
        .change(&[
            statement(node(), Setting::PRESENCE_OUTSIDE, Value::Word("offline")),
            statement(node(), Setting::PRESENCE_HOURS, Value::Hours(policy::Hours::never())),
        ])
        .await;
    ben.next(is(PresenceKind::Unavailable, "ann")).await;
    house.hub().tick();
    let phone = house.sign_in("ann", "phone", 0).await;
    phone.leave();
    ann.show(5);
    ann.leave();
    assert!(heard(&mut ben, "ann").await.is_empty());
    let ann = house.sign_in("ann", "desk", 0).await;
    let always = Value::Hours(policy::Hours::always());
    house.change(&[statement(node(), Setting::PRESENCE_HOURS, always)]).await;
    ben.next(is(PresenceKind::Available, "ann")).await;
    ann.leave();
    ben.next(is(PresenceKind::Unavailable, "ann")).await;
    ben.leave();
    house.check().await;
}
