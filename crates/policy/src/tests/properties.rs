//! The properties D.6, on random paths and random houses.

use std::collections::BTreeSet;

use model::Timestamp;
use proptest::{prelude::*, sample::select};

use super::{bank, compile, group, noon, who};
use crate::{
    Book, Class, Definition, Delegate, Guard, Kind, Node, Note, PolicySet, Range, Reach, Setting,
    Statement, Strict, Value,
    resolve::{Level, resolve_path},
};

/// Small enough to hold every set of values in hand.
static SMALL: Setting = Setting::new(&Definition {
    name: "test.small",
    class: Class::Usage,
    kind: Kind::Number { min: 0, max: 7, strict: Strict::Less },
    default: || Value::Number(5),
    delegable: true,
    doc: "A small number.",
});

fn delegate() -> impl Strategy<Value = Delegate> {
    prop_oneof![
        Just(Delegate::None),
        Just(Delegate::Free),
        Just(Delegate::Range(Range::Tighten)),
        (0..8_u64).prop_map(|most| Delegate::Range(Range::Between(0, most))),
        (0..8_u64, 0..8_u64).prop_map(|(one, two)| Delegate::Range(Range::Between(one, two))),
        (0..8_u64).prop_map(|bound| Delegate::Range(Range::Within(Value::Number(bound)))),
    ]
}

fn guard() -> impl Strategy<Value = Option<Guard>> {
    let texts = [
        "Sat 08:00-13:00 Europe/Berlin",
        "Mon-Fri 08:00-13:00 Europe/Berlin",
        "12:30-14:00 UTC",
        "22:00-06:00 America/New_York except 2026-11-22",
    ];
    let guard = select(texts.to_vec()).prop_map(|text| Guard::parse(text).ok());
    prop_oneof![3 => Just(None), 2 => guard]
}

fn statement(setting: Setting, scale: u64) -> impl Strategy<Value = Statement> {
    let value = proptest::option::weighted(0.7, 0..8_u64);
    let expires = proptest::option::weighted(0.2, 0..200_000_i64);
    let parts = (value, proptest::option::of(delegate()), any::<bool>(), guard(), expires);
    parts.prop_map(move |(value, delegate, through, when, expires)| {
        let mut said = Statement::new(Node::Domain, setting);
        said.value = value.map(|value| Value::Number(value * scale + 1_024 * (scale.min(2) - 1)));
        said.delegate = match delegate {
            // The ranges of the small numbers say nothing of the large.
            Some(Delegate::Range(_)) if scale > 1 => Some(Delegate::Range(Range::Tighten)),
            other => other,
        };
        said.to = if through { Reach::Through } else { Reach::Next };
        said.when = when;
        said.expires = expires.map(|secs| noon().plus_secs(secs - 10_000));
        said
    })
}

/// What each node of a path says.
fn path() -> impl Strategy<Value = Vec<Vec<Statement>>> {
    let level = proptest::collection::vec(statement(SMALL, 1), 0..3);
    proptest::collection::vec(level, 1..7)
}

const NODES: [&str; 9] = [
    "domain",
    "group:tellers",
    "group:morning",
    "group:window",
    "group:brokers",
    "group:research",
    "group:project-x",
    "person:ann@bank.example",
    "person:eve@bank.example",
];

/// A bank in which all sorts of people say all sorts of things of one setting.
fn house() -> impl Strategy<Value = PolicySet> {
    let said = (select(NODES.to_vec()), statement(Setting::MESSAGE_MAX_BYTES, 1_000));
    proptest::collection::vec(said, 0..16).prop_map(|said| {
        let place = |(node, mut said): (&str, Statement)| {
            said.node = node.parse().expect("a node");
            said
        };
        PolicySet { statements: said.into_iter().map(place).collect(), ..bank() }
    })
}

fn levels<'a>(nodes: &'a [Node], path: &'a [Vec<Statement>]) -> Vec<Level<'a>> {
    let level = |(node, statements): (&'a Node, &'a Vec<Statement>)| Level { node, statements };
    nodes.iter().zip(path).map(level).collect()
}

fn nodes() -> Vec<Node> {
    (0..8).map(|number| Node::Group(group(&format!("g{number}")))).collect()
}

