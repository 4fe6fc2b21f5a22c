//! The log on disk: takes sealed records in order, keeps them through any crash, and signs
//! checkpoints over them. It can read no record, and it draws no conclusions: `verify` does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{
    checkpoint::{Checkpoint, CheckpointFault, check_origin},
    entry::{Entry, EntryFault, NO_SALT, Record, SALT_BYTES},
    history,
    journal::{Journal, JournalFault},
    key::SigningKey,
    merkle::{Digest, leaf_hash},
    tile::{
        Edge, SALTS_PER_FILE, TILE_WIDTH, bodies_path, entries_path, read_either, salts_path,
        tile_path,
    },
};

/// The file of the newest checkpoint.
pub const CHECKPOINT_FILE: &str = "checkpoint";
const CHECKPOINT_NEW: &str = "checkpoint.new";

/// The file that keeps two programs from writing one log.
pub const LOCK_FILE: &str = "lock";

/// Bytes of records that wait in the journal, and in memory, for the next checkpoint; with more
/// an append makes a checkpoint by itself.
pub const JOURNAL_BYTES_MAX: u64 = 32 << 20;

/// The log that one server writes.
pub struct Log {
    dir: PathBuf,
    key: SigningKey,
    origin: String,
    /// The state that the newest checkpoint signs.
    settled: Settled,
    /// Records behind it, which are in the journal.
    pending: Vec<Record>,
    journal: Journal,
    /// The journal holds nothing that is needed and must be started again before it is used.
    stale: bool,
    /// Held as long as the log is open.
    _lock: File,
}

/// The right end of what is in the tiles.
#[derive(Clone)]
struct Settled {
    edge: Edge,
    /// The entries of the last, partial bundle with their lengths.
    bundle: Vec<u8>,
    /// Bytes of the bodies of that bundle.
    bodies_len: u64,
}

