//! Seen to work with clients that no one here wrote: slixmpp (Python), @xmpp/client (JavaScript)
//! and profanity (C, libstrophe), with each other, in every pair and both ways.

use serde_json::json;

use crate::{
    house::{House, Plan},
    players::{Entry, Player, Profanity},
};

const ANA: &str = "ana@bank.example";
const BEN: &str = "ben@bank.example";
const CLEO: &str = "cleo@bank.example";

fn enter(house: &House) -> (Player, Player) {
    let mut ana = Player::python(house, "ana", "python", Entry::default());
    let mut ben = Player::node(house, "ben", "node");
    assert_eq!(ana.online(), "ana@bank.example/python");
    assert_eq!(ben.online(), "ben@bank.example/node");
    ana.perform("presence", json!({}));
    ben.perform("presence", json!({}));
    (ana, ben)
}

/// MSG-01, MSG-06, MSG-13: three clients by three authors, none changed for this, write to each
/// other, in every direction.
#[test]
fn three_foreign_clients_write_to_each_other() {
    let house = House::start(&Plan::of(3));
    let (mut ana, mut ben) = enter(&house);
    let cleo = Profanity::start(&house, "cleo", "terminal", false);
    ana.say(BEN, "python-to-node");
    let heard = ben.hear("python-to-node");
    assert_eq!(heard["from"], "ana@bank.example/python");
    ben.say(ANA, "node-to-python");
    ana.hear("node-to-python");
    ana.say(CLEO, "python-to-terminal");
    cleo.types(&format!("/msg {ANA}"));
    cleo.shows("python-to-terminal");
    cleo.types("terminal-to-python");
    let heard = ana.hear("terminal-to-python");
    assert_eq!(heard["from"], "cleo@bank.example/terminal");
    cleo.types(&format!("/msg {BEN} terminal-to-node"));
    ben.hear("terminal-to-node");
    ben.say(CLEO, "node-to-terminal");
    cleo.shows("node-to-terminal");
    // Letters of many scripts and signs that XML escapes come through whole.
    let text = "<b>&amp; \"Grüße\" 你好 🦆 \u{202e}x";
    ana.say(BEN, text);
    ben.hear(text);
    ben.say(ANA, text);
    ana.hear(text);
}

/// MSG-06, MSG-12: a second client of the same person sees both sides of a conversation.
#[test]
fn carbons_reach_the_other_client_of_a_person() {
    let house = House::start(&Plan::of(2));
    let (mut ana, mut ben) = enter(&house);
    let mut other = Player::node(&house, "ana", "second");
    other.online();
    other.perform("presence", json!({}));
    other.ask("carbons", json!({}));
    ana.say(BEN, "from the first");
    let carbon = other.wait(|event| event["event"] == "carbon");
    assert_eq!(carbon["direction"], "sent", "{carbon}");
    assert_eq!(carbon["body"], "from the first", "{carbon}");
    ben.wait(|event| event["body"] == "from the first");
    ben.say("ana@bank.example/python", "to the first");
    ana.hear("to the first");
    let carbon = other.wait(|event| event["event"] == "carbon");
    assert_eq!(
        (&carbon["direction"], &carbon["body"]),
        (&json!("received"), &json!("to the first"))
    );
    // The other way round: Python gets the carbons of what JavaScript says.
    ana.ask("carbons", json!({}));
    other.say(BEN, "from the second");
    let carbon = ana.wait(|event| event["event"] == "carbon" && event["body"] == "from the second");
    assert_eq!(carbon["direction"], "sent", "{carbon}");
}

/// MSG-11, HST-01: what came while somebody was away is there when they are back, with the time it
/// was sent, and the history has all of it, page after page.
#[test]
fn messages_wait_and_stay_in_the_history() {
    let house = House::start(&Plan::of(2));
    let (mut ana, mut ben) = enter(&house);
    ana.say(BEN, "one");
    ben.hear("one");
    ben.perform("leave", json!({}));
    ben.wait(|event| event["event"] == "offline");
    for body in ["two", "three", "four"] {
        ana.say(BEN, body);
    }
    ana.ask("ping", json!({ "to": "bank.example" }));
    let mut ben = Player::python(&house, "ben", "python", Entry { direct: true, mechanism: None });
    ben.online();
    ben.perform("presence", json!({}));
    for body in ["two", "three", "four"] {
        assert_eq!(ben.hear(body)["delayed"], true, "{body}");
    }
    ben.say(ANA, "five");
    ana.hear("five");
    let all = json!(["one", "two", "three", "four", "five"]);
    assert_eq!(ben.ask("history", json!({ "with": ANA }))["bodies"], all);
    let mut node = Player::node(&house, "ana", "node");
    node.online();
    assert_eq!(node.ask("history", json!({ "with": BEN }))["bodies"], all);
    assert!(!ben.seen().iter().any(|event| event["body"] == "one"), "what was read came again");
}

