//! Explanations, D.8 of the algebra: a resolution in words. Decides nothing.

use std::{collections::BTreeSet, fmt::Write as _};

use model::Timestamp;

use crate::{
    authority::{Delegate, Reach},
    resolve::{Level, Note, Path, PathResult, Resolution, Step, resolve, resolve_path},
    setting::Setting,
    statement::{Node, Statement},
    value::Value,
};

/// Why a value is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// Of which setting.
    pub setting: Setting,
    /// For whom.
    pub subject: Node,
    /// At which instant.
    pub at: Timestamp,
    /// The value in force.
    pub value: Value,
    /// One sentence: who set it and by what right.
    pub because: String,
    /// What each level of the deciding path said, the domain first.
    pub chain: Vec<ExplanationLink>,
    /// The other paths.
    pub other_paths: Vec<OtherPath>,
    /// Who could change it and to what, the lowest level first.
    pub who_can_change: Vec<String>,
    /// For each value that is dormant in the chain: what would put it in force.
    pub to_get: Vec<(Value, String)>,
    /// Groups disagree on a setting without order.
    pub warning: Option<String>,
    /// The first instant at which it may change if no new version comes.
    pub valid_until: Option<Timestamp>,
    /// The version asked.
    pub policy_version: u64,
}

/// What one level said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExplanationLink {
    /// The level.
    pub node: Node,
    /// Its name for people.
    pub title: String,
    /// What it said, as in `50; delegates ≤ 50, through`.
    pub says: String,
    /// What came of it.
    pub note: Note,
    /// The same in words, as in `dormant: Morning does not delegate`.
    pub effect: String,
    /// Who wrote it and why, if it said anything.
    pub source: Option<String>,
}

/// A path that did not decide.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherPath {
    /// The group nearest to the subject.
    pub via: String,
    /// The value that this path alone would give.
    pub value: Value,
    /// What came of it.
    pub effect: String,
}

impl Explanation {
    /// The whole in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("{} for {} is {}: {}", self.setting, self.subject, self.value, self.because)
    }

    /// Several lines for a terminal, without a line end at the end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.sentence();
        let width = self.chain.iter().map(|link| link.title.chars().count()).max().unwrap_or(0);
        for link in &self.chain {
            let _ = write!(text, "\n  {:width$}  {}  [{}]", link.title, link.says, link.effect);
            if let Some(source) = &link.source {
                let _ = write!(text, " {source}");
            }
        }
        for path in &self.other_paths {
            let _ = write!(text, "\n  via {}: {} ({})", path.via, path.value, path.effect);
        }
        if let Some(warning) = &self.warning {
            let _ = write!(text, "\nwarning: {warning}");
        }
        let _ = write!(text, "\ncan be changed by: {}", self.who_can_change.join("; "));
        for (value, hint) in &self.to_get {
            let _ = write!(text, "\nto get {value}: {hint}");
        }
        match self.valid_until {
            Some(end) => {
                let _ = write!(text, "\nvalid until {end}, policy version {}", self.policy_version);
            }
            None => {
                let _ = write!(text, "\npolicy version {}", self.policy_version);
            }
        }
        text
    }
}

/// What an explanation is made from.
pub(crate) struct Question<'a> {
    pub(crate) subject: &'a Node,
    pub(crate) setting: Setting,
    pub(crate) at: Timestamp,
    pub(crate) version: u64,
    pub(crate) paths: Vec<Path<'a>>,
    /// The name of a node for people.
    pub(crate) title: &'a dyn Fn(&Node) -> String,
}

