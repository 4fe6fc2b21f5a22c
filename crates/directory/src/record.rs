//! Changes as they stand in the file: texts, numbers and names, apart from the types the house works
//! with, so that those can change without the file. Where `policy` has a text form, it is used.

use auth::{Hash, Login, Verifier, Verifiers};
use model::{Address, Timestamp};
use policy::{
    AccessRule, Action, Audience, Delegate, Effect, GroupId, Guard, LexiconAction, LexiconRule,
    Node, Reach, Selector, Setting, Statement,
};
use serde::{Deserialize, Serialize};

use crate::change::Change;

/// One change. Each name and field is part of format 1: new ones need a new format.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ChangeRecord {
    DomainSet { domain: String },
    AccountAdd { address: String, login: String, name: String, verifiers: VerifiersRecord },
    AccountPassword { address: String, verifiers: VerifiersRecord },
    AccountLogin { address: String, login: String },
    AccountRename { address: String, name: String },
    AccountEnable { address: String },
    AccountDisable { address: String },
    AccountSignOut { address: String },
    AccountRemove { address: String },
    GroupAdd { id: String, name: String, parent: Option<String>, priority: i32 },
    GroupRemove { id: String },
    GroupRename { id: String, name: String },
    GroupPriority { id: String, priority: i32 },
    GroupMove { id: String, parent: Option<String> },
    MemberAdd { address: String, group: String },
    MemberRemove { address: String, group: String },
    StatementSet(StatementRecord),
    StatementRemove { node: String, setting: String, when: Option<String> },
    AccessRuleSet { name: String, rules: Vec<AccessRuleRecord> },
    AccessRuleRemove { name: String },
    LexiconSet(LexiconRecord),
    LexiconRemove { name: String },
}

