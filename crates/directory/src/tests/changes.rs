//! Changes one by one: what they do, who may make them, and why they are refused.

use std::fs;

use auth::{ITERATIONS_MIN, Login, Verifiers};
use model::{Address, Secret};
use policy::{
    AccessRule, Action, Book, Delegate, Effect, Guard, Node, Range, Reach, Selector, Setting,
    Statement, Value,
};

use crate::{
    Author, Change, Directory, DirectoryFault, Rejection,
    limits::{CHANGES_MAX, GROUP_DEPTH_MAX, GROUPS_PER_ACCOUNT_MAX, NAME_BYTES_MAX},
    snapshot::{pack, unpack},
    tests::{
        Folder, account_add, admin, apply, at, dump, group, group_add, login, member_add, person,
        rejection, small, verifiers,
    },
};

fn statement(node: &str, setting: Setting, value: Option<Value>) -> Statement {
    let mut statement = Statement::new(node.parse().unwrap(), setting);
    statement.value = value;
    statement
}

fn rule(from: &str, to: &str) -> AccessRule {
    AccessRule {
        name: String::new(),
        node: Node::Domain,
        effect: Effect::Forbid,
        action: Action::Message,
        from: Selector::parse(from).unwrap(),
        to: Selector::parse(to).unwrap(),
        text: "not these two".to_owned(),
        when: None,
    }
}

/// DIR-20: a fresh installation with its own accounts and groups.
#[test]
fn dir_20_a_fresh_directory_has_people_groups_and_policy() {
    let folder = Folder::new();
    let directory = small(&folder);
    let limit = statement("group:tellers", Setting::MESSAGE_MAX_BYTES, Some(Value::Number(2_048)));
    let mut grant = statement("domain", Setting::MESSAGE_MAX_BYTES, None);
    grant.delegate = Some(Delegate::Range(Range::Tighten));
    grant.to = Reach::Through;
    apply(&directory, &[Change::StatementSet(grant), Change::StatementSet(limit)]).unwrap();
    let snapshot = Directory::open(folder.file()).unwrap().snapshot();
    let book = Book::compile(snapshot.policy_set()).unwrap();
    assert_eq!(book.version(), 5);
    assert_eq!(book.profile(&person("ann"), at(2)).message_bytes_max, 2_048);
    let account = snapshot.account(&person("ann")).unwrap();
    assert_eq!((account.name(), account.is_enabled()), ("The ann", true));
    assert_eq!((account.created(), account.added_in()), (at(1), 2));
    assert_eq!(snapshot.colleagues(&person("ann")), [person("bob")]);
    assert_eq!(snapshot.group(&group("morning")).unwrap().parent, Some(group("tellers")));
    assert_eq!(snapshot.members(&group("tellers")).count(), 0);
    assert_eq!((snapshot.domain(), snapshot.created()), ("bank.example", at(0)));
}

/// DIR-12, DIR-13: a person is known by the address; nothing but the one method for administrators
/// leads from there to the sign-in name.
#[test]
fn dir_13_the_sign_in_name_stays_hidden() {
    let folder = Folder::new();
    let directory = small(&folder);
    let renamed = Change::AccountLogin { address: person("ann"), login: login("u4715") };
    apply(&directory, std::slice::from_ref(&renamed)).unwrap();
    let snapshot = directory.snapshot();
    let taken = rejection(&directory, &[account_add("cyd", "u4712")]);
    let account = snapshot.account(&person("ann")).unwrap();
    let shown = [
        format!("{snapshot:?} {directory:?} {account:?}"),
        format!("{:?}", snapshot.policy_set()),
        format!("{:?}", directory.trail(0, 100).unwrap()),
        format!("{taken} {renamed}"),
        format!("{:?}", snapshot.colleagues(&person("bob"))),
    ];
    for text in shown {
        assert!(!text.contains("u471"), "{text}");
        assert!(!text.contains("SCRAM"), "{text}");
    }
    assert_eq!(account.login_for_administrators(), &login("u4715"));
    assert_eq!(snapshot.find_login(&login("U4715")).unwrap().address(), &person("ann"));
    assert!(snapshot.find_login(&login("u4711")).is_none());
    assert!(snapshot.find_login(&login("ann")).is_none());
}