impl Question<'_> {
    pub(crate) fn explain(&self) -> Explanation {
        let resolution = resolve(&self.paths, self.setting, self.at);
        let told = resolution.told();
        let links = told.map(|path| self.links(path)).unwrap_or_default();
        let dormant = resolution.paths.iter().flat_map(|path| &path.chain);
        let dormant = dormant.filter(|step| step.note.is_dormant());
        let mut to_get: Vec<(Value, String)> = Vec::new();
        for wish in dormant.filter_map(|step| step.statement?.value.as_ref()) {
            if !to_get.iter().any(|(known, _)| known == wish) {
                to_get.push((wish.clone(), self.to_get(wish)));
            }
        }
        Explanation {
            setting: self.setting,
            subject: self.subject.clone(),
            at: self.at,
            because: self.because(&resolution),
            chain: links,
            other_paths: self.other_paths(&resolution),
            who_can_change: told.map(|path| self.who_can_change(path)).unwrap_or_default(),
            to_get,
            warning: resolution.disagree.then(|| {
                "the groups disagree; the one with the highest priority decides".to_owned()
            }),
            valid_until: resolution.valid_until,
            policy_version: self.version,
            value: resolution.value,
        }
    }

    fn because(&self, resolution: &Resolution<'_>) -> String {
        let sentence = match (resolution.decided_by, resolution.told()) {
            (Some(_), Some(path)) => self.because_of_path(path),
            (None, _) | (_, None) => {
                "it is the strictest common value of several groups".to_owned()
            }
        };
        let others = resolution.paths.len() > 1 && resolution.decided_by.is_some();
        let differs = resolution.paths.iter().any(|path| path.value != resolution.value);
        match (others && differs, resolution.disagree) {
            (true, true) => format!("{sentence}; of several groups it has the highest priority."),
            (true, false) => format!("{sentence}; of several groups it is the strictest."),
            (false, _) => format!("{sentence}."),
        }
    }

    fn because_of_path(&self, path: &PathResult<'_>) -> String {
        let Some(step) = path.origin.and_then(|origin| path.chain.get(origin)) else {
            return "nobody set it, it is the system default".to_owned();
        };
        let by = self.role(step.node);
        match self.granter(path, step) {
            None => format!("set by {by}"),
            Some(granter) => format!(
                "set by {by}, within the range ({}) that {} delegated",
                step.may.describe(self.setting.kind()),
                self.role(granter),
            ),
        }
    }

    /// The level whose delegation the step used: the nearest above that delegates.
    fn granter<'a>(&self, path: &'a PathResult<'_>, step: &Step<'_>) -> Option<&'a Node> {
        let above = path.chain.iter().take_while(|other| other.node != step.node);
        let delegating = above.filter(|other| other.delegates().is_some());
        delegating.last().map(|other| other.node)
    }

    fn links(&self, path: &PathResult<'_>) -> Vec<ExplanationLink> {
        let kind = self.setting.kind();
        let mut above: Option<&Step<'_>> = None;
        let mut links = Vec::with_capacity(path.chain.len());
        for step in &path.chain {
            let effect = match (step.note, above) {
                (Note::NotDelegated, Some(above)) => {
                    format!("dormant: {} does not delegate", (self.title)(above.node))
                }
                (Note::OutOfRange, _) => {
                    format!("dormant: outside the range ({})", step.may.describe(kind))
                }
                (note, _) => note.to_string(),
            };
            links.push(ExplanationLink {
                node: step.node.clone(),
                title: (self.title)(step.node),
                says: step.says(self.setting),
                note: step.note,
                effect,
                source: step.statement.and_then(source),
            });
            above = Some(step);
        }
        links
    }

    fn other_paths(&self, resolution: &Resolution<'_>) -> Vec<OtherPath> {
        let kind = self.setting.kind();
        let told = resolution.decided_by.unwrap_or(0);
        let others = resolution.paths.iter().enumerate().filter(|(index, _)| *index != told);
        others
            .map(|(_, path)| {
                let effect = if path.value == resolution.value {
                    "the same"
                } else if resolution.disagree {
                    "lower priority, not used"
                } else if resolution.decided_by.is_none() {
                    "combined with the others"
                } else if kind.is_as_strict(&resolution.value, &path.value) {
                    "less strict, not used"
                } else {
                    "combined with the others"
                };
                OtherPath {
                    via: path.via().map_or_else(|| "the domain".to_owned(), self.title),
                    value: path.value.clone(),
                    effect: effect.to_owned(),
                }
            })
            .collect()
    }

    fn who_can_change(&self, path: &PathResult<'_>) -> Vec<String> {
        let kind = self.setting.kind();
        let mut above = self.setting.default();
        let mut who = Vec::new();
        for step in &path.chain {
            if !step.may.is_only(kind, &above) {
                let range = step.may.describe(kind);
                who.push(match step.node {
                    Node::Domain => format!("domain admins ({range})"),
                    Node::Group(_) => format!("admins of {} ({range})", (self.title)(step.node)),
                    Node::Person(_) => format!("{} ({range})", (self.title)(step.node)),
                });
            }
            above = step.value.clone();
        }
        who.reverse();
        who
    }

    /// What would have to be said for `wanted` to be in force. Each hint was tried by resolving with
    /// it, so it is what would happen.
    pub(crate) fn to_get(&self, wanted: &Value) -> String {
        let kind = self.setting.kind();
        if let Err(fault) = kind.check(wanted) {
            return format!("it cannot be had: {fault}.");
        }
        let resolution = resolve(&self.paths, self.setting, self.at);
        if resolution.value == *wanted {
            return "it is in force.".to_owned();
        }
        let pairs = || self.paths.iter().zip(&resolution.paths);
        let hint = |(path, result): (&Path<'_>, &PathResult<'_>)| self.hint(path, result, wanted);
        let words: Vec<String> = if resolution.disagree || !kind.is_ordered() {
            let decides = resolution.decided_by.and_then(|index| pairs().nth(index));
            decides.map(hint).into_iter().collect()
        } else {
            // Every path that is now stricter than the wish, or, if there is none, any one path.
            let stricter = pairs().filter(|(_, path)| !kind.is_as_strict(wanted, &path.value));
            let all: Vec<String> = stricter.map(hint).collect();
            if all.is_empty() { pairs().next().map(hint).into_iter().collect() } else { all }
        };
        let mut seen = BTreeSet::new();
        let words: Vec<String> =
            words.into_iter().filter(|word| seen.insert(word.clone())).collect();
        format!("{}.", words.join("; "))
    }

    /// Tries the levels of one path from the lowest upwards.
    fn hint(&self, path: &Path<'_>, result: &PathResult<'_>, wanted: &Value) -> String {
        for (index, step) in result.chain.iter().enumerate().rev() {
            let mut said = Statement::new(step.node.clone(), self.setting);
            if let Some(now) = step.statement {
                said = now.clone();
                (said.when, said.expires) = (None, None);
            }
            let mut ways = Vec::new();
            said.value = Some(wanted.clone());
            if self.would_be(path, index, &said, wanted) {
                ways.push(format!("set {wanted}"));
            } else {
                said.delegate = Some(Delegate::None);
                if self.would_be(path, index, &said, wanted) {
                    ways.push(format!("set {wanted} and delegate nothing"));
                }
            }
            said.value = step.statement.and_then(|now| now.value.clone());
            said.delegate = Some(Delegate::Free);
            if self.would_be(path, index, &said, wanted) {
                ways.push("delegate it to those below".to_owned());
            }
            if !ways.is_empty() {
                return format!("{} must {}", self.role(step.node), ways.join(", or "));
            }
        }
        format!("more than one level above {} must change", (self.title)(self.subject))
    }

    /// Whether the path would come to `wanted` if one level said something else.
    fn would_be(&self, path: &Path<'_>, index: usize, said: &Statement, wanted: &Value) -> bool {
        let mut levels: Vec<Level<'_>> = path.levels.clone();
        if let Some(level) = levels.get_mut(index) {
            level.statements = std::slice::from_ref(said);
        }
        resolve_path(&levels, self.setting, self.at).value == *wanted
    }

    fn role(&self, node: &Node) -> String {
        match node {
            Node::Domain => "the domain".to_owned(),
            Node::Group(_) => format!("group {}", (self.title)(node)),
            Node::Person(_) => (self.title)(node),
        }
    }
}

