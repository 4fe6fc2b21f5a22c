//! Policies as those see them who write: what is refused and in which words, what passes with a
//! word of warning, what waits for a supervisor; and that a change counts at once for those who
//! are signed in.

use crate::{
    client::{Client, condition},
    house::{DOMAIN, House, Plan},
    xml,
};

const ANA: &str = "ana@bank.example";
const BEN: &str = "ben@bank.example";
const DAN: &str = "dan@bank.example";

/// Ana and Ben, signed in, and Ana has a rule on the word «moonshot».
fn with_lexicon(action: &str) -> (House, Client, Client) {
    let house = House::start(&Plan::of(2));
    let ana = Client::present(&house, "ana", "desk");
    let ben = Client::present(&house, "ben", "desk");
    // Both are signed in already: the rule counts at once.
    add_lexicon(&house, action);
    (house, ana, ben)
}

fn add_lexicon(house: &House, action: &str) {
    let text = "Moonshot has a code name. Use it.";
    let words = ["--word", "moonshot", "--text", text];
    let add = ["policy", "lexicon", "add", "code-names", action];
    let said = house.cli(&[&add[..], &words].concat()).good();
    assert!(said.contains("in force"), "{said}");
    house.cli(&["policy", "set", "domain", "message.lexicons", "{code-names}"]).good();
}

/// The next thing that comes is this one, so nothing came before it.
#[track_caller]
fn next_is(client: &mut Client, body: &str) {
    let stanza = client.next().unwrap();
    assert_eq!(xml::text(&stanza, "body").as_deref(), Some(body), "{stanza}");
}

/// POL-02, POL-23, MON-03, MON-05: a blocked word gives the writer the rule's text, and the reader
/// nothing; the archive has the attempt.
#[test]
fn blocked_words_come_back_with_the_rules_text() {
    let (mut house, mut ana, mut ben) = with_lexicon("block");
    ana.say(BEN, "m1", "Buy Moonshot now");
    let error = ana.refused("m1");
    let (what, text) = condition(&error);
    assert_eq!(what, "modify/policy-violation", "{error}");
    assert_eq!(text, "Moonshot has a code name. Use it.");
    assert_eq!(xml::attribute(&error, "from"), Some(BEN), "{error}");
    // Within other words it is another word.
    ana.say(BEN, "m2", "moonshots are fine");
    next_is(&mut ben, "moonshots are fine");
    // Neither case nor an invisible letter helps.
    ana.say(BEN, "m3", "MOON\u{ad}SHOT");
    assert_eq!(condition(&ana.refused("m3")).0, "modify/policy-violation");
    let (results, _) = ana.history(&[], "<max>50</max>");
    assert_eq!(results.len(), 1, "{results:?}");
    house.stop();
    let found = house.custodian(&["search", "--json", "moonshot"]).good();
    assert!(found.contains("Buy Moonshot now") && found.contains("code-names"), "{found}");
}

/// POL-02, MON-05: a warning delivers, and the writer is told at once.
#[test]
fn a_warning_delivers_and_tells_the_writer() {
    let (_house, mut ana, mut ben) = with_lexicon("warn");
    ana.say(BEN, "m1", "moonshot it is");
    next_is(&mut ben, "moonshot it is");
    let notice = ana.wait(|stanza| xml::attribute(stanza, "from") == Some(DOMAIN));
    let text = xml::text(&notice, "body").unwrap();
    assert!(text.starts_with("Moonshot has a code name. Use it."), "{notice}");
    assert!(text.contains("code-names"), "{notice}");
    assert_ne!(xml::attribute(&notice, "type"), Some("error"), "{notice}");
}

/// POL-02, MON-05: what must be confirmed is refused with the question once, and passes when the
/// writer says the same again. Other words are another question.
#[test]
fn what_was_asked_about_passes_the_second_time() {
    let (_house, mut ana, mut ben) = with_lexicon("confirm");
    ana.say(BEN, "m1", "moonshot at nine");
    let (what, text) = condition(&ana.refused("m1"));
    assert_eq!(what, "modify/policy-violation");
    assert!(text.starts_with("Moonshot has a code name. Use it."), "{text}");
    ana.say(BEN, "m2", "moonshot at ten");
    ana.refused("m2");
    ana.say(BEN, "m3", "moonshot at nine");
    next_is(&mut ben, "moonshot at nine");
    ana.say(BEN, "m4", "moonshot at nine");
    ana.refused("m4");
}

