//! Values and their kinds: what may be set, which of two values is stricter, what is the strictest
//! common one, and the text of each. Knows no setting by name.

use std::{collections::BTreeSet, fmt};

use crate::hours::{Hours, HoursFault};

/// Members of one set.
pub const SET_MEMBERS_MAX: usize = 1_024;

/// Bytes of one member of a set.
pub const MEMBER_BYTES_MAX: usize = 256;

/// The value of a setting.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number; the setting names its unit.
    Number(u64),
    /// One word of the setting's list.
    Word(&'static str),
    /// A set of names, as in `{private, public}`.
    Set(BTreeSet<Box<str>>),
    /// A set of instants.
    Hours(Hours),
}

/// A type of values with its order ⊑, "at least as strict as", and its meet ⊓, "strictest common".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A flag and which of the two values is the strict one.
    Flag {
        /// The strict value.
        strict: bool,
    },
    /// A number within limits.
    Number {
        /// The least that can be set.
        min: u64,
        /// The most that can be set.
        max: u64,
        /// Which numbers are the strict ones.
        strict: Strict,
    },
    /// One of some words.
    Word {
        /// The words; where they have an order, the strictest first.
        words: &'static [&'static str],
        /// Whether there is an order at all. Without one groups are told apart by priority.
        ordered: bool,
    },
    /// A set of names.
    Set {
        /// The names there are; `None` if any name will do.
        members: Option<&'static [&'static str]>,
        /// Which sets are the strict ones.
        strict: Strict,
    },
    /// Hours: fewer instants are stricter.
    Hours,
}

/// The end of a scale at which the strict values are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strict {
    /// The smaller number, the subset: a limit, a list of what is allowed.
    Less,
    /// The larger number, the superset: a minimum, a list of what is forbidden.
    More,
}

/// Why a text or a value does not fit a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ValueFault {
    /// Not of the right type: what is expected and what there is.
    Expected(&'static str, String),
    /// A number outside the setting's limits: the number, the least and the most.
    Limits(u64, u64, u64),
    /// A name that the setting does not know, and those that it knows.
    Unknown(String, &'static [&'static str]),
    /// A name in a set is empty, too long, or has a blank, comma or brace.
    Member(String),
    /// More than [`SET_MEMBERS_MAX`] names.
    TooMany,
    /// Not a set of hours.
    Hours(HoursFault),
}

impl Kind {
    /// `one` ⊑ `two`: `one` is at least as strict as `two`. Values of another type and different
    /// words without order are not comparable.
    #[must_use]
    pub fn is_as_strict(&self, one: &Value, two: &Value) -> bool {
        match (self, one, two) {
            (Self::Flag { strict }, Value::Flag(one), Value::Flag(two)) => {
                one == two || one == strict
            }
            (Self::Number { strict: Strict::Less, .. }, Value::Number(one), Value::Number(two)) => {
                one <= two
            }
            (Self::Number { strict: Strict::More, .. }, Value::Number(one), Value::Number(two)) => {
                one >= two
            }
            (Self::Word { words, ordered: true }, Value::Word(one), Value::Word(two)) => {
                let place = |word: &str| words.iter().position(|known| *known == word);
                place(one) <= place(two)
            }
            (Self::Set { strict: Strict::Less, .. }, Value::Set(one), Value::Set(two)) => {
                one.is_subset(two)
            }
            (Self::Set { strict: Strict::More, .. }, Value::Set(one), Value::Set(two)) => {
                one.is_superset(two)
            }
            (Self::Hours, Value::Hours(one), Value::Hours(two)) => one.within(two),
            _ => one == two,
        }
    }

    /// `one` ⊓ `two`: the loosest value that is at least as strict as both. Where there is no order
    /// it is `one`; callers decide those by priority.
    #[must_use]
    pub fn meet(&self, one: &Value, two: &Value) -> Value {
        match (self, one, two) {
            (Self::Set { strict: Strict::Less, .. }, Value::Set(one), Value::Set(two)) => {
                Value::Set(one.intersection(two).cloned().collect())
            }
            (Self::Set { strict: Strict::More, .. }, Value::Set(one), Value::Set(two)) => {
                Value::Set(one.union(two).cloned().collect())
            }
            (Self::Hours, Value::Hours(one), Value::Hours(two)) => Value::Hours(one.meet(two)),
            _ if self.is_as_strict(two, one) => two.clone(),
            _ => one.clone(),
        }
    }

