//! SCRAM (RFC 5802, RFC 7677), both sides. `message` is the grammar, `server` and `client` are the
//! exchanges as types, one for each state: each step eats the state before it, so a step can be
//! neither left out nor taken twice.

mod client;
mod message;
mod server;

pub use client::{AwaitingSignature, ClientBinding, ClientFault, ScramClient};
pub use message::{MESSAGE_BYTES_MAX, NONCE_BYTES_MAX};
pub use server::{Account, AwaitingAccount, AwaitingProof, NONCE_BYTES, ScramServer, ServerFinal};

#[cfg(test)]
mod tests;