/// MON-05, ARC-30: what is held reaches nobody until a supervisor lets it go, also over a restart;
/// what is rejected never does, and its writer is told. Decisions are in the archive.
#[test]
fn held_messages_wait_for_a_supervisor() {
    let (mut house, mut ana, mut ben) = with_lexicon("hold");
    ana.say(BEN, "m1", "moonshot one");
    let notice = ana.wait(|stanza| xml::attribute(stanza, "from") == Some(DOMAIN));
    assert!(notice.contains("code name"), "{notice}");
    ana.say(BEN, "m2", "moonshot two");
    ana.wait(|stanza| xml::attribute(stanza, "from") == Some(DOMAIN));
    ana.say(BEN, "m3", "plain");
    next_is(&mut ben, "plain");
    house.kill9();
    house.serve();
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    let waiting = house.cli(&["--json", "review", "list"]).json();
    let waiting = waiting.as_array().unwrap();
    assert_eq!(waiting.len(), 2, "{waiting:?}");
    assert_eq!(waiting[0]["from"], ANA);
    assert_eq!(waiting[0]["rules"][0], "code-names");
    let id = |index: usize| waiting[index]["id"].as_str().unwrap();
    let decide = |word, id| house.cli(&["review", word, id, "--by", "cleo", "--reason", "seen"]);
    decide("release", id(0)).good();
    ben.hear("moonshot one");
    decide("reject", id(1)).good();
    ana.wait(|stanza| {
        xml::attribute(stanza, "from") == Some(DOMAIN) && stanza.contains("will not be sent")
    });
    decide("release", id(0)).bad(1);
    decide("release", id(1)).bad(1);
    decide("release", "no-such-id").bad(1);
    ana.say(BEN, "m4", "the end");
    next_is(&mut ben, "the end");
    assert_eq!(house.cli(&["--json", "review", "list"]).json().as_array().unwrap().len(), 0);
    house.stop();
    let found = house.custodian(&["search", "type:review"]).good();
    assert!(found.contains("cleo") && found.lines().count() == 2, "{found}");
}

/// POL-06, PRS-03: an ethical wall refuses messages with its text and hides presence, both ways;
/// once it is taken away, messages pass at once.
#[test]
fn an_ethical_wall_stands_in_both_directions() {
    let house = House::start(&Plan::of(4));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut dan = Client::present(&house, "dan", "desk");
    ana.say(DAN, "m0", "before");
    dan.hear("before");
    let wall = ["policy", "access", "wall", "research-sales", "group:research", "group:traders"];
    let text = "Research and trading do not talk.";
    house.cli(&[&wall[..], &["--text", text]].concat()).good();
    for (from, to, whom) in [(&mut ana, "m1", DAN), (&mut dan, "m2", ANA)] {
        from.say(whom, to, "pst");
        let (what, said) = condition(&from.refused(to));
        assert_eq!((what.as_str(), said.as_str()), ("auth/forbidden", text));
    }
    let check = house.cli(&["policy", "access", "check", ANA, DAN]).good();
    assert!(check.contains("forbidden by research-sales"), "{check}");
    // A question to a session passes as little as a message; nothing tells whether Dan is there.
    let there = ana.ask("get", Some(&dan.jid), "<query xmlns='jabber:iq:version'/>");
    let nowhere =
        ana.ask("get", Some(&format!("{DAN}/none")), "<query xmlns='jabber:iq:version'/>");
    assert_eq!(condition(&there), condition(&nowhere));
    ana.send(&format!("<presence to='{DAN}' type='subscribe'/>"));
    ana.settle();
    assert!(dan.settle().is_empty());
    house.cli(&["policy", "access", "remove", "research-sales"]).good();
    ana.say(DAN, "m3", "after");
    next_is(&mut dan, "after");
}