/// D.2 word for word, with sets that are written out. The model to compare with.
fn by_the_book(path: &[Vec<Statement>], at: Timestamp) -> (u64, Option<usize>, BTreeSet<u64>) {
    let everything: BTreeSet<u64> = (0..8).collect();
    let (mut v, mut origin, mut a, mut deep) = (5, None, everything.clone(), false);
    for (n, statements) in path.iter().enumerate() {
        let st = statements.iter().find(|st| st.counts_at(at));
        let had = a != BTreeSet::from([v]);
        if let Some(Value::Number(value)) = st.and_then(|st| st.value.as_ref())
            && had
            && a.contains(value)
        {
            (v, origin) = (*value, Some(n));
        }
        match st.and_then(|st| Some((st, st.delegate.as_ref()?))) {
            Some((st, delegate)) if had => {
                let r: BTreeSet<u64> = match delegate {
                    Delegate::None => BTreeSet::from([v]),
                    Delegate::Free => everything.clone(),
                    Delegate::Range(Range::Tighten) => (0..=v).collect(),
                    Delegate::Range(Range::Within(Value::Number(n))) => (0..=*n).collect(),
                    Delegate::Range(Range::Between(one, two)) => (*one..=*two).collect(),
                    Delegate::Range(Range::Within(_) | Range::OneOf(_)) => BTreeSet::new(),
                };
                a = a.intersection(&r).copied().chain([v]).collect();
                deep = st.to == Reach::Through;
            }
            _ if deep && st.is_none() => {
                a.insert(v);
            }
            _ => (a, deep) = (BTreeSet::from([v]), false),
        }
    }
    (v, origin, a)
}

fn number(value: &Value) -> u64 {
    if let Value::Number(number) = value { *number } else { panic!("a number") }
}

