//! The floor as a process of its own: this program again.

use super::{Peer, Place};
use crate::Outcome;
use crate::process::Server;

/// Starts it.
pub(super) fn start(peer: &Peer, place: &Place) -> Outcome<Server> {
    let myself = std::env::current_exe().map_err(|why| format!("cannot find myself: {why}"))?;
    let mut command = peer.logged(myself)?;
    command.arg("floor").arg(peer.target.port.to_string());
    command.arg(&place.certificate).arg(&place.key);
    Server::start(command)
}