/// Never a password: only what one is checked with (DIR-15).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifiersRecord {
    sha1: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementRecord {
    node: String,
    setting: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    delegate: Option<String>,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expires: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessRuleRecord {
    node: String,
    effect: String,
    action: String,
    from: String,
    to: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    when: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LexiconRecord {
    name: String,
    words: Vec<String>,
    patterns: Vec<String>,
    action: String,
    audience: String,
    text: String,
}

impl ChangeRecord {
    /// The record of a change.
    pub(crate) fn from_change(change: &Change) -> Self {
        let parent = |id: &Option<GroupId>| id.as_ref().map(GroupId::to_string);
        match change {
            Change::DomainSet { domain } => Self::DomainSet { domain: domain.clone() },
            Change::AccountAdd { address, login, name, verifiers } => Self::AccountAdd {
                address: address.to_string(),
                login: login.as_str().to_owned(),
                name: name.clone(),
                verifiers: VerifiersRecord::from_verifiers(verifiers),
            },
            Change::AccountPassword { address, verifiers } => Self::AccountPassword {
                address: address.to_string(),
                verifiers: VerifiersRecord::from_verifiers(verifiers),
            },
            Change::AccountLogin { address, login } => Self::AccountLogin {
                address: address.to_string(),
                login: login.as_str().to_owned(),
            },
            Change::AccountRename { address, name } => {
                Self::AccountRename { address: address.to_string(), name: name.clone() }
            }
            Change::AccountEnable(address) => Self::AccountEnable { address: address.to_string() },
            Change::AccountDisable(address) => {
                Self::AccountDisable { address: address.to_string() }
            }
            Change::AccountSignOut(address) => {
                Self::AccountSignOut { address: address.to_string() }
            }
            Change::AccountRemove(address) => Self::AccountRemove { address: address.to_string() },
            Change::GroupAdd { id, name, parent: above, priority } => Self::GroupAdd {
                id: id.to_string(),
                name: name.clone(),
                parent: parent(above),
                priority: *priority,
            },
            Change::GroupRemove(id) => Self::GroupRemove { id: id.to_string() },
            Change::GroupRename { id, name } => {
                Self::GroupRename { id: id.to_string(), name: name.clone() }
            }
            Change::GroupPriority { id, priority } => {
                Self::GroupPriority { id: id.to_string(), priority: *priority }
            }
            Change::GroupMove { id, parent: above } => {
                Self::GroupMove { id: id.to_string(), parent: parent(above) }
            }
            Change::MemberAdd { address, group } => {
                Self::MemberAdd { address: address.to_string(), group: group.to_string() }
            }
            Change::MemberRemove { address, group } => {
                Self::MemberRemove { address: address.to_string(), group: group.to_string() }
            }
            Change::StatementSet(statement) => {
                Self::StatementSet(StatementRecord::from_statement(statement))
            }
            Change::StatementRemove { node, setting, when } => Self::StatementRemove {
                node: node.to_string(),
                setting: setting.name().to_owned(),
                when: when.as_ref().map(Guard::to_string),
            },
            Change::AccessRuleSet { name, rules } => Self::AccessRuleSet {
                name: name.clone(),
                rules: rules.iter().map(AccessRuleRecord::from_rule).collect(),
            },
            Change::AccessRuleRemove(name) => Self::AccessRuleRemove { name: name.clone() },
            Change::LexiconSet(rule) => Self::LexiconSet(LexiconRecord::from_rule(rule)),
            Change::LexiconRemove(name) => Self::LexiconRemove { name: name.clone() },
        }
    }

    /// The change of a record; else the name of the part that cannot be read. The part itself is
    /// not passed on: it may be a verifier.
    pub(crate) fn into_change(self) -> Result<Change, &'static str> {
        Ok(match self {
            Self::DomainSet { domain } => Change::DomainSet { domain },
            Self::AccountAdd { address, login: text, name, verifiers } => Change::AccountAdd {
                address: person(&address)?,
                login: login(&text)?,
                name,
                verifiers: verifiers.into_verifiers()?,
            },
            Self::AccountPassword { address, verifiers } => Change::AccountPassword {
                address: person(&address)?,
                verifiers: verifiers.into_verifiers()?,
            },
            Self::AccountLogin { address, login: text } => {
                Change::AccountLogin { address: person(&address)?, login: login(&text)? }
            }
            Self::AccountRename { address, name } => {
                Change::AccountRename { address: person(&address)?, name }
            }
            Self::AccountEnable { address } => Change::AccountEnable(person(&address)?),
            Self::AccountDisable { address } => Change::AccountDisable(person(&address)?),
            Self::AccountSignOut { address } => Change::AccountSignOut(person(&address)?),
            Self::AccountRemove { address } => Change::AccountRemove(person(&address)?),
            Self::GroupAdd { id, name, parent, priority } => {
                Change::GroupAdd { id: group(&id)?, name, parent: above(parent)?, priority }
            }
            Self::GroupRemove { id } => Change::GroupRemove(group(&id)?),
            Self::GroupRename { id, name } => Change::GroupRename { id: group(&id)?, name },
            Self::GroupPriority { id, priority } => {
                Change::GroupPriority { id: group(&id)?, priority }
            }
            Self::GroupMove { id, parent } => {
                Change::GroupMove { id: group(&id)?, parent: above(parent)? }
            }
            Self::MemberAdd { address, group: id } => {
                Change::MemberAdd { address: person(&address)?, group: group(&id)? }
            }
            Self::MemberRemove { address, group: id } => {
                Change::MemberRemove { address: person(&address)?, group: group(&id)? }
            }
            Self::StatementSet(record) => Change::StatementSet(record.into_statement()?),
            Self::StatementRemove { node: at, setting: name, when } => Change::StatementRemove {
                node: node(&at)?,
                setting: setting(&name)?,
                when: guard(when)?,
            },
            Self::AccessRuleSet { name, rules } => {
                let read = |record: AccessRuleRecord| record.into_rule(&name);
                let rules = rules.into_iter().map(read).collect::<Result<_, _>>()?;
                Change::AccessRuleSet { name, rules }
            }
            Self::AccessRuleRemove { name } => Change::AccessRuleRemove(name),
            Self::LexiconSet(record) => Change::LexiconSet(record.into_rule()?),
            Self::LexiconRemove { name } => Change::LexiconRemove(name),
        })
    }
}

impl VerifiersRecord {
    fn from_verifiers(verifiers: &Verifiers) -> Self {
        Self {
            sha1: verifiers.of(Hash::Sha1).to_text(),
            sha256: verifiers.of(Hash::Sha256).to_text(),
        }
    }

    fn into_verifiers(self) -> Result<Verifiers, &'static str> {
        read_verifiers(&self.sha1, &self.sha256).ok_or("a verifier")
    }
}

