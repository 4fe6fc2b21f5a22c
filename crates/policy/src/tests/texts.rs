//! Text forms of nodes, values, delegations: what the directory keeps.

use crate::{
    Action, Audience, Class, Delegate, Effect, LexiconAction, Node, NodeFault, Reach, Setting,
};

#[test]
fn texts_of_nodes() {
    for text in ["domain", "group:tellers", "group:a:b", "person:ann@bank.example"] {
        assert_eq!(text.parse::<Node>().map(|node| node.to_string()), Ok(text.to_owned()));
    }
    assert_eq!("".parse::<Node>(), Err(NodeFault::Form));
    assert_eq!("tellers".parse::<Node>(), Err(NodeFault::Form));
    assert_eq!("group:".parse::<Node>(), Err(NodeFault::GroupId));
    assert_eq!("group:a b".parse::<Node>(), Err(NodeFault::GroupId));
    assert_eq!(format!("group:{}", "x".repeat(257)).parse::<Node>(), Err(NodeFault::GroupId));
    assert!(matches!("person:a b@c".parse::<Node>(), Err(NodeFault::Address(_))));
}

#[test]
fn texts_of_values() {
    let check = |setting: Setting, text: &str, normal: &str| {
        let value = setting.kind().parse(text).expect("a value");
        assert_eq!(value.to_string(), normal);
        assert_eq!(setting.kind().parse(normal), Ok(value));
    };
    check(Setting::HISTORY_KEEP, "yes", "true");
    check(Setting::MESSAGE_MAX_BYTES, " 2048 ", "2048");
    check(Setting::MESSAGE_CLASSES, "{public,private}", "{private, public}");
    check(Setting::MESSAGE_CLASSES, "{}", "{}");
    check(Setting::MESSAGE_QUERIES, "{urn:xmpp:ping}", "{urn:xmpp:ping}");
    check(Setting::PRESENCE_VISIBLE_TO, "team", "team");
    check(Setting::ACCESS_HOURS, "Mon 08:00-09:00 UTC", "Mon 08:00-09:00 UTC");
    let fault = |setting: Setting, text: &str| {
        setting.kind().parse(text).expect_err("a bad value").to_string()
    };
    assert_eq!(fault(Setting::HISTORY_KEEP, "maybe"), "\"maybe\" is not true or false");
    assert_eq!(fault(Setting::MESSAGE_MAX_BYTES, "-1"), "\"-1\" is not a whole number");
    assert_eq!(fault(Setting::MESSAGE_MAX_BYTES, "7"), "7 is not between 1024 and 16777216");
    assert_eq!(
        fault(Setting::MESSAGE_CLASSES, "{secret}"),
        "\"secret\" is none of private, public, secured"
    );
    assert_eq!(
        fault(Setting::MESSAGE_CLASSES, "public"),
        "\"public\" is not a set such as {private, public}"
    );
    assert!(fault(Setting::MESSAGE_QUERIES, "{a b}").starts_with("\"a b\" is not a name"));
    assert!(fault(Setting::MESSAGE_QUERIES, "{a,,b}").starts_with("\"\" is not a name"));
    assert_eq!(
        fault(Setting::ACCESS_HOURS, "07:30-17:00"),
        "the hours name no time zone, such as Europe/Berlin"
    );
}

#[test]
fn texts_of_delegations() {
    let check = |setting: Setting, text: &str, normal: &str| {
        let delegate = Delegate::parse(setting, text).expect("a delegation");
        assert_eq!(delegate.to_string(), normal);
        assert_eq!(Delegate::parse(setting, normal), Ok(delegate));
    };
    check(Setting::MESSAGE_MAX_BYTES, "none", "none");
    check(Setting::MESSAGE_MAX_BYTES, "free", "free");
    check(Setting::MESSAGE_MAX_BYTES, "range <= 2048", "range <= 2048");
    check(Setting::MESSAGE_MAX_BYTES, "range >=2048", "range >= 2048");
    check(Setting::MESSAGE_MAX_BYTES, "range 1024..4096", "range 1024..4096");
    check(Setting::MESSAGE_MAX_BYTES, "range tighten", "range tighten");
    check(Setting::MESSAGE_CLASSES, "range {private,public}", "range {private, public}");
    check(Setting::PRESENCE_VISIBLE_TO, "range {team,nobody}", "range {team, nobody}");
    check(Setting::HISTORY_KEEP, "range {false}", "range {false}");
    check(Setting::ACCESS_HOURS, "range 07:00-18:00 UTC", "range Mon-Sun 07:00-18:00 UTC");
    for bad in ["", "all", "range", "range < 5", "range {a}", "range x..y"] {
        assert!(Delegate::parse(Setting::MESSAGE_MAX_BYTES, bad).is_err(), "{bad:?}");
    }
    assert!(Delegate::parse(Setting::MESSAGE_CLASSES, "range <= 5").is_err());
    for reach in [Reach::Next, Reach::Through] {
        assert_eq!(Reach::parse(&reach.to_string()), Some(reach));
    }
}

#[test]
fn names_are_read_back() {
    for action in Action::ALL {
        assert_eq!(Action::from_name(action.name()), Some(action));
    }
    for action in LexiconAction::ALL {
        assert_eq!(LexiconAction::from_name(action.name()), Some(action));
    }
    for effect in [Effect::Permit, Effect::Forbid] {
        assert_eq!(Effect::from_name(effect.name()), Some(effect));
    }
    for audience in [Audience::Everyone, Audience::Inside, Audience::Outside] {
        assert_eq!(Audience::from_name(audience.name()), Some(audience));
    }
    for class in [Class::Individual, Class::Security, Class::Usage] {
        assert_eq!(Class::from_name(class.name()), Some(class));
    }
}
