//! Chat messages between pairs, as fast as they go or at a steady pace; measures the server's time for
//! each one delivered.

use crate::Outcome;
use crate::process::Server;
use crate::session::{Dialect, GOODBYE, Target, address};
use crate::stanza::{self, Scanner};
use crate::wire::{Reader, Writer, write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Senders, each with a receiver of its own.
pub(crate) const PAIRS: usize = 8;

/// The first account that writes or is written to: none that anybody watches.
const FIRST: usize = 60;

/// Sets of people who take turns, since some archives are slower the more one person has in them.
const SETS: usize = 6;

/// Messages of one pair that may be on their way, so that no queue grows.
const WINDOW: u64 = 64;

/// Messages that a sender hands over one after another when there is room: each is a write of its own, as
/// clients do it, and so a TLS record of its own.
const BURST: u64 = 16;

/// Messages a second of all pairs, when paced.
pub(crate) const PACE: u64 = 1_000;

/// How long the last messages may take to arrive.
const DRAIN_SECS_MAX: u64 = 20;

/// What came out of a window.
pub(crate) struct Measured {
    /// Processor nanoseconds for each delivered message.
    pub(crate) nanos_each: f64,
    /// Delivered in a second.
    pub(crate) rate: f64,
    /// Microseconds from before the sending to after the receiving, sorted. Empty at full load.
    pub(crate) latencies: Vec<u32>,
}

/// How fast to send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Full,
    Paced,
}

/// What sender and receiver of a pair share.
struct Pair {
    flow: Flow,
    origin: Instant,
    sent: AtomicU64,
    received: AtomicU64,
    room: Notify,
    stop: AtomicBool,
    /// The sender sends no more.
    silent: AtomicBool,
    /// Latencies are kept only within the window.
    measuring: AtomicBool,
    latencies: Mutex<Vec<u32>>,
    fault: Mutex<Option<String>>,
}

/// Accounts that so many rounds need.
pub(crate) fn accounts(rounds: usize) -> usize {
    FIRST + SETS.min(2 * rounds) * 2 * PAIRS
}

/// The first of the people of a window.
fn people(flow: Flow, round: usize) -> usize {
    FIRST + (2 * round + usize::from(flow == Flow::Full)) % SETS * 2 * PAIRS
}

/// Lets all pairs talk and measures between `warm` and `warm` + `window`.
pub(crate) async fn measure(
    target: &Target,
    server: &Server,
    flow: Flow,
    round: usize,
    warm: Duration,
    window: Duration,
) -> Outcome<Measured> {
    let origin = Instant::now();
    let mut pairs = Vec::new();
    let mut tasks = Vec::new();
    let people = people(flow, round);
    for index in 0..PAIRS {
        let (from, to) = (people + index, people + PAIRS + index);
        let receiver = target.appear(to, "m", &[]).await?;
        let sender = target.appear(from, "m", &[to]).await?;
        let pair = Arc::new(Pair::new(flow, origin));
        tasks.push(tokio::spawn(receive(receiver.reader, Arc::clone(&pair))));
        tasks.push(tokio::spawn(listen(sender.reader, Arc::clone(&pair))));
        // The receiver's writer is kept until the end, or its session would end.
        tasks.push(tokio::spawn(hold(receiver.writer, target.dialect, Arc::clone(&pair))));
        tasks.push(tokio::spawn(send(
            sender.writer,
            target.dialect,
            (index, to),
            Arc::clone(&pair),
        )));
        pairs.push(pair);
    }
    tokio::time::sleep(warm).await;
    let measured = between(server, &pairs, window).await;
    for pair in &pairs {
        pair.stop.store(true, Ordering::Relaxed);
        pair.room.notify_waiters();
    }
    let drained = drain(&pairs).await;
    end(tasks).await;
    for pair in &pairs {
        if let Some(fault) = lock(&pair.fault).take() {
            return Err(format!("{}: {fault}", target.name));
        }
    }
    drained.map_err(|why| format!("{}: {why}", target.name))?;
    if measured.rate <= 0.0 {
        return Err(format!("{}: no message was delivered", target.name));
    }
    Ok(measured)
}

async fn between(server: &Server, pairs: &[Arc<Pair>], window: Duration) -> Measured {
    let count = || pairs.iter().map(|pair| pair.received.load(Ordering::Relaxed)).sum::<u64>();
    let measuring = |on: bool| {
        for pair in pairs {
            pair.measuring.store(on, Ordering::Relaxed);
        }
    };
    measuring(true);
    let (before, since, first) = (server.spent(), Instant::now(), count());
    tokio::time::sleep(window).await;
    let (delivered, took) = (count() - first, since.elapsed());
    let nanos = before.nanos_until(&server.spent());
    measuring(false);
    let mut latencies: Vec<u32> =
        pairs.iter().flat_map(|pair| std::mem::take(&mut *lock(&pair.latencies))).collect();
    latencies.sort_unstable();
    Measured {
        nanos_each: nanos as f64 / delivered.max(1) as f64,
        rate: delivered as f64 / took.as_secs_f64(),
        latencies,
    }
}

