//! What can go wrong: with the file (`DirectoryFault`), or with a change somebody asked for
//! (`Rejection`). Each is one sentence for the administrator; none holds a verifier or a sign-in
//! name.

use std::{fmt, io, path::PathBuf};

use model::Address;

/// Why the directory could not be opened, read or changed.
#[derive(Debug)]
pub enum DirectoryFault {
    /// There is no file.
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A directory was to be made where a file already is.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no complete line.
    Unborn {
        /// The file.
        path: PathBuf,
    },
    /// The path names a folder, a pipe or a device.
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Others than the owner may read or write the file.
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file was replaced or shortened while it was open.
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the file lock and does not give it back.
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what the directory wrote.
    Damaged {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A line was written by a newer version of the program.
    Newer {
        /// Number of the line, from 1.
        line: u64,
        /// The format it names.
        format: u32,
    },
    /// The operating system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done: `open`, `read`, `write`, `lock`, `create`.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The change is not possible; the directory is as before.
    Rejected(Rejection),
}

/// Why a set of changes was not made. Nothing of the set is in effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// The set is empty.
    NoChange,
    /// Something is longer than its limit, in bytes.
    TooLong {
        /// What it is.
        what: &'static str,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// There would be more of something than its limit.
    TooMany {
        /// What it is, in the plural.
        what: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// A name is empty, or holds a character that may not stand there.
    BadName {
        /// What the name is of.
        what: &'static str,
    },
    /// An address that is not one of this domain's people.
    Foreign {
        /// The address.
        address: Address,
        /// The domain of this directory.
        domain: String,
    },
    /// The address has an account already.
    AccountExists(Address),
    /// The address has no account.
    AccountUnknown(Address),
    /// The address belonged to an account that was removed; addresses are not given out twice.
    AddressUsed(Address),
    /// Another account signs in with the same name. Whose it is stays unsaid.
    LoginTaken {
        /// The account that was to get the name.
        address: Address,
    },
    /// A name, of a group or a rule, is in use already.
    Exists {
        /// `group`, and so on.
        what: &'static str,
        /// The name.
        id: String,
    },
    /// No group, rule or statement has the name.
    Unknown {
        /// `group`, and so on.
        what: &'static str,
        /// The name.
        id: String,
    },
    /// Something still refers to what was to be removed.
    InUse {
        /// What was to be removed, for example `the group tellers`.
        what: String,
        /// By what, for example `its member ann@bank.example`.
        by: String,
    },
    /// The group would be above itself.
    Cycle {
        /// The group.
        group: String,
    },
    /// The account is in the group already.
    AlreadyMember(Address, String),
    /// The account is not in the group.
    NotMember(Address, String),
    /// A person may change only their own settings (POL-14).
    NotYours {
        /// Who asked.
        person: Address,
    },
    /// The change has no form in the file.
    Unwritable(String),
    /// The policy engine refuses, with its own sentence (POL-11).
    Policy(String),
}

impl fmt::Display for DirectoryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => {
                write!(f, "there is no directory at {}; `init` makes one", path.display())
            }
            Self::Exists { path } => write!(f, "there is a file at {} already", path.display()),
            Self::Unborn { path } => write!(
                f,
                "the directory at {} is empty: making it was interrupted, so make it again",
                path.display()
            ),
            Self::NotAFile { path } => write!(f, "{} is not a file", path.display()),
            Self::TooOpen { path, mode } => write!(
                f,
                "others may read or write {path} (mode {mode:03o}), which holds what passwords \
                 are checked against; run `chmod 600 {path}`",
                path = path.display()
            ),
            Self::Replaced { path } => write!(
                f,
                "{} was replaced or shortened while it was open; start the server again to read \
                 it anew",
                path.display()
            ),
            Self::Busy { path } => {
                write!(f, "another process has kept {} locked for too long", path.display())
            }
            Self::Damaged { line, why } => {
                write!(f, "line {line} of the directory is damaged: {why}")
            }
            Self::Newer { line, format } => write!(
                f,
                "line {line} of the directory has format {format}, which a newer version of this \
                 program wrote; use that version"
            ),
            Self::Io { path, doing, source } => {
                write!(f, "cannot {doing} the directory {}: {source}", path.display())
            }
            Self::Rejected(rejection) => rejection.fmt(f),
        }
    }
}

impl std::error::Error for DirectoryFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Io { source, .. } = self { Some(source) } else { None }
    }
}

impl From<Rejection> for DirectoryFault {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChange => f.write_str("there is nothing to change"),
            Self::TooLong { what, bytes_max } => {
                write!(f, "{what} may have {bytes_max} bytes at most")
            }
            Self::TooMany { what, max } => write!(f, "there may be {max} {what} at most"),
            Self::BadName { what } => {
                write!(f, "{what} is empty or holds a character that may not stand there")
            }
            Self::Foreign { address, domain } => {
                write!(f, "{address} is not an address of a person in {domain}")
            }
            Self::AccountExists(address) => write!(f, "{address} has an account already"),
            Self::AccountUnknown(address) => write!(f, "{address} has no account"),
            Self::AddressUsed(address) => write!(
                f,
                "{address} belonged to an account that was removed, and an address is never given \
                 to somebody else; choose another"
            ),
            Self::LoginTaken { address } => write!(
                f,
                "{address} cannot have that sign-in name: another account signs in with it"
            ),
            Self::Exists { what, id } => write!(f, "there is a {what} called {id} already"),
            Self::Unknown { what, id } => write!(f, "there is no {what} called {id}"),
            Self::InUse { what, by } => write!(f, "{what} is still in use by {by}"),
            Self::Cycle { group } => write!(f, "the group {group} would be above itself"),
            Self::AlreadyMember(address, group) => {
                write!(f, "{address} is in the group {group} already")
            }
            Self::NotMember(address, group) => write!(f, "{address} is not in the group {group}"),
            Self::NotYours { person } => write!(
                f,
                "{person} may change only their own settings; groups, the domain and accounts \
                 belong to administrators"
            ),
            Self::Unwritable(why) => write!(f, "the change cannot be written down: {why}"),
            Self::Policy(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for Rejection {}
