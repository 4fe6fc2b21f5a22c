//! What the demonstration is filled with: people, groups, rules, and a talk among them that goes
//! through the one door like any other.

use std::{path::Path, sync::Arc};

use directory::{Author, Change, Directory};
use hub::{Hub, clock};
use model::{
    Address, Content, ContentKind, Format, Handling, Origin, PrivacyClass, Recipient, Secret,
    Submission,
};
use xmpp::{encode, namespace};

use super::account;
use crate::fault::Fault;

use ::policy::{
    AccessRule, Audience, Delegate, GroupId, LexiconAction, LexiconRule, Node, Reach, Selector,
    Setting, Statement,
};

/// One of the cast.
pub(crate) struct Person {
    pub(crate) local: &'static str,
    pub(crate) login: &'static str,
    pub(crate) name: &'static str,
    group: &'static str,
    /// The group and those above it, for people to read.
    pub(crate) path: &'static str,
}

/// The five.
pub(crate) const PEOPLE: [Person; 5] = [
    Person {
        local: "ana",
        login: "a.keller",
        name: "Ana Keller",
        group: "morning",
        path: "traders > desk > morning",
    },
    Person {
        local: "ben",
        login: "ben",
        name: "Ben Okafor",
        group: "desk",
        path: "traders > desk",
    },
    Person { local: "cleo", login: "cleo", name: "Cleo Martin", group: "traders", path: "traders" },
    Person { local: "dan", login: "dan", name: "Dan Rossi", group: "research", path: "research" },
    Person { local: "eva", login: "eva", name: "Eva Lind", group: "sales", path: "sales" },
];

/// Id, what people read, and the group above.
const GROUPS: [(&str, &str, Option<&str>); 5] = [
    ("traders", "Traders", None),
    ("desk", "Bond desk", Some("traders")),
    ("morning", "Morning shift", Some("desk")),
    ("research", "Research", None),
    ("sales", "Sales", None),
];

/// Name, action, words, and what the writer reads.
const LEXICONS: [(&str, LexiconAction, &[&str], &str); 5] = [
    ("overtime", LexiconAction::Log, &["overtime"], ""),
    (
        "promises",
        LexiconAction::Warn,
        &["guarantee", "guaranteed", "risk-free"],
        "Promise no returns: what you write may be read as an offer.",
    ),
    (
        "confidential",
        LexiconAction::Confirm,
        &["confidential"],
        "You call this confidential. Send it again if it may go to this person.",
    ),
    (
        "deals",
        LexiconAction::Hold,
        &["merger", "takeover"],
        "Messages about deals wait for Compliance.",
    ),
    (
        "insider",
        LexiconAction::Block,
        &["insider tip", "inside information"],
        "Inside information must not be passed on (Market Abuse Regulation, article 10).",
    ),
];

/// Who says what to whom.
const TALK: [(&str, &str, &str); 10] = [
    ("ana", "ben", "Good morning, the desk is yours until nine."),
    ("ben", "ana", "Thanks. Anything open from last night?"),
    ("ana", "ben", "Two orders, both in the book."),
    ("cleo", "ben", "Please keep the limits in mind today."),
    ("ben", "cleo", "Will do. I expect some overtime on Friday."),
    ("dan", "cleo", "The note on copper is out."),
    ("cleo", "dan", "Read it, well argued."),
    ("eva", "cleo", "The client asks whether we guarantee the coupon."),
    ("cleo", "eva", "We do not. Send them the term sheet."),
    ("dan", "ana", "Could somebody say more about the merger?"),
];

/// Bytes of a message at most: what the domain allows, what the desk allows, what Ana would like.
const BYTES: [&str; 3] = ["65536", "32768", "49152"];

/// Writes the cast, the groups and the rules into a new directory.
pub(crate) fn fill(file: &Path, passwords: &[String]) -> Result<(), Fault> {
    let directory = Directory::open(file).map_err(|fault| Fault::directory(&fault, file))?;
    let author = Author::Administrator("demo".to_owned());
    let bug = |what: String| Fault::Environment(format!("the demonstration is wrong: {what}"));
    let apply = |changes: &[Change], reason: &str| {
        let done = directory.apply(changes, &author, reason, clock::now());
        done.map(|_| ()).map_err(|fault| Fault::directory(&fault, file))
    };
    apply(&groups().map_err(bug)?, "the groups")?;
    apply(&people(passwords)?, "the people")?;
    apply(&rules().map_err(bug)?, "the rules")?;
    let [domain, desk, ana] = BYTES;
    let bytes = "message.max_bytes";
    let person = format!("person:{}", address("ana").map_err(bug)?);
    let range = format!("range <= {domain}");
    let delegating = [
        say("domain", bytes, domain, &range),
        say("group:desk", bytes, domain, &range),
        say(&person, bytes, ana, ""),
    ];
    let delegating: Result<Vec<_>, _> = delegating.into_iter().collect();
    apply(&delegating.map_err(bug)?, "first each level chooses")?;
    // What Ana chose is kept, shown and without effect from now on (D.4).
    let alone = say("group:desk", bytes, desk, "none").map_err(bug)?;
    apply(&[alone], "then the desk decides alone")
}