impl StatementRecord {
    fn from_statement(statement: &Statement) -> Self {
        Self {
            node: statement.node.to_string(),
            setting: statement.setting.name().to_owned(),
            value: statement.value.as_ref().map(ToString::to_string),
            delegate: statement.delegate.as_ref().map(ToString::to_string),
            to: statement.to.to_string(),
            when: statement.when.as_ref().map(Guard::to_string),
            expires: statement.expires.as_ref().map(Timestamp::to_string),
        }
    }

    fn into_statement(self) -> Result<Statement, &'static str> {
        let setting = setting(&self.setting)?;
        let mut statement = Statement::new(node(&self.node)?, setting);
        if let Some(text) = &self.value {
            statement.value = Some(setting.kind().parse(text).map_err(|_| "the value")?);
        }
        if let Some(text) = &self.delegate {
            statement.delegate =
                Some(Delegate::parse(setting, text).map_err(|_| "the delegation")?);
        }
        statement.to = Reach::parse(&self.to).ok_or("the reach")?;
        statement.when = guard(self.when)?;
        if let Some(text) = &self.expires {
            statement.expires = Some(Timestamp::parse_rfc3339(text).ok_or("the end")?);
        }
        Ok(statement)
    }
}

/// Both verifiers, each of its own hash.
pub(crate) fn read_verifiers(sha1: &str, sha256: &str) -> Option<Verifiers> {
    let read = |text: &str, hash: Hash| {
        Verifier::from_text(text).ok().filter(|verifier| verifier.hash() == hash)
    };
    Some(Verifiers { sha1: read(sha1, Hash::Sha1)?, sha256: read(sha256, Hash::Sha256)? })
}

impl AccessRuleRecord {
    fn from_rule(rule: &AccessRule) -> Self {
        Self {
            node: rule.node.to_string(),
            effect: rule.effect.name().to_owned(),
            action: rule.action.name().to_owned(),
            from: rule.from.to_string(),
            to: rule.to.to_string(),
            text: rule.text.clone(),
            when: rule.when.as_ref().map(Guard::to_string),
        }
    }

    fn into_rule(self, name: &str) -> Result<AccessRule, &'static str> {
        let selector = |text: &str| Selector::parse(text).map_err(|_| "the selector");
        Ok(AccessRule {
            name: name.to_owned(),
            node: node(&self.node)?,
            effect: Effect::from_name(&self.effect).ok_or("the effect")?,
            action: Action::from_name(&self.action).ok_or("the action")?,
            from: selector(&self.from)?,
            to: selector(&self.to)?,
            text: self.text,
            when: guard(self.when)?,
        })
    }
}

impl LexiconRecord {
    fn from_rule(rule: &LexiconRule) -> Self {
        Self {
            name: rule.name.clone(),
            words: rule.words.clone(),
            patterns: rule.patterns.clone(),
            action: rule.action.name().to_owned(),
            audience: rule.audience.name().to_owned(),
            text: rule.text.clone(),
        }
    }

    fn into_rule(self) -> Result<LexiconRule, &'static str> {
        Ok(LexiconRule {
            name: self.name,
            words: self.words,
            patterns: self.patterns,
            action: LexiconAction::from_name(&self.action).ok_or("the action")?,
            audience: Audience::from_name(&self.audience).ok_or("the audience")?,
            text: self.text,
        })
    }
}

fn person(text: &str) -> Result<Address, &'static str> {
    Address::parse(text).map_err(|_| "the address")
}

fn login(text: &str) -> Result<Login, &'static str> {
    Login::parse(text).map_err(|_| "the sign-in name")
}

fn group(text: &str) -> Result<GroupId, &'static str> {
    GroupId::parse(text).map_err(|_| "the group")
}

fn above(text: Option<String>) -> Result<Option<GroupId>, &'static str> {
    text.as_deref().map(group).transpose()
}

fn node(text: &str) -> Result<Node, &'static str> {
    text.parse().map_err(|_| "the node")
}

fn setting(name: &str) -> Result<Setting, &'static str> {
    Setting::by_name(name).ok_or("the setting")
}

fn guard(text: Option<String>) -> Result<Option<Guard>, &'static str> {
    text.map(|text| Guard::parse(&text).map_err(|_| "the guard")).transpose()
}