impl PathResult<'_> {
    /// The group nearest to the subject.
    fn via(&self) -> Option<&Node> {
        let above = self.chain.iter().rev().skip(1);
        above.map(|step| step.node).find(|node| matches!(node, Node::Group(_)))
    }
}

impl Step<'_> {
    fn said(&self) -> Option<&Value> {
        self.statement.and_then(|statement| statement.value.as_ref())
    }

    fn delegates(&self) -> Option<&Delegate> {
        let delegate = self.statement.and_then(|statement| statement.delegate.as_ref());
        delegate.filter(|delegate| **delegate != Delegate::None)
    }

    /// `50; delegates ≤ 50, through`.
    fn says(&self, setting: Setting) -> String {
        let value = self.said().map(Value::to_string);
        let delegates = self.delegates().map(|delegate| {
            let what = match delegate {
                Delegate::Free => "freely".to_owned(),
                Delegate::None | Delegate::Range(_) => self.hands_on.describe(setting.kind()),
            };
            let to = self.statement.map_or(Reach::Next, |statement| statement.to);
            format!("delegates {what}{}", if to == Reach::Through { ", through" } else { "" })
        });
        let words: Vec<String> = [value, delegates].into_iter().flatten().collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join("; ") }
    }
}

/// `by ann@bank.example: new rules of the bank`.
fn source(statement: &Statement) -> Option<String> {
    match (statement.author.as_str(), statement.reason.as_str()) {
        ("", "") => None,
        ("", reason) => Some(format!("({reason})")),
        (author, "") => Some(format!("by {author}")),
        (author, reason) => Some(format!("by {author}: {reason}")),
    }
}
