//! What can go wrong with the store, each as one clear sentence. No fault carries anybody's words.

use std::fmt;

/// Why the store did not do what was asked. After any fault nothing of the asked change is in, and
/// the same handle may be used again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreFault {
    /// No room on the disk. Goes away by itself when there is room again.
    Full,
    /// The database cannot be reached or read just now. The text says what it said.
    Unavailable(String),
    /// What lies on the disk is not what was written. The text says where.
    Damaged(String),
    /// The data was written by a newer version of this program.
    Newer {
        /// Version of the data.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// Another server has this store open.
    InUse,
    /// The one writer of this store is already in use.
    WriterTaken,
    /// The key does not fit this store, or is not [`crate::VAULT_KEY_BYTES`] long.
    WrongKey,
    /// A message that was named to start a page from is not in this history.
    NoSuchItem,
    /// A conversation's link does not go on from the one that is stored; the caller's copy is old.
    OutOfOrder,
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("there is no room left on the store's disk"),
            Self::Unavailable(said) => write!(f, "the store cannot be reached: {said}"),
            Self::Damaged(place) => write!(f, "the store is damaged: {place}"),
            Self::Newer { found, known } => write!(
                f,
                "the data has version {found}, and this program knows versions up to {known}; \
                 start a newer program on it"
            ),
            Self::InUse => f.write_str("another server has this store open"),
            Self::WriterTaken => f.write_str("the writer of this store is already in use"),
            Self::WrongKey => f.write_str("the key does not fit this store"),
            Self::NoSuchItem => f.write_str("no message of that id is in this history"),
            Self::OutOfOrder => {
                f.write_str("the conversation has gone on since this message was sealed")
            }
        }
    }
}

impl std::error::Error for StoreFault {}

/// Short form for this crate.
pub(crate) type Result<T> = std::result::Result<T, StoreFault>;

/// A fault that says which table holds something unreadable.
pub(crate) fn damaged(place: &str) -> StoreFault {
    StoreFault::Damaged(place.to_owned())
}