/// DIR-15: no password in any form but salted and slow, and two equal ones look different.
#[test]
fn dir_15_the_file_holds_no_password() {
    let folder = Folder::new();
    let directory = folder.create();
    let password = Secret::new(b"correct horse battery".to_vec());
    for (local, salts) in [("ann", [[1; 16], [2; 16]]), ("bob", [[3; 16], [4; 16]])] {
        let verifiers = Verifiers::derive(&password, salts, ITERATIONS_MIN).unwrap();
        let (address, login) = (person(local), login(local));
        let add = Change::AccountAdd { address, login, name: String::new(), verifiers };
        apply(&directory, &[add]).unwrap();
    }
    let text = fs::read_to_string(folder.file()).unwrap();
    assert!(!text.contains("correct") && !text.contains("battery"));
    let snapshot = Directory::open(folder.file()).unwrap().snapshot();
    let kept = |local: &str| snapshot.credentials(&login(local)).unwrap().verifiers;
    assert!(kept("ann").matches(&password) && kept("bob").matches(&password));
    assert_ne!(pack(&kept("ann")), pack(&kept("bob")));
}

#[test]
fn unknown_sign_in_names_take_the_same_steps() {
    let folder = Folder::new();
    let snapshot = small(&folder).snapshot();
    let stand_in = unpack(crate::snapshot::STAND_IN).unwrap();
    let known = snapshot.credentials(&login("u4711")).unwrap();
    assert_eq!(known.account.address(), &person("ann"));
    let hash = auth::Hash::Sha256;
    assert_eq!(stand_in.of(hash).hash(), known.verifiers.of(hash).hash());
    assert!(snapshot.credentials(&login("nobody")).is_none());
}

/// DIR-23: each of these makes sessions that began before it void, and nothing else does.
#[test]
fn dir_23_sessions_end_by_order_password_and_disabling() {
    let folder = Folder::new();
    let directory = small(&folder);
    let from = || directory.snapshot().account(&person("ann")).unwrap().sessions_from();
    assert_eq!(from(), 2);
    apply(&directory, &[Change::AccountRename { address: person("ann"), name: "A".into() }])
        .unwrap();
    apply(&directory, &[Change::AccountSignOut(person("bob"))]).unwrap();
    assert_eq!(from(), 2);
    for change in [
        Change::AccountSignOut(person("ann")),
        Change::AccountPassword { address: person("ann"), verifiers: verifiers(7) },
        Change::AccountDisable(person("ann")),
    ] {
        let version = apply(&directory, &[change]).unwrap();
        assert_eq!(from(), version);
    }
    assert!(directory.snapshot().active(&person("ann")).is_none());
    assert!(directory.snapshot().credentials(&login("u4711")).is_some());
    let version = apply(&directory, &[Change::AccountEnable(person("ann"))]).unwrap();
    assert!(directory.snapshot().active(&person("ann")).is_some() && from() < version);
}

/// POL-25: the version of policy moves when policy may answer otherwise, and only then.
#[test]
fn pol_25_policy_has_the_version_of_its_last_change() {
    let folder = Folder::new();
    let directory = small(&folder);
    assert_eq!(directory.snapshot().policy_version(), 4);
    let quiet = Change::AccountPassword { address: person("ann"), verifiers: verifiers(7) };
    assert_eq!(apply(&directory, &[quiet]).unwrap(), 5);
    assert_eq!(directory.snapshot().policy_version(), 4);
    let said = statement("domain", Setting::HISTORY_KEEP, Some(Value::Flag(false)));
    assert_eq!(apply(&directory, &[Change::StatementSet(said)]).unwrap(), 6);
    assert_eq!(directory.snapshot().policy_set().version, 6);
    let kept = directory.snapshot();
    let kept = kept.statements().next().unwrap();
    assert_eq!((kept.author.as_str(), kept.reason.as_str(), kept.version), ("root", "as asked", 6));
}

