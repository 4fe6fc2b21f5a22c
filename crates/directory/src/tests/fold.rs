//! Properties of the fold: what is replayed is what was, and what is rejected changes nothing.

use model::{Address, Timestamp};
use policy::{
    AccessRule, Action, Audience, Book, Delegate, Effect, Guard, LexiconAction, LexiconRule, Node,
    Range, Reach, Selector, Setting, Statement, Value,
};
use proptest::prelude::*;

use crate::{
    Change, Directory, Snapshot,
    fold::fold_line,
    journal::Position,
    line::Line,
    tests::{Folder, admin, apply, at, dump, group, login, person, small, verifiers},
};

fn a_person() -> impl Strategy<Value = Address> {
    prop::sample::select(vec!["ann", "bob", "cyd", "dan"]).prop_map(person)
}

fn a_group() -> impl Strategy<Value = policy::GroupId> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(group)
}

fn a_node() -> impl Strategy<Value = Node> {
    prop_oneof![
        Just(Node::Domain),
        a_group().prop_map(Node::Group),
        a_person().prop_map(Node::Person)
    ]
}

fn a_guard() -> impl Strategy<Value = Option<Guard>> {
    let texts = [None, Some("Mon-Fri 07:30-17:00 Europe/Berlin"), Some("Sat 00:00-12:00 UTC")];
    prop::sample::select(texts.to_vec())
        .prop_map(|text| text.map(|text| Guard::parse(text).unwrap()))
}

/// Settings with a value and a delegation of theirs.
fn said() -> impl Strategy<Value = (Setting, Option<Value>, Option<Delegate>)> {
    let hours = Setting::ACCESS_HOURS.kind().parse("Mon-Fri 07:30-17:00 UTC").unwrap();
    let range = |text: &str, setting| Delegate::parse(setting, text).unwrap();
    prop::sample::select(vec![
        (Setting::MESSAGE_MAX_BYTES, Some(Value::Number(4_096)), Some(Delegate::None)),
        (
            Setting::MESSAGE_MAX_BYTES,
            None,
            Some(range("range <= 100000", Setting::MESSAGE_MAX_BYTES)),
        ),
        (
            Setting::MESSAGE_CLASSES,
            Some(Value::set(&["private", "public"])),
            Some(Delegate::Range(Range::Tighten)),
        ),
        (Setting::ACCESS_HOURS, Some(hours.clone()), Some(Delegate::Range(Range::Within(hours)))),
        (Setting::HISTORY_KEEP, Some(Value::Flag(false)), Some(Delegate::Free)),
        (
            Setting::PRESENCE_OUTSIDE,
            Some(Value::Word("away")),
            Some(range("range {own, away}", Setting::PRESENCE_OUTSIDE)),
        ),
    ])
}

fn a_statement() -> impl Strategy<Value = Statement> {
    let end = prop::option::of((0_i64..1_000_000_000_000_000).prop_map(Timestamp::from_micros));
    (a_node(), said(), a_guard(), end, any::<bool>()).prop_map(
        |(node, (setting, value, delegate), when, expires, through)| {
            let mut statement = Statement::new(node, setting);
            statement.value = value;
            statement.delegate = delegate;
            statement.when = when;
            statement.expires = expires;
            statement.to = if through { Reach::Through } else { Reach::Next };
            statement
        },
    )
}

fn a_rule() -> impl Strategy<Value = AccessRule> {
    let selector = || {
        prop_oneof![
            Just(Selector::Anyone),
            a_node().prop_map(Selector::Node),
            Just(Selector::Domain("partner.example".to_owned())),
            Just(Selector::Node(Node::Person(Address::parse("eve@else.example").unwrap()))),
        ]
    };
    let effect = prop::sample::select(vec![Effect::Permit, Effect::Forbid]);
    let action = prop::sample::select(Action::ALL.to_vec());
    (a_node(), effect, action, selector(), selector(), a_guard()).prop_map(
        |(node, effect, action, from, to, when)| AccessRule {
            name: String::new(),
            node,
            effect,
            action,
            from,
            to,
            text: "ask \"compliance\"\nfirst".to_owned(),
            when,
        },
    )
}

