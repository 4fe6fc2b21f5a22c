//! The state of the directory at one version: what everybody else reads. Nothing here changes
//! anything or touches a file.
//!
//! The parts are shared between versions, so that a change copies only the part it is about, and
//! then only pointers.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, hint,
    sync::Arc,
};

use auth::{Login, Verifiers};
use model::{Address, Timestamp};
use policy::{AccessRule, Group, GroupId, LexiconRule, Node, Statement};

use crate::record::read_verifiers;

/// One person or application with an account. `Debug` shows the public address only.
#[derive(Clone)]
pub struct Account {
    pub(crate) address: Address,
    pub(crate) login: Login,
    pub(crate) name: Box<str>,
    /// Both verifiers in their text forms, with a blank between them: half the memory of the parsed
    /// form, and parsed only at a sign-in.
    pub(crate) verifiers: Box<str>,
    pub(crate) enabled: bool,
    pub(crate) created: Timestamp,
    pub(crate) added_in: u64,
    pub(crate) sessions_from: u64,
    pub(crate) groups: Vec<GroupId>,
}

impl Account {
    /// How others know this account (DIR-12).
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What others may be shown beside the address. May be empty.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it may sign in and send.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// The version that made it. Tells it from an earlier account that had the same address.
    #[must_use]
    pub fn added_in(&self) -> u64 {
        self.added_in
    }

    /// A session or token that began under an earlier version than this is void: since then the
    /// password was changed, the account disabled, or an administrator ended its sessions (DIR-23).
    #[must_use]
    pub fn sessions_from(&self) -> u64 {
        self.sessions_from
    }

    /// Groups it is a direct member of, in the order it joined them.
    #[must_use]
    pub fn groups(&self) -> &[GroupId] {
        &self.groups
    }

    /// The sign-in name, which nobody but the account's owner and administrators may see (DIR-13).
    /// This is the only way from an address to a sign-in name; no protocol crate may call it.
    #[must_use]
    pub fn login_for_administrators(&self) -> &Login {
        &self.login
    }

    fn verifiers(&self) -> Option<Verifiers> {
        unpack(&self.verifiers)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What a sign-in is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose they are.
    pub account: Arc<Account>,
    /// What the password is checked with.
    pub verifiers: Verifiers,
}

/// The directory at one version. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) version: u64,
    pub(crate) policy_version: u64,
    pub(crate) domain: Arc<str>,
    pub(crate) created: Timestamp,
    pub(crate) accounts: Arc<HashMap<Address, Arc<Account>>>,
    /// Addresses of removed accounts, which nobody gets again.
    pub(crate) former: Arc<BTreeSet<Address>>,
    pub(crate) logins: Arc<HashMap<Login, Address>>,
    pub(crate) groups: Arc<BTreeMap<GroupId, Group>>,
    pub(crate) members: Arc<HashMap<GroupId, BTreeSet<Address>>>,
    pub(crate) statements: Arc<BTreeMap<StatementKey, Vec<Statement>>>,
    pub(crate) statement_count: usize,
    pub(crate) access: Arc<BTreeMap<String, Vec<AccessRule>>>,
    pub(crate) lexicons: Arc<BTreeMap<String, LexiconRule>>,
}

/// Node and setting, in their text forms.
pub(crate) type StatementKey = (String, String);

impl Snapshot {
    pub(crate) fn empty() -> Self {
        Self {
            version: 0,
            policy_version: 0,
            domain: "".into(),
            created: Timestamp::from_micros(0),
            accounts: Arc::default(),
            former: Arc::default(),
            logins: Arc::default(),
            groups: Arc::default(),
            members: Arc::default(),
            statements: Arc::default(),
            statement_count: 0,
            access: Arc::default(),
            lexicons: Arc::default(),
        }
    }

    /// Number of the last line folded in. Grows by one with each set of changes.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Number of the last line that policy depends on: people, groups, memberships, statements or
    /// rules. A changed password leaves it alone, so that nobody compiles policy anew for that
    /// (POL-25).
    #[must_use]
    pub fn policy_version(&self) -> u64 {
        self.policy_version
    }