/// POL-14: a person may set what is delegated at their own node, and nothing anywhere else.
#[test]
fn pol_14_a_person_changes_only_their_own_settings() {
    let folder = Folder::new();
    let directory = small(&folder);
    let mut free = statement("domain", Setting::HISTORY_KEEP, None);
    free.delegate = Some(Delegate::Free);
    free.to = Reach::Through;
    apply(&directory, &[Change::StatementSet(free)]).unwrap();
    let off = |node: &str| {
        Change::StatementSet(statement(node, Setting::HISTORY_KEEP, Some(Value::Flag(false))))
    };
    let ann = Author::Person(person("ann"));
    let by_ann = |changes: &[Change]| directory.apply(changes, &ann, "", at(3));
    by_ann(&[off("person:ann@bank.example")]).unwrap();
    let own = Change::StatementRemove {
        node: Node::Person(person("ann")),
        setting: Setting::HISTORY_KEEP,
        when: None,
    };
    by_ann(&[own]).unwrap();
    let before = dump(&directory.snapshot());
    let foreign = [
        vec![off("domain")],
        vec![off("group:morning")],
        vec![off("person:bob@bank.example")],
        vec![off("person:ann@bank.example"), off("domain")],
        vec![member_add("ann", "tellers")],
        vec![Change::AccountEnable(person("ann"))],
        vec![Change::AccessRuleSet { name: "x".into(), rules: vec![rule("anyone", "anyone")] }],
        vec![Change::GroupRemove(group("morning"))],
    ];
    for changes in foreign {
        let refused = by_ann(&changes);
        let not_yours =
            matches!(&refused, Err(DirectoryFault::Rejected(Rejection::NotYours { .. })));
        assert!(not_yours, "{changes:?}: {refused:?}");
    }
    assert_eq!(dump(&directory.snapshot()), before);
    apply(&directory, &[Change::AccountDisable(person("ann"))]).unwrap();
    assert!(by_ann(&[off("person:ann@bank.example")]).is_err());
}

/// POL-11: without delegation, or outside its range, a statement is refused with the sentence of
/// the policy engine.
#[test]
fn pol_11_what_is_not_delegated_is_refused() {
    let folder = Folder::new();
    let directory = small(&folder);
    let size = |node: &str, bytes| {
        Change::StatementSet(statement(
            node,
            Setting::MESSAGE_MAX_BYTES,
            Some(Value::Number(bytes)),
        ))
    };
    let sentence = |changes: &[Change]| {
        let rejection = rejection(&directory, changes);
        assert!(matches!(rejection, Rejection::Policy(_)), "{rejection:?}");
        rejection.to_string()
    };
    assert!(sentence(&[size("group:tellers", 2_048)]).contains("message.max_bytes"));
    let mut grant = statement("domain", Setting::MESSAGE_MAX_BYTES, None);
    grant.delegate = Some(Delegate::parse(Setting::MESSAGE_MAX_BYTES, "range <= 5000").unwrap());
    apply(&directory, &[Change::StatementSet(grant)]).unwrap();
    assert!(!sentence(&[size("group:tellers", 6_000)]).is_empty());
    assert!(!sentence(&[size("domain", 1)]).is_empty());
    apply(&directory, &[size("group:tellers", 5_000)]).unwrap();
    assert!(!sentence(&[size("group:morning", 4_000)]).is_empty());
    let before = fs::read(folder.file()).unwrap();
    assert!(!sentence(&[size("domain", 9_000), size("person:ann@bank.example", 2_000)]).is_empty());
    assert_eq!(fs::read(folder.file()).unwrap(), before, "all or none");
}

