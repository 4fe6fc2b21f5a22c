//! What the directory hands over: nodes, groups, statements, rules. Plain data that nobody has
//! checked yet; [`crate::Book::compile`] does.

use std::{fmt, str::FromStr, sync::Arc};

use model::{Address, AddressFault, Timestamp};

use crate::{
    access::AccessRule,
    authority::{Delegate, Reach},
    hours::Guard,
    lexicon::LexiconRule,
    setting::Setting,
    value::Value,
};

/// Bytes of a group's id.
pub const GROUP_ID_BYTES_MAX: usize = 256;

/// One version of everything that the judge goes by.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// Grows with every change; each decision records it (POL-25).
    pub version: u64,
    /// The domain of the house.
    pub domain: String,
    /// Groups and subgroups, in any order.
    pub groups: Vec<Group>,
    /// Who is in which group. A member of a subgroup is under its parents without saying so.
    pub members: Vec<(Address, GroupId)>,
    /// People and applications (POL-15).
    pub people: Vec<Address>,
    /// Statements; those of one node and setting in declared order.
    pub statements: Vec<Statement>,
    /// Permits and forbids.
    pub access: Vec<AccessRule>,
    /// Lexicon rules, put in force by the setting `message.lexicons`.
    pub lexicons: Vec<LexiconRule>,
}

/// A group or, with a parent, a subgroup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// What statements and members call it.
    pub id: GroupId,
    /// What people call it.
    pub name: String,
    /// The group that it is part of.
    pub parent: Option<GroupId>,
    /// The highest decides where settings have no order.
    pub priority: i32,
}

/// The id of a group: 1 to [`GROUP_ID_BYTES_MAX`] bytes without blanks and control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(Arc<str>);

/// A place at which something can be said.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Node {
    /// The whole domain. Text: `domain`.
    Domain,
    /// A group with all below it. Text: `group:tellers`.
    Group(GroupId),
    /// A person or an application. Text: `person:ann@bank.example`.
    Person(Address),
}

/// What one node says of one setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Who says it.
    pub node: Node,
    /// Of what.
    pub setting: Setting,
    /// The value, if it says one.
    pub value: Option<Value>,
    /// What those below may choose, if it says so. Silence delegates nothing.
    pub delegate: Option<Delegate>,
    /// How far the delegation reaches.
    pub to: Reach,
    /// When the statement counts; `None` is always.
    pub when: Option<Guard>,
    /// From when on it no longer counts.
    pub expires: Option<Timestamp>,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The version that brought it.
    pub version: u64,
}

/// Why a text is not a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeFault {
    /// Neither `domain` nor `group:…` nor `person:…`.
    Form,
    /// The id of a group is empty, too long or has a blank.
    GroupId,
    /// The address of a person is not one.
    Address(AddressFault),
}

impl GroupId {
    /// Checks and takes over an id.
    pub fn parse(text: &str) -> Result<Self, NodeFault> {
        let bad = |c: char| c.is_whitespace() || c.is_control();
        if text.is_empty() || text.len() > GROUP_ID_BYTES_MAX || text.contains(bad) {
            return Err(NodeFault::GroupId);
        }
        Ok(Self(text.into()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Statement {
    /// A statement that says nothing yet, to be filled in.
    #[must_use]
    pub fn new(node: Node, setting: Setting) -> Self {
        Self {
            node,
            setting,
            value: None,
            delegate: None,
            to: Reach::Next,
            when: None,
            expires: None,
            author: String::new(),
            reason: String::new(),
            version: 0,
        }
    }

    /// Whether the guard holds and the end has not come.
    #[must_use]
    pub fn counts_at(&self, at: Timestamp) -> bool {
        self.expires.is_none_or(|end| at < end)
            && self.when.as_ref().is_none_or(|guard| guard.0.contains(at))
    }

    /// The first instant after `at` at which [`Statement::counts_at`] may answer otherwise.
    #[must_use]
    pub fn boundary(&self, at: Timestamp) -> Option<Timestamp> {
        let end = self.expires.filter(|end| at < *end);
        if self.expires.is_some() && end.is_none() {
            return None;
        }
        let guard = self.when.as_ref().and_then(|guard| guard.0.boundary(at));
        [end, guard].into_iter().flatten().min()
    }
}

impl FromStr for Node {
    type Err = NodeFault;

    fn from_str(text: &str) -> Result<Self, NodeFault> {
        match text.split_once(':') {
            None if text == "domain" => Ok(Self::Domain),
            Some(("group", id)) => GroupId::parse(id).map(Self::Group),
            Some(("person", address)) => {
                Address::parse(address).map(Self::Person).map_err(NodeFault::Address)
            }
            None | Some(_) => Err(NodeFault::Form),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain => f.write_str("domain"),
            Self::Group(id) => write!(f, "group:{id}"),
            Self::Person(address) => write!(f, "person:{address}"),
        }
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("a node is domain, group:ID or person:ADDRESS"),
            Self::GroupId => {
                write!(f, "a group's id has 1 to {GROUP_ID_BYTES_MAX} bytes and no blanks")
            }
            Self::Address(fault) => write!(f, "{fault}"),
        }
    }
}

impl std::error::Error for NodeFault {}
