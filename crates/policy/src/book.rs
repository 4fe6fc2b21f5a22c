//! The book: one policy version, checked and made ready for questions. Immutable; a new version is a
//! new book. Knows where the paths are; what they come to is resolved elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    sync::Arc,
};

use model::{Address, PrivacyClass, Timestamp};

use crate::{
    access::{Access, AccessRule, AccessRules, Action, Effect, Party, Selector, earlier},
    authority::Delegate,
    explain::{Explanation, Question},
    hours::Hours,
    lexicon::{LEXICONS_MAX, Lexicon, LexiconFault, LexiconRule},
    profile::{Classes, ForcedState, Profile, Visibility},
    resolve::{Level, Path, resolve},
    setting::Setting,
    statement::{Group, GroupId, Node, PolicySet, Statement},
    value::{Value, ValueFault},
};

/// Groups on the way from the domain to a subgroup, both ends counted.
pub const DEPTH_MAX: usize = 16;

/// Groups that one person can be a member of.
pub const MEMBERSHIPS_MAX: usize = 256;

static DOMAIN: Node = Node::Domain;

/// One policy version, ready for questions.
pub struct Book {
    version: u64,
    domain: Address,
    /// By number.
    groups: Vec<GroupEntry>,
    numbers: HashMap<GroupId, u32>,
    people: HashMap<Address, Person>,
    spoken: HashMap<Node, BTreeMap<Setting, Vec<Statement>>>,
    access: AccessRules,
    /// What `access.default` says, if it never changes within this version.
    access_default: Option<Value>,
    lexicons: BTreeMap<Box<str>, Arc<Lexicon>>,
    /// What can never have an effect in this version.
    idle: Vec<Finding>,
}

struct GroupEntry {
    group: Group,
    node: Node,
    /// From the outermost group to this one.
    line: Vec<u32>,
}

#[derive(Default)]
struct Person {
    /// The groups that they are members of, sorted by id so that order never matters.
    direct: Vec<u32>,
    /// Those and all above them, sorted by number.
    under: Vec<u32>,
}

/// Something in a policy set that is kept and has no effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Who said it.
    pub node: Node,
    /// The setting or the access rule.
    pub of: String,
    /// Why it has no effect, in one sentence.
    pub text: String,
}

/// A person for whom two books differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Affected {
    /// Who.
    pub subject: Address,
    /// Each setting that differs, with the value in this book and in the other.
    pub changes: Vec<(Setting, Value, Value)>,
}

/// Why a policy set cannot be used at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PolicyFault {
    /// The domain is not one.
    Domain(String),
    /// Two groups have one id.
    GroupTwice(GroupId),
    /// A node, parent or membership names what does not exist.
    NodeUnknown(Node),
    /// A group is part of itself.
    GroupCycle(GroupId),
    /// A group lies deeper than [`DEPTH_MAX`].
    TooDeep(GroupId),
    /// A person is in more than [`MEMBERSHIPS_MAX`] groups.
    TooManyGroups(Address),
    /// A statement says what its setting cannot be.
    Value(Node, Setting, ValueFault),
    /// A lexicon rule cannot be used.
    Lexicon(String, LexiconFault),
    /// Two lexicon rules have one name.
    LexiconTwice(String),
    /// A statement puts a lexicon rule in force that does not exist.
    LexiconUnknown(Node, String),
    /// More than [`LEXICONS_MAX`] lexicon rules.
    TooManyLexicons,
}

/// Why a statement would have no effect and is not taken (POL-11).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// The node does not exist.
    NodeUnknown(Node),
    /// The setting cannot be that.
    Value(Setting, ValueFault),
    /// The setting stays with the domain.
    NotDelegable(Setting),
    /// The level above fixed the value: the setting, the node, who fixed it.
    NotDelegated(Setting, Node, Node),
    /// The value lies outside what was handed down: the setting, the value, what may be chosen.
    OutOfRange(Setting, Value, String),
    /// The node has nothing that it could hand on.
    NothingToDelegate(Setting, Node),
}