#[test]
fn statements_stand_in_the_order_in_which_they_must_be_asked() {
    let folder = Folder::new();
    let directory = small(&folder);
    let with = |when: Option<&str>, expires: bool, bytes| {
        let mut said = statement("domain", Setting::MESSAGE_MAX_BYTES, Some(Value::Number(bytes)));
        said.when = when.map(|text| Guard::parse(text).unwrap());
        said.expires = expires.then(|| at(1_000));
        Change::StatementSet(said)
    };
    let (week, saturday) = (Some("Mon-Fri 08:00-18:00 UTC"), Some("Sat 08:00-12:00 UTC"));
    for change in [
        with(None, false, 10_001),
        with(week, false, 10_002),
        with(saturday, false, 10_003),
        with(None, true, 10_004),
        with(None, false, 20_001),
        with(week, true, 10_005),
    ] {
        apply(&directory, &[change]).unwrap();
    }
    let values = || -> Vec<String> {
        let snapshot = directory.snapshot();
        snapshot.statements().map(|said| said.value.clone().unwrap().to_string()).collect()
    };
    assert_eq!(values(), ["10005", "10004", "10002", "10003", "20001"]);
    let remove = |when: Option<&str>| Change::StatementRemove {
        node: Node::Domain,
        setting: Setting::MESSAGE_MAX_BYTES,
        when: when.map(|text| Guard::parse(text).unwrap()),
    };
    apply(&directory, &[remove(week)]).unwrap();
    assert_eq!(values(), ["10004", "10003", "20001"]);
    assert!(matches!(rejection(&directory, &[remove(week)]), Rejection::Unknown { .. }));
    apply(&directory, &[remove(None)]).unwrap();
    assert!(values().is_empty());
}

#[test]
fn impossible_changes_are_rejected_with_a_sentence() {
    let folder = Folder::new();
    let directory = small(&folder);
    let named = Change::AccessRuleSet {
        name: "wall".into(),
        rules: vec![
            rule("group:tellers", "person:eve@else.example"),
            rule("person:bob@bank.example", "anyone"),
        ],
    };
    apply(&directory, &[named]).unwrap();
    let foreign = Change::AccountAdd {
        address: Address::parse("eve@else.example").unwrap(),
        login: login("eve"),
        name: String::new(),
        verifiers: verifiers(1),
    };
    let renamed = |name: String| vec![Change::AccountRename { address: person("ann"), name }];
    let move_below = |id: &str, parent: &str| {
        vec![Change::GroupMove { id: group(id), parent: Some(group(parent)) }]
    };
    let rules = |name: &str, rules| vec![Change::AccessRuleSet { name: name.into(), rules }];
    let cases = [
        (vec![], "there is nothing to change"),
        (vec![account_add("ann", "u9")], "ann@bank.example has an account already"),
        (vec![account_add("cyd", "U4711")], "another account signs in with it"),
        (vec![foreign], "eve@else.example is not an address of a person in bank.example"),
        (vec![Change::AccountDisable(person("eve"))], "eve@bank.example has no account"),
        (renamed("x".repeat(NAME_BYTES_MAX + 1)), "256 bytes at most"),
        (renamed("a\u{1b}[2Jb".into()), "a character that may not stand there"),
        (vec![group_add("tellers", None)], "there is a group called tellers already"),
        (vec![group_add("x", Some("y"))], "there is no group called y"),
        (move_below("tellers", "morning"), "the group tellers would be above itself"),
        (move_below("tellers", "tellers"), "the group tellers would be above itself"),
        (vec![Change::GroupRemove(group("tellers"))], "in use by the group morning below it"),
        (vec![Change::GroupRemove(group("morning"))], "in use by its member ann@bank.example"),
        (vec![member_add("ann", "morning")], "is in the group morning already"),
        (vec![Change::AccountRemove(person("bob"))], "still in use by the access rule wall"),
        (rules("a b", vec![rule("anyone", "anyone")]), "the name of an access rule is empty"),
        (rules("x", vec![rule("person:eve@bank.example", "anyone")]), "has no account"),
        (rules("x", vec![]), "there is nothing to change"),
        (vec![Change::DomainSet { domain: "x".into() }], "there is a domain called bank.example"),
        (vec![Change::LexiconRemove("x".into())], "there is no lexicon rule called x"),
        (vec![Change::AccountEnable(person("ann")); CHANGES_MAX + 1], "10000 changes in one set"),
    ];
    let before = dump(&directory.snapshot());
    for (changes, sentence) in cases {
        let text = rejection(&directory, &changes).to_string();
        assert!(text.contains(sentence), "{text:?} does not say {sentence:?}");
    }
    let nameless = directory.apply(
        &[Change::AccountEnable(person("ann"))],
        &Author::Administrator(String::new()),
        "",
        at(1),
    );
    assert!(nameless.is_err());
    assert_eq!(dump(&directory.snapshot()), before);
    assert_eq!(Directory::open(folder.file()).unwrap().snapshot().version(), 5);
}

