//! Every socket of the house. In reading order: `listen` (ports), `tls` (the certificate), `socket`
//! (bytes), `drive` (one connection), `xmpp` (what a chat session asks, and what it is told), and
//! `control` (the command line's way to a running server).
//!
//! Only this crate talks to peers, and only it knows both a protocol and the hub.

pub mod control;
mod drive;
pub mod listen;
mod socket;
pub mod tls;
mod xmpp;

pub use socket::HANDSHAKE_SECS_MAX;
pub use xmpp::capabilities;
