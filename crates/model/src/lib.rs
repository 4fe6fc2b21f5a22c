//! The nouns of the house, in reading order: who (`address`, `principal`), what (`content`,
//! `submission`), when (`time`), which (`id`), how much (`limits`), and what must not be shown
//! (`secret`).
//!
//! Nothing here does anything: no IO, no clock, no format on disk or wire. Every other crate speaks
//! in these words, so a word that only one protocol knows does not belong here.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
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

mod address;
mod content;
mod id;
pub mod limits;
mod secret;
mod submission;
mod time;

pub use address::{Address, AddressFault, Resource, prepare_domain};
pub use content::{Content, ContentKind, Format};
pub use id::{Conversation, MessageId, MessageIds};
pub use secret::Secret;
pub use submission::{Handling, Origin, PrivacyClass, Recipient, Submission};
pub use time::Timestamp;

#[cfg(test)]
mod tests;
