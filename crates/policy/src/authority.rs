//! Authority: the set of values that a node may choose from, and the delegations that make it.
//! Knows values and their order, no node and no time.

use std::fmt;

use crate::{
    setting::Setting,
    value::{Kind, Strict, Value, ValueFault},
};

/// What a node hands on to those below it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Delegate {
    /// Nothing: the value is fixed below. Text: `none`.
    None,
    /// Values of a range. Text: `range` and the range.
    Range(Range),
    /// Whatever it may choose from itself. Text: `free`.
    Free,
}

/// A range of values.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Range {
    /// What is at least as strict as the value in force at the node. Text: `tighten`.
    Tighten,
    /// For sets and hours what is at least as strict as a value: a subset of the allowed, a superset
    /// of the forbidden, hours within hours. Text: the value.
    Within(Value),
    /// For numbers those from the first to the second. Text: `<= 50`, `>= 5`, `5..50`.
    Between(u64, u64),
    /// For flags and words one of some values. Text: `{own, away}`.
    OneOf(Vec<Value>),
}

/// How far down a delegation reaches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Reach {
    /// To the next level only. Text: `next`.
    #[default]
    Next,
    /// Through all levels that say nothing. Text: `through`.
    Through,
}

/// A set of values: the *A* of the algebra. It is built only by handing on, so it always holds the
/// value in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Authority {
    /// Every value: what the domain has.
    All,
    /// The value in force and no other.
    Only(Value),
    /// `(A ∩ R) ∪ {v}`, once for each pair, the highest level first.
    Granted(Vec<(Range, Value)>),
}

impl Delegate {
    /// Reads `none`, `free` or `range …` for a setting.
    pub fn parse(setting: Setting, text: &str) -> Result<Self, ValueFault> {
        match text.trim() {
            "none" => Ok(Self::None),
            "free" => Ok(Self::Free),
            other => match other.strip_prefix("range") {
                Some(range) => Ok(Self::Range(Range::parse(setting.kind(), range.trim())?)),
                None => Err(ValueFault::Expected("none, free or a range", other.to_owned())),
            },
        }
    }

    /// Whether every value named is one of the setting's.
    pub fn check(&self, setting: Setting) -> Result<(), ValueFault> {
        match self {
            Self::None | Self::Free | Self::Range(Range::Tighten) => Ok(()),
            Self::Range(range @ Range::Within(value)) => match setting.kind() {
                Kind::Set { .. } | Kind::Hours => setting.kind().check(value),
                Kind::Flag { .. } | Kind::Number { .. } | Kind::Word { .. } => {
                    Err(ValueFault::Expected("a range of this setting", range.to_string()))
                }
            },
            Self::Range(Range::OneOf(values)) => {
                values.iter().try_for_each(|value| setting.kind().check(value))
            }
            Self::Range(range @ Range::Between(..)) => match setting.kind() {
                Kind::Number { .. } => Ok(()),
                Kind::Flag { .. } | Kind::Word { .. } | Kind::Set { .. } | Kind::Hours => {
                    Err(ValueFault::Expected("a range of this setting", range.to_string()))
                }
            },
        }
    }
}

impl Range {
    fn parse(kind: Kind, text: &str) -> Result<Self, ValueFault> {
        if text == "tighten" {
            return Ok(Self::Tighten);
        }
        match kind {
            Kind::Number { .. } => {
                let fault = || ValueFault::Expected("<= 50, >= 5 or 5..50", text.to_owned());
                let number = |text: &str| text.trim().parse::<u64>().map_err(|_| fault());
                if let Some(most) = text.strip_prefix("<=") {
                    Ok(Self::Between(0, number(most)?))
                } else if let Some(least) = text.strip_prefix(">=") {
                    Ok(Self::Between(number(least)?, u64::MAX))
                } else {
                    let (least, most) = text.split_once("..").ok_or_else(fault)?;
                    Ok(Self::Between(number(least)?, number(most)?))
                }
            }
            Kind::Set { .. } | Kind::Hours => Ok(Self::Within(kind.parse(text)?)),
            Kind::Flag { .. } | Kind::Word { .. } => {
                let fault = || ValueFault::Expected("a list such as {a, b}", text.to_owned());
                let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                let words = inner.ok_or_else(fault)?.split(',');
                Ok(Self::OneOf(words.map(|word| kind.parse(word)).collect::<Result<_, _>>()?))
            }
        }
    }

