//! The journal: records that are safe on disk but not yet in the tiles. One write and one sync for
//! each append, whatever the number of records. It knows nothing of trees.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::{
    entry::{ENTRY_BYTES, Record, SALT_BYTES},
    merkle::{Digest, sha256},
};

/// The journal's file in the folder of a log.
pub(crate) const JOURNAL_FILE: &str = "journal";
const JOURNAL_NEW: &str = "journal.new";

const HEAD_MAGIC: &[u8; 8] = b"CHJRNL1\n";
const HEAD_BYTES: usize = 8 + 8 + 32;
const BATCH_MAGIC: &[u8; 8] = b"CHBATCH\n";
/// Magic, number of the first record, count, length of the records, digest.
const BATCH_HEAD_BYTES: usize = 8 + 8 + 4 + 8 + 32;

/// The open journal.
pub(crate) struct Journal {
    file: File,
    /// Bytes that are known to be good; whatever lies behind them is void.
    len: u64,
    /// A failed write may have left bytes behind `len`.
    dirty: bool,
}

/// What a journal holds.
pub(crate) struct Replay {
    /// The records and their numbers, gap-free.
    pub(crate) records: Vec<(u64, Record)>,
    /// Bytes of the journal that are good.
    len: u64,
    /// Bytes behind the good ones: an append that never ended.
    pub(crate) torn: u64,
}

impl Replay {
    /// Bytes of the journal that are good.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

/// What is wrong with a journal.
#[derive(Debug)]
pub(crate) enum JournalFault {
    Io(io::Error),
    /// The head is not one.
    Head,
    /// A batch that was safe on disk has been changed since: its offset.
    Changed(u64),
}

impl From<io::Error> for JournalFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Journal {
    /// Opens the journal of the log in `dir`, or starts one, and cuts an unfinished end off.
    pub(crate) fn open(dir: &Path, size: u64) -> Result<(Self, Replay), JournalFault> {
        let path = dir.join(JOURNAL_FILE);
        if !path.try_exists()? {
            let journal = Self::start(dir, size)?;
            let replay = Replay { records: Vec::new(), len: journal.len, torn: 0 };
            return Ok((journal, replay));
        }
        let replay = read(&path)?;
        let file = OpenOptions::new().write(true).open(&path)?;
        if replay.torn > 0 {
            file.set_len(replay.len)?;
            file.sync_all()?;
        }
        Ok((Self { file, len: replay.len, dirty: false }, replay))
    }

    /// Replaces the journal by an empty one for the records from `base` on.
    pub(crate) fn start(dir: &Path, base: u64) -> io::Result<Self> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.extend_from_slice(HEAD_MAGIC);
        head.extend_from_slice(&base.to_be_bytes());
        head.extend_from_slice(&sha256(&[&head]));
        let new = dir.join(JOURNAL_NEW);
        let mut file = File::create(&new)?;
        file.write_all(&head)?;
        file.sync_all()?;
        fs::rename(&new, dir.join(JOURNAL_FILE))?;
        File::open(dir)?.sync_all()?;
        Ok(Self { file, len: HEAD_BYTES as u64, dirty: false })
    }