impl Book {
    /// Checks a policy set and makes it ready.
    pub fn compile(set: PolicySet) -> Result<Self, PolicyFault> {
        let domain = Address::domain_only(&set.domain);
        let domain = domain.map_err(|_| PolicyFault::Domain(set.domain.clone()))?;
        let (groups, numbers) = compile_groups(set.groups)?;
        let people = compile_people(&set.people, &set.members, &groups, &numbers)?;
        let mut book = Self {
            version: set.version,
            domain,
            groups,
            numbers,
            people,
            spoken: HashMap::new(),
            access: AccessRules::default(),
            access_default: None,
            lexicons: compile_lexicons(set.lexicons)?,
            idle: Vec::new(),
        };
        for statement in set.statements {
            book.take_statement(statement)?;
        }
        for rule in &set.access {
            book.take_rule(rule)?;
        }
        let fixed = |statement: &Statement| statement.when.is_none() && statement.expires.is_none();
        if book.said(&DOMAIN, Setting::ACCESS_DEFAULT).iter().all(fixed) {
            let at = Timestamp::from_secs(0);
            book.access_default = Some(book.value(&DOMAIN, Setting::ACCESS_DEFAULT, at).0);
        }
        Ok(book)
    }

    /// The version of the set.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The address of the house.
    #[must_use]
    pub fn domain(&self) -> &Address {
        &self.domain
    }

    /// Everything in force for an address at an instant. Somebody of whom the book knows nothing
    /// has what the domain says.
    #[must_use]
    pub fn profile(&self, address: &Address, at: Timestamp) -> Profile {
        let subject = Node::Person(address.clone());
        let mut ask = Asking { book: self, subject: &subject, at, valid_until: None };
        let hours = ask.hours(Setting::ACCESS_HOURS);
        let outside = ForcedState::from_word(ask.word(Setting::PRESENCE_OUTSIDE));
        let in_own_hours = ask.hours(Setting::PRESENCE_HOURS).contains(at);
        let lexicons = ask.set(Setting::MESSAGE_LEXICONS);
        let lexicons = lexicons.iter().filter_map(|name| self.lexicons.get(name).cloned());
        Profile {
            version: self.version,
            open: hours.contains(at),
            hours,
            message_bytes_max: ask.number(Setting::MESSAGE_MAX_BYTES),
            classes: ask
                .set(Setting::MESSAGE_CLASSES)
                .iter()
                .filter_map(|name| PrivacyClass::from_name(name))
                .fold(Classes::NONE, Classes::with),
            class: PrivacyClass::from_name(ask.word(Setting::MESSAGE_CLASS))
                .unwrap_or(PrivacyClass::Private),
            lexicons: lexicons.collect(),
            queries: ask.set(Setting::MESSAGE_QUERIES),
            history: ask.flag(Setting::HISTORY_KEEP, false),
            archive: ask.flag(Setting::ARCHIVE_SEAL, true),
            confirm_secs: ask.number(Setting::CONFIRM_SECONDS),
            presence_visible_to: Visibility::from_word(ask.word(Setting::PRESENCE_VISIBLE_TO)),
            presence_forced: outside.filter(|_| !in_own_hours),
            valid_until: ask.valid_until,
        }
    }

    /// Why a setting has its value for an address.
    #[must_use]
    pub fn explain(&self, address: &Address, setting: Setting, at: Timestamp) -> Explanation {
        self.explain_node(&Node::Person(address.clone()), setting, at)
    }

    /// Why a setting has its value at a node, the domain and groups included.
    #[must_use]
    pub fn explain_node(&self, node: &Node, setting: Setting, at: Timestamp) -> Explanation {
        self.ask(node, setting, at, |question| question.explain())
    }

    /// What would have to be said for a node to have `wanted`, in one sentence.
    #[must_use]
    pub fn to_get(&self, node: &Node, setting: Setting, wanted: &Value, at: Timestamp) -> String {
        self.ask(node, setting, at, |question| question.to_get(wanted))
    }

    /// Whether `from` may do something to `to`.
    #[must_use]
    pub fn may(&self, action: Action, from: &Address, to: &Address, at: Timestamp) -> Access {
        let (from, to) = (self.party(from), self.party(to));
        self.access.decide(action, from, to, at, || {
            let fixed = self.access_default.clone().map(|value| (value, None));
            let ask = || self.value(&DOMAIN, Setting::ACCESS_DEFAULT, at);
            let (value, boundary) = fixed.unwrap_or_else(ask);
            let is = |word: &'static str| value == Value::Word(word);
            (is("everyone") || (is("inside") && from.inside && to.inside), boundary)
        })
    }

