//! The verifier: reads a log and says whether it is what was signed, and if not, what was done to
//! it. It needs no secret: only the folder and the public key of the log.

mod damage;
mod naming;
mod pass;
mod sweep;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

pub use damage::{Damage, DamageKind};

use crate::{
    checkpoint::Checkpoint,
    history::{self, HISTORY_FILE},
    journal::{self, JOURNAL_FILE, JournalFault},
    key::VerifyingKey,
    log::CHECKPOINT_FILE,
    merkle::Digest,
};

/// Damages that are named one by one; more are only counted.
pub const DAMAGES_NAMED_MAX: usize = 1_000;

/// How far a verification has come, in records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Records done.
    pub done: u64,
    /// Records in all.
    pub total: u64,
}

/// What to check beside the log itself.
#[derive(Clone, Default)]
pub struct Expected {
    /// The name of the log; any if none is given.
    pub origin: Option<String>,
    /// Checkpoints that were kept elsewhere; the log must extend each of them (N2).
    pub older: Vec<Checkpoint>,
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The newest checkpoint that can be believed.
    pub checkpoint: Option<Checkpoint>,
    /// Openings of segments.
    pub openings: u64,
    /// Sealed messages.
    pub messages: u64,
    /// Sealed notes.
    pub notes: u64,
    /// Records whose salt was destroyed, so that nobody can open them again.
    pub destroyed: u64,
    /// The first of those records, at most [`DAMAGES_NAMED_MAX`].
    pub destroyed_leaves: Vec<u64>,
    /// Records that wait in the journal for the next checkpoint.
    pub unsigned: u64,
    /// Checkpoints in the history that were checked.
    pub checkpoints: u64,
    /// What is wrong, at most [`DAMAGES_NAMED_MAX`].
    pub damage: Vec<Damage>,
    /// How many things are wrong.
    pub damages: u64,
    /// What is odd but no damage.
    pub remarks: Vec<String>,
}

impl Report {
    /// Whether the log is exactly what was signed.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.damages == 0 && self.checkpoint.is_some()
    }
}

/// Collects what is found.
#[derive(Default)]
pub(crate) struct Findings {
    report: Report,
}

impl Findings {
    fn add(&mut self, damage: Damage) {
        self.report.damages += 1;
        if !self.is_full() {
            self.report.damage.push(damage);
        }
    }

    fn file(&mut self, file: &Path, offset: Option<u64>, kind: DamageKind) {
        self.add(Damage { leaf: None, file: file.to_owned(), offset, kind });
    }

    fn leaf(&mut self, leaf: u64, file: &Path, offset: u64, kind: DamageKind) {
        self.add(Damage { leaf: Some(leaf), file: file.to_owned(), offset: Some(offset), kind });
    }

    fn is_full(&self) -> bool {
        self.report.damage.len() >= DAMAGES_NAMED_MAX
    }

    fn io(&mut self, file: &Path, error: &io::Error) {
        let kind = if error.kind() == io::ErrorKind::NotFound {
            DamageKind::Missing
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            DamageKind::Short
        } else {
            DamageKind::Unreadable(error.to_string())
        };
        self.file(file, None, kind);
    }

    fn remark(&mut self, remark: String) {
        self.report.remarks.push(remark);
    }
}

/// Roots that the log must have had at some sizes, and who says so.
pub(crate) struct Target {
    root: Digest,
    source: Source,
}

/// Who says that a root is right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A signed checkpoint in the folder.
    Signed,
    /// A checkpoint that was kept elsewhere.
    Kept,
}

/// Checks the log in `dir`. `progress` is called for each 256 records. Nothing is written.
pub fn verify(
    dir: &Path,
    key: &VerifyingKey,
    expected: &Expected,
    mut progress: impl FnMut(Progress),
) -> Report {
    let mut findings = Findings::default();
    let mut targets: BTreeMap<u64, Vec<Target>> = BTreeMap::new();
    let past = read_history(dir, key, &mut targets, &mut findings);
    let newest = read_checkpoint(dir, key, &past, &mut findings);
    let journal = read_journal(dir, &mut findings);
    let Some(newest) = newest else { return findings.report };
    if past.is_none() {
        findings.remark(format!(
            "there are no older checkpoints in {HISTORY_FILE}: a log that was taken back to an older \
             state as a whole would not be noticed without one that was kept elsewhere"
        ));
    }
    if expected.origin.as_ref().is_some_and(|origin| *origin != newest.origin) {
        let kind = DamageKind::Origin(newest.origin.clone());
        findings.file(Path::new(CHECKPOINT_FILE), None, kind);
    }
    let target = Target { root: newest.root, source: Source::Signed };
    targets.entry(newest.size).or_default().push(target);
    for older in &expected.older {
        if older.size > newest.size {
            let kind = DamageKind::Shortened { older: older.size };
            findings.file(Path::new(CHECKPOINT_FILE), None, kind);
        } else {
            let target = Target { root: older.root, source: Source::Kept };
            targets.entry(older.size).or_default().push(target);
        }
    }
    findings.report.unsigned = journal.map_or(0, |end| end.saturating_sub(newest.size));
    let outcome = pass::run(dir, &newest, &targets, &mut findings, &mut progress);
    sweep::run(dir, newest.size, &outcome, &mut findings);
    findings.report.checkpoint = Some(newest);
    findings.report
}

