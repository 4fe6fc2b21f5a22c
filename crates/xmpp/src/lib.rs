//! XMPP without IO (RFC 6120, RFC 6121, RFC 7622), in reading order: how much (`limits`), bytes to
//! frames (`frame`), what a frame is (`stanza`, `element`), who (`jid`), what goes wrong (`fault`),
//! and how text is written (`escape`). On these stand what stanzas carry (`payload`), what leaves
//! (`encode`), and one connection of a client (`session`).
//!
//! Bytes of a peer are read once, in `frame`. What falls out is a [`stanza::Stanza`]: its text as
//! it came and an index of its head and direct children. A session decides from the head what is
//! legal now, sets what a server must set, and hands the payload on unchanged; only payloads that
//! the server itself answers become an [`element::Element`], through the same scanner.
//!
//! Nothing here reads a clock, draws randomness or knows who may do what.

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

pub mod element;
pub mod encode;
pub mod escape;
pub mod fault;
pub mod frame;
pub mod jid;
pub mod limits;
pub mod namespace;
pub mod payload;
pub mod session;
pub mod stanza;
