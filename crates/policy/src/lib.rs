//! The judge, in reading order: what can be set (`setting`, `value`, `hours`), who may set it
//! (`authority`), what was said (`statement`), what follows (`resolve`, `explain`), who may reach
//! whom (`access`), what is looked for in texts (`lexicon`), one version of all of it (`book`), what
//! is in force for one person (`profile`), and the verdict on one message (`judge`).
//!
//! Everything here is pure: no IO, no clock, no randomness, no `async`. The specification is the
//! policy algebra D.1 to D.8; `resolve.rs` can be read with D.2 beside it.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod authority;
mod book;
mod explain;
mod hours;
mod judge;
mod lexicon;
mod profile;
mod resolve;
mod setting;
mod statement;
mod value;

pub use access::{Access, AccessRule, Action, Effect, Selector};
pub use authority::{Authority, Delegate, Range, Reach};
pub use book::{Affected, Book, DEPTH_MAX, Finding, MEMBERSHIPS_MAX, PolicyFault, Rejection};
pub use explain::{Explanation, ExplanationLink, OtherPath};
pub use hours::{EXCEPTIONS_MAX, Guard, Hours, HoursFault, WINDOWS_MAX};
pub use judge::{
    Admitted, AdmittedRecipient, Disposition, Fact, Facts, Fired, Judged, Notice, Reason,
    RecipientFacts, Refused, judge,
};
pub use lexicon::{
    Audience, LEXICONS_MAX, Lexicon, LexiconAction, LexiconFault, LexiconRule, PATTERN_BYTES_MAX,
    PATTERNS_MAX, PATTERNS_MEMORY_MAX, Reading, WORD_BYTES_MAX, WORDS_BYTES_MAX, WORDS_MAX,
};
pub use profile::{Classes, ForcedState, Profile, Visibility};
pub use resolve::Note;
pub use setting::{
    CONFIRM_SECS_DEFAULT, Class, Definition, MESSAGE_BYTES_DEFAULT, MESSAGE_BYTES_LIMIT, Setting,
};
pub use statement::{GROUP_ID_BYTES_MAX, Group, GroupId, Node, NodeFault, PolicySet, Statement};
pub use value::{Kind, MEMBER_BYTES_MAX, SET_MEMBERS_MAX, Strict, Value, ValueFault};

#[cfg(test)]
mod tests;
