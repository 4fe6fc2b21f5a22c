//! Why the hub does not do what it is asked, beside what the judge refuses.

use std::fmt;

use store::StoreFault;

/// Why a request was not done. Each protocol has its own words for these.
#[derive(Debug)]
pub enum Denied {
    /// There is no such entry.
    NoSuchItem,
    /// A named limit is reached.
    TooMany,
    /// The address is not of this house, and the house has no way to it.
    Elsewhere,
    /// A rule does not allow it; the sentence is for the one who asked.
    Forbidden(String),
    /// The disk or the database does not take it now.
    TryLater,
    /// What is stored of it is damaged. Nothing of it is shown.
    Damaged,
}

impl From<StoreFault> for Denied {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::NoSuchItem => Self::NoSuchItem,
            StoreFault::Damaged(ref what) => {
                tracing::error!(%what, "a row of the store is damaged and was not shown");
                Self::Damaged
            }
            StoreFault::Full
            | StoreFault::Unavailable(_)
            | StoreFault::Newer { .. }
            | StoreFault::InUse
            | StoreFault::WriterTaken
            | StoreFault::WrongKey
            | StoreFault::OutOfOrder => {
                tracing::warn!(%fault, "the store does not answer");
                Self::TryLater
            }
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchItem => "there is no such entry",
            Self::TooMany => "there are too many entries",
            Self::Elsewhere => "the address is not of this house",
            Self::Forbidden(sentence) => sentence,
            Self::TryLater => "this cannot be stored now; try again later",
            Self::Damaged => "what is stored of it is damaged",
        })
    }
}

impl std::error::Error for Denied {}
