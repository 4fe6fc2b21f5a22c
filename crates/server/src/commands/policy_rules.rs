//! `policy access` and `policy lexicon`: who may reach whom, and words that are looked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use directory::Change;
use model::Address;
use serde_json::json;

use super::{Scene, Signature, address, node, policy::guard};
use crate::{fault::Fault, files};

use ::policy::{
    AccessRule, Action, Audience, Book, Effect, Guard, LexiconAction, LexiconRule, Node, Selector,
};

/// Bytes of a file of words.
const WORDS_FILE_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// Access rules. A forbid beats every permit; where no rule speaks, access.default does.
#[derive(Subcommand, Debug)]
pub(crate) enum Access {
    /// Add or replace a rule
    #[command(after_help = "A side is anyone, domain, group:ID, person:ADDRESS or \
                            domain:OTHER.EXAMPLE.\n\nExample:\n  chancery policy access add \
                            no-interns forbid message group:interns domain --text 'Ask your \
                            mentor.'\n")]
    Add(AccessAdd),
    /// Add or replace an ethical wall: no messages, presence or questions, both ways
    Wall {
        /// What logs and explanations call it
        name: String,
        /// One side
        #[arg(value_parser = selector)]
        one: Selector,
        /// The other side
        #[arg(value_parser = selector)]
        two: Selector,
        /// What those who are refused read
        #[arg(long, default_value = "")]
        text: String,
        #[command(flatten)]
        signature: Signature,
    },
    /// Remove a rule by its name
    Remove {
        /// The name
        name: String,
        #[command(flatten)]
        signature: Signature,
    },
    /// List the rules
    List,
    /// Say whether one may reach another now, and by which rules
    Check {
        /// Who acts
        #[arg(value_parser = address)]
        from: Address,
        /// On whom
        #[arg(value_parser = address)]
        to: Address,
        /// message, presence or query
        #[arg(long, default_value = "message", value_parser = action)]
        action: Action,
    },
}

#[derive(Args, Debug)]
pub(crate) struct AccessAdd {
    /// What logs and explanations call it
    name: String,
    /// permit or forbid
    #[arg(value_parser = effect)]
    effect: Effect,
    /// message, presence or query
    #[arg(value_parser = action)]
    action: Action,
    /// Who acts
    #[arg(value_parser = selector)]
    from: Selector,
    /// On whom
    #[arg(value_parser = selector)]
    to: Selector,
    /// The level that makes the rule
    #[arg(long, default_value = "domain", value_parser = node)]
    node: Node,
    /// What those who are refused read
    #[arg(long, default_value = "")]
    text: String,
    /// Hours in which it counts [default: always]
    #[arg(long, value_name = "HOURS", value_parser = guard)]
    when: Option<Guard>,
    #[command(flatten)]
    signature: Signature,
}

/// Lexicon rules. The setting message.lexicons says for whom a rule is in force.
#[derive(Subcommand, Debug)]
pub(crate) enum Lexicon {
    /// Add or replace a rule
    #[command(after_help = "Example:\n  chancery policy lexicon add no-guarantees warn --word \
                            guarantee --word guaranteed --text 'Promise nothing.'\n  chancery \
                            policy set domain message.lexicons '{no-guarantees}'\n")]
    Add(LexiconAdd),
    /// Remove a rule by its name
    Remove {
        /// The name
        name: String,
        #[command(flatten)]
        signature: Signature,
    },
    /// List the rules
    List,
}

#[derive(Args, Debug)]
pub(crate) struct LexiconAdd {
    /// What message.lexicons, logs and notices call it
    name: String,
    /// log, warn, confirm, hold or block
    #[arg(value_parser = lexicon_action)]
    action: LexiconAction,
    /// A word or phrase, found as whole words in any case; may be given more than once
    #[arg(long, value_name = "TEXT")]
    word: Vec<String>,
    /// A file with a word or phrase in each line
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
    /// A regular expression; may be given more than once
    #[arg(long, value_name = "REGEX")]
    pattern: Vec<String>,
    /// To whom a message must go: everyone, inside or outside
    #[arg(long, default_value = "everyone", value_parser = audience)]
    audience: Audience,
    /// What the writer reads
    #[arg(long, default_value = "")]
    text: String,
    #[command(flatten)]
    signature: Signature,
}

fn selector(text: &str) -> Result<Selector, String> {
    Selector::parse(text).map_err(|fault| fault.to_string())
}

fn effect(text: &str) -> Result<Effect, String> {
    Effect::from_name(text).ok_or_else(|| "an effect is permit or forbid".to_owned())
}

fn action(text: &str) -> Result<Action, String> {
    Action::from_name(text).ok_or_else(|| "an action is message, presence or query".to_owned())
}

fn lexicon_action(text: &str) -> Result<LexiconAction, String> {
    LexiconAction::from_name(text)
        .ok_or_else(|| "an action is log, warn, confirm, hold or block".to_owned())
}

fn audience(text: &str) -> Result<Audience, String> {
    Audience::from_name(text).ok_or_else(|| "an audience is everyone, inside or outside".to_owned())
}

