//! Contacts and presence, stanza by stanza: the roster with its versions and pushes, every walk of a
//! subscription, who sees whom, and what a blocked person learns (RFC 6121 §2–§4, XEP-0191).

use crate::{
    client::{Client, condition, is_from},
    house::{House, Plan},
    xml,
};

const ANA: &str = "ana@bank.example";
const BEN: &str = "ben@bank.example";

/// The subscription that a push of the roster tells of somebody, with `ask` behind a plus.
fn pushed(stanza: &str, whom: &str) -> Option<String> {
    if xml::name(stanza) != "iq" || xml::attribute(stanza, "type") != Some("set") {
        return None;
    }
    let item = xml::elements(stanza, "item").find(|it| xml::attribute(it, "jid") == Some(whom))?;
    let ask = if xml::attribute(item, "ask").is_some() { "+ask" } else { "" };
    Some(format!("{}{ask}", xml::attribute(item, "subscription")?))
}

#[track_caller]
fn wait_push(client: &mut Client, whom: &str, state: &str) -> String {
    client.wait(|stanza| pushed(stanza, whom).as_deref() == Some(state))
}

/// Whether a presence is from there and of this kind.
fn is_presence(stanza: &str, from: &str, kind: Option<&str>) -> bool {
    is_from(stanza, "presence", from) && xml::attribute(stanza, "type") == kind
}

#[track_caller]
fn wait_presence(client: &mut Client, from: &str, kind: Option<&str>) -> String {
    client.wait(|it| is_presence(it, from, kind))
}

fn roster(client: &mut Client, version: &str) -> (Vec<String>, String) {
    client.ask_with("get", None, &format!("<query xmlns='jabber:iq:roster'{version}/>"))
}

fn set_item(client: &mut Client, item: &str) -> String {
    client.ask("set", None, &format!("<query xmlns='jabber:iq:roster'>{item}</query>"))
}

fn word(client: &mut Client, to: &str, kind: &str) {
    client.send(&format!("<presence to='{to}' type='{kind}'/>"));
}

/// Signed in, having asked for the roster and being present: gets pushes.
fn interested(house: &House, name: &str, resource: &str) -> Client {
    let mut client = Client::present(house, name, resource);
    roster(&mut client, "");
    client
}

/// RFC 6121 §2, XEP-0237, DIR-20: items are pushed to every session that asked, with versions; who
/// knows a version gets what has changed since.
#[test]
fn roster_changes_are_pushed_and_versioned() {
    let house = House::start(&Plan::of(2));
    let mut one = interested(&house, "ana", "one");
    let mut two = interested(&house, "ana", "two");
    let mut aloof = Client::present(&house, "ana", "aloof");
    let answer =
        set_item(&mut one, "<item jid='ben@bank.example' name='Ben'><group>Work</group></item>");
    assert_eq!(xml::attribute(&answer, "type"), Some("result"));
    let push = wait_push(&mut two, BEN, "none");
    assert_eq!(xml::text(&push, "group").as_deref(), Some("Work"), "{push}");
    let version = xml::attribute(xml::element(&push, "query").unwrap(), "ver").unwrap().to_owned();
    let (before, same) = roster(&mut two, &format!(" ver='{version}'"));
    assert!(!same.contains("<item"), "{same}");
    assert!(before.iter().all(|it| pushed(it, BEN).is_none()), "{before:?}");
    set_item(&mut one, "<item jid='cleo@bank.example'/>");
    set_item(&mut one, "<item jid='ben@bank.example' subscription='remove'/>");
    wait_push(&mut two, BEN, "remove");
    // A client that was away learns by pushes what it missed, and nothing else.
    two.send(&format!(
        "<iq type='get' id='since'><query xmlns='jabber:iq:roster' ver='{version}'/></iq>"
    ));
    let result = two.wait(|it| xml::attribute(it, "id") == Some("since"));
    assert!(!result.contains("<query"), "{result}");
    let pushes = two.settle();
    let told = |whom| pushes.iter().filter_map(|it| pushed(it, whom)).next_back();
    assert_eq!(told("cleo@bank.example").as_deref(), Some("none"));
    assert_eq!(told(BEN).as_deref(), Some("remove"));
    let (_, whole) = roster(&mut two, " ver=''");
    assert!(whole.contains("cleo@") && !whole.contains("ben@"), "{whole}");
    assert!(aloof.settle().iter().all(|it| !it.contains("jabber:iq:roster")));
    // RFC 6121 §2.1.5, §2.3.3: what is not allowed, with the errors named there.
    for (item, wanted) in [
        ("<item jid='ben@bank.example'/><item jid='dan@bank.example'/>", "modify/bad-request"),
        (
            "<item jid='ben@bank.example'><group>A</group><group>A</group></item>",
            "modify/bad-request",
        ),
        ("<item jid='ben@bank.example'><group/></item>", "modify/not-acceptable"),
        ("<item jid='nobody@bank.example' subscription='remove'/>", "cancel/item-not-found"),
    ] {
        assert_eq!(condition(&set_item(&mut one, item)).0, wanted, "{item}");
    }
    let foreign = one.ask("get", Some(BEN), "<query xmlns='jabber:iq:roster'/>");
    assert_eq!(condition(&foreign).0, "auth/forbidden");
}