/// Waits until everything that was sent has come.
async fn drain(pairs: &[Arc<Pair>]) -> Outcome<()> {
    let since = Instant::now();
    loop {
        let missing: u64 = pairs.iter().map(|pair| pair.on_the_way()).sum();
        if pairs.iter().all(|pair| pair.is_over()) {
            return Ok(());
        }
        if since.elapsed() > Duration::from_secs(DRAIN_SECS_MAX) {
            return Err(format!("{missing} messages never came"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Gives the tasks time to take leave, then ends them.
async fn end(tasks: Vec<JoinHandle<()>>) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    for task in tasks {
        task.abort();
        let _ended = task.await;
    }
}

async fn send(mut writer: Writer, dialect: Dialect, (index, to): (usize, usize), pair: Arc<Pair>) {
    let to = address(to);
    let done = match pair.flow {
        Flow::Full => send_full(&mut writer, &to, &pair).await,
        Flow::Paced => send_paced(&mut writer, &to, index, &pair).await,
    };
    if let Err(why) = done {
        pair.fail(why);
    }
    pair.silent.store(true, Ordering::Release);
    // What is on its way still has to arrive before the stream ends.
    while pair.on_the_way() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if dialect == Dialect::Xmpp {
        let _gone = write(&mut writer, GOODBYE).await;
    }
}

async fn send_full(writer: &mut Writer, to: &str, pair: &Pair) -> Outcome<()> {
    while !pair.stop.load(Ordering::Relaxed) {
        let room = pair.room.notified();
        if pair.on_the_way() + BURST > WINDOW {
            // A receipt that came between the two lines has left its mark in `room`.
            let _late = tokio::time::timeout(Duration::from_millis(100), room).await;
            continue;
        }
        let first = pair.sent.fetch_add(BURST, Ordering::Relaxed);
        for number in first..first + BURST {
            write(writer, stanza::message(to, number, 0).as_bytes()).await?;
        }
    }
    Ok(())
}

async fn send_paced(writer: &mut Writer, to: &str, index: usize, pair: &Pair) -> Outcome<()> {
    let each = Duration::from_micros(1_000_000 * PAIRS as u64 / PACE);
    let begin = tokio::time::Instant::now() + each * index as u32 / PAIRS as u32;
    let mut beat = tokio::time::interval_at(begin, each);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    while !pair.stop.load(Ordering::Relaxed) {
        beat.tick().await;
        if pair.on_the_way() >= WINDOW {
            continue;
        }
        let number = pair.sent.fetch_add(1, Ordering::Relaxed);
        let message = stanza::message(to, number, pair.micros());
        write(writer, message.as_bytes()).await?;
    }
    Ok(())
}

async fn receive(mut reader: Reader, pair: Arc<Pair>) {
    let mut scanner = Scanner::new(stanza::MESSAGE_END);
    let mut buffer = vec![0_u8; 32 * 1024];
    let mut found = Vec::new();
    loop {
        let count = match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => return pair.fail("a receiver's connection ended".to_owned()),
            Ok(count) => count,
        };
        let now = pair.micros();
        let mut received = 0;
        scanner.feed(&buffer[..count], |piece| {
            received += 1;
            if stanza::is_error(piece) {
                pair.fail(String::from_utf8_lossy(piece).into_owned());
            }
            if pair.flow == Flow::Paced {
                found.extend(stanza::stamp(piece).map(|stamp| now.saturating_sub(stamp)));
            }
        });
        if received > 0 {
            pair.received.fetch_add(received, Ordering::Relaxed);
            pair.room.notify_waiters();
        }
        if pair.measuring.load(Ordering::Relaxed) {
            let micros = found.iter().map(|&micros| u32::try_from(micros).unwrap_or(u32::MAX));
            lock(&pair.latencies).extend(micros);
        }
        found.clear();
    }
}

/// A sender hears only of what went wrong.
async fn listen(mut reader: Reader, pair: Arc<Pair>) {
    let mut scanner = Scanner::new(b">");
    let mut buffer = vec![0_u8; 4 * 1024];
    while let Ok(count) = reader.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let mut refused = false;
        scanner.feed(&buffer[..count], |piece| refused |= stanza::is_error(piece));
        if refused {
            pair.fail(String::from_utf8_lossy(&buffer[..count]).into_owned());
        }
    }
}

async fn hold(mut writer: Writer, dialect: Dialect, pair: Arc<Pair>) {
    while !pair.is_over() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if dialect == Dialect::Xmpp {
        let _gone = write(&mut writer, GOODBYE).await;
    }
}

impl Pair {
    fn new(flow: Flow, origin: Instant) -> Self {
        Self {
            flow,
            origin,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            room: Notify::new(),
            stop: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            measuring: AtomicBool::new(false),
            latencies: Mutex::new(Vec::new()),
            fault: Mutex::new(None),
        }
    }

    fn on_the_way(&self) -> u64 {
        let received = self.received.load(Ordering::Relaxed);
        self.sent.load(Ordering::Relaxed).saturating_sub(received)
    }

    /// Everything was sent and has come.
    fn is_over(&self) -> bool {
        self.silent.load(Ordering::Acquire) && self.on_the_way() == 0
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Keeps the first fault; those at the end, when everybody leaves, are none.
    fn fail(&self, why: String) {
        if !self.stop.load(Ordering::Relaxed) {
            lock(&self.fault).get_or_insert(why);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