    /// Whether one of two people is a member of a group that the other is under.
    #[must_use]
    pub fn are_teammates(&self, one: &Address, two: &Address) -> bool {
        let (Some(one), Some(two)) = (self.people.get(one), self.people.get(two)) else {
            return false;
        };
        let meets = |one: &Person, two: &Person| {
            one.direct.iter().any(|group| two.under.binary_search(group).is_ok())
        };
        meets(one, two) || meets(two, one)
    }

    /// Whether the statement, written now, would count (POL-11).
    pub fn check_statement(&self, statement: &Statement, at: Timestamp) -> Result<(), Rejection> {
        let (node, setting) = (&statement.node, statement.setting);
        if !self.knows(node) {
            return Err(Rejection::NodeUnknown(node.clone()));
        }
        check_values(statement).map_err(|fault| Rejection::Value(setting, fault))?;
        let delegates = statement.delegate.as_ref().is_some_and(|it| *it != Delegate::None);
        if delegates && !setting.is_delegable() {
            return Err(Rejection::NotDelegable(setting));
        }
        let kind = setting.kind();
        for path in resolve(&self.paths(node, setting), setting, at).paths {
            let mut steps = path.chain.iter().rev();
            let Some(own) = steps.next() else { continue };
            let above = steps.next();
            let inherited = above.map_or_else(|| setting.default(), |above| above.value.clone());
            let fixed = own.may.is_only(kind, &inherited);
            match &statement.value {
                Some(value) if !own.may.contains(kind, value) => {
                    return Err(if fixed {
                        let by = above.map_or(&DOMAIN, |above| above.node).clone();
                        Rejection::NotDelegated(setting, node.clone(), by)
                    } else {
                        Rejection::OutOfRange(setting, value.clone(), own.may.describe(kind))
                    });
                }
                Some(_) | None if delegates && fixed => {
                    return Err(Rejection::NothingToDelegate(setting, node.clone()));
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// What is kept and has no effect at an instant, sorted by node and setting. It is what
    /// [`Book::check_statement`] would reject, had it been asked.
    #[must_use]
    pub fn dormant(&self, at: Timestamp) -> Vec<Finding> {
        let mut findings = self.idle.clone();
        for statement in self.spoken.values().flat_map(BTreeMap::values).flatten() {
            if !statement.counts_at(at) {
                continue;
            }
            if let Err(rejection) = self.check_statement(statement, at) {
                findings.push(Finding {
                    node: statement.node.clone(),
                    of: statement.setting.name().to_owned(),
                    text: rejection.to_string(),
                });
            }
        }
        findings.sort_by(|one, two| (&one.node, &one.of).cmp(&(&two.node, &two.of)));
        findings
    }

    /// The people for whom a setting differs between this book and another (POL-24), sorted.
    #[must_use]
    pub fn affected(&self, other: &Self, at: Timestamp) -> Vec<Affected> {
        let people: BTreeSet<&Address> = self.people.keys().chain(other.people.keys()).collect();
        let mut affected = Vec::new();
        for address in people {
            let node = Node::Person(address.clone());
            let mut changes = Vec::new();
            for setting in Setting::all() {
                let (before, _) = self.value(&node, setting, at);
                let (after, _) = other.value(&node, setting, at);
                if before != after {
                    changes.push((setting, before, after));
                }
            }
            if !changes.is_empty() {
                affected.push(Affected { subject: address.clone(), changes });
            }
        }
        affected
    }

    /// The value at a node and until when it holds.
    fn value(&self, node: &Node, setting: Setting, at: Timestamp) -> (Value, Option<Timestamp>) {
        let resolution = resolve(&self.paths(node, setting), setting, at);
        (resolution.value, resolution.valid_until)
    }

    /// Every path from the domain to a node, with what is said on it.
    fn paths<'a>(&'a self, node: &'a Node, setting: Setting) -> Vec<Path<'a>> {
        let level = |node: &'a Node| Level { node, statements: self.said(node, setting) };
        let through = |entry: &'a GroupEntry| {
            let line = entry.line.iter().filter_map(|number| self.group(*number));
            let mut levels = vec![level(&DOMAIN)];
            levels.extend(line.map(|entry| level(&entry.node)));
            Path { levels, priority: entry.group.priority }
        };
        match node {
            Node::Domain => vec![Path { levels: vec![level(node)], priority: 0 }],
            Node::Group(id) => {
                let number = self.numbers.get(id).copied();
                number.and_then(|number| self.group(number)).map(through).into_iter().collect()
            }
            Node::Person(address) => {
                let direct = self.people.get(address).map_or(&[][..], |person| &person.direct);
                let mut paths: Vec<Path<'a>> =
                    direct.iter().filter_map(|number| self.group(*number)).map(through).collect();
                if paths.is_empty() {
                    paths.push(Path { levels: vec![level(&DOMAIN)], priority: 0 });
                }
                for path in &mut paths {
                    path.levels.push(level(node));
                }
                paths
            }
        }
    }

    fn ask<T>(
        &self,
        subject: &Node,
        setting: Setting,
        at: Timestamp,
        answer: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let title = |node: &Node| self.title(node);
        let paths = self.paths(subject, setting);
        answer(&Question { subject, setting, at, version: self.version, paths, title: &title })
    }

    fn title(&self, node: &Node) -> String {
        match node {
            Node::Domain => format!("{} (domain)", self.domain),
            Node::Group(id) => {
                let entry = self.numbers.get(id).and_then(|number| self.group(*number));
                let name = entry.map(|entry| entry.group.name.as_str()).unwrap_or_default();
                if name.is_empty() { id.to_string() } else { name.to_owned() }
            }
            Node::Person(address) => address.to_string(),
        }
    }

    fn said(&self, node: &Node, setting: Setting) -> &[Statement] {
        let said = self.spoken.get(node).and_then(|said| said.get(&setting));
        said.map(Vec::as_slice).unwrap_or_default()
    }

    fn group(&self, number: u32) -> Option<&GroupEntry> {
        self.groups.get(usize::try_from(number).ok()?)
    }

    fn knows(&self, node: &Node) -> bool {
        match node {
            Node::Domain => true,
            Node::Group(id) => self.numbers.contains_key(id),
            Node::Person(address) => self.people.contains_key(address),
        }
    }

    fn party<'a>(&'a self, address: &'a Address) -> Party<'a> {
        let groups = self.people.get(address).map_or(&[][..], |person| &person.under);
        Party { address, groups, inside: address.domain() == self.domain.as_str() }
    }

    fn take_statement(&mut self, mut statement: Statement) -> Result<(), PolicyFault> {
        let (node, setting) = (statement.node.clone(), statement.setting);
        if !self.knows(&node) {
            return Err(PolicyFault::NodeUnknown(node));
        }
        check_values(&statement)
            .map_err(|fault| PolicyFault::Value(node.clone(), setting, fault))?;
        if setting == Setting::MESSAGE_LEXICONS
            && let Some(Value::Set(names)) = &statement.value
            && let Some(unknown) = names.iter().find(|name| !self.lexicons.contains_key(*name))
        {
            return Err(PolicyFault::LexiconUnknown(node, unknown.to_string()));
        }
        let delegates = statement.delegate.as_ref().is_some_and(|it| *it != Delegate::None);
        if delegates && !setting.is_delegable() {
            // Silence delegates nothing either, but the wish is not forgotten.
            statement.delegate = None;
            let text = Rejection::NotDelegable(setting).to_string();
            self.idle.push(Finding { node: node.clone(), of: setting.name().to_owned(), text });
        }
        self.spoken.entry(node).or_default().entry(setting).or_default().push(statement);
        Ok(())
    }

    /// A rule counts inside the scope of the level that made it: what it forbids must touch the
    /// scope, what it permits must lie in it.
    fn take_rule(&mut self, rule: &AccessRule) -> Result<(), PolicyFault> {
        for side in [&rule.from, &rule.to] {
            if let Selector::Node(node @ Node::Group(_)) = side
                && !self.knows(node)
            {
                return Err(PolicyFault::NodeUnknown(node.clone()));
            }
        }
        if !self.knows(&rule.node) {
            return Err(PolicyFault::NodeUnknown(rule.node.clone()));
        }
        let (from, to) = (self.is_in(&rule.from, &rule.node), self.is_in(&rule.to, &rule.node));
        let counts = match rule.effect {
            Effect::Permit => from && to,
            Effect::Forbid => from || to,
        };
        if counts {
            let numbers = &self.numbers;
            self.access.add(rule, |id| numbers.get(id).copied());
        } else {
            let which = match rule.effect {
                Effect::Permit => "a permit counts only between those of its own level",
                Effect::Forbid => "a forbid counts only from or to those of its own level",
            };
            let text = format!("Dormant: {which}, here {}.", self.title(&rule.node));
            self.idle.push(Finding { node: rule.node.clone(), of: rule.name.clone(), text });
        }
        Ok(())
    }

    /// Whether everybody whom a selector means is under a node.
    fn is_in(&self, selector: &Selector, node: &Node) -> bool {
        match (node, selector) {
            (Node::Domain, _) => true,
            (Node::Person(owner), Selector::Node(Node::Person(other))) => owner == other,
            (Node::Group(id), Selector::Node(inner)) => {
                let Some(number) = self.numbers.get(id) else { return false };
                match inner {
                    Node::Domain => false,
                    Node::Group(inner) => {
                        let entry = self.numbers.get(inner).and_then(|inner| self.group(*inner));
                        entry.is_some_and(|entry| entry.line.contains(number))
                    }
                    Node::Person(address) => {
                        let person = self.people.get(address);
                        person.is_some_and(|person| person.under.contains(number))
                    }
                }
            }
            (Node::Person(_) | Node::Group(_), _) => false,
        }
    }
}

/// The values of one subject, read one by one; remembers when the first of them may change. The
/// book has checked the types; a value of a wrong one would read as the strictest.
struct Asking<'a> {
    book: &'a Book,
    subject: &'a Node,
    at: Timestamp,
    valid_until: Option<Timestamp>,
}

impl Asking<'_> {
    fn value(&mut self, setting: Setting) -> Value {
        let (value, until) = self.book.value(self.subject, setting, self.at);
        self.valid_until = earlier(self.valid_until, until);
        value
    }

    fn flag(&mut self, setting: Setting, strict: bool) -> bool {
        if let Value::Flag(flag) = self.value(setting) { flag } else { strict }
    }

    fn number(&mut self, setting: Setting) -> u64 {
        if let Value::Number(number) = self.value(setting) { number } else { 0 }
    }

    fn word(&mut self, setting: Setting) -> &'static str {
        if let Value::Word(word) = self.value(setting) { word } else { "" }
    }

