//! A time for the tests, and ids that go on.

use std::sync::Mutex;

use model::{MessageId, MessageIds, Timestamp};

/// 2026-11-21T09:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_795_251_600);

/// Gives out ids, one a millisecond.
pub(crate) struct Ids(Mutex<(MessageIds, i64)>);

impl Ids {
    pub(crate) fn new() -> Self {
        Self(Mutex::new((MessageIds::after(None), START.as_millis())))
    }

    pub(crate) fn next(&self) -> MessageId {
        let mut ids = self.0.lock().unwrap();
        ids.1 += 1;
        let now = Timestamp::from_millis(ids.1);
        ids.0.next(now, 4_711)
    }
}