pub(crate) fn run_access(scene: &Scene, access: &Access) -> Result<(), Fault> {
    let (change, signature) = match access {
        Access::List => return list_access(scene),
        Access::Check { from, to, action } => return check(scene, from, to, *action),
        Access::Add(add) => {
            let rule = AccessRule {
                name: add.name.clone(),
                node: add.node.clone(),
                effect: add.effect,
                action: add.action,
                from: add.from.clone(),
                to: add.to.clone(),
                text: add.text.clone(),
                when: add.when.clone(),
            };
            (Change::AccessRuleSet { name: add.name.clone(), rules: vec![rule] }, &add.signature)
        }
        Access::Wall { name, one, two, text, signature } => {
            let rules = AccessRule::wall(name, one, two, text);
            (Change::AccessRuleSet { name: name.clone(), rules }, signature)
        }
        Access::Remove { name, signature } => (Change::AccessRuleRemove(name.clone()), signature),
    };
    let place = scene.place()?;
    scene.change(&place, &place.directory()?, &[change], signature)
}

fn list_access(scene: &Scene) -> Result<(), Fault> {
    let snapshot = scene.place()?.directory()?.snapshot();
    let line = |rule: &AccessRule| {
        let when = rule.when.as_ref().map_or(String::new(), |when| format!("; when {when}"));
        format!(
            "{}  {} {} from {} to {}  (by {}{when})  {}",
            rule.name,
            rule.effect.name(),
            rule.action.name(),
            rule.from,
            rule.to,
            rule.node,
            rule.text
        )
        .trim_end()
        .to_owned()
    };
    let object = |rule: &AccessRule| {
        json!({
            "name": rule.name, "node": rule.node.to_string(), "effect": rule.effect.name(),
            "action": rule.action.name(), "from": rule.from.to_string(),
            "to": rule.to.to_string(), "text": rule.text,
            "when": rule.when.as_ref().map(ToString::to_string),
        })
    };
    scene.show(
        || snapshot.access_rules().map(line).collect::<Vec<_>>().join("\n"),
        || snapshot.access_rules().map(object).collect(),
    );
    Ok(())
}

fn check(scene: &Scene, from: &Address, to: &Address, action: Action) -> Result<(), Fault> {
    let snapshot = scene.place()?.directory()?.snapshot();
    let book = Book::compile(snapshot.policy_set())
        .map_err(|fault| Fault::Environment(fault.to_string()))?;
    let access = book.may(action, from, to, hub::clock::now());
    let rules: Vec<&str> = access.rules.iter().map(AsRef::as_ref).collect();
    let by = if rules.is_empty() { "access.default".to_owned() } else { rules.join(", ") };
    let answer = if access.allowed { "allowed" } else { "forbidden" };
    scene.show(
        || {
            let text = access.text.as_deref().unwrap_or_default();
            format!("{} from {from} to {to}: {answer} by {by}  {text}", action.name())
                .trim_end()
                .to_owned()
        },
        || json!({ "allowed": access.allowed, "rules": rules, "text": access.text.as_deref() }),
    );
    Ok(())
}

pub(crate) fn run_lexicon(scene: &Scene, lexicon: &Lexicon) -> Result<(), Fault> {
    let (change, signature) = match lexicon {
        Lexicon::List => return list_lexicons(scene),
        Lexicon::Add(add) => (Change::LexiconSet(add.rule()?), &add.signature),
        Lexicon::Remove { name, signature } => (Change::LexiconRemove(name.clone()), signature),
    };
    let place = scene.place()?;
    scene.change(&place, &place.directory()?, &[change], signature)
}

impl LexiconAdd {
    fn rule(&self) -> Result<LexiconRule, Fault> {
        let mut words = self.word.clone();
        if let Some(file) = &self.words {
            let text = files::read_text(file, WORDS_FILE_BYTES_MAX)?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            words.extend(lines.map(str::to_owned));
        }
        Ok(LexiconRule {
            name: self.name.clone(),
            words,
            patterns: self.pattern.clone(),
            action: self.action,
            audience: self.audience,
            text: self.text.clone(),
        })
    }
}

fn list_lexicons(scene: &Scene) -> Result<(), Fault> {
    let snapshot = scene.place()?.directory()?.snapshot();
    let line = |rule: &LexiconRule| {
        format!(
            "{}  {} to {}: {} {}  {}",
            rule.name,
            rule.action.name(),
            rule.audience.name(),
            rule.words.join(", "),
            rule.patterns.join(" "),
            rule.text
        )
        .trim_end()
        .to_owned()
    };
    let object = |rule: &LexiconRule| {
        json!({
            "name": rule.name, "action": rule.action.name(), "audience": rule.audience.name(),
            "words": rule.words, "patterns": rule.patterns, "text": rule.text,
        })
    };
    scene.show(
        || snapshot.lexicons().map(line).collect::<Vec<_>>().join("\n"),
        || snapshot.lexicons().map(object).collect(),
    );
    Ok(())
}
