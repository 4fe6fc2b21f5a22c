//! Slows down guessing (DIR-26). Counts failures by login and by source, and does not know which
//! logins exist, so its answers cannot tell either.
//!
//! Only time forgives. A right password does not clear the count, for two reasons: a guesser could
//! see it cleared and would know that somebody signs in under this name; and a phone that comes
//! back every few minutes would hand out free tries all day. It costs the rightful person nothing,
//! since a delay follows a failure only.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv6Addr},
};

use model::Timestamp;

use crate::{fault::SaslFault, hash::sha256, login::Login};

/// Logins that are counted at the same time. One takes about 100 bytes, so all take about 7 MB.
pub const TRACKED_LOGINS_MAX: usize = 65_536;

/// Sources that are counted at the same time.
pub const TRACKED_SOURCES_MAX: usize = 65_536;

/// What one login is allowed, wherever the tries come from: five free failures, then 1, 2, 4 … 60
/// seconds between tries, and from twenty failures on a quarter of an hour. A failure is forgiven
/// each quarter of an hour.
pub const LOGIN_ALLOWANCE: Allowance =
    Allowance { free: 5, lock: 20, delay_secs_max: 60, lock_secs: 900, forgive_secs: 900 };

/// What one source is allowed, whatever logins it tries. Wider than a login's, for a whole office
/// may stand behind one address; a failure is forgiven each minute.
pub const SOURCE_ALLOWANCE: Allowance =
    Allowance { free: 50, lock: 200, delay_secs_max: 60, lock_secs: 900, forgive_secs: 60 };

/// Bits of an IPv6 address that make one source: one subscriber is given at least these.
const SOURCE_V6_PREFIX_BITS: u32 = 64;

/// How failures turn into delays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Failures without any delay.
    pub free: u32,
    /// Failures from which on `lock_secs` is waited.
    pub lock: u32,
    /// Longest delay below the lock, in seconds.
    pub delay_secs_max: i64,
    /// Delay at the lock, in seconds.
    pub lock_secs: i64,
    /// Quiet seconds that forgive one failure.
    pub forgive_secs: i64,
}

/// Whether a try may be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Verdict {
    /// It may.
    Go,
    /// Not before this time, right password or not.
    Wait {
        /// When the next try may be made.
        until: Timestamp,
    },
}

/// Counts of failed sign-ins, in bounded memory.
pub struct Throttle {
    logins: Counts,
    sources: Counts,
}

/// A login or a source in a few bytes: the front of its SHA-256, so that a long login costs no
/// more memory than a short one.
type Key = [u8; 16];

struct Counts {
    allowance: Allowance,
    entries_max: usize,
    entries: BTreeMap<Key, Count>,
    /// The same entries by the time they are forgiven, which is the order they are dropped in.
    by_clear: BTreeSet<(Timestamp, Key)>,
}

#[derive(Clone, Copy)]
struct Count {
    /// When the last failure is forgiven. How far that is away is the number of failures.
    clear_at: Timestamp,
    /// No try before.
    retry_at: Timestamp,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

impl Throttle {
    /// Nothing counted yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_capacity(TRACKED_LOGINS_MAX, TRACKED_SOURCES_MAX)
    }

    /// Other bounds than [`TRACKED_LOGINS_MAX`] and [`TRACKED_SOURCES_MAX`].
    #[must_use]
    pub const fn with_capacity(logins_max: usize, sources_max: usize) -> Self {
        Self {
            logins: Counts::new(LOGIN_ALLOWANCE, logins_max),
            sources: Counts::new(SOURCE_ALLOWANCE, sources_max),
        }
    }

    /// Runs one try: refuses it while the login or the source must wait, otherwise runs it and
    /// counts how it went. Under one lock nothing comes between the check and the count, so many
    /// tries at once gain nothing. The try must be quick, as the check of a SCRAM proof is.
    ///
    /// Only [`SaslFault::NotAuthorized`] counts as a failure: the others are no guesses. A try that
    /// must wait is answered with [`SaslFault::TemporaryAuthFailure`].
    pub fn guard<T>(
        &mut self,
        login: &Login,
        source: IpAddr,
        now: Timestamp,
        run: impl FnOnce() -> Result<T, SaslFault>,
    ) -> Result<T, SaslFault> {
        if self.check(login, source, now) != Verdict::Go {
            return Err(SaslFault::TemporaryAuthFailure);
        }
        let outcome = run();
        if let Err(SaslFault::NotAuthorized) = outcome {
            self.failed(login, source, now);
        }
        outcome
    }

