//! Sessions that are signed in and do nothing; measures what each keeps in the server's memory.

use crate::Outcome;
use crate::logins;
use crate::process::Server;
use crate::session::{Dialect, GOODBYE, Target};
use crate::wire::{Writer, write};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;

/// The first account whose sessions idle: none that anybody watches.
pub(crate) const FIRST: usize = 60;

/// Sessions of one account; servers limit them.
const SESSIONS_PER_ACCOUNT: usize = 20;

/// Sign-ins that are under way together.
const TOGETHER: usize = 4;

/// Sign-ins beforehand, so that what is needed once is there.
const WARM: usize = 40;

/// Time for collectors and allocators to come to rest.
const SETTLE_SECS: u64 = 3;

/// Accounts that so many sessions need.
pub(crate) const fn accounts(sessions: usize) -> usize {
    FIRST + sessions.div_ceil(SESSIONS_PER_ACCOUNT)
}

/// Bytes of private memory for each session.
pub(crate) async fn measure(target: &Target, server: &Server, sessions: usize) -> Outcome<f64> {
    logins::visit(target, WARM).await?;
    let settle = Duration::from_secs(SETTLE_SECS);
    tokio::time::sleep(settle).await;
    let before = server.private_bytes();
    let mut lanes = Vec::new();
    for lane in 0..TOGETHER {
        let target = target.clone();
        lanes.push(tokio::spawn(async move {
            let mut open = Vec::new();
            for number in (lane..sessions).step_by(TOGETHER) {
                open.push(idle(&target, number).await?);
            }
            Ok::<_, String>(open)
        }));
    }
    let mut open = Vec::new();
    for lane in lanes {
        open.extend(lane.await.map_err(|why| why.to_string())??);
    }
    tokio::time::sleep(settle).await;
    let after = server.private_bytes();
    let ended = open.iter().filter(|(_, reading)| reading.is_finished()).count();
    if ended > 0 {
        return Err(format!("{}: {ended} idle sessions were ended", target.name));
    }
    leave(target.dialect, open).await;
    Ok(after.saturating_sub(before) as f64 / sessions.max(1) as f64)
}

async fn idle(target: &Target, number: usize) -> Outcome<(Writer, JoinHandle<()>)> {
    let account = FIRST + number / SESSIONS_PER_ACCOUNT;
    let wire = target.appear(account, &format!("i{number}"), &[]).await?;
    let mut reader = wire.reader;
    // Other sessions of the account appear and are told of; what is not read would fill buffers.
    let reading = tokio::spawn(async move {
        let mut buffer = vec![0_u8; 1024];
        while matches!(reader.read(&mut buffer).await, Ok(count) if count > 0) {}
    });
    Ok((wire.writer, reading))
}

async fn leave(dialect: Dialect, open: Vec<(Writer, JoinHandle<()>)>) {
    for (mut writer, reading) in open {
        if dialect == Dialect::Xmpp {
            let _gone = write(&mut writer, GOODBYE).await;
        }
        reading.abort();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
}
