//! `policy`: what the organisation's rules say, why, and who would be affected by others.

use clap::{Args, Subcommand};
use directory::{Author, Change, Directory};
use hub::clock;
use model::Timestamp;
use serde_json::{Value, json};

use super::{Scene, Signature, node, policy_rules};
use crate::fault::Fault;

use ::policy::{
    Book, Class, Delegate, Explanation, Guard, Node, Reach, Setting, Statement, Value as Said,
};

/// Sets, explains and tries out policies: settings, access rules and lexicons.
///
/// Use it to say what holds where: at the domain, at a group with all below it, at a person. What
/// a level below may change is what the level above delegates. `explain` says for one person and
/// one setting what is in force and by whose word; `try` says who would notice a change.
#[derive(Args, Debug)]
#[command(
    after_help = "A node is domain, group:ID or person:ADDRESS (an address alone will do).\n\n\
Examples:\n  \
chancery policy set domain message.max_bytes 65536 --delegate 'range <= 65536' --to through\n  \
chancery policy explain ana@bank.example message.max_bytes\n  \
chancery policy try set group:desk message.max_bytes 2048\n  \
chancery policy access wall research-sales group:research group:sales --text 'Ethical wall.'\n"
)]
pub(crate) struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Say something of a setting at a node
    Set(Set),
    /// Take back what a node says of a setting
    Unset(Unset),
    /// List what has been said
    List {
        /// Only at this node
        #[arg(long, value_parser = node)]
        node: Option<Node>,
    },
    /// Explain what is in force for a person (or a node) and why
    Explain(Explain),
    /// Try a change out: who would be affected, and how; nothing is changed
    #[command(subcommand)]
    Try(Try),
    /// Who may reach whom
    #[command(subcommand)]
    Access(policy_rules::Access),
    /// Words that are looked for in messages
    #[command(subcommand)]
    Lexicon(policy_rules::Lexicon),
    /// The catalogue: every setting with its class, values and default
    Settings {
        /// Only of a class: individual, security or usage
        #[arg(long, value_parser = class)]
        class: Option<Class>,
    },
    /// What has been said and has no effect, and why
    Dormant {
        #[arg(long, value_parser = time, help = AT)]
        at: Option<Timestamp>,
    },
}

#[derive(Subcommand, Debug)]
enum Try {
    /// Who would be affected by saying this
    Set(Set),
    /// Who would be affected by taking this back
    Unset(Unset),
}

const AT: &str = "At which instant, as in 2026-11-21T09:00:00Z [default: now]";

#[derive(Args, Debug)]
struct Set {
    /// Where
    #[arg(value_parser = node)]
    node: Node,
    /// The setting, as `policy settings` names it
    #[arg(value_parser = setting)]
    setting: Setting,
    /// The value: true, 65536, a word, {a, b}, or hours such as 'Mon-Fri 08:00-17:00 Europe/Berlin'
    #[arg(required_unless_present = "delegate")]
    value: Option<String>,
    /// What the levels below may choose: none, free, 'range <= 50', 'range 5..50', 'range tighten'
    #[arg(long)]
    delegate: Option<String>,
    /// How far it is delegated: next, or through levels that say nothing
    #[arg(long, value_name = "REACH", default_value = "next", value_parser = reach)]
    to: Reach,
    /// Hours in which this counts [default: always]
    #[arg(long, value_name = "HOURS", value_parser = guard)]
    when: Option<Guard>,
    /// From when on it no longer counts, as in 2026-12-31T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    signature: Signature,
}

#[derive(Args, Debug)]
struct Unset {
    /// Where
    #[arg(value_parser = node)]
    node: Node,
    /// The setting
    #[arg(value_parser = setting)]
    setting: Setting,
    /// Only what counts in these hours
    #[arg(long, value_name = "HOURS", value_parser = guard)]
    when: Option<Guard>,
    #[command(flatten)]
    signature: Signature,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  chancery policy explain ana@bank.example message.max_bytes\n  \
                        chancery policy explain group:desk access.hours --at \
                        2026-12-24T09:00:00Z --json\n"
)]
struct Explain {
    /// The person, or another node
    #[arg(value_parser = node)]
    subject: Node,
    /// The setting
    #[arg(value_parser = setting)]
    setting: Setting,
    #[arg(long, value_parser = time, help = AT)]
    at: Option<Timestamp>,
    /// Also say what it would take to have this value
    #[arg(long, value_name = "VALUE")]
    wanted: Option<String>,
}

fn setting(text: &str) -> Result<Setting, String> {
    Setting::by_name(text)
        .ok_or_else(|| format!("there is no setting {text:?}; see `chancery policy settings`"))
}

fn class(text: &str) -> Result<Class, String> {
    Class::from_name(text).ok_or_else(|| "a class is individual, security or usage".to_owned())
}

fn reach(text: &str) -> Result<Reach, String> {
    Reach::parse(text).ok_or_else(|| "a reach is next or through".to_owned())
}

pub(super) fn guard(text: &str) -> Result<Guard, String> {
    Guard::parse(text).map_err(|fault| fault.to_string())
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| format!("{text:?} is not a time such as 2026-11-21T09:00:00Z"))
}