    /// Whether a try may be made now. To be asked right before the proof is checked, under the lock
    /// that [`Self::failed`] is then called under; [`Self::guard`] does both.
    pub fn check(&self, login: &Login, source: IpAddr, now: Timestamp) -> Verdict {
        let login = self.logins.wait_until(&login_key(login), now);
        let source = self.sources.wait_until(&source_key(source), now);
        login.max(source).map_or(Verdict::Go, |until| Verdict::Wait { until })
    }

    /// Counts a wrong proof.
    pub fn failed(&mut self, login: &Login, source: IpAddr, now: Timestamp) {
        self.logins.failed(login_key(login), now);
        self.sources.failed(source_key(source), now);
    }
}

impl Counts {
    const fn new(allowance: Allowance, entries_max: usize) -> Self {
        Self { allowance, entries_max, entries: BTreeMap::new(), by_clear: BTreeSet::new() }
    }

    /// When the wait ends, if there is one. A time further away than any delay comes from a clock
    /// that was wrong and was put back; it holds nobody up.
    fn wait_until(&self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let longest = now.plus_secs(self.allowance.lock_secs);
        let count = self.entries.get(key)?;
        (now < count.retry_at && count.retry_at <= longest).then_some(count.retry_at)
    }

    fn clear(&mut self, key: &Key) {
        if let Some(count) = self.entries.remove(key) {
            self.by_clear.remove(&(count.clear_at, *key));
        }
    }

    fn failed(&mut self, key: Key, now: Timestamp) {
        let allowance = self.allowance;
        let clear_at = self.entries.get(&key).map_or(now, |count| count.clear_at.max(now));
        self.clear(&key);
        // Failures past the lock are not added up, so that the lock ends in a known time.
        let longest = now.plus_secs(allowance.forgive_secs * i64::from(allowance.lock));
        let clear_at = clear_at.plus_secs(allowance.forgive_secs).min(longest);
        let delay_secs = allowance.delay_secs(allowance.failures(clear_at, now));
        let count = Count { clear_at, retry_at: now.plus_secs(delay_secs) };
        self.make_room();
        self.entries.insert(key, count);
        self.by_clear.insert((clear_at, key));
    }

    /// Drops what is forgiven soonest. That is what has the fewest failures, so flooding the table
    /// with new names drops other new names, and to push out a locked one takes as many locked
    /// ones as the table holds.
    fn make_room(&mut self) {
        while self.entries.len() >= self.entries_max.max(1) {
            let Some((_, key)) = self.by_clear.pop_first() else {
                return;
            };
            self.entries.remove(&key);
        }
    }
}

impl Allowance {
    /// Failures that are not forgiven yet.
    fn failures(self, clear_at: Timestamp, now: Timestamp) -> u32 {
        let window = self.forgive_secs.max(1).saturating_mul(1_000_000);
        let micros = clear_at.micros_since(now).max(0);
        u32::try_from(micros.div_euclid(window) + i64::from(micros.rem_euclid(window) > 0))
            .unwrap_or(u32::MAX)
    }

    /// Seconds from this failure to the next try.
    fn delay_secs(self, failures: u32) -> i64 {
        if failures >= self.lock {
            return self.lock_secs;
        }
        match failures.checked_sub(self.free) {
            None | Some(0) => 0,
            Some(over) => {
                1_i64.checked_shl(over - 1).unwrap_or(i64::MAX).clamp(1, self.delay_secs_max)
            }
        }
    }
}

fn login_key(login: &Login) -> Key {
    key(b"login\0", login.as_str().as_bytes())
}

/// An IPv4 address, also when it is written as IPv6; or the subscriber's part of an IPv6 address.
fn source_key(source: IpAddr) -> Key {
    match source.to_canonical() {
        IpAddr::V4(address) => key(b"v4\0", &address.octets()),
        IpAddr::V6(address) => {
            let kept = u128::MAX << (u128::BITS - SOURCE_V6_PREFIX_BITS);
            key(b"v6\0", &Ipv6Addr::from_bits(address.to_bits() & kept).octets())
        }
    }
}

fn key(label: &[u8], bytes: &[u8]) -> Key {
    let digest = sha256(&[label, bytes].concat());
    let mut key = Key::default();
    for (to, from) in key.iter_mut().zip(digest) {
        *to = from;
    }
    key
}

#[cfg(test)]
mod tests;