    /// The domain, prepared.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// When the directory was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// The account of an address.
    #[must_use]
    pub fn account(&self, address: &Address) -> Option<&Arc<Account>> {
        self.accounts.get(address)
    }

    /// All accounts, in no order.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// The account that signs in with a name. One look-up by hash, known or not.
    #[must_use]
    pub fn find_login(&self, login: &Login) -> Option<&Arc<Account>> {
        self.logins.get(login).and_then(|address| self.accounts.get(address))
    }

    /// What a sign-in with this name is checked against; none for a name that nobody has. Takes the
    /// same steps either way, so that the time does not tell which names exist (DIR-26). A disabled
    /// account is found too: it is refused after the proof, or its absence would tell of it.
    #[must_use]
    pub fn credentials(&self, login: &Login) -> Option<Credentials> {
        match self.find_login(login) {
            Some(account) => account
                .verifiers()
                .map(|verifiers| Credentials { account: Arc::clone(account), verifiers }),
            None => {
                hint::black_box(unpack(hint::black_box(STAND_IN)));
                None
            }
        }
    }

    /// The account of an address if it may act: it exists and is enabled.
    #[must_use]
    pub fn active(&self, address: &Address) -> Option<&Arc<Account>> {
        self.account(address).filter(|account| account.enabled)
    }

    /// Everybody who is directly in one of the groups that this account is directly in, itself left
    /// out, each once, in order of address.
    #[must_use]
    pub fn colleagues(&self, address: &Address) -> Vec<Address> {
        let Some(account) = self.account(address) else { return Vec::new() };
        let mut found: Vec<Address> = account
            .groups
            .iter()
            .filter_map(|group| self.members.get(group))
            .flatten()
            .filter(|colleague| *colleague != address)
            .cloned()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// All groups, in order of their ids.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.groups.values()
    }

    /// One group.
    #[must_use]
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.groups.get(id)
    }

    /// Direct members of a group, in order of address.
    pub fn members(&self, id: &GroupId) -> impl Iterator<Item = &Address> {
        self.members.get(id).into_iter().flatten()
    }

    /// All statements: by node and setting, then in declared order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.statements.values().flatten()
    }

    /// The statements at one node.
    pub fn statements_at(&self, node: &Node) -> impl Iterator<Item = &Statement> {
        let node = node.to_string();
        self.statements
            .range((node.clone(), String::new())..)
            .take_while(move |((at, _), _)| *at == node)
            .flat_map(|(_, statements)| statements)
    }

    /// All access rules, in order of their names.
    pub fn access_rules(&self) -> impl Iterator<Item = &AccessRule> {
        self.access.values().flatten()
    }

    /// All lexicon rules, in order of their names.
    pub fn lexicons(&self) -> impl ExactSizeIterator<Item = &LexiconRule> {
        self.lexicons.values()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.version)
            .field("domain", &self.domain)
            .field("accounts", &self.accounts.len())
            .finish_non_exhaustive()
    }
}

/// Fits no password; parsed where an account's own would be.
pub(crate) const STAND_IN: &str = "SCRAM-SHA-1$10000:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:\
AAAAAAAAAAAAAAAAAAAAAAAAAAA= SCRAM-SHA-256$10000:AAAAAAAAAAAAAAAAAAAAAA==$\
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Both verifiers in the form that an account keeps.
pub(crate) fn pack(verifiers: &Verifiers) -> Box<str> {
    let text = |hash| verifiers.of(hash).to_text();
    format!("{} {}", text(auth::Hash::Sha1), text(auth::Hash::Sha256)).into()
}

/// The verifiers of [`pack`]'s form.
pub(crate) fn unpack(packed: &str) -> Option<Verifiers> {
    let (sha1, sha256) = packed.split_once(' ')?;
    read_verifiers(sha1, sha256)
}
