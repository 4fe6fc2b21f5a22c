//! The worked examples D.7 and the requirements on levels, inheritance and delegation.

use super::{
    APP_HOURS, ENCRYPT, FILE_MAX_MB, THEME, at, bank, bank_saying, compile, effect, explain, group,
    noon, say, value, when, who,
};
use crate::{Class, Kind, Node, Note, PolicySet, Rejection, Setting, Value};

/// D.7 row 1. POL-09, POL-11, POL-13.
#[test]
fn example_1_nothing_delegated() {
    let book = bank_saying(vec![
        say("domain", ENCRYPT, "yes", "none"),
        say("person:tom@bank.example", ENCRYPT, "no", ""),
    ]);
    let why = explain(&book, "tom", ENCRYPT);
    assert_eq!(why.value, Value::Flag(true));
    assert_eq!(effect(&why, "person:tom@bank.example"), "dormant: tellers does not delegate");
    // The system default is the same, so the domain's yes only says it again.
    assert_eq!(why.chain[0].note, Note::InForce);
}

/// D.7 row 2: a group that got a delegation and does not hand it on. POL-12, POL-13.
#[test]
fn example_2_delegated_to_the_group_only() {
    let book = bank_saying(vec![
        say("domain", ENCRYPT, "yes", "free"),
        say("group:tellers", ENCRYPT, "no", "none"),
        say("person:tom@bank.example", ENCRYPT, "yes", ""),
    ]);
    let why = explain(&book, "tom", ENCRYPT);
    assert_eq!(why.value, Value::Flag(false));
    assert_eq!(effect(&why, "group:tellers"), "IN FORCE");
    assert_eq!(effect(&why, "domain"), "set");
    assert_eq!(effect(&why, "person:tom@bank.example"), "dormant: tellers does not delegate");
    // The other groups keep what the domain says: POL-13.
    assert_eq!(value(&book, "bob", ENCRYPT), "true");
}

/// D.7 row 3: the group hands it on. POL-12.
#[test]
fn example_3_delegated_on_to_the_person() {
    let book = bank_saying(vec![
        say("domain", ENCRYPT, "yes", "free"),
        say("group:tellers", ENCRYPT, "no", "free"),
        say("person:tom@bank.example", ENCRYPT, "yes", ""),
    ]);
    let why = explain(&book, "tom", ENCRYPT);
    assert_eq!(why.value, Value::Flag(true));
    assert_eq!(effect(&why, "person:tom@bank.example"), "IN FORCE");
}

/// D.7 row 4: a range through silent levels. POL-08, POL-11, POL-18.
#[test]
fn example_4_a_range_through_a_silent_group() {
    let book = bank_saying(vec![
        say("domain", FILE_MAX_MB, "50", "range <= 50 through"),
        say("group:morning", FILE_MAX_MB, "10", ""),
        say("person:ann@bank.example", FILE_MAX_MB, "30", ""),
    ]);
    let why = explain(&book, "ann", FILE_MAX_MB);
    assert_eq!(why.value, Value::Number(10));
    let effects: Vec<&str> = why.chain.iter().map(|link| link.effect.as_str()).collect();
    let expect = ["set", "passes on", "IN FORCE", "dormant: morning does not delegate"];
    assert_eq!(effects, expect);
    let says: Vec<&str> = why.chain.iter().map(|link| link.says.as_str()).collect();
    assert_eq!(says, ["50; delegates ≤ 50, through", "nothing", "10", "30"]);
    assert_eq!(
        why.because,
        "set by group morning, within the range (≤ 50) that the domain delegated."
    );
    assert_eq!(
        why.who_can_change,
        ["admins of morning (≤ 50)", "admins of tellers (≤ 50)", "domain admins (any)"]
    );
    assert_eq!(why.to_get.len(), 1);
    assert_eq!(why.to_get[0].0, Value::Number(30));
    assert_eq!(why.to_get[0].1, "group morning must set 30, or delegate it to those below.");
    // A subgroup three deep inherits from the morning shift: POL-18.
    assert_eq!(value(&book, "wim", FILE_MAX_MB), "10");
    assert_eq!(value(&book, "tom", FILE_MAX_MB), "50");
}

