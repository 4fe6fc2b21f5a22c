//! The file of lines: locking, reading, appending, and telling a torn tail from damage. Knows bytes
//! and the chain of digests; must not know what a line means.
//!
//! A line counts once its newline is there. Bytes after the last newline are what a crash left of a
//! line that was never acknowledged; the next writer cuts them.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
};

use sha2::{Digest as _, Sha256};

use crate::{
    fault::DirectoryFault,
    limits::{LINE_BYTES_MAX, LOCK_TRIES, LOCK_WAIT},
};

/// SHA-256 of a line without its newline.
pub(crate) type Digest = [u8; 32];

/// What the first line names as its predecessor.
pub(crate) const START: Digest = [0; 32];

/// What every line begins with; tells a torn first line from somebody else's file.
pub(crate) const LINE_PREFIX: &[u8] = b"{\"format\":";

/// How far the file has been read: everything before is folded into the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Number of the last line read; 0 before the first.
    pub(crate) number: u64,
    /// Digest of the last line read.
    pub(crate) digest: Digest,
}

impl Position {
    /// Before the first line.
    pub(crate) const START: Self = Self { offset: 0, number: 0, digest: START };

    /// Behind one more line.
    pub(crate) fn after(self, line: &[u8]) -> Self {
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX);
        Self {
            offset: self.offset.saturating_add(bytes).saturating_add(1),
            number: self.number.saturating_add(1),
            digest: digest(line),
        }
    }
}

/// Digest of one line.
pub(crate) fn digest(line: &[u8]) -> Digest {
    Sha256::digest(line).into()
}

/// The open file. Whoever reads or writes it holds a [`Lock`].
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
}

/// The file lock; given back when dropped.
pub(crate) struct Lock<'a> {
    journal: &'a Journal,
    exclusive: bool,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // Closing the file gives the lock back too, so a failure here can wait for that.
        let _ = self.journal.file.unlock();
    }
}

impl Journal {
    /// Makes the file with its first line. A file that holds nothing, or only the torn beginning of
    /// a first line, is one whose making was interrupted, and is made again.
    pub(crate) fn create(path: &Path, line: &[u8]) -> Result<(Self, Position), DirectoryFault> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|source| fault(path, "create", source))?;
        let journal = Self { file, path: path.to_owned() };
        let lock = journal.lock_exclusive()?;
        journal.check_mode()?;
        if !journal.is_unborn()? {
            return Err(DirectoryFault::Exists { path: path.to_owned() });
        }
        let position = lock.append(Position::START, line)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(|source| fault(path, "create", source))?;
        drop(lock);
        Ok((journal, position))
    }

    /// Opens an existing file for reading and appending.
    pub(crate) fn open(path: &Path) -> Result<Self, DirectoryFault> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                DirectoryFault::Missing { path: path.to_owned() }
            } else {
                fault(path, "open", source)
            }
        })?;
        let journal = Self { file, path: path.to_owned() };
        journal.check_mode()?;
        Ok(journal)
    }

    /// Waits for other readers and writers to leave; nobody else can come in.
    pub(crate) fn lock_exclusive(&self) -> Result<Lock<'_>, DirectoryFault> {
        self.lock(true, LOCK_TRIES)
    }

    /// Waits for a writer to leave, so that no line is seen while it is being written.
    pub(crate) fn lock_shared(&self) -> Result<Lock<'_>, DirectoryFault> {
        self.lock(false, LOCK_TRIES)
    }

    pub(crate) fn lock(&self, exclusive: bool, tries: u32) -> Result<Lock<'_>, DirectoryFault> {
        for _ in 0..tries {
            let tried = if exclusive { self.file.try_lock() } else { self.file.try_lock_shared() };
            match tried {
                Ok(()) => {
                    let lock = Lock { journal: self, exclusive };
                    self.check_same_file()?;
                    return Ok(lock);
                }
                Err(std::fs::TryLockError::WouldBlock) => thread::sleep(LOCK_WAIT),
                Err(std::fs::TryLockError::Error(source)) => {
                    return Err(fault(&self.path, "lock", source));
                }
            }
        }
        Err(DirectoryFault::Busy { path: self.path.clone() })
    }

    /// Only the owner may read verifiers: whoever has one can try passwords against it at leisure.
    fn check_mode(&self) -> Result<(), DirectoryFault> {
        let meta = self.file.metadata().map_err(|source| fault(&self.path, "read", source))?;
        if !meta.is_file() {
            return Err(DirectoryFault::NotAFile { path: self.path.clone() });
        }
        if meta.mode() & 0o077 != 0 {
            return Err(DirectoryFault::TooOpen {
                path: self.path.clone(),
                mode: meta.mode() & 0o777,
            });
        }
        Ok(())
    }

    /// A file put in the place of the open one, for example by restoring a backup, would be written
    /// by nobody and read by nobody: better to say so.
    fn check_same_file(&self) -> Result<(), DirectoryFault> {
        let held = self.file.metadata().map_err(|source| fault(&self.path, "read", source))?;
        match std::fs::metadata(&self.path) {
            Ok(named) if (named.dev(), named.ino()) == (held.dev(), held.ino()) => Ok(()),
            Ok(_) | Err(_) => Err(DirectoryFault::Replaced { path: self.path.clone() }),
        }
    }

    fn is_unborn(&self) -> Result<bool, DirectoryFault> {
        let mut start = Vec::new();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        (&self.file)
            .take(limit)
            .read_to_end(&mut start)
            .map_err(|source| fault(&self.path, "read", source))?;
        let compared = start.len().min(LINE_PREFIX.len());
        Ok(!start.contains(&b'\n')
            && start.len() <= LINE_BYTES_MAX
            && start.get(..compared) == LINE_PREFIX.get(..compared))
    }
}