    /// Bytes in the journal.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Writes the records and syncs. On an error nothing was added.
    pub(crate) fn append(&mut self, first: u64, records: &[&Record]) -> io::Result<()> {
        if self.dirty {
            self.file.set_len(self.len)?;
            self.dirty = false;
        }
        let batch = encode(first, records);
        self.dirty = true;
        self.file.seek(SeekFrom::Start(self.len))?;
        let written = self.file.write_all(&batch).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.dirty = false;
                self.len += batch.len() as u64;
                Ok(())
            }
            Err(error) => {
                // If this fails too, the next append cuts the end off before it writes.
                self.dirty = self.file.set_len(self.len).is_err();
                Err(error)
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn swap_file(&mut self, file: File) -> File {
        std::mem::replace(&mut self.file, file)
    }
}

fn encode(first: u64, records: &[&Record]) -> Vec<u8> {
    let len: usize = records.iter().map(|record| record.encoded_len()).sum();
    let mut batch = Vec::with_capacity(BATCH_HEAD_BYTES + len);
    batch.extend_from_slice(BATCH_MAGIC);
    batch.extend_from_slice(&first.to_be_bytes());
    batch.extend_from_slice(&u32::try_from(records.len()).unwrap_or(u32::MAX).to_be_bytes());
    batch.extend_from_slice(&(len as u64).to_be_bytes());
    batch.extend_from_slice(&digest(&batch, records.iter().copied()));
    for record in records {
        record.encode_to(&mut batch);
    }
    batch
}

/// Covers the head, the entries and the salts; the entries cover the bodies.
fn digest<'a>(head: &[u8], records: impl Iterator<Item = &'a Record>) -> Digest {
    let mut parts: Vec<&[u8]> = vec![head];
    for record in records {
        parts.push(&record.entry);
        parts.push(&record.salt);
    }
    sha256(&parts)
}

/// Reads a journal and changes nothing.
pub(crate) fn read(path: &Path) -> Result<Replay, JournalFault> {
    let mut octets = Vec::new();
    File::open(path)?.read_to_end(&mut octets)?;
    let (head, _) = octets.split_at_checked(HEAD_BYTES).ok_or(JournalFault::Head)?;
    let (named, given) = head.split_at(HEAD_BYTES - 32);
    if !named.starts_with(HEAD_MAGIC) || sha256(&[named]) != *given {
        return Err(JournalFault::Head);
    }
    let mut at = HEAD_BYTES;
    let mut records: Vec<(u64, Record)> = Vec::new();
    while at < octets.len() {
        let Some((batch, len)) = octets.get(at..).and_then(decode) else {
            // A batch begins only when the one before is safe on disk. One that is not whole is
            // therefore either the last, which nobody was promised, or it was changed later.
            let rest = octets.get(at + 1..).unwrap_or_default();
            let later = rest
                .windows(BATCH_MAGIC.len())
                .enumerate()
                .filter(|(_, window)| *window == BATCH_MAGIC)
                .any(|(start, _)| rest.get(start..).and_then(decode).is_some());
            if later {
                return Err(JournalFault::Changed(at as u64));
            }
            break;
        };
        let follows =
            records.last().is_none_or(|(last, _)| batch.first().map(|b| b.0) == Some(last + 1));
        if !follows {
            return Err(JournalFault::Changed(at as u64));
        }
        records.extend(batch);
        at += len;
    }
    Ok(Replay { records, len: at as u64, torn: (octets.len() - at) as u64 })
}

/// The first batch of `octets` and its length, if it is whole.
fn decode(octets: &[u8]) -> Option<(Vec<(u64, Record)>, usize)> {
    let (head, mut rest) = octets.split_first_chunk::<BATCH_HEAD_BYTES>()?;
    let (named, given) = head.split_at(BATCH_HEAD_BYTES - 32);
    if !named.starts_with(BATCH_MAGIC) {
        return None;
    }
    let first = u64::from_be_bytes(named.get(8..16)?.try_into().ok()?);
    let count = u32::from_be_bytes(named.get(16..20)?.try_into().ok()?);
    let len = u64::from_be_bytes(named.get(20..28)?.try_into().ok()?);
    let len = usize::try_from(len).ok()?;
    rest = rest.get(..len)?;
    let mut records = Vec::new();
    for number in first..first.checked_add(u64::from(count))? {
        let entry = crate::Entry::decode(rest.get(..ENTRY_BYTES)?).ok()?;
        let record_len = ENTRY_BYTES + SALT_BYTES + usize::try_from(entry.length).ok()?;
        let (blob, after) = rest.split_at_checked(record_len)?;
        records.push((number, Record::decode(blob).ok()?));
        rest = after;
    }
    let whole = rest.is_empty()
        && !records.is_empty()
        && digest(named, records.iter().map(|(_, record)| record)) == *given;
    whole.then_some((records, BATCH_HEAD_BYTES + len))
}