/// POL-09, POL-10: outside their hours people can read nothing new and write nothing; the same
/// session goes on when the hours do.
#[test]
fn closed_hours_stop_an_open_session_at_once() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    house.cli(&["policy", "set", ANA, "access.hours", "never"]).bad(1);
    house.cli(&["policy", "set", "domain", "access.hours", "always", "--delegate", "free"]).good();
    house.cli(&["policy", "set", "group:traders", "access.hours", "never"]).good();
    ana.say(BEN, "m1", "too late");
    let (what, text) = condition(&ana.refused("m1"));
    assert_eq!(what, "cancel/not-allowed");
    assert!(text.contains("never"), "{text}");
    house.cli(&["policy", "unset", "group:traders", "access.hours"]).good();
    ana.say(BEN, "m2", "in time");
    next_is(&mut ben, "in time");
}

/// POL-08, POL-11: a size limit counts for the writer and for the reader, and says itself.
#[test]
fn a_size_limit_counts_at_once_and_says_itself() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    let large = "x".repeat(3_000);
    ana.say(BEN, "m1", &large);
    next_is(&mut ben, &large);
    let set = ["policy", "set", "domain", "message.max_bytes", "2048"];
    house.cli(&set).good();
    ana.say(BEN, "m2", &large);
    let (what, text) = condition(&ana.refused("m2"));
    assert_eq!(what, "modify/policy-violation");
    assert!(text.contains("2048"), "{text}");
    ana.say(BEN, "m3", "small");
    next_is(&mut ben, "small");
}

/// POL-13, POL-16, POL-24, POL-25: explain gives the sentence and the chain; a change can be tried
/// out before; what was said and does not count is listed.
#[test]
fn explain_gives_the_sentence_and_the_chain() {
    let house = House::make(&Plan::default());
    let delegate = ["--delegate", "range <= 65536", "--to", "through", "--reason", "phones"];
    let set = ["policy", "set", "domain", "message.max_bytes", "65536"];
    house.cli(&[&set[..], &delegate, &["--by", "gina"]].concat()).good();
    house.cli(&["policy", "set", "group:traders", "message.max_bytes", "4096"]).good();
    house.cli(&["policy", "set", ANA, "message.max_bytes", "1000000"]).bad(1);
    let said = house.cli(&["policy", "explain", ANA, "message.max_bytes"]).good();
    assert!(said.starts_with("message.max_bytes for person:ana@bank.example is 4096: "), "{said}");
    for part in ["traders", "bonds", "65536", "gina", "phones", "can be changed by"] {
        assert!(said.contains(part), "no {part} in:\n{said}");
    }
    let value = house.cli(&["--json", "policy", "explain", ANA, "message.max_bytes"]).json();
    assert_eq!(value["value"], 4096);
    assert!(value["chain"].as_array().unwrap().len() >= 3, "{value}");
    let wider = house.cli(&["--json", "policy", "explain", DAN, "message.max_bytes"]).json();
    assert_eq!(wider["value"], 65536);
    let tried = ["policy", "try", "set", "group:traders", "message.max_bytes", "2048"];
    let tried = house.cli(&tried).good();
    assert!(tried.contains("ana@bank.example") && tried.contains("4096 -> 2048"), "{tried}");
    assert!(!tried.contains("dan@"), "{tried}");
    let value = house.cli(&["--json", "policy", "explain", ANA, "message.max_bytes"]).json();
    assert_eq!(value["value"], 4096, "trying changed something");
}

/// DIR-17, DIR-23, POL-10: a disabled account is out at once, and a new password ends its sessions.
#[test]
fn disabling_an_account_ends_its_sessions_at_once() {
    let house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    house.cli(&["account", "disable", ANA]).good();
    let said = ana.wait(|stanza| stanza.starts_with("<stream:error"));
    assert!(said.contains("<not-authorized"), "{said}");
    let reach = crate::client::Reach::of(&house, "ana");
    let why = reach.try_silent("desk").err().unwrap().to_string();
    assert!(why.contains("<not-authorized") || why.contains("account-disabled"), "{why}");
    house.cli(&["account", "enable", ANA]).good();
    let mut ana = Client::present(&house, "ana", "desk");
    let file = house.file("new.txt", "Another-pass-77\n");
    house.cli(&["account", "password", ANA, "--password-file", file.to_str().unwrap()]).good();
    ana.wait(|stanza| stanza.starts_with("<stream:error"));
    assert!(reach.try_silent("desk").is_err());
}