impl Lock<'_> {
    /// Reads the complete lines after `from`, giving each with the position before it to `each`,
    /// and returns the position behind the last. What `each` refuses ends the reading.
    pub(crate) fn read(
        &self,
        from: Position,
        mut each: impl FnMut(Position, &[u8]) -> Result<(), DirectoryFault>,
    ) -> Result<Position, DirectoryFault> {
        let path = &self.journal.path;
        let io_fault = |source| fault(path, "read", source);
        let len = self.journal.file.metadata().map_err(io_fault)?.len();
        if len < from.offset {
            return Err(DirectoryFault::Replaced { path: path.clone() });
        }
        if len == from.offset {
            return Ok(from);
        }
        let mut file = &self.journal.file;
        file.seek(SeekFrom::Start(from.offset)).map_err(io_fault)?;
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let (mut line, mut at) = (Vec::new(), from);
        loop {
            line.clear();
            (&mut reader).take(limit).read_until(b'\n', &mut line).map_err(io_fault)?;
            if line.pop_if(|byte| *byte == b'\n').is_some() {
                each(at, &line)?;
                at = at.after(&line);
            } else if line.len() > LINE_BYTES_MAX {
                let why = format!("it is longer than {LINE_BYTES_MAX} bytes");
                return Err(DirectoryFault::Damaged { line: at.number.saturating_add(1), why });
            } else {
                break;
            }
        }
        if at != from {
            // Lines of a writer who died before it could sync must not vanish after they took
            // effect here, or their numbers would be given twice.
            self.journal.file.sync_data().map_err(io_fault)?;
        }
        Ok(at)
    }

    /// Cuts what a crash left behind `at`, writes one line and syncs it. On any fault the file is as
    /// long as before.
    pub(crate) fn append(&self, at: Position, line: &[u8]) -> Result<Position, DirectoryFault> {
        debug_assert!(self.exclusive && !line.contains(&b'\n'), "one whole line, alone");
        let file = &self.journal.file;
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        let written = file
            .set_len(at.offset)
            .and_then(|()| file.write_all_at(&bytes, at.offset))
            .and_then(|()| file.sync_data());
        if let Err(source) = written {
            // If this fails too, the line is either torn, and cut later, or whole, and read later:
            // the state follows the file, whatever became of it.
            let _ = file.set_len(at.offset).and_then(|()| file.sync_data());
            return Err(fault(&self.journal.path, "write", source));
        }
        Ok(at.after(line))
    }
}

fn fault(path: &Path, doing: &'static str, source: io::Error) -> DirectoryFault {
    DirectoryFault::Io { path: path.to_owned(), doing, source }
}