    fn set(&mut self, setting: Setting) -> BTreeSet<Box<str>> {
        if let Value::Set(set) = self.value(setting) { set } else { BTreeSet::new() }
    }

    fn hours(&mut self, setting: Setting) -> Hours {
        if let Value::Hours(hours) = self.value(setting) { hours } else { Hours::never() }
    }
}

fn check_values(statement: &Statement) -> Result<(), ValueFault> {
    if let Some(value) = &statement.value {
        statement.setting.kind().check(value)?;
    }
    statement.delegate.as_ref().map_or(Ok(()), |delegate| delegate.check(statement.setting))
}

type Numbers = HashMap<GroupId, u32>;

/// Numbers the groups by id, so that the order in which they come never matters.
fn compile_groups(mut groups: Vec<Group>) -> Result<(Vec<GroupEntry>, Numbers), PolicyFault> {
    groups.sort_by(|one, two| one.id.cmp(&two.id));
    let mut numbers = Numbers::new();
    for (group, number) in groups.iter().zip(0..) {
        if numbers.insert(group.id.clone(), number).is_some() {
            return Err(PolicyFault::GroupTwice(group.id.clone()));
        }
    }
    let parents: HashMap<&GroupId, Option<&GroupId>> =
        groups.iter().map(|group| (&group.id, group.parent.as_ref())).collect();
    let lines: Vec<Vec<u32>> = groups
        .iter()
        .map(|group| line_of(&group.id, &parents, &numbers))
        .collect::<Result<_, _>>()?;
    let entry = |(group, line): (Group, Vec<u32>)| {
        let node = Node::Group(group.id.clone());
        GroupEntry { group, node, line }
    };
    Ok((groups.into_iter().zip(lines).map(entry).collect(), numbers))
}

