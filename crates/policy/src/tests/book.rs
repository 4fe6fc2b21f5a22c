//! Policy sets that cannot be, profiles and the dry run.

use model::PrivacyClass;

use super::{at, bank, bank_saying, compile, group, noon, say, when, who};
use crate::{
    Book, ForcedState, Group, MESSAGE_BYTES_DEFAULT, Node, PolicyFault, PolicySet, Setting,
    Statement, Value, Visibility,
};

fn fault(change: impl FnOnce(&mut PolicySet)) -> String {
    let mut set = bank();
    change(&mut set);
    Book::compile(set).expect_err("a bad set").to_string()
}

fn subgroup(id: &str, parent: &str) -> Group {
    Group { id: group(id), name: id.to_owned(), parent: Some(group(parent)), priority: 0 }
}

#[test]
fn sets_that_cannot_be() {
    assert_eq!(fault(|set| set.domain = "@".to_owned()), "\"@\" is not a domain");
    assert_eq!(
        fault(|set| set.groups.extend([subgroup("a", "b"), subgroup("b", "a")])),
        "the group a is part of itself"
    );
    assert_eq!(fault(|set| set.groups.push(subgroup("a", "zoo"))), "there is no group:zoo");
    assert_eq!(
        fault(|set| set.groups.push(subgroup("window", "zoo"))),
        "there are two groups window"
    );
    assert_eq!(
        fault(|set| set.members.push((who("nobody"), group("tellers")))),
        "there is no person:nobody@bank.example"
    );
    assert_eq!(
        fault(|set| set.statements.push(say("group:zoo", Setting::HISTORY_KEEP, "no", ""))),
        "there is no group:zoo"
    );
    assert_eq!(
        fault(|set| {
            let mut said = Statement::new(Node::Domain, Setting::MESSAGE_MAX_BYTES);
            said.value = Some(Value::Number(1));
            set.statements.push(said);
        }),
        "what domain says of message.max_bytes cannot be: 1 is not between 1024 and 16777216"
    );
    assert_eq!(
        fault(|set| set.statements.push(say("domain", Setting::MESSAGE_LEXICONS, "{x}", ""))),
        "domain puts a lexicon rule x in force that does not exist"
    );
    let deep = |set: &mut PolicySet| {
        for level in 0..20 {
            let parent = if level == 0 { "tellers".to_owned() } else { format!("l{}", level - 1) };
            set.groups.push(subgroup(&format!("l{level}"), &parent));
        }
    };
    assert_eq!(fault(deep), "the group l15 lies deeper than 16 groups");
    assert!(matches!(Book::compile(PolicySet::default()), Err(PolicyFault::Domain(_))));
}

/// POL-09, POL-25: without a word the system defaults hold, and the profile names its version.
#[test]
fn a_profile_of_defaults() {
    let profile = compile(&bank()).profile(&who("ann"), noon());
    assert_eq!(profile.version, 812);
    assert_eq!(profile.message_bytes_max, MESSAGE_BYTES_DEFAULT);
    assert!(profile.open && profile.history && profile.archive && profile.lexicons.is_empty());
    assert!(profile.classes.contains(PrivacyClass::Secured));
    assert_eq!(profile.class, PrivacyClass::Private);
    assert_eq!(profile.presence_visible_to, Visibility::Contacts);
    assert_eq!((profile.presence_forced, profile.valid_until), (None, None));
    assert!(profile.allows_query("urn:xmpp:ping"));
    assert!(!profile.allows_query("http://jabber.org/protocol/ibb"));
}

/// POL-02, PRS-02: visibility to the team, and a state outside hours that policy sets.
#[test]
fn presence_settings() {
    let book = bank_saying(vec![
        say("domain", Setting::PRESENCE_VISIBLE_TO, "", "free through"),
        say("person:ann@bank.example", Setting::PRESENCE_VISIBLE_TO, "team", ""),
        say("domain", Setting::PRESENCE_HOURS, "Mon-Fri 08:00-18:00 UTC", ""),
        say("domain", Setting::PRESENCE_OUTSIDE, "offline", ""),
    ]);
    let ann = |time: &str| book.profile(&who("ann"), at(time));
    assert_eq!(ann("2026-11-20T12:00:00Z").presence_visible_to, Visibility::Team);
    assert_eq!(ann("2026-11-20T12:00:00Z").presence_forced, None);
    assert_eq!(ann("2026-11-20T18:00:00Z").presence_forced, Some(ForcedState::Offline));
    let team = |one: &str, two: &str| book.are_teammates(&who(one), &who(two));
    assert!(team("ann", "wim") && team("wim", "ann") && team("ann", "tom") && team("eve", "bob"));
    assert!(!team("ann", "bob") && !team("ann", "solo") && !team("ann", "pat@partner.example"));
}

/// POL-05: a security setting on a group holds for its members only.
#[test]
fn security_settings_hold_for_the_group() {
    let book = bank_saying(vec![
        say("domain", Setting::MESSAGE_CLASSES, "", "range tighten"),
        say("group:brokers", Setting::MESSAGE_CLASSES, "{public}", ""),
    ]);
    let secured =
        |name: &str| book.profile(&who(name), noon()).classes.contains(PrivacyClass::Secured);
    assert!(!secured("bob") && !secured("eve") && secured("ann") && secured("stranger@x.example"));
}

/// POL-24: the dry run names who is affected and how.
#[test]
fn a_dry_run() {
    let before = bank_saying(vec![say("domain", Setting::HISTORY_KEEP, "", "free")]);
    let after = bank_saying(vec![
        say("domain", Setting::HISTORY_KEEP, "", "free"),
        say("group:brokers", Setting::HISTORY_KEEP, "false", ""),
        when(say("group:research", Setting::HISTORY_KEEP, "false", ""), "Mon 08:00-09:00 UTC"),
    ]);
    let affected = before.affected(&after, noon());
    let names: Vec<&str> = affected.iter().map(|one| one.subject.as_str()).collect();
    assert_eq!(names, ["bob@bank.example", "eve@bank.example"]);
    let change = (Setting::HISTORY_KEEP, Value::Flag(true), Value::Flag(false));
    assert_eq!(affected[0].changes, [change]);
    assert!(before.affected(&before, noon()).is_empty());
    assert_eq!(before.affected(&after, at("2026-11-23T08:30:00Z")).len(), 3);
}

/// Domain and groups can be asked like people.
#[test]
fn explanations_of_groups() {
    let book = bank_saying(vec![say("domain", Setting::HISTORY_KEEP, "false", "free")]);
    for node in ["domain", "group:morning"] {
        let node: Node = node.parse().expect("a node");
        let why = book.explain_node(&node, Setting::HISTORY_KEEP, noon());
        assert_eq!((why.value, why.because.as_str()), (Value::Flag(false), "set by the domain."));
    }
}
