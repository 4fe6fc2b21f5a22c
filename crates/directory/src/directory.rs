//! The handle: one file, the state folded from it, and whoever waits for changes. Several handles,
//! in one process or in many, may work on one file.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use model::Timestamp;
use tokio::sync::watch;

use crate::{
    change::{Author, Change},
    fault::{DirectoryFault, Rejection},
    fold,
    journal::{Journal, Lock, Position},
    limits::{LINE_BYTES_MAX, TRAIL_LINES_MAX},
    line::Line,
    rules,
    snapshot::Snapshot,
};

/// The embedded directory. Shared by reference; readers never wait for writers.
pub struct Directory {
    /// The file, and how far it is folded into `current`. Held while the file is read or written.
    journal: Mutex<(Journal, Position)>,
    current: ArcSwap<Snapshot>,
    version: watch::Sender<u64>,
}

/// One set of changes in the audit trail: who changed what, when and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrailLine {
    /// The version that the set made.
    pub number: u64,
    /// When, by the clock of the machine that made it.
    pub time: Timestamp,
    /// Who.
    pub author: Author,
    /// Why, in the author's words. May be empty.
    pub reason: String,
    /// What, one sentence for each change, without sign-in names and verifiers.
    pub changes: Vec<String>,
}

impl Directory {
    /// Makes the file, readable by its owner only, with a domain and nobody in it.
    pub fn create(
        path: impl AsRef<Path>,
        domain: &str,
        author: &Author,
        now: Timestamp,
    ) -> Result<Self, DirectoryFault> {
        let change = Change::DomainSet { domain: domain.to_owned() };
        let line = Line {
            number: 1,
            time: now,
            author: author.clone(),
            reason: String::new(),
            previous: Position::START.digest,
            changes: vec![change],
        };
        let mut state = Snapshot::empty();
        fold::fold_line(&mut state, &line)?;
        let (journal, position) = Journal::create(path.as_ref(), &line.encode()?)?;
        Ok(Self::new(journal, position, state))
    }

    /// Opens the file and folds all its lines. A torn last line, left by a crash, is passed over,
    /// and cut at the next change.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DirectoryFault> {
        let journal = Journal::open(path.as_ref())?;
        let mut state = Snapshot::empty();
        let position = read_into(&journal.lock_shared()?, Position::START, &mut state)?;
        if position == Position::START {
            return Err(DirectoryFault::Unborn { path: path.as_ref().to_owned() });
        }
        Ok(Self::new(journal, position, state))
    }

    fn new(journal: Journal, position: Position, state: Snapshot) -> Self {
        let (version, _) = watch::channel(state.version());
        Self {
            journal: Mutex::new((journal, position)),
            current: ArcSwap::from_pointee(state),
            version,
        }
    }

    /// The state as last read or written by this handle. Takes no lock.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Tells of each new version, whoever made it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Reads what other processes appended. True if there was something. On a fault the last good
    /// state stays. Waits for the file lock, so not for a thread that serves others.
    pub fn refresh(&self) -> Result<bool, DirectoryFault> {
        let mut held = self.held();
        let (journal, position) = &mut *held;
        let lock = journal.lock_shared()?;
        self.catch_up(&lock, position)
    }

    /// Makes a set of changes, all or none, and returns the version they made. Reads first what
    /// others appended, and judges the changes against that. Waits for the file lock and the disk,
    /// so not for a thread that serves others.
    pub fn apply(
        &self,
        changes: &[Change],
        author: &Author,
        reason: &str,
        now: Timestamp,
    ) -> Result<u64, DirectoryFault> {
        let mut held = self.held();
        let (journal, position) = &mut *held;
        let lock = journal.lock_exclusive()?;
        self.catch_up(&lock, position)?;
        let before = self.snapshot();
        let line = Line {
            number: position.number + 1,
            time: now,
            author: author.clone(),
            reason: reason.to_owned(),
            previous: position.digest,
            changes: changes.to_vec(),
        };
        rules::check_values(changes)?;
        let bytes = line.encode()?;
        let after = judge(&before, &read_back(*position, &bytes)?)?;
        *position = lock.append(*position, &bytes)?;
        let version = after.version();
        self.publish(after);
        Ok(version)
    }

    /// The state that a set of changes would make, judged as [`Self::apply`] would, without making
    /// them and without reading what others appended (POL-24).
    pub fn try_out(
        &self,
        changes: &[Change],
        author: &Author,
        now: Timestamp,
    ) -> Result<Snapshot, Rejection> {
        let before = self.snapshot();
        let position = Position { number: before.version(), ..Position::START };
        let line = Line {
            number: position.number + 1,
            time: now,
            author: author.clone(),
            reason: String::new(),
            previous: position.digest,
            changes: changes.to_vec(),
        };
        rules::check_values(changes)?;
        judge(&before, &read_back(position, &line.encode()?)?)
    }

    /// The sets of changes after version `after`, oldest first, `max` or [`TRAIL_LINES_MAX`] at
    /// most. Reads the file from its start.
    pub fn trail(&self, after: u64, max: usize) -> Result<Vec<TrailLine>, DirectoryFault> {
        let held = self.held();
        let mut lines = Vec::new();
        held.0.lock_shared()?.read(Position::START, |before, bytes| {
            if before.number >= after && lines.len() < max.min(TRAIL_LINES_MAX) {
                let line = Line::decode(before, bytes)?;
                lines.push(TrailLine {
                    number: line.number,
                    time: line.time,
                    author: line.author,
                    reason: line.reason,
                    changes: line.changes.iter().map(Change::to_string).collect(),
                });
            }
            Ok(())
        })?;
        Ok(lines)
    }

    fn held(&self) -> MutexGuard<'_, (Journal, Position)> {
        // A holder that panicked left position and state as they were before its change.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn catch_up(&self, lock: &Lock<'_>, position: &mut Position) -> Result<bool, DirectoryFault> {
        let mut state = Snapshot::clone(&self.current.load());
        let reached = read_into(lock, *position, &mut state)?;
        if reached == *position {
            return Ok(false);
        }
        *position = reached;
        self.publish(state);
        Ok(true)
    }

    fn publish(&self, state: Snapshot) {
        let version = state.version();
        self.current.store(Arc::new(state));
        self.version.send_replace(version);
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Directory").field(&self.snapshot()).finish()
    }
}

/// Folds the complete lines after `from` into the state.
fn read_into(
    lock: &Lock<'_>,
    from: Position,
    state: &mut Snapshot,
) -> Result<Position, DirectoryFault> {
    lock.read(from, |before, bytes| {
        let line = Line::decode(before, bytes)?;
        fold::fold_line(state, &line).map_err(|rejection| DirectoryFault::Damaged {
            line: line.number,
            why: format!("it cannot follow the lines before it: {rejection}"),
        })
    })
}

/// The line as whoever reads the file will see it: what takes effect is what was written, and what
/// could not be read again is not written.
fn read_back(position: Position, bytes: &[u8]) -> Result<Line, Rejection> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(Rejection::TooLong { what: "one set of changes", bytes_max: LINE_BYTES_MAX });
    }
    Line::decode(position, bytes).map_err(|fault| {
        let why =
            if let DirectoryFault::Damaged { why, .. } = fault { why } else { fault.to_string() };
        Rejection::Unwritable(why)
    })
}

/// The state after a new line: the fold, and what only whoever makes a change must keep to.
fn judge(before: &Snapshot, line: &Line) -> Result<Snapshot, Rejection> {
    fold::check_author(before, line)?;
    let mut after = before.clone();
    fold::fold_line(&mut after, line)?;
    rules::check_policy(&after, line)?;
    Ok(after)
}