    /// Whether values can be compared, so that several groups combine by strictness.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::Word { ordered: false, .. })
    }

    /// Every value, for the kinds that have few.
    #[must_use]
    pub fn every_value(&self) -> Option<Vec<Value>> {
        match self {
            Self::Flag { .. } => Some(vec![Value::Flag(false), Value::Flag(true)]),
            Self::Word { words, .. } => Some(words.iter().map(|word| Value::Word(word)).collect()),
            Self::Number { .. } | Self::Set { .. } | Self::Hours => None,
        }
    }

    /// Whether `value` is of this kind and within its limits.
    pub fn check(&self, value: &Value) -> Result<(), ValueFault> {
        match (self, value) {
            (Self::Flag { .. }, Value::Flag(_)) | (Self::Hours, Value::Hours(_)) => Ok(()),
            (Self::Number { min, max, .. }, Value::Number(number)) => {
                let fits = (min..=max).contains(&number);
                if fits { Ok(()) } else { Err(ValueFault::Limits(*number, *min, *max)) }
            }
            (Self::Word { words, .. }, Value::Word(word)) => {
                let fits = words.contains(word);
                if fits { Ok(()) } else { Err(ValueFault::Unknown((*word).to_owned(), words)) }
            }
            (Self::Set { members, .. }, Value::Set(set)) => {
                if set.len() > SET_MEMBERS_MAX {
                    return Err(ValueFault::TooMany);
                }
                set.iter().try_for_each(|member| check_member(member, *members))
            }
            _ => Err(ValueFault::Expected(self.expected(), value.to_string())),
        }
    }

    /// Reads the text form of a value and checks it.
    pub fn parse(&self, text: &str) -> Result<Value, ValueFault> {
        let text = text.trim();
        let fault = || ValueFault::Expected(self.expected(), text.to_owned());
        let value = match self {
            Self::Flag { .. } => Value::Flag(match text {
                "true" | "yes" | "on" => true,
                "false" | "no" | "off" => false,
                _ => return Err(fault()),
            }),
            Self::Number { .. } => Value::Number(text.parse().map_err(|_| fault())?),
            Self::Word { words, .. } => {
                let known = words.iter().find(|word| **word == text);
                let unknown = || ValueFault::Unknown(text.to_owned(), words);
                Value::Word(known.ok_or_else(unknown)?)
            }
            Self::Set { .. } => Value::Set(parse_set(text).ok_or_else(fault)?),
            Self::Hours => Value::Hours(Hours::parse(text).map_err(ValueFault::Hours)?),
        };
        self.check(&value)?;
        Ok(value)
    }

    fn expected(&self) -> &'static str {
        match self {
            Self::Flag { .. } => "true or false",
            Self::Number { .. } => "a whole number",
            Self::Word { .. } => "a word",
            Self::Set { .. } => "a set such as {private, public}",
            Self::Hours => "hours such as Mon-Fri 07:30-17:00 Europe/Berlin",
        }
    }
}

impl Value {
    /// A set of these names.
    #[must_use]
    pub fn set(names: &[&str]) -> Self {
        Self::Set(names.iter().map(|name| (*name).into()).collect())
    }
}

fn parse_set(text: &str) -> Option<BTreeSet<Box<str>>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    if inner.trim().is_empty() {
        return Some(BTreeSet::new());
    }
    Some(inner.split(',').map(|name| name.trim().into()).collect())
}

fn check_member(member: &str, known: Option<&'static [&'static str]>) -> Result<(), ValueFault> {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '{' | '}');
    if member.is_empty() || member.len() > MEMBER_BYTES_MAX || member.contains(forbidden) {
        return Err(ValueFault::Member(member.to_owned()));
    }
    match known {
        Some(known) if !known.contains(&member) => {
            Err(ValueFault::Unknown(member.to_owned(), known))
        }
        Some(_) | None => Ok(()),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
            Self::Set(set) => {
                f.write_str("{")?;
                for (index, member) in set.iter().enumerate() {
                    write!(f, "{}{member}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Self::Hours(hours) => write!(f, "{hours}"),
        }
    }
}

impl fmt::Display for ValueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what, text) => write!(f, "{text:?} is not {what}"),
            Self::Limits(number, min, max) => {
                write!(f, "{number} is not between {min} and {max}")
            }
            Self::Unknown(name, known) => {
                write!(f, "{name:?} is none of {}", known.join(", "))
            }
            Self::Member(name) => write!(
                f,
                "{name:?} is not a name of 1 to {MEMBER_BYTES_MAX} bytes without blanks, commas \
                 and braces"
            ),
            Self::TooMany => write!(f, "the set has more than {SET_MEMBERS_MAX} names"),
            Self::Hours(fault) => write!(f, "{fault}"),
        }
    }
}

impl std::error::Error for ValueFault {}