/// The numbers of the groups from the outermost to this one.
fn line_of(
    id: &GroupId,
    parents: &HashMap<&GroupId, Option<&GroupId>>,
    numbers: &Numbers,
) -> Result<Vec<u32>, PolicyFault> {
    let mut line = Vec::new();
    let mut seen = HashSet::new();
    let mut current = Some(id);
    while let Some(group) = current {
        if !seen.insert(group) {
            return Err(PolicyFault::GroupCycle(id.clone()));
        }
        let unknown = || PolicyFault::NodeUnknown(Node::Group(group.clone()));
        line.push(*numbers.get(group).ok_or_else(unknown)?);
        current = *parents.get(group).ok_or_else(unknown)?;
    }
    if line.len() > DEPTH_MAX {
        return Err(PolicyFault::TooDeep(id.clone()));
    }
    line.reverse();
    Ok(line)
}

fn compile_people(
    people: &[Address],
    members: &[(Address, GroupId)],
    groups: &[GroupEntry],
    numbers: &Numbers,
) -> Result<HashMap<Address, Person>, PolicyFault> {
    let mut compiled: HashMap<Address, Person> =
        people.iter().map(|address| (address.clone(), Person::default())).collect();
    for (address, group) in members {
        let unknown = |node: Node| PolicyFault::NodeUnknown(node);
        let person = compiled.get_mut(address);
        let person = person.ok_or_else(|| unknown(Node::Person(address.clone())))?;
        let number = numbers.get(group).ok_or_else(|| unknown(Node::Group(group.clone())))?;
        person.direct.push(*number);
    }
    for (address, person) in &mut compiled {
        person.direct.sort_unstable();
        person.direct.dedup();
        if person.direct.len() > MEMBERSHIPS_MAX {
            return Err(PolicyFault::TooManyGroups(address.clone()));
        }
        let entries = person.direct.iter().filter_map(|number| groups.get(*number as usize));
        person.under = entries.flat_map(|entry| entry.line.iter().copied()).collect();
        person.under.sort_unstable();
        person.under.dedup();
    }
    Ok(compiled)
}