pub(crate) fn run(scene: &Scene, policy: &Policy) -> Result<(), Fault> {
    match &policy.command {
        Command::Set(set) => {
            let place = scene.place()?;
            scene.change(&place, &place.directory()?, &[set.change()?], &set.signature)
        }
        Command::Unset(unset) => {
            let place = scene.place()?;
            scene.change(&place, &place.directory()?, &[unset.change()], &unset.signature)
        }
        Command::List { node } => list(scene, node.as_ref()),
        Command::Explain(explain) => explain.run(scene),
        Command::Try(Try::Set(set)) => try_out(scene, set.change()?, &set.signature),
        Command::Try(Try::Unset(unset)) => try_out(scene, unset.change(), &unset.signature),
        Command::Access(access) => policy_rules::run_access(scene, access),
        Command::Lexicon(lexicon) => policy_rules::run_lexicon(scene, lexicon),
        Command::Settings { class } => {
            settings(scene, *class);
            Ok(())
        }
        Command::Dormant { at } => dormant(scene, at.unwrap_or_else(clock::now)),
    }
}

impl Set {
    fn change(&self) -> Result<Change, Fault> {
        let (node, setting) = (self.node.clone(), self.setting);
        let usage = |fault: ::policy::ValueFault| Fault::Usage(format!("{setting}: {fault}"));
        let value = self.value.as_deref().map(|text| setting.kind().parse(text));
        let delegate = self.delegate.as_deref().map(|text| Delegate::parse(setting, text));
        Ok(Change::StatementSet(Statement {
            value: value.transpose().map_err(usage)?,
            delegate: delegate.transpose().map_err(usage)?,
            to: self.to,
            when: self.when.clone(),
            expires: self.expires,
            ..Statement::new(node, setting)
        }))
    }
}

impl Unset {
    fn change(&self) -> Change {
        let (node, when) = (self.node.clone(), self.when.clone());
        Change::StatementRemove { node, setting: self.setting, when }
    }
}

/// The policies as they are.
fn book(directory: &Directory) -> Result<Book, Fault> {
    Book::compile(directory.snapshot().policy_set())
        .map_err(|fault| Fault::Environment(fault.to_string()))
}

impl Explain {
    fn run(&self, scene: &Scene) -> Result<(), Fault> {
        let directory = scene.place()?.directory()?;
        let snapshot = directory.snapshot();
        match &self.subject {
            Node::Person(address) if snapshot.account(address).is_none() => {
                return Err(Fault::Refused(format!("{address} has no account")));
            }
            Node::Group(id) if snapshot.group(id).is_none() => {
                return Err(Fault::Refused(format!("there is no group {id}")));
            }
            Node::Domain | Node::Person(_) | Node::Group(_) => {}
        }
        let at = self.at.unwrap_or_else(clock::now);
        let book = book(&directory)?;
        let mut explanation = book.explain_node(&self.subject, self.setting, at);
        if let Some(wanted) = &self.wanted {
            let wanted = self.setting.kind().parse(wanted);
            let wanted =
                wanted.map_err(|fault| Fault::Usage(format!("{}: {fault}", self.setting)))?;
            let hint = book.to_get(&self.subject, self.setting, &wanted, at);
            explanation.to_get.push((wanted, hint));
        }
        scene.show(|| explanation.to_text(), || explained(&explanation));
        Ok(())
    }
}

/// The object of D.8.
fn explained(explanation: &Explanation) -> Value {
    let link = |link: &::policy::ExplanationLink| {
        json!({
            "node": link.node.to_string(), "title": link.title, "says": link.says,
            "effect": link.effect, "dormant": link.note.is_dormant(), "source": link.source,
        })
    };
    let other = |other: &::policy::OtherPath| json!({ "via": other.via, "value": value(&other.value), "effect": other.effect });
    let to_get = |(wanted, hint): &(Said, String)| json!({ "value": value(wanted), "hint": hint });
    json!({
        "setting": explanation.setting.name(),
        "subject": explanation.subject.to_string(),
        "at": explanation.at.to_string(),
        "value": value(&explanation.value),
        "because": explanation.because,
        "sentence": explanation.sentence(),
        "chain": explanation.chain.iter().map(link).collect::<Vec<_>>(),
        "other_paths": explanation.other_paths.iter().map(other).collect::<Vec<_>>(),
        "who_can_change": explanation.who_can_change,
        "to_get": explanation.to_get.iter().map(to_get).collect::<Vec<_>>(),
        "warning": explanation.warning,
        "valid_until": explanation.valid_until.map(|until| until.to_string()),
        "policy_version": explanation.policy_version,
    })
}

/// A value as JSON has it.
fn value(value: &Said) -> Value {
    match value {
        Said::Flag(flag) => json!(flag),
        Said::Number(number) => json!(number),
        Said::Word(word) => json!(word),
        Said::Set(set) => set.iter().map(|name| json!(name)).collect(),
        Said::Hours(hours) => json!(hours.to_string()),
    }
}