/// RFC 6121 §3, PRS-01, PRS-02: asking, granting, taking back and refusing, from none to both and
/// back again, with the states that both sides hold after each word.
#[test]
fn every_walk_of_a_subscription() {
    let house = House::start(&Plan::of(2));
    let mut ana = interested(&house, "ana", "desk");
    let mut ben = interested(&house, "ben", "desk");
    // Asked and refused.
    word(&mut ana, BEN, "subscribe");
    wait_push(&mut ana, BEN, "none+ask");
    wait_presence(&mut ben, ANA, Some("subscribe"));
    word(&mut ben, ANA, "unsubscribed");
    ana.wait_all(&[&|it| is_presence(it, BEN, Some("unsubscribed")), &|it| {
        pushed(it, BEN).as_deref() == Some("none")
    }]);
    // Asked and granted: the asker sees, the granter does not.
    word(&mut ana, BEN, "subscribe");
    wait_presence(&mut ben, ANA, Some("subscribe"));
    word(&mut ben, ANA, "subscribed");
    wait_push(&mut ben, ANA, "from");
    ana.wait_all(&[
        &|it| pushed(it, BEN).as_deref() == Some("to"),
        &|it| is_presence(it, BEN, Some("subscribed")),
        &|it| is_presence(it, "ben@bank.example/desk", None),
    ]);
    // The other way round: both.
    word(&mut ben, ANA, "subscribe");
    wait_presence(&mut ana, BEN, Some("subscribe"));
    word(&mut ana, BEN, "subscribed");
    wait_push(&mut ana, BEN, "both");
    ben.wait_all(&[
        &|it| pushed(it, ANA).as_deref() == Some("both"),
        &|it| is_presence(it, ANA, Some("subscribed")),
        &|it| is_presence(it, "ana@bank.example/desk", None),
    ]);
    // In state both, ending one direction leaves the other.
    word(&mut ana, BEN, "unsubscribed");
    wait_push(&mut ana, BEN, "to");
    wait_push(&mut ben, ANA, "from");
    word(&mut ana, BEN, "unsubscribe");
    wait_push(&mut ana, BEN, "none");
    wait_push(&mut ben, ANA, "none");
    // Nothing is seen any more.
    ben.send("<presence><status>secret</status></presence>");
    ben.settle();
    assert!(ana.settle().iter().all(|it| !it.contains("secret")));
}

/// RFC 6121 §3.1.3, §3.4, §2.5: a request waits for who is away; an approval beforehand answers by
/// itself; removing a contact ends both directions.
#[test]
fn requests_wait_and_approvals_come_first() {
    let house = House::start(&Plan::of(2));
    let mut ana = interested(&house, "ana", "desk");
    word(&mut ana, BEN, "subscribe");
    wait_push(&mut ana, BEN, "none+ask");
    let mut ben = Client::silent(&house, "ben", "desk");
    ben.send("<presence/>");
    wait_presence(&mut ben, ANA, Some("subscribe"));
    ben.leave();
    // Not answered, so it comes again (RFC 6121 §3.1.3).
    let mut ben = interested(&house, "ben", "desk");
    ben.send("<presence type='unavailable'/>");
    ben.send("<presence/>");
    wait_presence(&mut ben, ANA, Some("subscribe"));
    word(&mut ben, ANA, "subscribed");
    wait_push(&mut ana, BEN, "to");
    // Ana approves before Ben asks.
    word(&mut ana, BEN, "subscribed");
    ana.settle();
    word(&mut ben, ANA, "subscribe");
    wait_push(&mut ben, ANA, "both");
    let (before, _) = ana.until(|it| pushed(it, BEN).as_deref() == Some("both"));
    assert!(before.iter().all(|it| xml::attribute(it, "type") != Some("subscribe")), "{before:?}");
    set_item(&mut ana, "<item jid='ben@bank.example' subscription='remove'/>");
    ben.wait_all(&[&|it| pushed(it, ANA).as_deref() == Some("none"), &|it| {
        is_presence(it, "ana@bank.example/desk", Some("unavailable"))
    }]);
    // One's own address is no contact.
    word(&mut ana, "nobody@bank.example", "subscribe");
    ana.settle();
}

