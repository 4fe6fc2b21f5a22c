//! The part of the fold that is about policy: statements, access rules, lexicon rules, and what the
//! policy engine says to a change of them. Knows no file.

use std::sync::Arc;

use model::Address;
use policy::{
    AccessRule, Book, GroupId, Guard, LEXICONS_MAX, LexiconRule, Node, PolicySet, Selector,
    Setting, Statement,
};

use crate::{
    change::Change,
    fault::Rejection,
    fold::{Occasion, check_id, known, unknown_group},
    limits::{ACCESS_RULES_MAX, RULE_TEXT_BYTES_MAX, STATEMENTS_MAX},
    line::Line,
    snapshot::{Snapshot, StatementKey},
};

impl Snapshot {
    /// Everything that policy goes by, in an order that depends on the state alone.
    #[must_use]
    pub fn policy_set(&self) -> PolicySet {
        let mut people: Vec<Address> = self.accounts.keys().cloned().collect();
        people.sort_unstable();
        let members = self.members.iter().flat_map(|(group, members)| {
            members.iter().map(|member| (member.clone(), group.clone()))
        });
        let mut members: Vec<(Address, GroupId)> = members.collect();
        members.sort_unstable();
        PolicySet {
            version: self.policy_version,
            domain: self.domain.to_string(),
            groups: self.groups.values().cloned().collect(),
            members,
            people,
            statements: self.statements().cloned().collect(),
            access: self.access_rules().cloned().collect(),
            lexicons: self.lexicons.values().cloned().collect(),
        }
    }
}

/// Values must be ones that the settings can have, or they have no text to be written as.
pub(crate) fn check_values(changes: &[Change]) -> Result<(), Rejection> {
    for change in changes {
        if let Change::StatementSet(statement) = change {
            let setting = statement.setting;
            let value =
                statement.value.as_ref().map_or(Ok(()), |value| setting.kind().check(value));
            let delegate = statement.delegate.as_ref().map_or(Ok(()), |it| it.check(setting));
            value.and(delegate).map_err(|fault| {
                Rejection::Policy(policy::Rejection::Value(setting, fault).to_string())
            })?;
        }
    }
    Ok(())
}

/// What only whoever makes a change must keep to: the rules compile, and a statement is delegated
/// and in its range (POL-11). In the file such a statement may stand: policy shows it as dormant.
pub(crate) fn check_policy(after: &Snapshot, line: &Line) -> Result<(), Rejection> {
    if !line.changes.iter().any(is_checked) {
        return Ok(());
    }
    let book =
        Book::compile(after.policy_set()).map_err(|fault| Rejection::Policy(fault.to_string()))?;
    for change in &line.changes {
        if let Change::StatementSet(statement) = change {
            book.check_statement(statement, line.time)
                .map_err(|fault| Rejection::Policy(fault.to_string()))?;
        }
    }
    Ok(())
}

/// Accounts and memberships cannot make rules wrong, and are many.
fn is_checked(change: &Change) -> bool {
    !matches!(
        change,
        Change::AccountAdd { .. } | Change::MemberAdd { .. } | Change::MemberRemove { .. }
    ) && change.concerns_policy()
}

pub(crate) fn statement_set(
    state: &mut Snapshot,
    statement: &Statement,
    on: &Occasion<'_>,
) -> Result<(), Rejection> {
    check_node(state, &statement.node)?;
    let mut statement = statement.clone();
    statement.author = on.author.to_string();
    statement.reason = on.reason.to_owned();
    statement.version = on.version;
    let same_slot = |other: &Statement| {
        other.when == statement.when && other.expires.is_some() == statement.expires.is_some()
    };
    let key = key(&statement.node, statement.setting);
    let here = Arc::make_mut(&mut state.statements).entry(key).or_default();
    if let Some(old) = here.iter_mut().find(|other| same_slot(other)) {
        *old = statement;
        return Ok(());
    }
    if state.statement_count >= STATEMENTS_MAX {
        return Err(Rejection::TooMany { what: "statements", max: STATEMENTS_MAX });
    }
    let at = here.partition_point(|other| lasting(other) <= lasting(&statement));
    here.insert(at, statement);
    state.statement_count += 1;
    Ok(())
}

/// The first statement whose guard holds counts, so the passing ones come before the lasting ones,
/// and those for some hours before those for always.
fn lasting(statement: &Statement) -> (bool, bool) {
    (statement.expires.is_none(), statement.when.is_none())
}

pub(crate) fn statement_remove(
    state: &mut Snapshot,
    node: &Node,
    setting: Setting,
    when: Option<&Guard>,
) -> Result<(), Rejection> {
    let key = key(node, setting);
    let id = || match when {
        None => format!("{} at {node}", setting.name()),
        Some(when) => format!("{} at {node} for {when}", setting.name()),
    };
    let unknown = || Rejection::Unknown { what: "statement", id: id() };
    let goes = |statement: &Statement| when.is_none() || statement.when.as_ref() == when;
    if !state.statements.get(&key).is_some_and(|here| here.iter().any(goes)) {
        return Err(unknown());
    }
    let statements = Arc::make_mut(&mut state.statements);
    let mut here = statements.remove(&key).unwrap_or_default();
    let before = here.len();
    here.retain(|statement| !goes(statement));
    state.statement_count -= before - here.len();
    if !here.is_empty() {
        statements.insert(key, here);
    }
    Ok(())
}

