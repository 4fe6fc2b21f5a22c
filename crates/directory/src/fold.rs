//! One change after another makes the state. The same function makes a change and replays it, so
//! what was once accepted can always be read again. Knows no file.

use std::{collections::BTreeSet, sync::Arc};

use auth::{Login, Verifiers};
use model::{Address, Timestamp, prepare_domain};
use policy::{Group, GroupId};

use crate::{
    change::{Author, Change},
    fault::Rejection,
    limits::{
        ACCOUNTS_MAX, AUTHOR_BYTES_MAX, CHANGES_MAX, GROUP_DEPTH_MAX, GROUPS_MAX,
        GROUPS_PER_ACCOUNT_MAX, ID_BYTES_MAX, NAME_BYTES_MAX, REASON_BYTES_MAX,
    },
    line::Line,
    rules,
    snapshot::{Account, Snapshot, pack},
};

/// When, by whom and why a change is made, as far as the state keeps it.
pub(crate) struct Occasion<'a> {
    pub(crate) version: u64,
    pub(crate) time: Timestamp,
    pub(crate) author: &'a Author,
    pub(crate) reason: &'a str,
}

/// Folds one line. After a rejection the state is unfit for use: fold into a clone.
pub(crate) fn fold_line(state: &mut Snapshot, line: &Line) -> Result<(), Rejection> {
    if line.changes.is_empty() {
        return Err(Rejection::NoChange);
    }
    if line.changes.len() > CHANGES_MAX {
        return Err(Rejection::TooMany { what: "changes in one set", max: CHANGES_MAX });
    }
    if line.reason.len() > REASON_BYTES_MAX {
        return Err(Rejection::TooLong { what: "a reason", bytes_max: REASON_BYTES_MAX });
    }
    if let Author::Administrator(name) = &line.author {
        check_name("the name of an author", name, AUTHOR_BYTES_MAX)?;
        if name.is_empty() {
            return Err(Rejection::BadName { what: "the name of an author" });
        }
    }
    let occasion = Occasion {
        version: line.number,
        time: line.time,
        author: &line.author,
        reason: &line.reason,
    };
    for change in &line.changes {
        fold(state, change, &occasion)?;
        if change.concerns_policy() {
            state.policy_version = line.number;
        }
    }
    state.version = line.number;
    Ok(())
}

/// Whether the author may make these changes at all (POL-14).
pub(crate) fn check_author(state: &Snapshot, line: &Line) -> Result<(), Rejection> {
    match &line.author {
        Author::Administrator(_) => Ok(()),
        Author::Person(person) => {
            if state.active(person).is_some()
                && line.changes.iter().all(|change| change.is_own_setting(person))
            {
                Ok(())
            } else {
                Err(Rejection::NotYours { person: person.clone() })
            }
        }
    }
}

fn fold(state: &mut Snapshot, change: &Change, on: &Occasion<'_>) -> Result<(), Rejection> {
    match change {
        Change::DomainSet { domain } => domain_set(state, domain, on),
        Change::AccountAdd { address, login, name, verifiers } => {
            account_add(state, address, login, name, verifiers, on)
        }
        Change::AccountPassword { address, verifiers } => with_account(state, address, |account| {
            account.verifiers = pack(verifiers);
            account.sessions_from = on.version;
        }),
        Change::AccountLogin { address, login } => account_login(state, address, login),
        Change::AccountRename { address, name } => {
            check_name("a display name", name, NAME_BYTES_MAX)?;
            with_account(state, address, |account| account.name = name.as_str().into())
        }
        Change::AccountEnable(address) => {
            with_account(state, address, |account| account.enabled = true)
        }
        Change::AccountDisable(address) => with_account(state, address, |account| {
            account.enabled = false;
            account.sessions_from = on.version;
        }),
        Change::AccountSignOut(address) => {
            with_account(state, address, |account| account.sessions_from = on.version)
        }
        Change::AccountRemove(address) => account_remove(state, address),
        Change::GroupAdd { id, name, parent, priority } => {
            let group = Group {
                id: id.clone(),
                name: name.clone(),
                parent: parent.clone(),
                priority: *priority,
            };
            group_add(state, group)
        }
        Change::GroupRemove(id) => group_remove(state, id),
        Change::GroupRename { id, name } => {
            check_name("a display name", name, NAME_BYTES_MAX)?;
            with_group(state, id, |group| group.name.clone_from(name))
        }
        Change::GroupPriority { id, priority } => {
            with_group(state, id, |group| group.priority = *priority)
        }
        Change::GroupMove { id, parent } => {
            with_group(state, id, |group| group.parent.clone_from(parent))?;
            check_tree(state, id)
        }
        Change::MemberAdd { address, group } => member_add(state, address, group),
        Change::MemberRemove { address, group } => member_remove(state, address, group),
        Change::StatementSet(draft) => rules::statement_set(state, draft, on),
        Change::StatementRemove { node, setting, when } => {
            rules::statement_remove(state, node, *setting, when.as_ref())
        }
        Change::AccessRuleSet { name, rules } => rules::access_set(state, name, rules),
        Change::AccessRuleRemove(name) => rules::access_remove(state, name),
        Change::LexiconSet(rule) => rules::lexicon_set(state, rule),
        Change::LexiconRemove(name) => rules::lexicon_remove(state, name),
    }
}

