//! What a server costs, read from /proc, and its end; knows no protocol.

use crate::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks a second in /proc/PID/stat: a constant of Linux's interface on all usual machines.
const TICKS_PER_SEC: u64 = 100;

/// Time that a server has to end by itself before it is killed.
const ENDING_SECS_MAX: u64 = 20;

/// Open files that two thousand sessions, both sides, leave room in.
pub(crate) const OPEN_FILES: u64 = 8_192;

/// A server that ends when this is dropped.
pub(crate) struct Server {
    child: Child,
}

/// Processor time at one moment: of every process, and finer of every thread.
pub(crate) struct Spent {
    ticks: u64,
    threads: BTreeMap<(u32, u32), u64>,
}

impl Server {
    /// Starts a program that stays in the foreground.
    pub(crate) fn start(mut command: Command) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null());
        let child = command.spawn().map_err(|why| format!("cannot start {name}: {why}"))?;
        Ok(Self { child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says how it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// The process and all that came from it.
    fn tree(&self) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let mut left = vec![self.id()];
        while let Some(process) = left.pop() {
            if found.insert(process) {
                for thread in threads(process) {
                    let path = format!("/proc/{process}/task/{thread}/children");
                    let text = fs::read_to_string(path).unwrap_or_default();
                    left.extend(
                        text.split_whitespace().filter_map(|word| word.parse::<u32>().ok()),
                    );
                }
            }
        }
        found
    }

    /// Processor time up to now.
    pub(crate) fn spent(&self) -> Spent {
        let mut spent = Spent { ticks: 0, threads: BTreeMap::new() };
        for process in self.tree() {
            spent.ticks += ticks(process);
            for thread in threads(process) {
                let path = format!("/proc/{process}/task/{thread}/schedstat");
                let text = fs::read_to_string(path).unwrap_or_default();
                let nanos = text.split_whitespace().next().and_then(|word| word.parse().ok());
                spent.threads.insert((process, thread), nanos.unwrap_or(0));
            }
        }
        spent
    }

    /// Bytes that only this server has in memory.
    pub(crate) fn private_bytes(&self) -> u64 {
        self.tree().into_iter().map(private_bytes).sum()
    }
}

impl Spent {
    /// Nanoseconds from `self` to `after`. Threads are counted to the nanosecond, but those that have
    /// ended meanwhile are only in the ticks of their process.
    pub(crate) fn nanos_until(&self, after: &Self) -> u64 {
        let fine: u64 = after
            .threads
            .iter()
            .map(|(thread, nanos)| {
                nanos.saturating_sub(self.threads.get(thread).copied().unwrap_or(0))
            })
            .sum();
        let tick = 1_000_000_000 / TICKS_PER_SEC;
        // User and system time are cut to ticks separately, at both ends.
        let coarse = after.ticks.saturating_sub(self.ticks).saturating_sub(2) * tick;
        fine.max(coarse)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = self.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &process]).status();
        let since = Instant::now();
        while asked.is_ok() && since.elapsed() < Duration::from_secs(ENDING_SECS_MAX) {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Lets this process, and what it starts, open many files.
pub(crate) fn raise_open_files() -> Outcome<()> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let (soft, hard) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(u64::MAX));
    if soft >= OPEN_FILES {
        return Ok(());
    }
    let hard = hard.max(OPEN_FILES);
    let words = [format!("--pid={}", std::process::id()), format!("--nofile={OPEN_FILES}:{hard}")];
    match Command::new("prlimit").args(words).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("{soft} open files are too few; start with `ulimit -n {OPEN_FILES}`")),
    }
}

fn threads(process: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// User and system time, fields 14 and 15 of proc(5)'s stat. The name in brackets may hold anything.
fn ticks(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum()
}

fn private_bytes(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    text.lines()
        .filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .map(|kibibytes| kibibytes * 1024)
        .sum()
}
