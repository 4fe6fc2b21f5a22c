//! Chat: what a session asks becomes calls of the hub, and what the hub says becomes stanzas. One
//! file for each kind of stanza (`message`, `presence`, `iq`), one for what the hub says unasked
//! (`notice`), one for how its refusals are said (`fault`), one for what the server can do (`disco`), one
//! for a person's own history and block list (`archive`).

mod archive;
mod disco;
mod fault;
mod iq;
mod message;
mod notice;
mod presence;

pub use disco::capabilities;
pub(crate) use fault::{denied_error, end_fault};
