//! Access rules: forbid beats permit, scopes, walls, guards.

use super::{at, bank, compile, noon, say, who};
use crate::{AccessRule, Action, Book, Effect, PolicySet, Selector, Setting};

fn rule(name: &str, node: &str, effect: Effect, from: &str, to: &str) -> AccessRule {
    AccessRule {
        name: name.to_owned(),
        node: node.parse().expect("a node"),
        effect,
        action: Action::Message,
        from: Selector::parse(from).expect("a selector"),
        to: Selector::parse(to).expect("a selector"),
        text: String::new(),
        when: None,
    }
}

fn bank_with(access: Vec<AccessRule>) -> Book {
    compile(&PolicySet { access, ..bank() })
}

fn may(book: &Book, from: &str, to: &str) -> bool {
    book.may(Action::Message, &who(from), &who(to), noon()).allowed
}

/// Without a rule people of the domain reach each other and nobody else.
#[test]
fn the_default_of_the_domain() {
    let book = bank_with(vec![]);
    assert!(may(&book, "ann", "bob"));
    assert!(!may(&book, "ann", "pat@partner.example"));
    assert!(!may(&book, "pat@partner.example", "ann"));
    for (word, inside, outside) in [("nobody", false, false), ("everyone", true, true)] {
        let statements = vec![say("domain", Setting::ACCESS_DEFAULT, word, "")];
        let book = compile(&PolicySet { statements, ..bank() });
        assert_eq!(may(&book, "ann", "bob"), inside);
        assert_eq!(may(&book, "ann", "pat@partner.example"), outside);
    }
}

/// POL-06: research and trading do not meet, in either direction, by any action.
#[test]
fn an_ethical_wall() {
    let side = |text| Selector::parse(text).expect("a selector");
    let (one, two) = (side("group:research"), side("group:brokers"));
    let mut access = AccessRule::wall("wall-7", &one, &two, "Research and trading do not meet.");
    // Not even a permit made for the two opens it.
    access.push(rule(
        "friends",
        "domain",
        Effect::Permit,
        "person:ria@bank.example",
        "person:bob@bank.example",
    ));
    let book = bank_with(access);
    for action in Action::ALL {
        for (from, to) in [("ria", "bob"), ("bob", "ria"), ("eve", "ria"), ("ria", "eve")] {
            let access = book.may(action, &who(from), &who(to), noon());
            assert!(!access.allowed, "{from} {} {to}", action.name());
            assert_eq!(access.rules, ["wall-7".into()]);
            assert_eq!(access.text.as_deref(), Some("Research and trading do not meet."));
        }
        assert!(book.may(action, &who("ria"), &who("ann"), noon()).allowed);
        assert!(book.may(action, &who("bob"), &who("eve"), noon()).allowed);
    }
}

/// PRS-04: a rule on presence alone leaves messages open, and works on subgroups.
#[test]
fn presence_apart_from_messages() {
    let mut hide = rule("hide", "domain", Effect::Forbid, "group:brokers", "group:tellers");
    hide.action = Action::Presence;
    let book = bank_with(vec![hide]);
    let sees =
        |from: &str, to: &str| book.may(Action::Presence, &who(from), &who(to), noon()).allowed;
    assert!(!sees("bob", "tom") && !sees("bob", "ann") && !sees("eve", "wim"));
    assert!(sees("tom", "bob") && may(&book, "bob", "tom"));
}

/// D.4: a group rules its own scope and nothing else; what it may not say is reported.
#[test]
fn scopes_of_groups() {
    let book = bank_with(vec![
        rule("a", "group:tellers", Effect::Forbid, "group:morning", "group:brokers"),
        rule("b", "group:tellers", Effect::Forbid, "group:brokers", "group:research"),
        rule("c", "group:tellers", Effect::Permit, "domain:partner.example", "group:tellers"),
        rule("d", "domain", Effect::Permit, "domain:partner.example", "group:tellers"),
        rule("e", "person:ann@bank.example", Effect::Forbid, "anyone", "person:bob@bank.example"),
    ]);
    assert!(!may(&book, "ann", "bob") && may(&book, "tom", "bob"));
    assert!(may(&book, "bob", "ria") && may(&book, "ria", "bob"));
    let partner = book.may(Action::Message, &who("pat@partner.example"), &who("ann"), noon());
    assert_eq!((partner.allowed, partner.rules), (true, vec!["d".into()]));
    let dormant: Vec<String> = book.dormant(noon()).into_iter().map(|finding| finding.of).collect();
    assert_eq!(dormant, ["b", "c", "e"]);
}

/// A forbid that counts by the hour, and until when the answer holds.
#[test]
fn rules_with_hours() {
    let mut nights = rule("nights", "domain", Effect::Forbid, "anyone", "group:tellers");
    nights.when = Some(crate::Guard::parse("18:00-08:00 UTC").expect("a guard"));
    let book = bank_with(vec![nights]);
    let ask = |time: &str| {
        let access = book.may(Action::Message, &who("bob"), &who("tom"), at(time));
        (access.allowed, access.valid_until)
    };
    assert_eq!(ask("2026-11-21T17:59:59Z"), (true, Some(at("2026-11-21T18:00:00Z"))));
    assert_eq!(ask("2026-11-21T18:00:00Z"), (false, Some(at("2026-11-22T08:00:00Z"))));
    assert_eq!(book.may(Action::Message, &who("tom"), &who("bob"), noon()).valid_until, None);
}

#[test]
fn texts_of_selectors() {
    for text in
        ["anyone", "domain", "group:tellers", "person:ann@bank.example", "domain:partner.example"]
    {
        assert_eq!(Selector::parse(text).map(|it| it.to_string()), Ok(text.to_owned()));
    }
    for bad in ["", "everyone", "group:", "group:a b", "person:@x", "domain:-x"] {
        assert!(Selector::parse(bad).is_err(), "{bad:?}");
    }
}