/// D.7 row 5: to the next level only, which is silent.
#[test]
fn example_5_next_level_only() {
    let statements = |delegate| {
        vec![
            say("domain", APP_HOURS, "never", delegate),
            say("group:morning", APP_HOURS, "Mon-Fri 07:30-17:00 Europe/Berlin", ""),
        ]
    };
    let book = bank_saying(statements("free"));
    let why = explain(&book, "ann", APP_HOURS);
    assert_eq!(why.value.to_string(), "never");
    assert_eq!(effect(&why, "group:morning"), "dormant: tellers does not delegate");
    let book = bank_saying(statements("free through"));
    assert_eq!(value(&book, "ann", APP_HOURS), "Mon-Fri 07:30-17:00 Europe/Berlin");
}

/// D.7 row 6: hours of a subgroup. POL-16.
#[test]
fn example_6_hours_of_the_morning_shift() {
    let book = bank_saying(vec![
        say("domain", APP_HOURS, "never", "free through"),
        say("group:morning", APP_HOURS, "Mon-Fri 07:30-17:00 Europe/Berlin", ""),
    ]);
    let open = |time: &str| {
        let why = book.explain(&who("ann"), APP_HOURS, at(time));
        let Value::Hours(hours) = &why.value else { panic!("hours") };
        (hours.contains(at(time)), why.valid_until)
    };
    assert_eq!(open("2026-11-23T07:29:00+01:00"), (false, Some(at("2026-11-23T07:30:00+01:00"))));
    assert_eq!(open("2026-11-23T07:30:00+01:00"), (true, Some(at("2026-11-23T17:00:00+01:00"))));
    assert!(!open("2026-11-23T17:00:00+01:00").0);
}

/// D.7 row 7: two groups, the strictest wins. POL-22.
#[test]
fn example_7_two_groups() {
    let set = Setting::MESSAGE_CLASSES;
    let book = bank_saying(vec![
        say("domain", set, "", "free"),
        say("group:brokers", set, "{private, public}", ""),
        say("group:project-x", set, "{private, public, secured}", ""),
    ]);
    let why = explain(&book, "eve", set);
    assert_eq!(why.value.to_string(), "{private, public}");
    assert_eq!(effect(&why, "group:brokers"), "IN FORCE");
    assert_eq!(why.other_paths.len(), 1);
    assert_eq!(why.other_paths[0].via, "project-x");
    assert_eq!(why.other_paths[0].effect, "less strict, not used");
    assert_eq!(
        why.because,
        "set by group brokers, within the range (any) that the domain \
                             delegated; of several groups it is the strictest."
    );
}

/// D.7 row 8: withdrawn and restored. POL-10.
#[test]
fn example_8_withdrawn_and_restored() {
    let book = |delegate| {
        bank_saying(vec![
            say("domain", ENCRYPT, "yes", delegate),
            say("group:tellers", ENCRYPT, "no", "free"),
            say("person:tom@bank.example", ENCRYPT, "yes", ""),
        ])
    };
    let before = explain(&book("free"), "tom", ENCRYPT);
    let withdrawn = explain(&book("none"), "tom", ENCRYPT);
    assert_eq!(withdrawn.value, Value::Flag(true));
    assert_eq!(effect(&withdrawn, "domain"), "IN FORCE");
    assert!(effect(&withdrawn, "group:tellers").starts_with("dormant"));
    // By D.2 a dormant wish for the value that holds anyway reads so.
    assert_eq!(effect(&withdrawn, "person:tom@bank.example"), "same as inherited");
    assert_eq!(explain(&book("free"), "tom", ENCRYPT), before);
}

/// POL-01: each setting has one class, and the catalogue filters by it.
#[test]
fn every_setting_has_one_class() {
    let classes = [Class::Individual, Class::Security, Class::Usage];
    let filtered: usize = classes.iter().map(|class| Setting::of_class(*class).count()).sum();
    assert_eq!(filtered, Setting::all().count());
    for setting in Setting::all() {
        assert_eq!(Setting::by_name(setting.name()), Some(setting));
        assert_eq!(setting.kind().check(&setting.default()), Ok(()), "{setting}");
        assert!(setting.doc().ends_with('.') && setting.doc().len() > 20, "{setting}");
        let ordered = setting.kind().is_ordered();
        assert!(ordered || setting.class() == Class::Individual, "{setting} has no order");
    }
    let names: Vec<&str> = Setting::all().map(Setting::name).collect();
    assert!(names.is_sorted(), "{names:?}");
}

