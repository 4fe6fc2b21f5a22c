//! Who there is and what holds for them: accounts, groups, memberships, statements and rules of one
//! domain, for an installation that stands alone (DIR-20). In reading order:
//!
//! - `change`: what can be changed, and by whom.
//! - `snapshot`: the state that all others read.
//! - `fold` and `rules`: one change after another makes the state.
//! - `record` and `line`: changes as JSON, one set a line.
//! - `journal`: the file of lines, which only grows; the audit of who changed what is the file.
//! - `directory`: the handle that ties them together.
//!
//! The version of the directory is the number of its last line. A line names the digest of the line
//! before it, so a line that was changed, dropped or inserted is found and named when the file is
//! read. Whoever can write the file can write the chain anew: against that stands the archive, which
//! records each version.
//!
//! The file is never compacted: an account takes about 360 bytes of it, a change 250, and ten
//! thousand accounts are read in half a second by a build without optimisation. `sha2` is used for
//! the chain because `auth`, which owns it, has no digest to lend.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that fails should stop where it fails"
    )
)]

mod change;
mod directory;
mod fault;
mod fold;
mod journal;
pub mod limits;
mod line;
mod record;
mod rules;
mod snapshot;

pub use change::{Author, Change};
pub use directory::{Directory, TrailLine};
pub use fault::{DirectoryFault, Rejection};
pub use snapshot::{Account, Credentials, Snapshot};

#[cfg(test)]
mod tests;
