//! Tests of the algebra and the judge: a small bank with settings of its own beside the catalogue.

mod access;
mod algebra;
mod book;
mod judge;
mod lexicon;
mod properties;
mod texts;
mod windows;

use model::{Address, Timestamp};

use crate::{
    Book, Class, Definition, Delegate, Explanation, Group, GroupId, Guard, Hours, Kind, Node,
    PolicySet, Reach, Setting, Statement, Strict, Value,
};

/// "All communication encrypted", the example of the paper.
static ENCRYPT: Setting = Setting::new(&Definition {
    name: "test.encrypt",
    class: Class::Security,
    kind: Kind::Flag { strict: true },
    default: || Value::Flag(true),
    delegable: true,
    doc: "Whether all communication is encrypted.",
});

static FILE_MAX_MB: Setting = Setting::new(&Definition {
    name: "file.max_mb",
    class: Class::Usage,
    kind: Kind::Number { min: 0, max: 1_000, strict: Strict::Less },
    default: || Value::Number(100),
    delegable: true,
    doc: "The greatest file in MB.",
});

static APP_HOURS: Setting = Setting::new(&Definition {
    name: "test.app_hours",
    class: Class::Security,
    kind: Kind::Hours,
    default: || Value::Hours(Hours::never()),
    delegable: true,
    doc: "The hours of the bank application.",
});

static THEME: Setting = Setting::new(&Definition {
    name: "test.theme",
    class: Class::Individual,
    kind: Kind::Word { words: &["dark", "light", "plain"], ordered: false },
    default: || Value::Word("plain"),
    delegable: true,
    doc: "How it looks.",
});

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

/// A Saturday noon on which nothing special happens.
fn noon() -> Timestamp {
    at("2026-11-21T12:00:00Z")
}

fn who(name: &str) -> Address {
    let domain = if name.contains('@') { "" } else { "@bank.example" };
    Address::parse(&format!("{name}{domain}")).expect("an address")
}

fn group(id: &str) -> GroupId {
    GroupId::parse(id).expect("a group id")
}

/// The bank: tellers with a morning shift and in it a window, brokers, research, project-x.
fn bank() -> PolicySet {
    let groups = [
        ("tellers", None, 10),
        ("morning", Some("tellers"), 20),
        ("window", Some("morning"), 5),
        ("brokers", None, 10),
        ("research", None, 10),
        ("project-x", None, 30),
    ];
    let groups = groups.map(|(id, parent, priority)| Group {
        id: group(id),
        name: String::new(),
        parent: parent.map(group),
        priority,
    });
    let members = [
        ("tom", "tellers"),
        ("ann", "morning"),
        ("wim", "window"),
        ("bob", "brokers"),
        ("ria", "research"),
        ("eve", "brokers"),
        ("eve", "project-x"),
    ];
    let mut people: Vec<Address> = members.iter().map(|(name, _)| who(name)).collect();
    people.push(who("solo"));
    people.dedup();
    PolicySet {
        version: 812,
        domain: "bank.example".to_owned(),
        groups: groups.into(),
        members: members.map(|(name, id)| (who(name), group(id))).into(),
        people,
        ..PolicySet::default()
    }
}

/// `say(node, setting, "value", "delegate to")`, empty for silence; a delegation that ends in
/// ` through` reaches through.
fn say(node: &str, setting: Setting, value: &str, delegate: &str) -> Statement {
    let node: Node = node.parse().expect("a node");
    let mut statement = Statement::new(node, setting);
    statement.value =
        (!value.is_empty()).then(|| setting.kind().parse(value).expect("a value of the setting"));
    let (delegate, to) = match delegate.strip_suffix(" through") {
        Some(delegate) => (delegate, Reach::Through),
        None => (delegate, Reach::Next),
    };
    statement.to = to;
    statement.delegate =
        (!delegate.is_empty()).then(|| Delegate::parse(setting, delegate).expect("a delegation"));
    statement
}

fn when(mut statement: Statement, guard: &str) -> Statement {
    statement.when = Some(Guard::parse(guard).expect("a guard"));
    statement
}

fn compile(set: &PolicySet) -> Book {
    Book::compile(set.clone()).expect("a good policy set")
}

fn bank_saying(statements: Vec<Statement>) -> Book {
    compile(&PolicySet { statements, ..bank() })
}

fn explain(book: &Book, name: &str, setting: Setting) -> Explanation {
    book.explain(&who(name), setting, noon())
}

fn value(book: &Book, name: &str, setting: Setting) -> String {
    explain(book, name, setting).value.to_string()
}

/// The effect of what a node said, as the chain for somebody shows it.
fn effect(explanation: &Explanation, node: &str) -> String {
    let node: Node = node.parse().expect("a node");
    let link = explanation.chain.iter().find(|link| link.node == node);
    link.map(|link| link.effect.clone()).unwrap_or_default()
}
