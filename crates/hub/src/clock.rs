//! The wall clock. The one place of the hub that reads it; what decides gets the time handed in.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// Now, in UTC. A clock set before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "this is where the hub reads the clock")]
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Now, on a clock that never goes back. For measuring, not for telling.
#[expect(clippy::disallowed_methods, reason = "this is where the hub reads the clock")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}
