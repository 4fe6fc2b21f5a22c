//! One person changes show, many watch; measures the server's time for each notice that a watcher gets.

use crate::Outcome;
use crate::process::Server;
use crate::session::{Dialect, GOODBYE, Target, address};
use crate::stanza::{self, Scanner};
use crate::wire::{Reader, Wire, Writer, write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

/// The account that is watched; those after it watch.
pub(crate) const OWNER: usize = 16;

/// Who watches.
pub(crate) const WATCHERS: usize = 40;

/// Changes that may be on their way to the slowest watcher.
const WINDOW: u64 = 64;

/// Changes that are handed over one after another when there is room, each a write of its own.
const BURST: u64 = 16;

/// How long the last notices may take to arrive.
const DRAIN_SECS_MAX: u64 = 20;

/// What came out of a window.
pub(crate) struct Measured {
    /// Processor nanoseconds for each delivered notice.
    pub(crate) nanos_each: f64,
    /// Notices in a second.
    pub(crate) rate: f64,
}

struct Watch {
    notices: AtomicU64,
    latest: Vec<AtomicU64>,
    moved: Notify,
    stop: AtomicBool,
}

/// Who watches, as accounts.
fn watchers() -> std::ops::Range<usize> {
    OWNER + 1..OWNER + 1 + WATCHERS
}

/// Makes the subscriptions by the protocol (RFC 6121 §3.1). They last as long as the server's data.
pub(crate) async fn subscribe(target: &Target) -> Outcome<()> {
    if target.dialect == Dialect::Floor {
        return Ok(());
    }
    let mut owner = target.appear(OWNER, "p", &[]).await?;
    let mut asking = Vec::new();
    for account in watchers() {
        let mut wire = target.appear(account, "p", &[]).await?;
        let ask = format!("<presence type='subscribe' to='{}'/>", address(OWNER));
        wire.send(ask.as_bytes()).await?;
        asking.push((account, wire));
    }
    for _ in &asking {
        owner.until(&["type='subscribe'", "type=\"subscribe\""]).await?;
    }
    for (account, _) in &asking {
        let grant = format!("<presence type='subscribed' to='{}'/>", address(*account));
        owner.send(grant.as_bytes()).await?;
    }
    for (_, wire) in &mut asking {
        wire.until(&["type='subscribed'", "type=\"subscribed\""])
            .await
            .map_err(|why| format!("{}: no subscription: {why}", target.name))?;
    }
    for (_, wire) in asking {
        wire.close(GOODBYE).await;
    }
    owner.close(GOODBYE).await;
    Ok(())
}

/// Lets the owner change show and measures between `warm` and `warm` + `window`.
pub(crate) async fn measure(
    target: &Target,
    server: &Server,
    warm: Duration,
    window: Duration,
) -> Outcome<Measured> {
    let watch = Arc::new(Watch {
        notices: AtomicU64::new(0),
        latest: (0..WATCHERS).map(|_| AtomicU64::new(0)).collect(),
        moved: Notify::new(),
        stop: AtomicBool::new(false),
    });
    let mut tasks = Vec::new();
    let mut writers = Vec::new();
    for (index, account) in watchers().enumerate() {
        let Wire { reader, writer, .. } = target.appear(account, "p", &[]).await?;
        tasks.push(tokio::spawn(look(reader, index, Arc::clone(&watch))));
        writers.push(writer);
    }
    let peers: Vec<usize> = watchers().collect();
    let owner = target.appear(OWNER, "p", &peers).await?;
    tasks.push(tokio::spawn(drop_all(owner.reader)));
    let changing = tokio::spawn(change(owner.writer, Arc::clone(&watch)));
    tokio::time::sleep(warm).await;
    let (before, since, first) =
        (server.spent(), Instant::now(), watch.notices.load(Ordering::Relaxed));
    tokio::time::sleep(window).await;
    let notices = watch.notices.load(Ordering::Relaxed) - first;
    let took = since.elapsed();
    let nanos = before.nanos_until(&server.spent());
    watch.stop.store(true, Ordering::Relaxed);
    watch.moved.notify_waiters();
    let sent = changing.await.map_err(|why| why.to_string())?;
    let (owner, sent) = sent.map_err(|why| format!("{}: {why}", target.name))?;
    let drained = drain(&watch, sent).await;
    leave(target.dialect, writers.into_iter().chain([owner])).await;
    for task in tasks {
        task.abort();
    }
    drained.map_err(|why| format!("{}: {why}", target.name))?;
    Ok(Measured {
        nanos_each: nanos as f64 / notices.max(1) as f64,
        rate: notices as f64 / took.as_secs_f64(),
    })
}

async fn change(mut writer: Writer, watch: Arc<Watch>) -> Outcome<(Writer, u64)> {
    let mut sent = 0;
    while !watch.stop.load(Ordering::Relaxed) {
        let moved = watch.moved.notified();
        if sent + BURST > watch.slowest() + WINDOW {
            let _late = tokio::time::timeout(Duration::from_millis(100), moved).await;
            continue;
        }
        for number in sent + 1..=sent + BURST {
            write(&mut writer, stanza::presence(number).as_bytes()).await?;
        }
        sent += BURST;
    }
    Ok((writer, sent))
}

async fn look(mut reader: Reader, index: usize, watch: Arc<Watch>) {
    let mut scanner = Scanner::new(stanza::PRESENCE_END);
    let mut buffer = vec![0_u8; 32 * 1024];
    while let Ok(count) = reader.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let (mut notices, mut latest) = (0, None);
        scanner.feed(&buffer[..count], |piece| {
            if let Some(number) = stanza::status(piece) {
                notices += 1;
                latest = Some(number);
            }
        });
        watch.notices.fetch_add(notices, Ordering::Relaxed);
        if let (Some(latest), Some(mine)) = (latest, watch.latest.get(index)) {
            mine.store(latest, Ordering::Relaxed);
            watch.moved.notify_waiters();
        }
    }
}

/// The owner is told of itself too; nobody counts that.
async fn drop_all(mut reader: Reader) {
    let mut buffer = vec![0_u8; 32 * 1024];
    while matches!(reader.read(&mut buffer).await, Ok(count) if count > 0) {}
}

async fn drain(watch: &Watch, sent: u64) -> Outcome<()> {
    let since = Instant::now();
    while watch.slowest() < sent {
        if since.elapsed() > Duration::from_secs(DRAIN_SECS_MAX) {
            return Err(format!("a watcher saw change {} of {sent} last", watch.slowest()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn leave(dialect: Dialect, writers: impl Iterator<Item = Writer>) {
    for mut writer in writers {
        if dialect == Dialect::Xmpp {
            let _gone = write(&mut writer, GOODBYE).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
}

impl Watch {
    fn slowest(&self) -> u64 {
        self.latest.iter().map(|latest| latest.load(Ordering::Relaxed)).min().unwrap_or(0)
    }
}
