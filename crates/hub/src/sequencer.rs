//! The sequencer: moves sealed records from the outbox into the verifiable log, and signs what the
//! log has come to. It may stop and start at any record; the log skips what it has.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use archive::{Log, Record};
use store::{OUTBOX_PAGE_BYTES_MAX, Reader};

use crate::{Hub, commit::Job};

/// Records moved at once.
pub const MOVE_MAX: usize = 8_192;

/// Bytes of records that are handed over without being read back from the outbox.
pub const HANDED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Milliseconds between two moves, so that many records share a sync and a signature of the log.
pub const MOVE_MILLIS: u64 = 1_000;

/// Seconds until a failed move is tried again.
pub const RETRY_SECS: u64 = 2;

/// Wakes the sequencer when there are records.
#[derive(Default)]
pub(crate) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    rung: bool,
    stop: bool,
    /// Records that were just stored, with their numbers, so that they need not be read back.
    handed: VecDeque<(u64, Record)>,
    handed_bytes: usize,
}

impl Bell {
    /// There are records in the outbox, and these are they. What there is no room for is read from
    /// the outbox later.
    pub(crate) fn hand_over(&self, records: Vec<(u64, Record)>) {
        if records.is_empty() {
            return;
        }
        let bytes: usize = records.iter().map(|(_, record)| record.encoded_len()).sum();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.handed_bytes + bytes <= HANDED_BYTES_MAX {
            state.handed_bytes += bytes;
            state.handed.extend(records);
        }
        drop(state);
        self.wake();
    }

    /// The records handed over that go on from this number, at most [`MOVE_MAX`]. None if others
    /// come before them.
    fn take(&self, from: u64) -> Vec<(u64, Record)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        let mut next = from;
        while let Some((number, _)) = state.handed.front()
            && *number <= next
            && taken.len() < MOVE_MAX
            && let Some((number, record)) = state.handed.pop_front()
        {
            state.handed_bytes -= record.encoded_len();
            if number == next {
                taken.push((number, record));
                next += 1;
            }
        }
        taken
    }

    /// There are records.
    pub(crate) fn wake(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.rung {
            state.rung = true;
            drop(state);
            self.rung.notify_one();
        }
    }

    /// Move what there is and end.
    pub(crate) fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.rung.notify_one();
    }

    /// Waits for records. False if it is time to end.
    fn wait(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.rung && !state.stop {
            state = self.rung.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.rung = false;
        !state.stop
    }

    fn pause(&self, time: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let paused = self.rung.wait_timeout_while(state, time, |state| !state.stop);
        drop(paused.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Runs until it is told to stop; what the outbox has then is moved before.
pub(crate) fn run(hub: &Arc<Hub>, reader: &Reader, mut log: Log) {
    loop {
        let goes_on = hub.threads.sequencer.wait();
        while move_some(hub, reader, &mut log) {}
        if !goes_on {
            return;
        }
        hub.threads.sequencer.pause(Duration::from_millis(MOVE_MILLIS));
    }
}

/// Moves some records. False once there are no more.
fn move_some(hub: &Hub, reader: &Reader, log: &mut Log) -> bool {
    let handed = hub.threads.sequencer.take(log.size());
    let records = if handed.is_empty() { reader.outbox(log.size(), MOVE_MAX) } else { Ok(handed) };
    let records = match records {
        Ok(records) => records,
        Err(fault) => {
            tracing::warn!(%fault, "the outbox cannot be read");
            hub.threads.sequencer.pause(Duration::from_secs(RETRY_SECS));
            hub.threads.sequencer.wake();
            return false;
        }
    };
    let Some((through, _)) = records.last() else { return false };
    let through = *through;
    if let Err(fault) = log.append(&records).and_then(|()| log.checkpoint().map(drop)) {
        tracing::error!(%fault, "the log does not take records; they wait in the store");
        hub.threads.sequencer.pause(Duration::from_secs(RETRY_SECS));
        hub.threads.sequencer.wake();
        return false;
    }
    if hub.queue.push(Job::InLog { through }).is_err() {
        tracing::debug!("records that are in the log stay in the outbox for now");
    }
    // A page that ended for its bytes has a little less in records than it had as it was stored.
    let bytes: usize =
        records.iter().map(|(_, record)| record.entry.len() + record.body.len()).sum();
    records.len() >= MOVE_MAX || bytes >= OUTBOX_PAGE_BYTES_MAX / 2
}