    /// Whether `value` lies in the range that a node grants while `in_force` is in force there.
    fn contains(&self, kind: Kind, value: &Value, in_force: &Value) -> bool {
        match (self, value) {
            (Self::Tighten, _) => kind.is_as_strict(value, in_force),
            (Self::Within(bound), _) => kind.is_as_strict(value, bound),
            (Self::Between(least, most), Value::Number(number)) => (least..=most).contains(&number),
            (Self::Between(..), _) => false,
            (Self::OneOf(values), _) => values.contains(value),
        }
    }

    /// How an administrator reads it, as in `≤ 50`.
    fn describe(&self, kind: Kind, in_force: &Value) -> String {
        let within = |bound: &Value| match kind {
            Kind::Flag { .. } => format!("{bound} or stricter"),
            Kind::Number { strict: Strict::Less, .. } => format!("≤ {bound}"),
            Kind::Number { strict: Strict::More, .. } => format!("≥ {bound}"),
            Kind::Word { .. } => format!("{bound} or stricter"),
            Kind::Set { strict: Strict::Less, .. } => format!("no more than {bound}"),
            Kind::Set { strict: Strict::More, .. } => format!("at least {bound}"),
            Kind::Hours => format!("within {bound}"),
        };
        match self {
            Self::Tighten => within(in_force),
            Self::Within(bound) => within(bound),
            Self::Between(0, most) => format!("≤ {most}"),
            Self::Between(least, u64::MAX) => format!("≥ {least}"),
            Self::Between(least, most) => format!("{least}…{most}"),
            Self::OneOf(values) => {
                let words: Vec<String> = values.iter().map(Value::to_string).collect();
                format!("one of {}", words.join(", "))
            }
        }
    }
}

impl Reach {
    /// Reads `next` or `through`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "next" => Some(Self::Next),
            "through" => Some(Self::Through),
            _ => None,
        }
    }
}

impl Authority {
    /// `value ∈ A`.
    #[must_use]
    pub fn contains(&self, kind: Kind, value: &Value) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only == value,
            Self::Granted(grants) => grants.iter().fold(true, |inside, (range, kept)| {
                (inside && range.contains(kind, value, kept)) || value == kept
            }),
        }
    }

    /// `A = {v}`. For kinds with many values a range is taken to hold more than one: the only thing
    /// that hangs on it is whether the chain calls a value that changes nothing "in force" or "same
    /// as inherited".
    #[must_use]
    pub fn is_only(&self, kind: Kind, value: &Value) -> bool {
        match self {
            Self::All => false,
            Self::Only(_) => true,
            Self::Granted(_) => kind.every_value().is_some_and(|all| {
                all.iter().all(|other| other == value || !self.contains(kind, other))
            }),
        }
    }

    /// `(A ∩ R) ∪ {v}`, where `R` is what `delegate` grants and `v` is in force.
    #[must_use]
    pub fn hand_on(&self, delegate: &Delegate, value: &Value) -> Self {
        match (self, delegate) {
            (_, Delegate::None) => Self::Only(value.clone()),
            (_, Delegate::Free) => self.clone(),
            (Self::Only(_), Delegate::Range(_)) => Self::Only(value.clone()),
            (Self::All, Delegate::Range(range)) => {
                Self::Granted(vec![(range.clone(), value.clone())])
            }
            (Self::Granted(grants), Delegate::Range(range)) => {
                let mut grants = grants.clone();
                grants.push((range.clone(), value.clone()));
                Self::Granted(grants)
            }
        }
    }

    /// How an administrator reads it: `any`, `only 10`, `≤ 50`.
    #[must_use]
    pub fn describe(&self, kind: Kind) -> String {
        match self {
            Self::All => "any".to_owned(),
            Self::Only(value) => format!("only {value}"),
            Self::Granted(grants) => {
                let mut words: Vec<String> = Vec::new();
                for (range, kept) in grants {
                    let mut word = range.describe(kind, kept);
                    if !range.contains(kind, kept, kept) {
                        word = format!("{word} or {kept}");
                    }
                    if !words.contains(&word) {
                        words.push(word);
                    }
                }
                words.join(", and ")
            }
        }
    }
}

impl fmt::Display for Delegate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Free => f.write_str("free"),
            Self::Range(range) => write!(f, "range {range}"),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tighten => f.write_str("tighten"),
            Self::Within(value) => write!(f, "{value}"),
            Self::Between(0, most) => write!(f, "<= {most}"),
            Self::Between(least, u64::MAX) => write!(f, ">= {least}"),
            Self::Between(least, most) => write!(f, "{least}..{most}"),
            Self::OneOf(values) => {
                f.write_str("{")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Next => "next",
            Self::Through => "through",
        })
    }
}