fn a_lexicon() -> impl Strategy<Value = LexiconRule> {
    let action = prop::sample::select(LexiconAction::ALL.to_vec());
    let audience =
        prop::sample::select(vec![Audience::Everyone, Audience::Inside, Audience::Outside]);
    let name = prop::sample::select(vec!["tips", "oaths"]);
    (name, action, audience).prop_map(|(name, action, audience)| LexiconRule {
        name: name.to_owned(),
        words: vec!["guaranteed profit".to_owned(), "größer".to_owned()],
        patterns: vec![r"\d{16}".to_owned()],
        action,
        audience,
        text: String::new(),
    })
}

fn a_change() -> impl Strategy<Value = Change> {
    let a_login = || prop::sample::select(vec!["u1", "u2", "u3", "u4"]).prop_map(login);
    let rule_name = || prop::sample::select(vec!["wall", "desk"]).prop_map(str::to_owned);
    let accounts = prop_oneof![
        4 => (a_person(), a_login(), any::<u8>()).prop_map(|(address, login, seed)| {
            let name = format!("Number {seed} \u{1f600} \"x\"");
            Change::AccountAdd { address, login, name, verifiers: verifiers(seed) }
        }),
        1 => (a_person(), any::<u8>()).prop_map(|(address, seed)| {
            Change::AccountPassword { address, verifiers: verifiers(seed) }
        }),
        1 => (a_person(), a_login())
            .prop_map(|(address, login)| Change::AccountLogin { address, login }),
        1 => a_person()
            .prop_map(|address| Change::AccountRename { address, name: "New".to_owned() }),
        1 => a_person().prop_map(Change::AccountEnable),
        1 => a_person().prop_map(Change::AccountDisable),
        1 => a_person().prop_map(Change::AccountSignOut),
        1 => a_person().prop_map(Change::AccountRemove),
    ];
    let groups = prop_oneof![
        4 => (a_group(), prop::option::of(a_group()), any::<i32>()).prop_map(
            |(id, parent, priority)| Change::GroupAdd { name: id.to_string(), id, parent, priority }
        ),
        1 => a_group().prop_map(Change::GroupRemove),
        1 => a_group().prop_map(|id| Change::GroupRename { id, name: String::new() }),
        1 => (a_group(), any::<i32>())
            .prop_map(|(id, priority)| Change::GroupPriority { id, priority }),
        3 => (a_group(), prop::option::of(a_group()))
            .prop_map(|(id, parent)| Change::GroupMove { id, parent }),
        4 => (a_person(), a_group())
            .prop_map(|(address, group)| Change::MemberAdd { address, group }),
        1 => (a_person(), a_group())
            .prop_map(|(address, group)| Change::MemberRemove { address, group }),
    ];
    let rules = prop_oneof![
        4 => a_statement().prop_map(Change::StatementSet),
        1 => (a_node(), said(), a_guard()).prop_map(|(node, (setting, ..), when)| {
            Change::StatementRemove { node, setting, when }
        }),
        2 => (rule_name(), prop::collection::vec(a_rule(), 0..3))
            .prop_map(|(name, rules)| Change::AccessRuleSet { name, rules }),
        1 => rule_name().prop_map(Change::AccessRuleRemove),
        1 => a_lexicon().prop_map(Change::LexiconSet),
        1 => Just(Change::LexiconRemove("tips".to_owned())),
    ];
    prop_oneof![2 => accounts, 2 => groups, 2 => rules]
}

fn line(before: Position, changes: Vec<Change>) -> Line {
    Line {
        number: before.number + 1,
        time: Timestamp::from_micros(1_795_000_000_123_456 + before.number as i64),
        author: admin(),
        reason: "because \u{2028} \"so\"".to_owned(),
        previous: before.digest,
        changes,
    }
}

