//! What can be changed, in the words of the house. `Display` is the sentence of the audit trail: it
//! names no sign-in name and no verifier.

use std::fmt;

use auth::{Login, Verifiers};
use model::Address;
use policy::{AccessRule, GroupId, Guard, LexiconRule, Node, Setting, Statement};

/// Who makes a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Author {
    /// Somebody whom the caller knows to be an administrator; the name is for the audit trail.
    Administrator(String),
    /// A person, who may change only the settings of their own node, as far as delegated (POL-14).
    Person(Address),
}

/// One change. Those of one set are made in their order, all or none.
#[derive(Clone, Debug)]
pub enum Change {
    /// Names the domain. Stands first in the file, and only there.
    DomainSet {
        /// The domain.
        domain: String,
    },
    /// A new account, enabled, in no group.
    AccountAdd {
        /// How others know it.
        address: Address,
        /// What it signs in with. Unique; may be the address's local part, or something else.
        login: Login,
        /// What is shown beside the address; may be empty.
        name: String,
        /// What its password is checked with.
        verifiers: Verifiers,
    },
    /// Another password; ends the sessions.
    AccountPassword {
        /// The account.
        address: Address,
        /// What the new password is checked with.
        verifiers: Verifiers,
    },
    /// Another sign-in name.
    AccountLogin {
        /// The account.
        address: Address,
        /// The new name.
        login: Login,
    },
    /// Another display name.
    AccountRename {
        /// The account.
        address: Address,
        /// The new name; may be empty.
        name: String,
    },
    /// The account may sign in again.
    AccountEnable(Address),
    /// The account may not sign in; ends the sessions.
    AccountDisable(Address),
    /// Ends the sessions of an account and voids their tokens (DIR-23).
    AccountSignOut(Address),
    /// Removes an account, its memberships and the statements at its node.
    AccountRemove(Address),
    /// A new group.
    GroupAdd {
        /// What it is called in rules and commands.
        id: GroupId,
        /// What people read.
        name: String,
        /// The group above; none directly below the domain.
        parent: Option<GroupId>,
        /// Decides between groups for settings without an order; higher goes first.
        priority: i32,
    },
    /// Removes a group that nothing refers to any more.
    GroupRemove(GroupId),
    /// Another name to read.
    GroupRename {
        /// The group.
        id: GroupId,
        /// The new name.
        name: String,
    },
    /// Another priority.
    GroupPriority {
        /// The group.
        id: GroupId,
        /// The new priority.
        priority: i32,
    },
    /// Another place in the tree, together with all below it.
    GroupMove {
        /// The group.
        id: GroupId,
        /// The group above; none directly below the domain.
        parent: Option<GroupId>,
    },
    /// Joins an account to a group.
    MemberAdd {
        /// The account.
        address: Address,
        /// The group.
        group: GroupId,
    },
    /// Takes an account out of a group.
    MemberRemove {
        /// The account.
        address: Address,
        /// The group.
        group: GroupId,
    },
    /// Says something at a node of a setting. Takes the place of the statement there that has the
    /// same guard, and likewise an end or none; else it comes before the more lasting and more
    /// general ones. Author, reason and version are filled in.
    StatementSet(Statement),
    /// Takes back what a node says of a setting: with a guard only the statements that have it,
    /// without one all.
    StatementRemove {
        /// Where.
        node: Node,
        /// Of what.
        setting: Setting,
        /// The guard.
        when: Option<Guard>,
    },
    /// Puts access rules in the place of those with the same name, or adds them. Several rules may
    /// make one, such as the two sides of a wall.
    AccessRuleSet {
        /// What they are called together.
        name: String,
        /// The rules. Their own name is filled in.
        rules: Vec<AccessRule>,
    },
    /// Removes the access rules of a name.
    AccessRuleRemove(String),
    /// Puts a lexicon rule in the place of the one with the same name, or adds it.
    LexiconSet(LexiconRule),
    /// Removes a lexicon rule by its name.
    LexiconRemove(String),
}

