//! Why a command did not do what it was asked: one sentence and an exit code. Knows no command.

use std::{fmt, io, path::Path, process::ExitCode};

use directory::DirectoryFault;
use store::StoreFault;

/// One sentence: what, where, and how to mend it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Somebody or something said no: exit code 1.
    Refused(String),
    /// The command line or the configuration is wrong: exit code 2.
    Usage(String),
    /// A port, a disk, a key or the data is not as it should be: exit code 3.
    Environment(String),
}

impl Fault {
    /// A file that cannot be read, written or made.
    pub(crate) fn io(doing: &str, path: &Path, why: &io::Error) -> Self {
        Self::Environment(format!("cannot {doing} {}: {why}", path.display()))
    }

    /// The code that the program ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
        })
    }

    /// A fault of the directory, where it lies being known.
    pub(crate) fn directory(fault: &DirectoryFault, path: &Path) -> Self {
        match fault {
            DirectoryFault::Rejected(rejection) => Self::Refused(rejection.to_string()),
            DirectoryFault::Damaged { .. } => {
                Self::Environment(format!("{fault}; put {} back from a backup", path.display()))
            }
            DirectoryFault::Newer { .. }
            | DirectoryFault::Missing { .. }
            | DirectoryFault::Exists { .. }
            | DirectoryFault::Unborn { .. }
            | DirectoryFault::NotAFile { .. }
            | DirectoryFault::TooOpen { .. }
            | DirectoryFault::Replaced { .. }
            | DirectoryFault::Busy { .. }
            | DirectoryFault::Io { .. } => Self::Environment(fault.to_string()),
        }
    }

    /// A fault of the store, where it lies and where its key is being known.
    pub(crate) fn store(fault: &StoreFault, place: &str, key: &Path) -> Self {
        let key = key.display();
        Self::Environment(match fault {
            StoreFault::WrongKey => format!(
                "the key {key} is not the one that {place} was encrypted with; put the right key \
                 back, or its messages cannot be read"
            ),
            StoreFault::InUse => format!("another server has {place} open; stop that one first"),
            StoreFault::Damaged(what) => {
                format!("the database in {place} is damaged ({what}); put it back from a backup")
            }
            StoreFault::Newer { .. } => format!("{place}: {fault}"),
            StoreFault::Full => format!("there is no room left on the disk of {place}"),
            StoreFault::Unavailable(_)
            | StoreFault::WriterTaken
            | StoreFault::NoSuchItem
            | StoreFault::OutOfOrder => format!("{place}: {fault}"),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(sentence) | Self::Usage(sentence) | Self::Environment(sentence) => {
                f.write_str(sentence)
            }
        }
    }
}

impl std::error::Error for Fault {}
