//! Limits of the directory: each is a number with a unit, and none is read from anywhere else.

use std::time::Duration;

/// Bytes of one line of the journal without its newline; a line holds one set of changes.
pub const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Changes in one set.
pub const CHANGES_MAX: usize = 10_000;

/// Accounts of one domain.
pub const ACCOUNTS_MAX: usize = 1_000_000;

/// Groups of one domain.
pub const GROUPS_MAX: usize = 50_000;

/// Levels of groups, from one directly below the domain to the deepest.
pub const GROUP_DEPTH_MAX: usize = 16;

/// Groups that one account is a member of directly.
pub const GROUPS_PER_ACCOUNT_MAX: usize = 100;

/// Statements of the whole domain.
pub const STATEMENTS_MAX: usize = 100_000;

/// Access rules of the whole domain.
pub const ACCESS_RULES_MAX: usize = 10_000;

/// Bytes of a display name of an account or a group.
pub const NAME_BYTES_MAX: usize = 256;

/// Bytes of the name of an access rule or a lexicon rule.
pub const ID_BYTES_MAX: usize = 128;

/// Bytes of the name of an administrator who makes a change.
pub const AUTHOR_BYTES_MAX: usize = 256;

/// Bytes of the reason given for a change.
pub const REASON_BYTES_MAX: usize = 2_048;

/// Bytes of what a writer reads when a rule fires.
pub const RULE_TEXT_BYTES_MAX: usize = 4_096;

/// Lines that one reading of the audit trail returns.
pub const TRAIL_LINES_MAX: usize = 10_000;

/// Tries to get the file lock before giving up, [`LOCK_WAIT`] apart: ten seconds in all.
pub const LOCK_TRIES: u32 = 1_000;

/// Pause between two tries to get the file lock.
pub const LOCK_WAIT: Duration = Duration::from_millis(10);