fn limit(book: &Book, name: &str, at: Timestamp) -> u64 {
    book.profile(&who(name), at).message_bytes_max
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// D.2: the resolver is the pseudocode. Only where an authority holds nothing but the value in
    /// force may the origin be a level that named that value again.
    #[test]
    fn resolves_by_the_book(path in path()) {
        let nodes = nodes();
        let result = resolve_path(&levels(&nodes, &path), SMALL, noon());
        let (value, origin, authority) = by_the_book(&path, noon());
        prop_assert_eq!(number(&result.value), value);
        let last = result.chain.last().expect("a level");
        for candidate in 0..8 {
            let inside = last.hands_on.contains(SMALL.kind(), &Value::Number(candidate));
            prop_assert_eq!(inside, authority.contains(&candidate), "{}", candidate);
        }
        let said = |index: Option<usize>| index.map(|index| number(&result.chain[index].value));
        prop_assert!(result.origin == origin || said(result.origin) == Some(value));
    }

    /// Safety: the value lies in everything that was handed down on the way to it, and a dormant
    /// value changes nothing. POL-11.
    #[test]
    fn values_stay_in_what_was_handed_down(path in path()) {
        let nodes = nodes();
        let result = resolve_path(&levels(&nodes, &path), SMALL, noon());
        for step in &result.chain {
            prop_assert!(step.hands_on.contains(SMALL.kind(), &result.value));
        }
        let mut awake = path.clone();
        for (step, level) in result.chain.iter().zip(&mut awake) {
            if step.note.is_dormant() {
                level.iter_mut().for_each(|said| said.value = None);
            }
        }
        prop_assert_eq!(&resolve_path(&levels(&nodes, &awake), SMALL, noon()).value, &result.value);
        let in_force = result.chain.iter().filter(|step| step.note == Note::InForce).count();
        prop_assert_eq!(in_force, usize::from(result.origin.is_some()));
    }

    /// Monotone: one more group never loosens. POL-22.
    #[test]
    fn one_more_group_never_loosens(set in house(), more in select(NODES[1..7].to_vec())) {
        let before = limit(&compile(&set), "eve", noon());
        let mut joined = set;
        let id = more.trim_start_matches("group:");
        joined.members.push((who("eve"), group(id)));
        prop_assert!(limit(&compile(&joined), "eve", noon()) <= before);
    }

    /// Order-free: groups, members and what different nodes say may come in any order. POL-22.
    #[test]
    fn order_never_matters(set in house()) {
        let mut turned = set.clone();
        turned.groups.reverse();
        turned.members.reverse();
        turned.people.reverse();
        turned.statements.sort_by(|one, two| two.node.cmp(&one.node));
        let (one, two) = (compile(&set), compile(&turned));
        for name in ["ann", "eve", "wim"] {
            let of = |book: &Book| {
                let why = book.explain(&who(name), Setting::MESSAGE_MAX_BYTES, noon());
                (why.value.clone(), why.to_text())
            };
            prop_assert_eq!(of(&one), of(&two));
        }
    }

    /// Local: what a group says changes only those under it, and the dry run names exactly those
    /// for whom it changes. POL-24.
    #[test]
    fn changes_are_local(set in house(), said in statement(Setting::MESSAGE_MAX_BYTES, 1_000)) {
        let before = compile(&set);
        let mut changed = set.clone();
        let said = Statement { node: Node::Group(group("brokers")), ..said };
        changed.statements.insert(0, said);
        let after = compile(&changed);
        let affected: Vec<_> =
            before.affected(&after, noon()).into_iter().map(|one| one.subject).collect();
        for person in &set.people {
            let differs = limit(&before, person.as_str(), noon()) != limit(&after, person.as_str(), noon());
            prop_assert_eq!(differs, affected.contains(person));
        }
        prop_assert!(affected.iter().all(|one| [who("bob"), who("eve")].contains(one)));
    }

    /// Stable between boundaries: nothing changes before `valid_until`. POL-16.
    #[test]
    fn stable_until_the_boundary(set in house(), start in 0..400_000_i64, part in 0..1_000_i64) {
        let book = compile(&set);
        let start = noon().plus_secs(start);
        for name in ["ann", "eve"] {
            let profile = book.profile(&who(name), start);
            let end = profile.valid_until.unwrap_or(start.plus_secs(1_000_000));
            prop_assert!(start < end);
            let micros = (end.micros_since(start) - 1) / 1_000 * part;
            let inside = Timestamp::from_micros(start.as_micros() + micros);
            for inside in [inside, Timestamp::from_micros(end.as_micros() - 1)] {
                prop_assert_eq!(limit(&book, name, inside), profile.message_bytes_max);
            }
        }
    }

    /// Explain = resolve, and each path alone is no stricter than the result. POL-23.
    #[test]
    fn explanations_say_what_is_in_force(set in house()) {
        let book = compile(&set);
        for name in ["ann", "eve", "solo"] {
            let why = book.explain(&who(name), Setting::MESSAGE_MAX_BYTES, noon());
            prop_assert_eq!(number(&why.value), limit(&book, name, noon()));
            prop_assert!(why.other_paths.iter().all(|other| number(&other.value) >= number(&why.value)));
            prop_assert!(why.to_text().starts_with(&why.sentence()));
        }
    }

    /// What the check takes has an effect at once for those under the node who say nothing
    /// themselves; what it rejects has none. POL-11.
    #[test]
    fn the_check_is_the_effect(set in house(), bytes in 1_024..9_000_u64) {
        let mut set = set;
        set.statements.retain(|said| said.node != Node::Person(who("wim")));
        let mut wish = Statement::new(Node::Person(who("wim")), Setting::MESSAGE_MAX_BYTES);
        wish.value = Some(Value::Number(bytes));
        let before = compile(&set);
        let taken = before.check_statement(&wish, noon()).is_ok();
        let inherited = limit(&before, "wim", noon());
        set.statements.push(wish);
        let expect = if taken { bytes } else { inherited };
        prop_assert_eq!(limit(&compile(&set), "wim", noon()), expect);
    }

    /// Texts of delegations are read back to the same.
    #[test]
    fn delegations_are_read_back(delegate in delegate()) {
        let text = delegate.to_string();
        let read = Delegate::parse(SMALL, &text);
        let within = |number| Delegate::Range(Range::Between(0, number));
        match delegate {
            // For a number the two are one range and one text.
            Delegate::Range(Range::Within(Value::Number(_))) => prop_assert!(read.is_err()),
            Delegate::Range(Range::Between(0, number)) => prop_assert_eq!(read, Ok(within(number))),
            Delegate::None | Delegate::Free | Delegate::Range(_) => prop_assert_eq!(read, Ok(delegate)),
        }
    }

    /// No text makes a parser panic.
    #[test]
    fn parsers_take_anything(text in "[a-zA-Z0-9:;,{} .<=>/-]{0,40}|.{0,20}") {
        let _ = crate::Hours::parse(&text);
        let _ = text.parse::<Node>();
        let _ = crate::Selector::parse(&text);
        for setting in Setting::all() {
            let _ = setting.kind().parse(&text);
            let _ = Delegate::parse(setting, &text);
        }
    }
}