/// POL-08, POL-09: a value at each level, read at the leaf with its origin.
#[test]
fn three_levels_inherit() {
    let setting = Setting::MESSAGE_MAX_BYTES;
    let domain = say("domain", setting, "50000", "range tighten through");
    let team = say("group:tellers", setting, "40000", "range tighten");
    let person = say("person:tom@bank.example", setting, "30000", "");
    let cases = [
        (vec![], "nobody set it, it is the system default."),
        (vec![domain.clone()], "set by the domain."),
        (
            vec![domain.clone(), team.clone()],
            "set by group tellers, within the range (≤ 50000) that the domain delegated.",
        ),
        (
            vec![domain, team, person],
            "set by tom@bank.example, within the range (≤ 50000, and ≤ 40000) that group tellers \
             delegated.",
        ),
    ];
    for (statements, because) in cases {
        assert_eq!(explain(&bank_saying(statements), "tom", setting).because, because);
    }
}

/// POL-11: rejected on write with a sentence; written past the check it has no effect and is
/// reported.
#[test]
fn writes_outside_the_delegation_are_rejected() {
    let domain = say("domain", FILE_MAX_MB, "50", "range <= 50");
    let book = bank_saying(vec![domain.clone()]);
    let check = |statement| {
        let rejected: Result<(), Rejection> = book.check_statement(&statement, noon());
        rejected.map_err(|rejection| rejection.to_string())
    };
    assert_eq!(check(say("group:tellers", FILE_MAX_MB, "10", "")), Ok(()));
    assert_eq!(
        check(say("group:tellers", FILE_MAX_MB, "60", "")),
        Err("60 is outside the range delegated for file.max_mb (≤ 50).".to_owned())
    );
    assert_eq!(
        check(say("group:morning", FILE_MAX_MB, "10", "")),
        Err("group:morning may not set file.max_mb: group:tellers does not delegate it.".to_owned())
    );
    assert_eq!(
        check(say("group:morning", FILE_MAX_MB, "", "free")),
        Err("group:morning cannot delegate file.max_mb: it has no choice itself.".to_owned())
    );
    assert_eq!(
        check(say("group:nobody", FILE_MAX_MB, "1", "")),
        Err("There is no group:nobody.".to_owned())
    );
    assert_eq!(
        check(say("domain", Setting::ARCHIVE_SEAL, "", "free")),
        Err("archive.seal stays with the domain and cannot be delegated.".to_owned())
    );

    let book = bank_saying(vec![
        domain,
        say("group:tellers", FILE_MAX_MB, "60", ""),
        say("domain", Setting::ARCHIVE_SEAL, "", "free through"),
        say("group:tellers", Setting::ARCHIVE_SEAL, "false", ""),
    ]);
    assert_eq!(value(&book, "tom", FILE_MAX_MB), "50");
    assert_eq!(value(&book, "tom", Setting::ARCHIVE_SEAL), "true");
    let dormant: Vec<(String, String)> = book
        .dormant(noon())
        .into_iter()
        .map(|finding| (finding.node.to_string(), finding.of))
        .collect();
    let expect = [
        ("domain", "archive.seal"),
        ("group:tellers", "archive.seal"),
        ("group:tellers", "file.max_mb"),
    ];
    assert_eq!(dormant, expect.map(|(node, of)| (node.to_owned(), of.to_owned())));
}

/// POL-22: settings without order go by priority, and say so.
#[test]
fn priority_decides_where_there_is_no_order() {
    let statements = vec![
        say("domain", THEME, "", "free"),
        say("group:brokers", THEME, "dark", ""),
        say("group:project-x", THEME, "light", ""),
    ];
    let why = explain(&bank_saying(statements.clone()), "eve", THEME);
    assert_eq!(why.value, Value::Word("light"));
    assert!(why.warning.is_some());
    assert!(why.because.ends_with("of several groups it has the highest priority."));
    // Equal priorities: the first node id.
    let mut set = PolicySet { statements, ..bank() };
    set.groups.iter_mut().for_each(|group| group.priority = 0);
    assert_eq!(value(&compile(&set), "eve", THEME), "dark");
}

/// POL-15: an application has levels, groups and guards like a person.
#[test]
fn applications_are_subjects() {
    let mut set = bank();
    set.people.push(who("ledger-bot"));
    set.members.push((who("ledger-bot"), group("project-x")));
    set.statements = vec![
        say("domain", Setting::ACCESS_HOURS, "", "free"),
        say("group:project-x", Setting::ACCESS_HOURS, "22:00-06:00 Europe/Berlin", ""),
    ];
    let book = compile(&set);
    assert!(!book.profile(&who("ledger-bot"), noon()).open);
    assert!(book.profile(&who("ledger-bot"), at("2026-11-21T23:00:00Z")).open);
    assert!(book.profile(&who("bob"), noon()).open);
}