/// What must hold of every state, whatever made it.
fn check_sound(state: &Snapshot) {
    assert_eq!(state.logins.len(), state.accounts.len());
    for account in state.accounts() {
        let found = state.find_login(account.login_for_administrators()).unwrap();
        assert_eq!(found.address(), account.address());
        for group in account.groups() {
            assert!(state.members(group).any(|member| member == account.address()));
        }
    }
    let memberships: usize = state.accounts().map(|account| account.groups().len()).sum();
    assert_eq!(state.policy_set().members.len(), memberships);
    assert_eq!(state.statements().count(), state.statement_count);
    assert!(state.policy_version() <= state.version());
    // The engine takes every state that the fold makes.
    Book::compile(state.policy_set()).map(|_| ()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// DIR-20, POL-25: the state follows from the lines alone, and each line reads as it was
    /// written.
    #[test]
    fn pol_25_replaying_the_lines_gives_the_state(
        sets in prop::collection::vec(prop::collection::vec(a_change(), 1..4), 1..40)
    ) {
        let mut state = Snapshot::empty();
        let mut position = Position::START;
        let mut written = Vec::new();
        let domain = Change::DomainSet { domain: "Bank.Example".to_owned() };
        for changes in std::iter::once(vec![domain]).chain(sets) {
            let line = line(position, changes);
            let mut after = state.clone();
            let before = dump(&state);
            let folded = fold_line(&mut after, &line);
            prop_assert_eq!(dump(&state), before, "a clone shares nothing that changes");
            if folded.is_ok() {
                check_sound(&after);
                let bytes = line.encode().unwrap();
                prop_assert!(!bytes.contains(&b'\n'));
                prop_assert!(bytes.starts_with(crate::journal::LINE_PREFIX));
                state = after;
                position = position.after(&bytes);
                written.push(bytes);
            }
        }
        let mut replayed = Snapshot::empty();
        let mut position = Position::START;
        for bytes in &written {
            let line = Line::decode(position, bytes).unwrap();
            prop_assert_eq!(&line.encode().unwrap(), bytes);
            fold_line(&mut replayed, &line).unwrap();
            position = position.after(bytes);
        }
        prop_assert_eq!(dump(&replayed), dump(&state));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The same through the file: what a handle holds is what the next one reads, and a rejected
    /// set leaves neither state nor file otherwise (POL-24: trying out says the same).
    #[test]
    fn pol_24_handle_file_and_dry_run_agree(
        sets in prop::collection::vec(prop::collection::vec(a_change(), 1..3), 1..20)
    ) {
        let folder = Folder::new();
        let directory = small(&folder);
        for changes in sets {
            let before = (dump(&directory.snapshot()), std::fs::read(folder.file()).unwrap());
            let tried = directory.try_out(&changes, &admin(), at(1));
            prop_assert_eq!(dump(&directory.snapshot()), before.0.clone());
            match apply(&directory, &changes) {
                Ok(version) => {
                    prop_assert_eq!(directory.snapshot().version(), version);
                    // The reason is the one thing that a dry run does not know.
                    let plain = |state: &Snapshot| {
                        dump(state).replace("reason: \"\"", "").replace("reason: \"as asked\"", "")
                    };
                    prop_assert_eq!(plain(&tried.unwrap()), plain(&directory.snapshot()));
                }
                Err(fault) => {
                    prop_assert_eq!(tried.unwrap_err().to_string(), fault.to_string());
                    prop_assert_eq!(dump(&directory.snapshot()), before.0);
                    prop_assert_eq!(std::fs::read(folder.file()).unwrap(), before.1);
                }
            }
        }
        let read = Directory::open(folder.file()).unwrap();
        prop_assert_eq!(dump(&read.snapshot()), dump(&directory.snapshot()));
        let trail = directory.trail(0, usize::MAX).unwrap();
        let numbers: Vec<u64> = trail.iter().map(|line| line.number).collect();
        prop_assert_eq!(numbers, (1..=read.snapshot().version()).collect::<Vec<_>>());
    }
}