/// Why the log cannot do what it is asked. Whatever it was asked to take, it has not taken.
#[derive(Debug)]
pub enum LogFault {
    /// The disk is full. Nothing is lost; the same call works when there is room.
    Full,
    /// The file system says no.
    Io {
        /// Which file or folder of the log.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// Another program has the log open.
    InUse,
    /// The checkpoint on disk is missing, wrong, or of another key.
    Checkpoint(CheckpointFault),
    /// The name given is not that of the log on disk.
    Origin {
        /// The name of the log on disk.
        found: String,
    },
    /// The log on disk is not what was signed; [`crate::verify`] says more.
    Damaged {
        /// In which file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Records are missing between the log and what it is given.
    Gap {
        /// The number of the next record.
        expected: u64,
        /// The number given.
        given: u64,
    },
    /// Another record has that number.
    Conflict {
        /// The number.
        number: u64,
    },
    /// A record is not whole.
    Record {
        /// Its number.
        number: u64,
        /// What is wrong with it.
        fault: EntryFault,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> LogFault + '_ {
    move |error| {
        let kind = error.kind();
        let full =
            [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        if full.contains(&kind) {
            LogFault::Full
        } else {
            LogFault::Io { path: path.to_owned(), error }
        }
    }
}

impl Log {
    /// Opens the log in `dir`, or starts one, and repairs what a crash left unfinished. What the
    /// newest checkpoint signs must be there; what was safe in the journal is.
    pub fn open(dir: &Path, key: SigningKey, origin: &str) -> Result<Self, LogFault> {
        check_origin(origin).map_err(LogFault::Checkpoint)?;
        fs::create_dir_all(dir).map_err(at(dir))?;
        let lock = lock(dir)?;
        let mut fresh = false;
        let path = dir.join(CHECKPOINT_FILE);
        let checkpoint = match fs::read_to_string(&path) {
            Ok(note) => Checkpoint::open(&note, &key.verifying()).map_err(LogFault::Checkpoint)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_new(dir)? => {
                fresh = true;
                let root = Edge::new().root();
                Checkpoint { origin: origin.to_owned(), size: 0, root }
            }
            Err(error) => return Err(at(Path::new(CHECKPOINT_FILE))(error)),
        };
        if checkpoint.origin != origin {
            return Err(LogFault::Origin { found: checkpoint.origin });
        }
        let settled = Settled::read(dir, &checkpoint)?;
        let (journal, replay) =
            Journal::open(dir, checkpoint.size).map_err(|fault| match fault {
                JournalFault::Io(error) => at(Path::new("journal"))(error),
                JournalFault::Head => damaged("journal", "its head is not one"),
                JournalFault::Changed(_) => {
                    damaged("journal", "records that were safe on disk have been changed")
                }
            })?;
        let mut pending = Vec::new();
        for (number, record) in replay.records {
            let next = checkpoint.size + pending.len() as u64;
            if number > next {
                return Err(damaged("journal", "records are missing before it"));
            }
            if number == next {
                pending.push(record);
            }
        }
        let mut log = Self {
            dir: dir.to_owned(),
            key,
            origin: origin.to_owned(),
            settled,
            pending,
            journal,
            stale: false,
            _lock: lock,
        };
        if fresh {
            log.publish(&checkpoint)?;
        }
        Ok(log)
    }

    /// How many records the log has. The next record gets this number.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.settled.edge.size() + self.pending.len() as u64
    }

    /// How many records the newest checkpoint signs.
    #[must_use]
    pub fn signed_size(&self) -> u64 {
        self.settled.edge.size()
    }

    /// The folder of the log.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes records with their numbers, which are their leaf indices. A record that is there
    /// already is passed over if it is the same one, so that a caller who does not know how far it
    /// came may give everything again. When this returns without a fault, all of them are safe on
    /// disk; with a fault, none was added.
    pub fn append(&mut self, records: &[(u64, Record)]) -> Result<(), LogFault> {
        let mut fresh = Vec::with_capacity(records.len());
        for (number, record) in records {
            let next = self.size() + fresh.len() as u64;
            if *number > next {
                return Err(LogFault::Gap { expected: next, given: *number });
            }
            if *number < self.size() {
                if self.leaf(*number)? != record.leaf() {
                    return Err(LogFault::Conflict { number: *number });
                }
                continue;
            }
            if *number < next {
                return Err(LogFault::Conflict { number: *number });
            }
            record.check().map_err(|fault| LogFault::Record { number: *number, fault })?;
            fresh.push(record);
        }
        if fresh.is_empty() {
            return Ok(());
        }
        if self.journal.len() > JOURNAL_BYTES_MAX && !self.pending.is_empty() {
            self.settle()?;
        }
        self.refresh_journal()?;
        self.journal.append(self.size(), &fresh).map_err(at(Path::new("journal")))?;
        self.pending.extend(fresh.into_iter().cloned());
        Ok(())
    }

    /// The leaf hash of a record that the log has.
    fn leaf(&self, number: u64) -> Result<Digest, LogFault> {
        if let Some(later) = number.checked_sub(self.signed_size()) {
            let later = usize::try_from(later).unwrap_or(usize::MAX);
            return Ok(self.pending.get(later).map_or([0; 32], Record::leaf));
        }
        let mut nodes = crate::tile::TileNodes::new(&self.dir, self.signed_size());
        crate::merkle::Nodes::node(&mut nodes, 0, number).map_err(at(Path::new("tile/0")))
    }

    /// Puts all records into the tiles and signs a checkpoint over them. Without new records
    /// nothing is written.
    pub fn checkpoint(&mut self) -> Result<Checkpoint, LogFault> {
        if self.pending.is_empty() {
            return Ok(self.current());
        }
        self.settle()
    }

    fn current(&self) -> Checkpoint {
        Checkpoint {
            origin: self.origin.clone(),
            size: self.settled.edge.size(),
            root: self.settled.edge.root(),
        }
    }

    /// Every file is written at places and with octets that follow from the records, so that a
    /// settlement that a crash or a full disk cut short is simply done again.
    fn settle(&mut self) -> Result<Checkpoint, LogFault> {
        let mut writing = Writing { dir: &self.dir, folders: BTreeSet::new() };
        let mut settled = self.settled.clone();
        let from = settled.edge.size();
        let filled = settled.take(&self.pending, &mut writing)?;
        settled.write_partial(from, &mut writing)?;
        write_salts(from, &self.pending, &mut writing)?;
        writing.sync_folders()?;
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: settled.edge.size(),
            root: settled.edge.root(),
        };
        self.publish(&checkpoint)?;
        self.settled = settled;
        self.pending.clear();
        self.stale = true;
        for folder in filled {
            // Left-over partial tiles are allowed (C2SP tlog-tiles), so a failure is no fault.
            let _ = fs::remove_dir_all(self.dir.join(folder));
        }
        let note = checkpoint.sign(&self.key);
        history::append(&self.dir, &note).map_err(at(Path::new(history::HISTORY_FILE)))?;
        self.refresh_journal()?;
        Ok(checkpoint)
    }

    /// Starts the journal again if its records are all in the tiles.
    fn refresh_journal(&mut self) -> Result<(), LogFault> {
        if self.stale {
            let size = self.signed_size();
            self.journal = Journal::start(&self.dir, size).map_err(at(Path::new("journal")))?;
            self.stale = false;
        }
        Ok(())
    }

    fn publish(&mut self, checkpoint: &Checkpoint) -> Result<(), LogFault> {
        let note = checkpoint.sign(&self.key);
        let new = self.dir.join(CHECKPOINT_NEW);
        let write = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, self.dir.join(CHECKPOINT_FILE))?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(at(Path::new(CHECKPOINT_FILE)))
    }

    /// Destroys the salts of these records, for good: overwrites them with zeros. The tree and
    /// all proofs stay as they are. Copies of the salts in backups, and blocks that the disk or
    /// file system keeps, are not reached.
    pub fn destroy_salts(&mut self, leaves: &[u64]) -> Result<(), LogFault> {
        self.checkpoint()?;
        let mut files: BTreeMap<u64, File> = BTreeMap::new();
        for &leaf in leaves {
            if leaf >= self.size() {
                return Err(LogFault::Gap { expected: self.size(), given: leaf });
            }
            let number = leaf / SALTS_PER_FILE;
            let path = salts_path(number);
            let file = match files.entry(number) {
                std::collections::btree_map::Entry::Occupied(file) => file.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => place.insert(
                    OpenOptions::new().write(true).open(self.dir.join(&path)).map_err(at(&path))?,
                ),
            };
            file.seek(SeekFrom::Start(leaf % SALTS_PER_FILE * SALT_BYTES as u64))
                .and_then(|_| file.write_all(&NO_SALT))
                .map_err(at(&path))?;
        }
        files.values().try_for_each(File::sync_all).map_err(at(Path::new("salts")))
    }

    #[cfg(test)]
    pub(crate) fn journal_mut(&mut self) -> &mut Journal {
        &mut self.journal
    }
}

fn damaged(path: &str, what: &'static str) -> LogFault {
    LogFault::Damaged { path: PathBuf::from(path), what }
}

fn lock(dir: &Path) -> Result<File, LogFault> {
    let path = Path::new(LOCK_FILE);
    let lock = File::create(dir.join(path)).map_err(at(path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(LogFault::InUse),
        Err(TryLockError::Error(error)) => Err(at(path)(error)),
    }
}

/// A folder without checkpoint is a new log only if nothing of a log lies in it.
fn is_new(dir: &Path) -> Result<bool, LogFault> {
    let left = ["tile", "bodies", "salts", "journal", history::HISTORY_FILE];
    Ok(!left.iter().any(|name| dir.join(name).exists()))
}

impl Settled {
    /// Reads the end of the log and checks that it is the one that was signed.
    fn read(dir: &Path, checkpoint: &Checkpoint) -> Result<Self, LogFault> {
        let size = checkpoint.size;
        let edge = Edge::read(dir, size).map_err(at(Path::new("tile")))?;
        if edge.root() != checkpoint.root {
            return Err(damaged("tile", "the tiles do not add up to the root that was signed"));
        }
        let width = size % TILE_WIDTH;
        let mut settled = Self { edge, bundle: Vec::new(), bodies_len: 0 };
        if width == 0 {
            return Ok(settled);
        }
        let path = entries_path(size / TILE_WIDTH, width);
        let bundle = read_either(dir, &path, &entries_path(size / TILE_WIDTH, TILE_WIDTH))
            .map_err(at(&path))?;
        let mut leaves = Vec::new();
        for octets in Bundle::new(&bundle).take(usize::try_from(width).unwrap_or(usize::MAX)) {
            let octets = octets.map_err(|()| damaged("tile/entries", "the last bundle is cut"))?;
            let entry = Entry::decode(octets)
                .map_err(|_| damaged("tile/entries", "the last bundle has a changed entry"))?;
            settled.bodies_len += entry.length;
            push_entry(&mut settled.bundle, octets);
            leaves.push(leaf_hash(octets));
        }
        let signed = settled.edge.partial().find(|(level, _, _)| *level == 0);
        if signed.is_none_or(|(_, _, hashes)| hashes != leaves) {
            return Err(damaged("tile/entries", "the last bundle is not the one in the tree"));
        }
        Ok(settled)
    }

    /// Takes the records in; writes what they fill up, and all bodies. Returns the folders of
    /// partial files that full ones now stand for.
    fn take(
        &mut self,
        records: &[Record],
        writing: &mut Writing<'_>,
    ) -> Result<Vec<PathBuf>, LogFault> {
        let mut filled = Vec::new();
        let mut bodies = Vec::new();
        for (place, record) in records.iter().enumerate() {
            push_entry(&mut self.bundle, &record.entry);
            bodies.extend_from_slice(&record.body);
            let mut tiles = Vec::new();
            self.edge.push(leaf_hash(&record.entry), |level, index, hashes| {
                tiles.push((tile_path(level, index, TILE_WIDTH), hashes.concat()));
            });
            for (path, octets) in &tiles {
                writing.whole(path, octets)?;
                filled.push(partial_folder(path));
            }
            let index = (self.edge.size() - 1) / TILE_WIDTH;
            let full = self.edge.size().is_multiple_of(TILE_WIDTH);
            if full || place + 1 == records.len() {
                writing.part(&bodies_path(index), self.bodies_len, &bodies)?;
                self.bodies_len += bodies.len() as u64;
                bodies.clear();
            }
            if full {
                let path = entries_path(index, TILE_WIDTH);
                writing.whole(&path, &self.bundle)?;
                filled.push(partial_folder(&path));
                self.bundle.clear();
                self.bodies_len = 0;
            }
        }
        Ok(filled)
    }

    /// Writes the partial bundle and the partial tiles that are not those of size `from`.
    fn write_partial(&self, from: u64, writing: &mut Writing<'_>) -> Result<(), LogFault> {
        let size = self.edge.size();
        if !size.is_multiple_of(TILE_WIDTH) {
            let path = entries_path(size / TILE_WIDTH, size % TILE_WIDTH);
            writing.whole(&path, &self.bundle)?;
        }
        for (level, index, hashes) in self.edge.partial() {
            if crate::tile::level_len(from, level) != crate::tile::level_len(size, level) {
                let path = tile_path(level, index, hashes.len() as u64);
                writing.whole(&path, &hashes.concat())?;
            }
        }
        Ok(())
    }
}

fn partial_folder(full: &Path) -> PathBuf {
    full.with_extension("p")
}

fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) {
    bundle.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
    bundle.extend_from_slice(entry);
}

fn write_salts(from: u64, records: &[Record], writing: &mut Writing<'_>) -> Result<(), LogFault> {
    let mut number = from;
    let mut rest = records;
    while !rest.is_empty() {
        let room = usize::try_from(SALTS_PER_FILE - number % SALTS_PER_FILE).unwrap_or(usize::MAX);
        let (here, later) = rest.split_at(room.min(rest.len()));
        let salts: Vec<u8> = here.iter().flat_map(|record| record.salt).collect();
        let offset = number % SALTS_PER_FILE * SALT_BYTES as u64;
        writing.part(&salts_path(number / SALTS_PER_FILE), offset, &salts)?;
        number += here.len() as u64;
        rest = later;
    }
    Ok(())
}

/// The entries of a bundle, one after the other.
pub(crate) struct Bundle<'a> {
    rest: &'a [u8],
}

