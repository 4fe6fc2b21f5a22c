//! Names of messages and conversations.

use std::{fmt, str::FromStr};

use crate::{Address, Timestamp};

/// The house's name for one message: unique, ordered by time of acceptance into the store, and
/// silent about how many messages the organisation sends.
///
/// 43 bits of milliseconds since 1970 above 20 bits that start at random in each millisecond; the
/// top bit is zero, so that the number fits a signed 64-bit column. Sixteen hex digits in text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MessageId(u64);

/// Gives out [`MessageId`]s, each greater than the one before, also when the clock goes back.
pub struct MessageIds {
    last: u64,
}

/// The people of one conversation, in an order that does not depend on who wrote first.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Conversation(Box<str>);

const RANDOM_BITS: u32 = 20;
const RANDOM_MASK: u64 = (1 << RANDOM_BITS) - 1;

impl MessageId {
    /// The number as stored.
    #[must_use]
    pub fn to_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The id of a stored number; negative numbers are no ids.
    #[must_use]
    pub fn from_i64(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }

    /// When the id was given out, to the millisecond (later if the clock had gone back).
    #[must_use]
    pub fn time(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 >> RANDOM_BITS).unwrap_or(i64::MAX))
    }
}

impl MessageIds {
    /// Goes on after `last`, the greatest id already stored.
    #[must_use]
    pub fn after(last: Option<MessageId>) -> Self {
        Self { last: last.map_or(0, |id| id.0) }
    }

    /// The next id. `random` is fresh randomness from the caller.
    pub fn next(&mut self, now: Timestamp, random: u32) -> MessageId {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let fresh = (millis << RANDOM_BITS) | (u64::from(random) & RANDOM_MASK);
        let step = 1 + u64::from(random & 0xff);
        self.last = fresh.max(self.last.saturating_add(step)) & (u64::MAX >> 1);
        MessageId(self.last)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for MessageId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 16 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(());
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| ())?;
        if number > u64::MAX >> 1 { Err(()) } else { Ok(Self(number)) }
    }
}

impl Conversation {
    /// The conversation of two addresses, or of one with itself.
    #[must_use]
    pub fn direct(one: &Address, other: &Address) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        let mut key = String::with_capacity(first.as_str().len() + second.as_str().len() + 1);
        key.push_str(first.as_str());
        key.push(' ');
        key.push_str(second.as_str());
        Self(key.into())
    }

    /// The key text: both addresses, sorted, with a blank between.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