#[test]
fn limits_hold_and_the_deepest_tree_still_compiles() {
    let folder = Folder::new();
    let directory = small(&folder);
    let chain: Vec<Change> = (0..GROUP_DEPTH_MAX)
        .map(|level| {
            let parent = level.checked_sub(1).map(|above| format!("level{above}"));
            group_add(&format!("level{level}"), parent.as_deref())
        })
        .collect();
    apply(&directory, &chain).unwrap();
    let deepest = format!("level{}", GROUP_DEPTH_MAX - 1);
    let deeper = rejection(&directory, &[group_add("too-deep", Some(&deepest))]);
    assert!(matches!(deeper, Rejection::TooMany { max: GROUP_DEPTH_MAX, .. }), "{deeper:?}");
    let under = Change::GroupMove { id: group("level0"), parent: Some(group("morning")) };
    let deeper = rejection(&directory, &[under]);
    assert!(matches!(deeper, Rejection::TooMany { max: GROUP_DEPTH_MAX, .. }), "{deeper:?}");
    let many: Vec<Change> = (0..GROUPS_PER_ACCOUNT_MAX)
        .flat_map(|index| {
            let id = format!("g{index}");
            [group_add(&id, None), member_add("ann", &id)]
        })
        .collect();
    let too_many = rejection(&directory, &many);
    let expected = matches!(too_many, Rejection::TooMany { max: GROUPS_PER_ACCOUNT_MAX, .. });
    assert!(expected, "{too_many:?}");
    apply(&directory, &many[2..]).unwrap();
    Book::compile(directory.snapshot().policy_set()).map(|_| ()).unwrap();
}

#[test]
fn a_removed_account_takes_its_memberships_and_statements_along() {
    let folder = Folder::new();
    let directory = small(&folder);
    let mut free = statement("domain", Setting::HISTORY_KEEP, None);
    free.delegate = Some(Delegate::Free);
    free.to = Reach::Through;
    let own = statement("person:ann@bank.example", Setting::HISTORY_KEEP, Some(Value::Flag(false)));
    apply(&directory, &[Change::StatementSet(free), Change::StatementSet(own)]).unwrap();
    apply(&directory, &[Change::AccountRemove(person("ann"))]).unwrap();
    let snapshot = directory.snapshot();
    assert!(snapshot.account(&person("ann")).is_none());
    assert!(snapshot.find_login(&login("u4711")).is_none());
    assert_eq!(snapshot.statements().count(), 1);
    assert_eq!(snapshot.members(&group("morning")).collect::<Vec<_>>(), [&person("bob")]);
    // What was written to ann stays hers: nobody gets the address again, but the login is free.
    let again = apply(&directory, &[account_add("ann", "u4711")]).unwrap_err();
    assert!(again.to_string().contains("never given to somebody else"), "{again}");
    apply(&directory, &[account_add("anna", "u4711")]).unwrap();
}

#[test]
fn the_trail_says_who_changed_what_when_and_why() {
    let folder = Folder::new();
    let directory = small(&folder);
    let said = statement("domain", Setting::HISTORY_KEEP, Some(Value::Flag(false)));
    directory.apply(&[Change::StatementSet(said)], &admin(), "the board asked", at(60)).unwrap();
    let trail = directory.trail(4, 100).unwrap();
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].changes, ["history.keep at domain: set to false"]);
    assert_eq!((trail[0].number, trail[0].time), (5, at(60)));
    assert_eq!((&trail[0].author, trail[0].reason.as_str()), (&admin(), "the board asked"));
    let firsts = directory.trail(0, 2).unwrap();
    assert_eq!(firsts[0].changes, ["directory of bank.example made"]);
    assert_eq!(
        firsts[1].changes,
        ["account ann@bank.example added", "account bob@bank.example added"]
    );
}

#[test]
fn logins_are_prepared_as_auth_prepares_them() {
    let folder = Folder::new();
    let directory = small(&folder);
    let wide = Login::parse("\u{ff35}4711").unwrap();
    assert_eq!(directory.snapshot().find_login(&wide).unwrap().address(), &person("ann"));
}