impl<'a> Bundle<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for Bundle<'a> {
    /// An error is a bundle that is cut off; nothing comes after it.
    type Item = Result<&'a [u8], ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self
            .rest
            .split_first_chunk::<2>()
            .and_then(|(len, rest)| rest.split_at_checked(usize::from(u16::from_be_bytes(*len))));
        self.rest = entry.map_or(&[], |(_, rest)| rest);
        Some(entry.map(|(entry, _)| entry).ok_or(()))
    }
}

/// Writes files of the log and syncs them; remembers whose names must be synced too.
struct Writing<'a> {
    dir: &'a Path,
    folders: BTreeSet<PathBuf>,
}

impl Writing<'_> {
    /// A file that is written once.
    fn whole(&mut self, path: &Path, octets: &[u8]) -> Result<(), LogFault> {
        self.folder_of(path)?;
        let write = || -> io::Result<()> {
            let mut file = File::create(self.dir.join(path))?;
            file.write_all(octets)?;
            file.sync_all()
        };
        write().map_err(at(path))
    }

    /// A part of a file that grows; what lies behind the part is cut off.
    fn part(&mut self, path: &Path, offset: u64, octets: &[u8]) -> Result<(), LogFault> {
        self.folder_of(path)?;
        let write = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            let mut file = options.open(self.dir.join(path))?;
            file.set_len(offset)?;
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(octets)?;
            file.sync_all()
        };
        write().map_err(at(path))
    }

    fn folder_of(&mut self, path: &Path) -> Result<(), LogFault> {
        let folder = path.parent().unwrap_or(Path::new(""));
        if self.folders.contains(folder) {
            return Ok(());
        }
        fs::create_dir_all(self.dir.join(folder)).map_err(at(folder))?;
        self.folders.extend(folder.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_folders(&self) -> Result<(), LogFault> {
        for folder in &self.folders {
            File::open(self.dir.join(folder))
                .and_then(|file| file.sync_all())
                .map_err(at(folder))?;
        }
        Ok(())
    }
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the disk of the archive is full"),
            Self::Io { path, error } => {
                write!(f, "{} of the archive: {error}", path.display())
            }
            Self::InUse => f.write_str("another program has the archive open"),
            Self::Checkpoint(fault) => fault.fmt(f),
            Self::Origin { found } => write!(f, "the log on disk is that of {found}"),
            Self::Damaged { path, what } => {
                write!(f, "{} of the archive is damaged: {what}", path.display())
            }
            Self::Gap { expected, given } => {
                write!(f, "the log goes on with record {expected}, but was given {given}")
            }
            Self::Conflict { number } => write!(f, "the log has another record {number}"),
            Self::Record { number, fault } => write!(f, "record {number}: {fault}"),
        }
    }
}

impl std::error::Error for LogFault {}