impl Change {
    /// Whether policy may answer otherwise after it.
    pub(crate) fn concerns_policy(&self) -> bool {
        match self {
            Self::AccountPassword { .. }
            | Self::AccountLogin { .. }
            | Self::AccountRename { .. }
            | Self::AccountEnable(_)
            | Self::AccountDisable(_)
            | Self::AccountSignOut(_) => false,
            Self::DomainSet { .. }
            | Self::AccountAdd { .. }
            | Self::AccountRemove(_)
            | Self::GroupAdd { .. }
            | Self::GroupRemove(_)
            | Self::GroupRename { .. }
            | Self::GroupPriority { .. }
            | Self::GroupMove { .. }
            | Self::MemberAdd { .. }
            | Self::MemberRemove { .. } => true,
            Self::StatementSet(_) | Self::StatementRemove { .. } => true,
            Self::AccessRuleSet { .. } | Self::AccessRuleRemove(_) => true,
            Self::LexiconSet(_) | Self::LexiconRemove(_) => true,
        }
    }

    /// Whether it is about a statement at the person's own node, the only thing a person may
    /// change.
    pub(crate) fn is_own_setting(&self, person: &Address) -> bool {
        let at = if let Self::StatementSet(statement) = self {
            Some(&statement.node)
        } else if let Self::StatementRemove { node, .. } = self {
            Some(node)
        } else {
            None
        };
        matches!(at, Some(Node::Person(address)) if address == person)
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administrator(name) => f.write_str(name),
            Self::Person(address) => write!(f, "{address}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DomainSet { domain } => write!(f, "directory of {domain} made"),
            Self::AccountAdd { address, .. } => write!(f, "account {address} added"),
            Self::AccountPassword { address, .. } => write!(f, "password of {address} changed"),
            Self::AccountLogin { address, .. } => write!(f, "sign-in name of {address} changed"),
            Self::AccountRename { address, name } => {
                write!(f, "display name of {address} changed to {name:?}")
            }
            Self::AccountEnable(address) => write!(f, "account {address} enabled"),
            Self::AccountDisable(address) => write!(f, "account {address} disabled"),
            Self::AccountSignOut(address) => write!(f, "sessions of {address} ended"),
            Self::AccountRemove(address) => write!(f, "account {address} removed"),
            Self::GroupAdd { id, parent: None, .. } => write!(f, "group {id} added"),
            Self::GroupAdd { id, parent: Some(parent), .. } => {
                write!(f, "group {id} added below {parent}")
            }
            Self::GroupRemove(id) => write!(f, "group {id} removed"),
            Self::GroupRename { id, name } => {
                write!(f, "display name of group {id} changed to {name:?}")
            }
            Self::GroupPriority { id, priority } => {
                write!(f, "priority of group {id} set to {priority}")
            }
            Self::GroupMove { id, parent: None } => write!(f, "group {id} moved to the top"),
            Self::GroupMove { id, parent: Some(parent) } => {
                write!(f, "group {id} moved below {parent}")
            }
            Self::MemberAdd { address, group } => write!(f, "{address} joined to {group}"),
            Self::MemberRemove { address, group } => write!(f, "{address} taken out of {group}"),
            Self::StatementSet(statement) => write_statement(f, statement),
            Self::StatementRemove { node, setting, when } => {
                write!(f, "{} taken back at {node}", setting.name())?;
                when.as_ref().map_or(Ok(()), |when| write!(f, " for {when}"))
            }
            Self::AccessRuleSet { name, .. } => write!(f, "access rule {name} set"),
            Self::AccessRuleRemove(name) => write!(f, "access rule {name} removed"),
            Self::LexiconSet(rule) => write!(f, "lexicon rule {} set", rule.name),
            Self::LexiconRemove(name) => write!(f, "lexicon rule {name} removed"),
        }
    }
}

fn write_statement(f: &mut fmt::Formatter<'_>, statement: &Statement) -> fmt::Result {
    write!(f, "{} at {}:", statement.setting.name(), statement.node)?;
    if let Some(value) = &statement.value {
        write!(f, " set to {value}")?;
    }
    if let Some(delegate) = &statement.delegate {
        write!(f, " delegates {delegate} ({})", statement.to)?;
    }
    if statement.value.is_none() && statement.delegate.is_none() {
        f.write_str(" nothing")?;
    }
    if let Some(when) = &statement.when {
        write!(f, " for {when}")?;
    }
    statement.expires.map_or(Ok(()), |end| write!(f, " until {end}"))
}