pub(crate) fn access_set(
    state: &mut Snapshot,
    name: &str,
    rules: &[AccessRule],
) -> Result<(), Rejection> {
    check_id("the name of an access rule", name)?;
    if rules.is_empty() {
        return Err(Rejection::NoChange);
    }
    let mut rules = rules.to_vec();
    for rule in &mut rules {
        name.clone_into(&mut rule.name);
        check_text("the text of an access rule", &rule.text)?;
        check_node(state, &rule.node)?;
        check_selector(state, &rule.from)?;
        check_selector(state, &rule.to)?;
    }
    let access = Arc::make_mut(&mut state.access);
    access.insert(name.to_owned(), rules);
    if access.values().map(Vec::len).sum::<usize>() > ACCESS_RULES_MAX {
        return Err(Rejection::TooMany { what: "access rules", max: ACCESS_RULES_MAX });
    }
    Ok(())
}

pub(crate) fn access_remove(state: &mut Snapshot, name: &str) -> Result<(), Rejection> {
    let unknown = || Rejection::Unknown { what: "access rule", id: name.to_owned() };
    Arc::make_mut(&mut state.access).remove(name).map(|_| ()).ok_or_else(unknown)
}

pub(crate) fn lexicon_set(state: &mut Snapshot, rule: &LexiconRule) -> Result<(), Rejection> {
    check_id("the name of a lexicon rule", &rule.name)?;
    check_text("the text of a lexicon rule", &rule.text)?;
    if !state.lexicons.contains_key(&rule.name) && state.lexicons.len() >= LEXICONS_MAX {
        return Err(Rejection::TooMany { what: "lexicon rules", max: LEXICONS_MAX });
    }
    Arc::make_mut(&mut state.lexicons).insert(rule.name.clone(), rule.clone());
    Ok(())
}

pub(crate) fn lexicon_remove(state: &mut Snapshot, name: &str) -> Result<(), Rejection> {
    let unknown = || Rejection::Unknown { what: "lexicon rule", id: name.to_owned() };
    Arc::make_mut(&mut state.lexicons).remove(name).map(|_| ()).ok_or_else(unknown)
}

/// An access rule may name a person: were the account to go, the rule would lie in wait for the
/// next one with the address.
pub(crate) fn check_unused_person(state: &Snapshot, address: &Address) -> Result<(), Rejection> {
    match user_of(state, &Node::Person(address.clone())) {
        None => Ok(()),
        Some(by) => Err(Rejection::InUse { what: format!("the account {address}"), by }),
    }
}

/// Takes the statements at a person's node along with the person.
pub(crate) fn forget_person(state: &mut Snapshot, address: &Address) {
    let node = Node::Person(address.clone());
    let keys: Vec<StatementKey> =
        state.statements_at(&node).map(|said| key(&said.node, said.setting)).collect();
    if keys.is_empty() {
        return;
    }
    let statements = Arc::make_mut(&mut state.statements);
    for key in keys {
        state.statement_count -= statements.remove(&key).map_or(0, |here| here.len());
    }
}

/// What still refers to a group: an access rule, or a statement at it.
pub(crate) fn user_of_group(state: &Snapshot, id: &GroupId) -> Option<String> {
    let node = Node::Group(id.clone());
    let statement = state.statements_at(&node).next();
    statement
        .map(|statement| format!("the statement of {} at it", statement.setting.name()))
        .or_else(|| user_of(state, &node))
}

fn user_of(state: &Snapshot, node: &Node) -> Option<String> {
    let names = |selector: &Selector| matches!(selector, Selector::Node(named) if named == node);
    let uses = |rule: &&AccessRule| rule.node == *node || names(&rule.from) || names(&rule.to);
    state.access_rules().find(uses).map(|rule| format!("the access rule {}", rule.name))
}

fn check_node(state: &Snapshot, node: &Node) -> Result<(), Rejection> {
    match node {
        Node::Domain => Ok(()),
        Node::Group(id) => {
            if state.group(id).is_some() {
                Ok(())
            } else {
                Err(unknown_group(id))
            }
        }
        Node::Person(address) => known(state, address).map(|_| ()),
    }
}

/// People outside the domain may be named though nobody here knows them.
fn check_selector(state: &Snapshot, selector: &Selector) -> Result<(), Rejection> {
    match selector {
        Selector::Anyone | Selector::Domain(_) => Ok(()),
        Selector::Node(Node::Person(address)) if address.domain() != state.domain() => Ok(()),
        Selector::Node(node) => check_node(state, node),
    }
}

fn check_text(what: &'static str, text: &str) -> Result<(), Rejection> {
    if text.len() > RULE_TEXT_BYTES_MAX {
        return Err(Rejection::TooLong { what, bytes_max: RULE_TEXT_BYTES_MAX });
    }
    Ok(())
}

fn key(node: &Node, setting: Setting) -> StatementKey {
    (node.to_string(), setting.name().to_owned())
}