/// Ana and Ben see each other; their sessions.
fn friends(house: &House) -> (Client, Client) {
    let (mut ana, mut ben) = (interested(house, "ana", "desk"), interested(house, "ben", "desk"));
    word(&mut ana, BEN, "subscribe");
    wait_presence(&mut ben, ANA, Some("subscribe"));
    word(&mut ben, ANA, "subscribed");
    word(&mut ben, ANA, "subscribe");
    ana.wait_all(&[&|it| is_presence(it, BEN, Some("subscribe")), &|it| {
        is_presence(it, "ben@bank.example/desk", None)
    }]);
    word(&mut ana, BEN, "subscribed");
    wait_presence(&mut ben, "ana@bank.example/desk", None);
    (ana, ben)
}

/// RFC 6121 §4, PRS-03: presence goes to contacts and own sessions only, with all that it says; the
/// end of a session is told, also when its connection just breaks.
#[test]
fn presence_reaches_contacts_only() {
    let house = House::start(&Plan::of(3));
    let (mut ana, ben) = friends(&house);
    let mut cleo = interested(&house, "cleo", "desk");
    let mut second = Client::present(&house, "ben", "second");
    second.send("<presence><show>dnd</show><priority>5</priority></presence>");
    let seen =
        ana.wait(|it| is_from(it, "presence", "ben@bank.example/second") && it.contains("dnd"));
    assert!(seen.contains("<priority>5</priority>"), "{seen}");
    ben.cut();
    wait_presence(&mut ana, "ben@bank.example/desk", Some("unavailable"));
    second.leave();
    wait_presence(&mut ana, "ben@bank.example/second", Some("unavailable"));
    // A stranger's probe tells nothing, and directed presence tells only whom it is for.
    cleo.send(&format!("<presence to='{ANA}' type='probe'/>"));
    assert!(cleo.settle().iter().all(|it| !is_from(it, "presence", "ana@bank.example/desk")));
    ana.send("<presence to='cleo@bank.example'><status>just you</status></presence>");
    cleo.wait(|it| is_from(it, "presence", "ana@bank.example/desk") && it.contains("just you"));
    ana.leave();
    wait_presence(&mut cleo, "ana@bank.example/desk", Some("unavailable"));
}

/// XEP-0191, PRS-13: who is blocked gets the same answers as from somebody who is not there, and
/// sees them go; who blocks cannot write either until they unblock; other sessions are told.
#[test]
fn blocked_looks_like_offline() {
    let house = House::start(&Plan::of(3));
    let (mut ana, mut ben) = friends(&house);
    let mut other = Client::present(&house, "ana", "other");
    other.ask("get", None, "<blocklist xmlns='urn:xmpp:blocking'/>");
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='ben@bank.example'/></block>";
    assert_eq!(xml::attribute(&ana.ask("set", None, block), "type"), Some("result"));
    let push = other.wait(|it| it.contains("<block ") && xml::attribute(it, "type") == Some("set"));
    assert!(push.contains(BEN), "{push}");
    wait_presence(&mut ben, "ana@bank.example/desk", Some("unavailable"));
    ben.say(ANA, "m1", "are you there?");
    let blocked = condition(&ben.refused("m1"));
    ben.say("nobody@bank.example", "m2", "are you there?");
    let nobody = condition(&ben.refused("m2"));
    assert_eq!(blocked, nobody);
    let version = "<query xmlns='jabber:iq:version'/>";
    let blocked = ben.ask("get", Some("ana@bank.example/desk"), version);
    let nobody = ben.ask("get", Some("nobody@bank.example/desk"), version);
    assert_eq!(condition(&blocked), condition(&nobody));
    ben.send("<presence to='ana@bank.example' type='probe'/>");
    assert!(ben.settle().iter().all(|it| !is_from(it, "presence", "ana@bank.example/desk")));
    ana.say(BEN, "m3", "hello");
    let error = ana.refused("m3");
    assert_eq!(condition(&error).0, "cancel/not-acceptable");
    assert!(error.contains("urn:xmpp:blocking:errors"), "{error}");
    assert!(ana.settle().iter().all(|it| xml::name(it) != "message"));
    ana.ask("set", None, "<unblock xmlns='urn:xmpp:blocking'/>");
    wait_presence(&mut ben, "ana@bank.example/desk", None);
    ben.say(ANA, "m4", "again");
    ana.hear("again");
    let list = ana.ask("get", None, "<blocklist xmlns='urn:xmpp:blocking'/>");
    assert!(!list.contains("<item"), "{list}");
}