fn list(scene: &Scene, node: Option<&Node>) -> Result<(), Fault> {
    let snapshot = scene.place()?.directory()?.snapshot();
    let wanted = |said: &&Statement| node.is_none_or(|node| said.node == *node);
    let statements: Vec<&Statement> = snapshot.statements().filter(wanted).collect();
    let line = |said: &&Statement| {
        let mut line = format!("{}  {}", said.node, said.setting);
        if let Some(value) = &said.value {
            line.push_str(&format!(" = {value}"));
        }
        if let Some(delegate) = &said.delegate {
            line.push_str(&format!("; delegates {delegate} to {}", said.to));
        }
        if let Some(guard) = &said.when {
            line.push_str(&format!("; when {guard}"));
        }
        if let Some(end) = said.expires {
            line.push_str(&format!("; until {end}"));
        }
        line.push_str(&format!("  (version {}, {}", said.version, said.author));
        let reason =
            if said.reason.is_empty() { String::new() } else { format!(": {}", said.reason) };
        line + &reason + ")"
    };
    let object = |said: &&Statement| {
        json!({
            "node": said.node.to_string(), "setting": said.setting.name(),
            "value": said.value.as_ref().map(value),
            "delegate": said.delegate.as_ref().map(ToString::to_string),
            "to": said.to.to_string(),
            "when": said.when.as_ref().map(ToString::to_string),
            "expires": said.expires.map(|end| end.to_string()),
            "author": said.author, "reason": said.reason, "version": said.version,
        })
    };
    scene.show(
        || statements.iter().map(line).collect::<Vec<_>>().join("\n"),
        || statements.iter().map(object).collect(),
    );
    Ok(())
}

/// Who would notice a change (POL-24). Nothing is written.
fn try_out(scene: &Scene, change: Change, signature: &Signature) -> Result<(), Fault> {
    let directory = scene.place()?.directory()?;
    let now = clock::now();
    let author = Author::Administrator(signature.name());
    let after = directory
        .try_out(std::slice::from_ref(&change), &author, now)
        .map_err(|rejection| Fault::Refused(rejection.to_string()))?;
    let after =
        Book::compile(after.policy_set()).map_err(|fault| Fault::Environment(fault.to_string()))?;
    let affected = book(&directory)?.affected(&after, now);
    scene.show(
        || {
            let mut lines = vec![format!("people who would notice it now: {}", affected.len())];
            for person in &affected {
                for (setting, before, after) in &person.changes {
                    lines.push(format!("  {}  {setting}: {before} -> {after}", person.subject));
                }
            }
            lines.join("\n")
        },
        || {
            let one = |person: &::policy::Affected| {
                let change = |(setting, before, after): &(Setting, Said, Said)| {
                    json!({ "setting": setting.name(), "before": value(before),
                            "after": value(after) })
                };
                json!({ "subject": person.subject.as_str(),
                        "changes": person.changes.iter().map(change).collect::<Vec<_>>() })
            };
            json!({ "change": change.to_string(),
                    "affected": affected.iter().map(one).collect::<Vec<_>>() })
        },
    );
    Ok(())
}

fn settings(scene: &Scene, class: Option<Class>) {
    let all = Setting::all();
    let wanted: Vec<Setting> =
        all.filter(|setting| class.is_none_or(|class| setting.class() == class)).collect();
    let line = |setting: &Setting| {
        format!(
            "{:22} {:10} {}\n    {}\n    default: {}; {}",
            setting.name(),
            setting.class().name(),
            values(*setting),
            setting.doc(),
            setting.default(),
            if setting.is_delegable() { "can be delegated" } else { "stays with the domain" }
        )
    };
    let object = |setting: &Setting| {
        json!({
            "name": setting.name(), "class": setting.class().name(), "values": values(*setting),
            "default": value(&setting.default()), "delegable": setting.is_delegable(),
            "doc": setting.doc(),
        })
    };
    scene.show(
        || wanted.iter().map(line).collect::<Vec<_>>().join("\n"),
        || wanted.iter().map(object).collect(),
    );
}

/// What a setting can be.
fn values(setting: Setting) -> String {
    use ::policy::Kind::{Flag, Hours, Number, Set, Word};
    match setting.kind() {
        Flag { .. } => "true or false".to_owned(),
        Number { min, max, .. } => format!("{min} to {max}"),
        Word { words, .. } => words.join(" | "),
        Set { members: Some(members), .. } => format!("a set of {}", members.join(", ")),
        Set { members: None, .. } => "a set of names".to_owned(),
        Hours => "hours".to_owned(),
    }
}

fn dormant(scene: &Scene, at: Timestamp) -> Result<(), Fault> {
    let findings = book(&scene.place()?.directory()?)?.dormant(at);
    scene.show(
        || {
            if findings.is_empty() {
                return "nothing is dormant".to_owned();
            }
            let line = |it: &::policy::Finding| format!("{}  {}: {}", it.node, it.of, it.text);
            findings.iter().map(line).collect::<Vec<_>>().join("\n")
        },
        || {
            let object = |it: &::policy::Finding| {
                json!({ "node": it.node.to_string(), "of": it.of, "why": it.text })
            };
            findings.iter().map(object).collect()
        },
    );
    Ok(())
}