/// Reads the history; what is signed becomes a target. Returns the newest of them.
fn read_history(
    dir: &Path,
    key: &VerifyingKey,
    targets: &mut BTreeMap<u64, Vec<Target>>,
    findings: &mut Findings,
) -> Option<Checkpoint> {
    let path = Path::new(HISTORY_FILE);
    let octets = match fs::read(dir.join(path)) {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            findings.io(path, &error);
            return None;
        }
    };
    let text = match std::str::from_utf8(&octets) {
        Ok(text) => text,
        Err(error) => {
            let offset = error.valid_up_to();
            let kind = DamageKind::Checkpoint(crate::CheckpointFault::Malformed);
            findings.file(path, Some(offset as u64), kind);
            std::str::from_utf8(octets.get(..offset).unwrap_or_default()).unwrap_or_default()
        }
    };
    let mut newest: Option<Checkpoint> = None;
    for block in history::blocks(text) {
        let (offset, opened) = match block {
            Ok(block) => (block.offset, Checkpoint::open(block.note, key)),
            Err(offset) => (offset, Err(crate::CheckpointFault::Malformed)),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(fault) => {
                findings.file(path, Some(offset as u64), DamageKind::Checkpoint(fault));
                continue;
            }
        };
        findings.report.checkpoints += 1;
        let target = Target { root: opened.root, source: Source::Signed };
        targets.entry(opened.size).or_default().push(target);
        if newest.as_ref().is_none_or(|newest| newest.size < opened.size) {
            newest = Some(opened);
        }
    }
    newest
}

/// The newest checkpoint that can be believed: the file's own, or one of the history if that is
/// newer or the file's own is damaged.
fn read_checkpoint(
    dir: &Path,
    key: &VerifyingKey,
    past: &Option<Checkpoint>,
    findings: &mut Findings,
) -> Option<Checkpoint> {
    let path = Path::new(CHECKPOINT_FILE);
    let opened = match fs::read(dir.join(path)) {
        Ok(octets) => {
            let note = String::from_utf8(octets);
            let opened = note
                .map_err(|_| crate::CheckpointFault::Malformed)
                .and_then(|note| Checkpoint::open(&note, key));
            opened.map_err(|fault| findings.file(path, None, DamageKind::Checkpoint(fault))).ok()
        }
        Err(error) => {
            findings.io(path, &error);
            None
        }
    };
    match (opened, past) {
        (Some(opened), Some(past)) if past.size > opened.size => {
            findings.file(path, None, DamageKind::RolledBack);
            Some(past.clone())
        }
        (Some(opened), _) => Some(opened),
        (None, past) => past.clone(),
    }
}

/// The number behind the last record of the journal.
fn read_journal(dir: &Path, findings: &mut Findings) -> Option<u64> {
    let path = Path::new(JOURNAL_FILE);
    match journal::read(&dir.join(path)) {
        Ok(replay) => {
            if replay.torn > 0 {
                let torn = replay.torn;
                let offset = replay.len();
                findings.remark(format!(
                    "the journal ends with {torn} octets, from byte {offset} on, of an append \
                     that is under way or never ended; if neither is so, they were changed"
                ));
            }
            replay.records.last().map(|(number, _)| number + 1)
        }
        Err(fault) => {
            match fault {
                JournalFault::Io(error) => findings.io(path, &error),
                JournalFault::Head => findings.file(path, Some(0), DamageKind::Journal),
                JournalFault::Changed(at) => findings.file(path, Some(at), DamageKind::Journal),
            }
            None
        }
    }
}

/// What the pass over all records found out for those who come after it.
pub(crate) struct Outcome {
    /// The tiles above the leaves as they should be, with their paths.
    upper: BTreeMap<PathBuf, Vec<u8>>,
}