/// D.1: the first statement whose guard holds is the one that counts, and ends end.
#[test]
fn guards_and_ends() {
    let mut short = say("group:tellers", FILE_MAX_MB, "5", "");
    short.expires = Some(at("2026-11-21T13:00:00Z"));
    let book = bank_saying(vec![
        say("domain", FILE_MAX_MB, "50", "free"),
        short,
        when(say("group:tellers", FILE_MAX_MB, "20", ""), "Sat-Sun 00:00-24:00 UTC"),
        say("group:tellers", FILE_MAX_MB, "30", ""),
    ]);
    let at_time = |time| {
        let why = book.explain(&who("tom"), FILE_MAX_MB, at(time));
        (why.value.to_string(), why.valid_until)
    };
    let (end, monday) = (at("2026-11-21T13:00:00Z"), at("2026-11-23T00:00:00Z"));
    assert_eq!(at_time("2026-11-21T12:00:00Z"), ("5".to_owned(), Some(end)));
    assert_eq!(at_time("2026-11-21T13:00:00Z"), ("20".to_owned(), Some(monday)));
    assert_eq!(at_time("2026-11-23T00:00:00Z").0, "30");
}

/// POL-23: the hints are true: what they ask for puts the value in force.
#[test]
fn hints_are_true() {
    let book = bank_saying(vec![
        say("domain", FILE_MAX_MB, "50", "range <= 50"),
        say("group:brokers", FILE_MAX_MB, "10", ""),
        say("group:project-x", FILE_MAX_MB, "25", ""),
    ]);
    let eve = Node::Person(who("eve"));
    let get = |mb| book.to_get(&eve, FILE_MAX_MB, &Value::Number(mb), noon());
    assert_eq!(get(10), "it is in force.");
    assert_eq!(get(30), "group brokers must set 30; group project-x must set 30.");
    assert_eq!(get(20), "group brokers must set 20.");
    assert_eq!(get(5), "group brokers must set 5.");
    assert_eq!(get(60), "the domain must set 60 and delegate nothing.");
    assert_eq!(get(5_000), "it cannot be had: 5000 is not between 0 and 1000.");
}

/// POL-23: the text for a terminal.
#[test]
fn the_text_of_an_explanation() {
    let mut domain = say("domain", FILE_MAX_MB, "50", "range <= 50 through");
    domain.author = "root@bank.example".to_owned();
    domain.reason = "small mailboxes".to_owned();
    let book = bank_saying(vec![
        domain,
        when(say("group:morning", FILE_MAX_MB, "10", ""), "08:00-18:00 UTC"),
        say("person:ann@bank.example", FILE_MAX_MB, "30", ""),
    ]);
    let expect = "\
file.max_mb for person:ann@bank.example is 10: set by group morning, within the range (≤ 50) that \
the domain delegated.
  bank.example (domain)  50; delegates ≤ 50, through  [set] by root@bank.example: small mailboxes
  tellers                nothing  [passes on]
  morning                10  [IN FORCE]
  ann@bank.example       30  [dormant: morning does not delegate]
can be changed by: admins of morning (≤ 50); admins of tellers (≤ 50); domain admins (any)
to get 30: group morning must set 30, or delegate it to those below.
valid until 2026-11-21T18:00:00.000000Z, policy version 812";
    assert_eq!(explain(&book, "ann", FILE_MAX_MB).to_text(), expect);
}

/// The meet and order of every kind.
#[test]
fn meets_are_the_strictest_common_values() {
    let check = |kind: Kind, one: &str, two: &str, expect: &str| {
        let parse = |text: &str| kind.parse(text).expect("a value");
        let meet = kind.meet(&parse(one), &parse(two));
        assert_eq!(meet, parse(expect), "{one} and {two}");
        assert!(kind.is_as_strict(&meet, &parse(one)) && kind.is_as_strict(&meet, &parse(two)));
    };
    check(ENCRYPT.kind(), "yes", "no", "yes");
    check(FILE_MAX_MB.kind(), "5", "7", "5");
    check(Setting::MESSAGE_CLASSES.kind(), "{private,public}", "{secured,public}", "{public}");
    check(Setting::MESSAGE_LEXICONS.kind(), "{a}", "{b}", "{a,b}");
    check(Setting::PRESENCE_VISIBLE_TO.kind(), "contacts", "team", "team");
    check(
        APP_HOURS.kind(),
        "Mon-Fri 08:00-12:00 UTC except 2026-12-25",
        "Wed-Sun 10:00-20:00 UTC",
        "Wed-Fri 10:00-12:00 UTC except 2026-12-25",
    );
}