fn address(local: &str) -> Result<Address, String> {
    Address::new(local, "bank.example").map_err(|fault| fault.to_string())
}

fn group(id: &str) -> Result<GroupId, String> {
    GroupId::parse(id).map_err(|fault| fault.to_string())
}

fn groups() -> Result<Vec<Change>, String> {
    let add = |(id, name, parent): &(&str, &str, Option<&str>)| {
        let parent = parent.map(group).transpose()?;
        Ok(Change::GroupAdd { id: group(id)?, name: (*name).to_owned(), parent, priority: 0 })
    };
    GROUPS.iter().map(add).collect()
}

fn people(passwords: &[String]) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    for (person, password) in PEOPLE.iter().zip(passwords) {
        let address = address(person.local).map_err(Fault::Environment)?;
        let verifiers = account::derive(&Secret::new(password.clone().into_bytes()))?;
        changes.push(Change::AccountAdd {
            address: address.clone(),
            login: account::parse_login(person.login)?,
            name: person.name.to_owned(),
            verifiers,
        });
        let group = group(person.group).map_err(Fault::Environment)?;
        changes.push(Change::MemberAdd { address, group });
    }
    Ok(changes)
}

fn rules() -> Result<Vec<Change>, String> {
    let lexicon = |(name, action, words, text): &(&str, LexiconAction, &[&str], &str)| {
        Change::LexiconSet(LexiconRule {
            name: (*name).to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            patterns: Vec::new(),
            action: *action,
            audience: Audience::Everyone,
            text: (*text).to_owned(),
        })
    };
    let mut changes: Vec<Change> = LEXICONS.iter().map(lexicon).collect();
    let names: Vec<&str> = LEXICONS.iter().map(|(name, ..)| *name).collect();
    changes.push(say("domain", "message.lexicons", &format!("{{{}}}", names.join(", ")), "")?);
    let side = |id| Ok::<_, String>(Selector::Node(Node::Group(group(id)?)));
    let text = "Research and Sales must not talk to each other (ethical wall).";
    changes.push(Change::AccessRuleSet {
        name: "research-sales".to_owned(),
        rules: AccessRule::wall("research-sales", &side("research")?, &side("sales")?, text),
    });
    changes.push(say("domain", "presence.hours", "always", "free")?);
    changes.push(say("domain", "presence.outside", "xa", "free")?);
    let shift = "Mon-Fri 06:00-14:00 Europe/Zurich";
    changes.push(say("group:morning", "presence.hours", shift, "")?);
    changes.push(say("group:morning", "presence.outside", "away", "")?);
    Ok(changes)
}

/// A statement; an empty delegation says nothing of it.
fn say(node: &str, setting: &str, value: &str, delegate: &str) -> Result<Change, String> {
    let node: Node = node.parse().map_err(|fault: ::policy::NodeFault| fault.to_string())?;
    let setting = Setting::by_name(setting).ok_or_else(|| format!("no setting {setting}"))?;
    let fault = |fault: ::policy::ValueFault| fault.to_string();
    let value = setting.kind().parse(value).map_err(fault)?;
    let delegate = match delegate {
        "" => None,
        text => Some(Delegate::parse(setting, text).map_err(fault)?),
    };
    let to = Reach::Through;
    let statement = Statement { value: Some(value), delegate, to, ..Statement::new(node, setting) };
    Ok(Change::StatementSet(statement))
}

/// Lets them talk, each message through the one door.
pub(crate) async fn talk(hub: &Arc<Hub>) -> Result<(), Fault> {
    let bug = |what: String| Fault::Environment(format!("the demonstration is wrong: {what}"));
    for (number, (from, to, text)) in TALK.iter().enumerate() {
        let (from, to) = (address(from).map_err(bug)?, address(to).map_err(bug)?);
        let receipt = hub.submit(message(number, &from, to, text), None).await;
        if let Some(fault) = receipt.fault {
            return Err(Fault::Environment(format!("the first messages were not taken: {fault}")));
        }
    }
    Ok(())
}

fn message(number: usize, from: &Address, to: Address, text: &str) -> Submission {
    let id = format!("demo-{number}");
    let mut octets = Vec::new();
    encode::open(&mut octets, "message", namespace::CLIENT);
    encode::attribute(&mut octets, "from", from.as_str());
    encode::attribute(&mut octets, "to", to.as_str());
    encode::attribute(&mut octets, "type", "chat");
    encode::attribute(&mut octets, "id", &id);
    octets.push(b'>');
    encode::text_element(&mut octets, "body", text);
    encode::close(&mut octets, "message");
    let as_given = to.as_str().into();
    Submission {
        origin: Origin::App,
        sender: from.clone(),
        session: None,
        recipients: vec![Recipient { address: to, session: None, as_given }],
        class: PrivacyClass::Private,
        content: Content {
            format: Format::Stanza,
            kind: ContentKind::Message,
            octets: octets.into(),
            text: text.into(),
            client_id: Some(id.into()),
            refers_to: None,
        },
        handling: Handling { history: true, wait: true, copies: false, fallback: true },
        accepted: clock::now(),
    }
}
