//! Sign-ins one after another, each with everything from TCP to bind and with its end.

use crate::Outcome;
use crate::process::Server;
use crate::session::Target;
use std::time::Duration;

/// Sign-ins that are under way together.
const TOGETHER: usize = 4;

/// Accounts that take turns.
const ACCOUNTS: usize = 40;

/// Sign-ins before those that count.
const WARM: usize = 20;

/// Processor nanoseconds of one sign-in.
pub(crate) async fn measure(target: &Target, server: &Server, count: usize) -> Outcome<f64> {
    visit(target, WARM).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = server.spent();
    visit(target, count).await?;
    // What the ends of the last ones cost belongs to them.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let nanos = before.nanos_until(&server.spent());
    Ok(nanos as f64 / count.max(1) as f64)
}

/// Signs in and leaves so many times.
pub(crate) async fn visit(target: &Target, count: usize) -> Outcome<()> {
    let mut lanes = Vec::new();
    for lane in 0..TOGETHER {
        let target = target.clone();
        lanes.push(tokio::spawn(async move {
            for number in (lane..count).step_by(TOGETHER) {
                target.visit(number % ACCOUNTS, &format!("v{number}")).await?;
            }
            Ok::<(), String>(())
        }));
    }
    for lane in lanes {
        lane.await.map_err(|why| why.to_string())??;
    }
    Ok(())
}
