//! What can be wrong with a log, in words for whoever must find it.

use std::{fmt, path::PathBuf};

use crate::checkpoint::CheckpointFault;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The record, where it can be told.
    pub leaf: Option<u64>,
    /// The file, as a path in the folder of the log.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: Option<u64>,
    /// What is wrong.
    pub kind: DamageKind,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DamageKind {
    /// The file is not there.
    Missing,
    /// The file cannot be read.
    Unreadable(String),
    /// The file ends too early.
    Short,
    /// The file goes on where it should end.
    Long,
    /// The entry is not the one in the tree.
    EntryChanged,
    /// The body is not the one that the entry commits to.
    BodyChanged,
    /// The salt is neither the one that the entry commits to nor destroyed.
    SaltChanged,
    /// So many records of the tree, from this one on, are not among the entries.
    Dropped(u64),
    /// So many entries, from this place on, are not in the tree.
    Inserted(u64),
    /// So many records, from this one on, are in another order than in the tree.
    Reordered(u64),
    /// Records were taken out, put in or moved before the tree was built: the places in the
    /// segment do not follow.
    SegmentOrder {
        /// The place that should come.
        expected: u32,
        /// The place that the entry names.
        found: u32,
    },
    /// The record belongs to a segment that was not opened before it, or was opened twice.
    SegmentUnknown,
    /// The hashes of a tile are not those of the tree.
    TileChanged,
    /// The records from here to `to` are not those that were signed; nothing on disk tells which.
    TreeChanged {
        /// The first record after the changed part.
        to: u64,
    },
    /// A checkpoint is not to be believed.
    Checkpoint(CheckpointFault),
    /// The newest checkpoint is older than one in the history.
    RolledBack,
    /// The log does not extend the checkpoint of this size that was kept elsewhere.
    NotConsistent {
        /// The size of the older checkpoint.
        older: u64,
    },
    /// The log is shorter than the checkpoint of this size that was kept elsewhere.
    Shortened {
        /// The size of the older checkpoint.
        older: u64,
    },
    /// The checkpoint is that of another log.
    Origin(String),
    /// A journal that was safe on disk has been changed.
    Journal,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(leaf) = self.leaf {
            write!(f, "record {leaf}: ")?;
        }
        self.kind.fmt(f)?;
        write!(f, " ({}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the file is missing"),
            Self::Unreadable(error) => write!(f, "the file cannot be read: {error}"),
            Self::Short => f.write_str("the file is cut off"),
            Self::Long => f.write_str("the file has octets too many"),
            Self::EntryChanged => f.write_str("the entry was changed"),
            Self::BodyChanged => f.write_str("the body was changed"),
            Self::SaltChanged => f.write_str("the salt was changed"),
            Self::Dropped(1) => f.write_str("this record was dropped"),
            Self::Dropped(n) => write!(f, "{n} records from here on were dropped"),
            Self::Inserted(1) => f.write_str("a record was inserted here"),
            Self::Inserted(n) => write!(f, "{n} records were inserted here"),
            Self::Reordered(n) => write!(f, "{n} records from here on were put in another order"),
            Self::SegmentOrder { expected, found } => write!(
                f,
                "records were dropped, inserted or moved here: place {found} of the segment stands \
                 where place {expected} belongs"
            ),
            Self::SegmentUnknown => f.write_str(
                "records were dropped, inserted or moved here: the segment was not opened",
            ),
            Self::TileChanged => f.write_str("hashes of the tree were changed"),
            Self::TreeChanged { to } => {
                write!(f, "records between this one and record {to} are not those that were signed")
            }
            Self::Checkpoint(fault) => fault.fmt(f),
            Self::RolledBack => {
                f.write_str("the checkpoint was replaced by an older one; the log was longer")
            }
            Self::NotConsistent { older } => {
                write!(f, "the log does not extend the older checkpoint of {older} records")
            }
            Self::Shortened { older } => {
                write!(f, "the log is shorter than the older checkpoint of {older} records")
            }
            Self::Origin(found) => write!(f, "this is the log {found}"),
            Self::Journal => f.write_str("records that wait for a checkpoint were changed"),
        }
    }
}