fn compile_lexicons(
    rules: Vec<LexiconRule>,
) -> Result<BTreeMap<Box<str>, Arc<Lexicon>>, PolicyFault> {
    if rules.len() > LEXICONS_MAX {
        return Err(PolicyFault::TooManyLexicons);
    }
    let mut lexicons = BTreeMap::new();
    for rule in rules {
        let name = rule.name.clone();
        let lexicon = Lexicon::compile(rule);
        let lexicon = lexicon.map_err(|fault| PolicyFault::Lexicon(name.clone(), fault))?;
        if lexicons.insert(name.as_str().into(), Arc::new(lexicon)).is_some() {
            return Err(PolicyFault::LexiconTwice(name));
        }
    }
    Ok(lexicons)
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Book({}, version {})", self.domain, self.version)
    }
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => write!(f, "{domain:?} is not a domain"),
            Self::GroupTwice(id) => write!(f, "there are two groups {id}"),
            Self::NodeUnknown(node) => write!(f, "there is no {node}"),
            Self::GroupCycle(id) => write!(f, "the group {id} is part of itself"),
            Self::TooDeep(id) => {
                write!(f, "the group {id} lies deeper than {DEPTH_MAX} groups")
            }
            Self::TooManyGroups(address) => {
                write!(f, "{address} is in more than {MEMBERSHIPS_MAX} groups")
            }
            Self::Value(node, setting, fault) => {
                write!(f, "what {node} says of {setting} cannot be: {fault}")
            }
            Self::Lexicon(name, fault) => write!(f, "the lexicon rule {name} is bad: {fault}"),
            Self::LexiconTwice(name) => write!(f, "there are two lexicon rules {name}"),
            Self::LexiconUnknown(node, name) => {
                write!(f, "{node} puts a lexicon rule {name} in force that does not exist")
            }
            Self::TooManyLexicons => write!(f, "there are more than {LEXICONS_MAX} lexicon rules"),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodeUnknown(node) => write!(f, "There is no {node}."),
            Self::Value(setting, fault) => write!(f, "{setting} cannot be that: {fault}."),
            Self::NotDelegable(setting) => {
                write!(f, "{setting} stays with the domain and cannot be delegated.")
            }
            Self::NotDelegated(setting, node, by) => {
                write!(f, "{node} may not set {setting}: {by} does not delegate it.")
            }
            Self::OutOfRange(setting, value, range) => {
                write!(f, "{value} is outside the range delegated for {setting} ({range}).")
            }
            Self::NothingToDelegate(setting, node) => {
                write!(f, "{node} cannot delegate {setting}: it has no choice itself.")
            }
        }
    }
}

impl std::error::Error for PolicyFault {}

impl std::error::Error for Rejection {}
