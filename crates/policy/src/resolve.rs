//! Resolution, D.2 and D.3 of the algebra: which value is in force, and the chain that says why.
//! The only place where that is decided; profiles, explanations, checks and reports all come from
//! here. Knows paths and statements, not where they come from.

use std::fmt;

use model::Timestamp;

use crate::{
    access::earlier,
    authority::{Authority, Delegate, Reach},
    setting::Setting,
    statement::{Node, Statement},
    value::Value,
};

/// One node of a path with what it says of the setting asked for, in declared order.
#[derive(Clone)]
pub(crate) struct Level<'a> {
    pub(crate) node: &'a Node,
    pub(crate) statements: &'a [Statement],
}

/// A way from the domain down to the subject.
pub(crate) struct Path<'a> {
    pub(crate) levels: Vec<Level<'a>>,
    /// Of the group nearest to the subject; decides between values without order.
    pub(crate) priority: i32,
}

/// What one node said and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) node: &'a Node,
    /// The first statement whose guard holds.
    pub(crate) statement: Option<&'a Statement>,
    pub(crate) note: Note,
    /// What the node itself could choose from: the *A* it was handed.
    pub(crate) may: Authority,
    /// What it hands on: the *A* after it.
    pub(crate) hands_on: Authority,
    /// The value in force after it.
    pub(crate) value: Value,
}

/// What came of what a node said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Note {
    /// Its value is the one in force.
    InForce,
    /// Its value was in force until a lower level, which may, chose another.
    Replaced,
    /// It names the value that holds anyway.
    SameAsInherited,
    /// Its value has no effect: the level above fixed the value.
    NotDelegated,
    /// Its value has no effect: it lies outside the range handed down.
    OutOfRange,
    /// It says nothing of the value.
    Silent,
}

/// The result of one path.
#[derive(Clone, Debug)]
pub(crate) struct PathResult<'a> {
    pub(crate) value: Value,
    /// The step that set the value; `None` is the system default.
    pub(crate) origin: Option<usize>,
    pub(crate) chain: Vec<Step<'a>>,
    pub(crate) boundary: Option<Timestamp>,
}

/// The result of all paths.
#[derive(Clone, Debug)]
pub(crate) struct Resolution<'a> {
    pub(crate) value: Value,
    /// The path that decided; `None` where the value is the meet of several.
    pub(crate) decided_by: Option<usize>,
    pub(crate) paths: Vec<PathResult<'a>>,
    /// Groups disagree on a setting without order, and priority had to decide.
    pub(crate) disagree: bool,
    pub(crate) valid_until: Option<Timestamp>,
}

/// D.2: one path, one instant. The domain has full authority; silence delegates nothing.
pub(crate) fn resolve_path<'a>(
    path: &[Level<'a>],
    setting: Setting,
    at: Timestamp,
) -> PathResult<'a> {
    let kind = setting.kind();
    let (mut value, mut origin) = (setting.default(), None);
    let (mut authority, mut deep) = (Authority::All, false);
    let mut chain: Vec<Step<'a>> = Vec::with_capacity(path.len());
    let mut boundary = None;

    // Domain first, the subject itself last.
    for level in path {
        let statement = first_that_counts(level.statements, at, &mut boundary);
        let says = statement.and_then(|statement| statement.value.as_ref());
        let delegates = statement.and_then(|statement| statement.delegate.as_ref());
        let may = authority;

        // Does this node have any choice?
        let had = !may.is_only(kind, &value);
        let note = match says {
            None => Note::Silent,
            Some(said) if had && may.contains(kind, said) => {
                value = said.clone();
                if let Some(previous) = origin.and_then(|index: usize| chain.get_mut(index)) {
                    previous.note = Note::Replaced;
                }
                origin = Some(chain.len());
                Note::InForce
            }
            Some(said) if *said == value => Note::SameAsInherited,
            Some(_) if had => Note::OutOfRange,
            Some(_) => Note::NotDelegated,
        };

        // What may the next level do?
        (authority, deep) = match (delegates, statement) {
            (Some(delegate), Some(statement)) if had => {
                (may.hand_on(delegate, &value), statement.to == Reach::Through)
            }
            // A "through" grant passes silent levels. It holds the value already.
            (_, None) if deep => (may.clone(), true),
            // Inherited and fixed.
            _ => (may.hand_on(&Delegate::None, &value), false),
        };

        let (node, hands_on, value) = (level.node, authority.clone(), value.clone());
        chain.push(Step { node, statement, note, may, hands_on, value });
    }
    PathResult { value, origin, chain, boundary }
}

/// D.3: all paths. Where values have an order the strictest common one wins, in whatever order the
/// paths come; else the highest priority, and of equal ones the first node id.
pub(crate) fn resolve<'a>(paths: &[Path<'a>], setting: Setting, at: Timestamp) -> Resolution<'a> {
    let kind = setting.kind();
    let results: Vec<PathResult<'a>> =
        paths.iter().map(|path| resolve_path(&path.levels, setting, at)).collect();

    let mut value = None;
    for result in &results {
        value = Some(match value {
            None => result.value.clone(),
            Some(value) => kind.meet(&value, &result.value),
        });
    }
    let (decided_by, disagree) = if kind.is_ordered() {
        (results.iter().position(|result| Some(&result.value) == value.as_ref()), false)
    } else {
        let first = first_by_priority(paths);
        value = first.and_then(|index| results.get(index)).map(|result| result.value.clone());
        let differs = |result: &PathResult<'_>| Some(&result.value) != value.as_ref();
        (first, results.iter().any(differs))
    };

    let value = value.unwrap_or_else(|| setting.default());
    let mut valid_until = results.iter().filter_map(|result| result.boundary).min();
    if let Value::Hours(hours) = &value {
        // Hours are a value that says something else at another instant.
        valid_until = earlier(valid_until, hours.boundary(at));
    }
    Resolution { value, decided_by, paths: results, disagree, valid_until }
}

/// The first statement that counts at `at`. Every guard looked at on the way may change the answer.
fn first_that_counts<'a>(
    statements: &'a [Statement],
    at: Timestamp,
    boundary: &mut Option<Timestamp>,
) -> Option<&'a Statement> {
    statements.iter().find(|statement| {
        *boundary = earlier(*boundary, statement.boundary(at));
        statement.counts_at(at)
    })
}

fn first_by_priority(paths: &[Path<'_>]) -> Option<usize> {
    // The subject is the last node of each path and its nearest group the one before.
    let nearest = |path: &Path<'_>| path.levels.iter().rev().nth(1).map(|level| level.node.clone());
    let rank = |path: &Path<'_>| (std::cmp::Reverse(path.priority), nearest(path));
    (0..paths.len()).min_by_key(|index| paths.get(*index).map(rank))
}

impl Resolution<'_> {
    /// The path to tell about: the one that decided, or the first.
    pub(crate) fn told(&self) -> Option<&PathResult<'_>> {
        self.paths.get(self.decided_by.unwrap_or(0))
    }
}

impl Note {
    /// The value is kept and shown and has no effect.
    #[must_use]
    pub const fn is_dormant(self) -> bool {
        matches!(self, Self::NotDelegated | Self::OutOfRange)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InForce => "IN FORCE",
            Self::Replaced => "set",
            Self::SameAsInherited => "same as inherited",
            Self::NotDelegated => "dormant: not delegated",
            Self::OutOfRange => "dormant: outside the range",
            Self::Silent => "passes on",
        })
    }
}