fn domain_set(state: &mut Snapshot, domain: &str, on: &Occasion<'_>) -> Result<(), Rejection> {
    // Addresses, history and certificates hang on the domain: another domain is another directory.
    if !state.domain.is_empty() {
        return Err(Rejection::Exists { what: "domain", id: state.domain.to_string() });
    }
    let bad = |_| Rejection::BadName { what: "the domain" };
    state.domain = prepare_domain(domain).map_err(bad)?.as_ref().into();
    state.created = on.time;
    Ok(())
}

fn account_add(
    state: &mut Snapshot,
    address: &Address,
    login: &Login,
    name: &str,
    verifiers: &Verifiers,
    on: &Occasion<'_>,
) -> Result<(), Rejection> {
    if address.local().is_none() || address.domain() != &*state.domain {
        let (address, domain) = (address.clone(), state.domain.to_string());
        return Err(Rejection::Foreign { address, domain });
    }
    check_name("a display name", name, NAME_BYTES_MAX)?;
    if state.accounts.contains_key(address) {
        return Err(Rejection::AccountExists(address.clone()));
    }
    // What was written to an address belongs to the person who had it.
    if state.former.contains(address) {
        return Err(Rejection::AddressUsed(address.clone()));
    }
    if state.logins.contains_key(login) {
        return Err(Rejection::LoginTaken { address: address.clone() });
    }
    if state.accounts.len() >= ACCOUNTS_MAX {
        return Err(Rejection::TooMany { what: "accounts", max: ACCOUNTS_MAX });
    }
    let account = Account {
        address: address.clone(),
        login: login.clone(),
        name: name.into(),
        verifiers: pack(verifiers),
        enabled: true,
        created: on.time,
        added_in: on.version,
        sessions_from: on.version,
        groups: Vec::new(),
    };
    Arc::make_mut(&mut state.logins).insert(login.clone(), address.clone());
    Arc::make_mut(&mut state.accounts).insert(address.clone(), Arc::new(account));
    Ok(())
}

fn account_login(state: &mut Snapshot, address: &Address, login: &Login) -> Result<(), Rejection> {
    let old = known(state, address)?.login.clone();
    if state.logins.get(login).is_some_and(|owner| owner != address) {
        return Err(Rejection::LoginTaken { address: address.clone() });
    }
    let logins = Arc::make_mut(&mut state.logins);
    logins.remove(&old);
    logins.insert(login.clone(), address.clone());
    with_account(state, address, |account| account.login = login.clone())
}

fn account_remove(state: &mut Snapshot, address: &Address) -> Result<(), Rejection> {
    let account = Arc::clone(known(state, address)?);
    rules::check_unused_person(state, address)?;
    rules::forget_person(state, address);
    let members = Arc::make_mut(&mut state.members);
    for group in &account.groups {
        if let Some(set) = members.get_mut(group) {
            set.remove(address);
        }
    }
    Arc::make_mut(&mut state.logins).remove(&account.login);
    Arc::make_mut(&mut state.accounts).remove(address);
    Arc::make_mut(&mut state.former).insert(address.clone());
    Ok(())
}

fn group_add(state: &mut Snapshot, group: Group) -> Result<(), Rejection> {
    check_name("a display name", &group.name, NAME_BYTES_MAX)?;
    if state.groups.contains_key(&group.id) {
        return Err(Rejection::Exists { what: "group", id: group.id.to_string() });
    }
    if state.groups.len() >= GROUPS_MAX {
        return Err(Rejection::TooMany { what: "groups", max: GROUPS_MAX });
    }
    let id = group.id.clone();
    Arc::make_mut(&mut state.groups).insert(id.clone(), group);
    // Nothing is below a new group yet.
    check_depth(levels_above(state, &id)? + 1)
}

fn group_remove(state: &mut Snapshot, id: &GroupId) -> Result<(), Rejection> {
    let in_use = |by: String| Rejection::InUse { what: format!("the group {id}"), by };
    if !state.groups.contains_key(id) {
        return Err(unknown_group(id));
    }
    if let Some(child) = state.groups.values().find(|group| group.parent.as_ref() == Some(id)) {
        return Err(in_use(format!("the group {} below it", child.id)));
    }
    if let Some(member) = state.members(id).next() {
        return Err(in_use(format!("its member {member}")));
    }
    if let Some(by) = rules::user_of_group(state, id) {
        return Err(in_use(by));
    }
    Arc::make_mut(&mut state.groups).remove(id);
    Arc::make_mut(&mut state.members).remove(id);
    Ok(())
}