/// PRS-01, PRS-02, PRS-04, DIR-20, MSG-13: foreign clients ask for, grant and use each other's
/// presence.
#[test]
fn contacts_are_made_and_seen() {
    let house = House::start(&Plan::of(3));
    let (mut ana, mut ben) = enter(&house);
    ana.perform("subscription", json!({ "to": BEN, "kind": "subscribe" }));
    ben.sees(ANA, "subscribe");
    ben.perform("subscription", json!({ "to": ANA, "kind": "subscribed" }));
    ben.perform("subscription", json!({ "to": ANA, "kind": "subscribe" }));
    ana.sees(BEN, "subscribed");
    ana.sees(BEN, "subscribe");
    ana.sees(BEN, "available");
    ana.perform("subscription", json!({ "to": BEN, "kind": "subscribed" }));
    ben.sees(ANA, "subscribed");
    ben.sees(ANA, "available");
    assert_eq!(ana.ask("roster", json!({}))["items"][BEN], "both");
    assert_eq!(ben.ask("roster", json!({}))["items"][ANA], "both");
    ben.perform("presence", json!({ "show": "dnd" }));
    ana.wait(|event| event["event"] == "presence" && event["show"] == "dnd");
    // A terminal client asks too, and is shown on its own screen.
    let cleo = Profanity::start(&house, "cleo", "terminal", true);
    cleo.types(&format!("/sub request {ANA}"));
    ana.sees(CLEO, "subscribe");
    ana.perform("subscription", json!({ "to": CLEO, "kind": "subscribed" }));
    cleo.types("/roster");
    cleo.shows(ANA);
    ben.perform("leave", json!({}));
    ana.sees(BEN, "unavailable");
}

/// DIR-25, SEC-01, SEC-04: STARTTLS and direct TLS, SCRAM-SHA-1 and SCRAM-SHA-256, by foreign hands;
/// a wrong password is refused. (Python's TLS has no exporter, so none of the three can bind to the
/// channel; the conversations do.)
#[test]
fn foreign_clients_sign_in_by_every_way() {
    let house = House::start(&Plan::of(2));
    for direct in [false, true] {
        for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256"] {
            let entry = Entry { direct, mechanism: Some(mechanism) };
            let mut ana = Player::python(&house, "ana", "python", entry);
            let event = ana.wait(|event| event["event"] == "online");
            assert_eq!(event["jid"], "ana@bank.example/python");
            assert_eq!(event["tls"], "TLSv1.3", "{event}");
            ana.perform("quit", json!({}));
        }
    }
    let file = house.file("new.txt", "Another-pass-77\n");
    let words = ["account", "password", ANA, "--password-file", file.to_str().unwrap()];
    house.cli(&words).good();
    let mut wrong = Player::python(&house, "ana", "python", Entry::default());
    wrong.wait(|event| event["event"] == "refused");
}

/// DIR-16, PRS-13: cards, questions about what there is, pings and blocking through foreign
/// libraries.
#[test]
fn foreign_clients_use_the_rest() {
    let house = House::start(&Plan::of(2));
    let (mut ana, mut ben) = enter(&house);
    ana.ask("card", json!({ "name": "Ana Keller" }));
    let mut other =
        Player::python(&house, "ben", "python", Entry { direct: true, mechanism: None });
    other.online();
    other.perform("presence", json!({}));
    assert_eq!(other.ask("read-card", json!({ "of": ANA }))["name"], "Ana Keller");
    let features = ana.ask("features", json!({ "of": "bank.example" }));
    let features = features["features"].as_array().unwrap();
    for wanted in ["urn:xmpp:carbons:2", "urn:xmpp:blocking", "urn:xmpp:ping"] {
        assert!(features.iter().any(|feature| feature == wanted), "{wanted}: {features:?}");
    }
    ben.ask("ping", json!({ "to": "bank.example" }));
    ana.ask("block", json!({ "whom": BEN }));
    other.say(ANA, "nobody hears");
    other.wait(|event| event["event"] == "error" && event["condition"] == "service-unavailable");
}
