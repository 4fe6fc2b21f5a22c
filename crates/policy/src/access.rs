//! Access: who may reach whom. All rules count at once and in no order, a forbid beats every
//! permit, and where no rule speaks the domain's default does. Knows who is in which group, no
//! setting and no message.

use std::{fmt, sync::Arc};

use model::{Address, Timestamp, prepare_domain};

use crate::{
    hours::Guard,
    statement::{GroupId, Node, NodeFault},
};

/// A permit or a forbid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessRule {
    /// What logs and explanations call it.
    pub name: String,
    /// The level that made it. A rule of a group counts only inside the group's own scope.
    pub node: Node,
    /// Permit or forbid.
    pub effect: Effect,
    /// What it is about.
    pub action: Action,
    /// Who acts.
    pub from: Selector,
    /// On whom.
    pub to: Selector,
    /// What the one who is refused reads; empty for a neutral sentence.
    pub text: String,
    /// When it counts; `None` is always.
    pub when: Option<Guard>,
}

/// What a rule does where it matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Effect {
    /// Allows, unless anything forbids.
    Permit,
    /// Refuses, whatever permits.
    Forbid,
}

/// What one may do to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Action {
    /// Send a message to.
    Message,
    /// See the presence of.
    Presence,
    /// Put a client's question to.
    Query,
}

/// Whom a side of a rule means.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Selector {
    /// Anybody anywhere. Text: `anyone`.
    Anyone,
    /// Everybody under a node. Text: that of the node.
    Node(Node),
    /// Everybody of another domain. Text: `domain:partner.example`.
    Domain(String),
}

/// Whether one may, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// The answer.
    pub allowed: bool,
    /// The rules that decided: every matching forbid, or every matching permit, or none where the
    /// default decided.
    pub rules: Vec<Arc<str>>,
    /// What the first deciding forbid has to say.
    pub text: Option<Arc<str>>,
    /// Until when the answer holds if no new version comes.
    pub valid_until: Option<Timestamp>,
}

impl Action {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Message, Self::Presence, Self::Query];

    /// The word used in rules and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Presence => "presence",
            Self::Query => "query",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl Effect {
    /// The word used in rules and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Forbid => "forbid",
        }
    }

    /// The effect of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Permit, Self::Forbid].into_iter().find(|effect| effect.name() == name)
    }
}

impl AccessRule {
    /// An ethical wall between two sides (POL-06): every action forbidden, both ways.
    #[must_use]
    pub fn wall(name: &str, one: &Selector, two: &Selector, text: &str) -> Vec<Self> {
        let one_way = |action: Action, from: &Selector, to: &Selector| Self {
            name: name.to_owned(),
            node: Node::Domain,
            effect: Effect::Forbid,
            action,
            from: from.clone(),
            to: to.clone(),
            text: text.to_owned(),
            when: None,
        };
        let both = |action| [one_way(action, one, two), one_way(action, two, one)];
        Action::ALL.into_iter().flat_map(both).collect()
    }
}

impl Selector {
    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, NodeFault> {
        match text.trim() {
            "anyone" => Ok(Self::Anyone),
            text => match text.strip_prefix("domain:") {
                Some(domain) => {
                    let domain = prepare_domain(domain).map_err(NodeFault::Address)?;
                    Ok(Self::Domain(domain.into_owned()))
                }
                None => text.parse().map(Self::Node),
            },
        }
    }
}

/// Somebody, as rules look at them.
#[derive(Clone, Copy)]
pub(crate) struct Party<'a> {
    pub(crate) address: &'a Address,
    /// Every group that they are under, by number.
    pub(crate) groups: &'a [u32],
    /// Whether they live in the domain of the house.
    pub(crate) inside: bool,
}

/// A rule with its groups looked up.
pub(crate) struct Compiled {
    name: Arc<str>,
    effect: Effect,
    from: Matcher,
    to: Matcher,
    text: Option<Arc<str>>,
    when: Option<Guard>,
}

enum Matcher {
    Anyone,
    Inside,
    Group(u32),
    Person(Address),
    Domain(Box<str>),
}

/// The rules that count, by action.
#[derive(Default)]
pub(crate) struct AccessRules {
    message: Vec<Compiled>,
    presence: Vec<Compiled>,
    query: Vec<Compiled>,
}

impl AccessRules {
    /// Takes a rule in; `number` gives the number of a known group.
    pub(crate) fn add(&mut self, rule: &AccessRule, number: impl Fn(&GroupId) -> Option<u32>) {
        let matcher = |selector: &Selector| match selector {
            Selector::Anyone => Some(Matcher::Anyone),
            Selector::Node(Node::Domain) => Some(Matcher::Inside),
            Selector::Node(Node::Group(id)) => number(id).map(Matcher::Group),
            Selector::Node(Node::Person(address)) => Some(Matcher::Person(address.clone())),
            Selector::Domain(domain) => Some(Matcher::Domain(domain.as_str().into())),
        };
        let (Some(from), Some(to)) = (matcher(&rule.from), matcher(&rule.to)) else { return };
        let text = (!rule.text.is_empty()).then(|| rule.text.as_str().into());
        let (name, effect) = (rule.name.as_str().into(), rule.effect);
        let compiled = Compiled { name, effect, from, to, text, when: rule.when.clone() };
        match rule.action {
            Action::Message => self.message.push(compiled),
            Action::Presence => self.presence.push(compiled),
            Action::Query => self.query.push(compiled),
        }
    }

    /// Decides. `default` is asked only where no rule speaks; it brings its own boundary.
    pub(crate) fn decide(
        &self,
        action: Action,
        from: Party<'_>,
        to: Party<'_>,
        at: Timestamp,
        default: impl FnOnce() -> (bool, Option<Timestamp>),
    ) -> Access {
        let rules = match action {
            Action::Message => &self.message,
            Action::Presence => &self.presence,
            Action::Query => &self.query,
        };
        let (mut forbids, mut permits) = (Vec::new(), Vec::new());
        let (mut text, mut valid_until) = (None, None);
        for rule in rules.iter().filter(|rule| rule.from.matches(from) && rule.to.matches(to)) {
            if let Some(guard) = &rule.when {
                valid_until = earlier(valid_until, guard.0.boundary(at));
                if !guard.0.contains(at) {
                    continue;
                }
            }
            match rule.effect {
                Effect::Forbid => {
                    text = text.or_else(|| rule.text.clone());
                    forbids.push(rule.name.clone());
                }
                Effect::Permit => permits.push(rule.name.clone()),
            }
        }
        if !forbids.is_empty() {
            return Access { allowed: false, rules: forbids, text, valid_until };
        }
        if !permits.is_empty() {
            return Access { allowed: true, rules: permits, text: None, valid_until };
        }
        let (allowed, boundary) = default();
        let valid_until = earlier(valid_until, boundary);
        Access { allowed, rules: Vec::new(), text: None, valid_until }
    }
}

/// The earlier of two instants that may be missing.
pub(crate) fn earlier(one: Option<Timestamp>, two: Option<Timestamp>) -> Option<Timestamp> {
    [one, two].into_iter().flatten().min()
}

impl Matcher {
    fn matches(&self, party: Party<'_>) -> bool {
        match self {
            Self::Anyone => true,
            Self::Inside => party.inside,
            Self::Group(number) => party.groups.binary_search(number).is_ok(),
            Self::Person(address) => address == party.address,
            Self::Domain(domain) => party.address.domain() == domain.as_ref(),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Node(node) => write!(f, "{node}"),
            Self::Domain(domain) => write!(f, "domain:{domain}"),
        }
    }
}