fn member_add(state: &mut Snapshot, address: &Address, id: &GroupId) -> Result<(), Rejection> {
    let groups = &known(state, address)?.groups;
    if !state.groups.contains_key(id) {
        return Err(unknown_group(id));
    }
    if groups.contains(id) {
        return Err(Rejection::AlreadyMember(address.clone(), id.to_string()));
    }
    if groups.len() >= GROUPS_PER_ACCOUNT_MAX {
        let what = "groups with one account in them";
        return Err(Rejection::TooMany { what, max: GROUPS_PER_ACCOUNT_MAX });
    }
    Arc::make_mut(&mut state.members).entry(id.clone()).or_default().insert(address.clone());
    // The id of the group itself, so that all memberships share one text.
    let shared = state.groups.get(id).map_or_else(|| id.clone(), |group| group.id.clone());
    with_account(state, address, |account| account.groups.push(shared))
}

fn member_remove(state: &mut Snapshot, address: &Address, id: &GroupId) -> Result<(), Rejection> {
    if !known(state, address)?.groups.contains(id) {
        return Err(Rejection::NotMember(address.clone(), id.to_string()));
    }
    if let Some(set) = Arc::make_mut(&mut state.members).get_mut(id) {
        set.remove(address);
    }
    with_account(state, address, |account| account.groups.retain(|group| group != id))
}

/// Moved groups must still hang on the domain, by few enough steps.
fn check_tree(state: &Snapshot, id: &GroupId) -> Result<(), Rejection> {
    let above = levels_above(state, id)?;
    let (mut below, mut level) = (0, BTreeSet::from([id]));
    while !level.is_empty() {
        below += 1;
        level = state
            .groups
            .values()
            .filter(|group| group.parent.as_ref().is_some_and(|parent| level.contains(parent)))
            .map(|group| &group.id)
            .collect();
    }
    check_depth(above + below)
}

/// Groups between this one and the domain. The tree above was sound before this group was put into
/// it, so a cycle comes back to this one.
fn levels_above(state: &Snapshot, id: &GroupId) -> Result<usize, Rejection> {
    let mut above = 0;
    let mut at = state.groups.get(id).and_then(|group| group.parent.as_ref());
    while let Some(parent) = at {
        if parent == id {
            return Err(Rejection::Cycle { group: id.to_string() });
        }
        above += 1;
        let group = state.groups.get(parent).ok_or_else(|| unknown_group(parent))?;
        at = group.parent.as_ref();
    }
    Ok(above)
}

fn check_depth(levels: usize) -> Result<(), Rejection> {
    if levels > GROUP_DEPTH_MAX {
        return Err(Rejection::TooMany { what: "levels of groups", max: GROUP_DEPTH_MAX });
    }
    Ok(())
}

pub(crate) fn known<'a>(
    state: &'a Snapshot,
    address: &Address,
) -> Result<&'a Arc<Account>, Rejection> {
    state.account(address).ok_or_else(|| Rejection::AccountUnknown(address.clone()))
}

pub(crate) fn unknown_group(id: &GroupId) -> Rejection {
    Rejection::Unknown { what: "group", id: id.to_string() }
}

fn with_account(
    state: &mut Snapshot,
    address: &Address,
    change: impl FnOnce(&mut Account),
) -> Result<(), Rejection> {
    known(state, address)?;
    if let Some(account) = Arc::make_mut(&mut state.accounts).get_mut(address) {
        change(Arc::make_mut(account));
    }
    Ok(())
}

fn with_group(
    state: &mut Snapshot,
    id: &GroupId,
    change: impl FnOnce(&mut Group),
) -> Result<(), Rejection> {
    if !state.groups.contains_key(id) {
        return Err(unknown_group(id));
    }
    if let Some(group) = Arc::make_mut(&mut state.groups).get_mut(id) {
        change(group);
    }
    Ok(())
}

/// A name for people to read: bounded, on one line, nothing that steers a terminal.
pub(crate) fn check_name(
    what: &'static str,
    name: &str,
    bytes_max: usize,
) -> Result<(), Rejection> {
    if name.len() > bytes_max {
        return Err(Rejection::TooLong { what, bytes_max });
    }
    if name.chars().any(char::is_control) {
        return Err(Rejection::BadName { what });
    }
    Ok(())
}

/// A name that commands and rules use: letters, digits, and `-`, `_`, `.` inside.
pub(crate) fn check_id(what: &'static str, id: &str) -> Result<(), Rejection> {
    if id.len() > ID_BYTES_MAX {
        return Err(Rejection::TooLong { what, bytes_max: ID_BYTES_MAX });
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !id.starts_with(char::is_alphanumeric) || !id.chars().all(fits) {
        return Err(Rejection::BadName { what });
    }
    Ok(())
}
