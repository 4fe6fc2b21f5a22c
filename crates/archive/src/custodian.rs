//! The custodian's side: reads records back with the private key. Runs away from the server, on a
//! copy of the log's folder or on the folder itself; it writes nothing there.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use model::Secret;

use crate::{
    checkpoint::Checkpoint,
    entry::{Entry, EntryFault, Kind, NO_SALT, SALT_BYTES, SegmentId},
    key::{ArchivePrivateKey, KeyFault},
    log::{Bundle, CHECKPOINT_FILE},
    merkle::{Digest, leaf_hash, sha256},
    record::{Plain, RecordFault},
    segment::{OpenFault, Opening, SegmentKey},
    tile::{SALTS_PER_FILE, TILE_WIDTH, bodies_path, entries_path, read_either, salts_path},
    verify::Progress,
};

/// Bytes of a key file that are read at most.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1_024;

/// Somebody who holds a private key of the archive.
pub struct Custodian {
    key: ArchivePrivateKey,
}

/// One record of a log, as far as it can be read.
pub struct Found {
    /// Its number.
    pub leaf: u64,
    /// What everybody can see of it.
    pub entry: Entry,
    /// Its Merkle leaf hash.
    pub hash: Digest,
    /// What is in it.
    pub content: Opened,
}

/// What is in a record.
pub enum Opened {
    /// A message or a note.
    Plain(Plain),
    /// The opening of a segment.
    Opening(Opening),
    /// Nothing any more: the salt was destroyed.
    Destroyed,
    /// It cannot be read.
    Unreadable(ReadFault),
}

/// Why a record or a log cannot be read.
#[derive(Debug)]
pub enum ReadFault {
    /// The file system says no.
    Io {
        /// Which file.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
    /// The folder has no checkpoint that can be read.
    Checkpoint,
    /// The log has no record of that number.
    NoSuchRecord(u64),
    /// A file of the log is cut off or changed; [`crate::verify`] says more.
    Damaged(PathBuf),
    /// The record does not fit together.
    Entry(EntryFault),
    /// The body cannot be opened.
    Open(OpenFault),
    /// The record inside cannot be read.
    Record(RecordFault),
    /// The private key cannot be had.
    Key(KeyFault),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ReadFault + '_ {
    move |error| ReadFault::Io { path: path.to_owned(), error }
}

/// What a log claims to be: its newest checkpoint, whose signature is not looked at here.
pub fn claimed_checkpoint(dir: &Path) -> Result<Checkpoint, ReadFault> {
    let path = Path::new(CHECKPOINT_FILE);
    let note = fs::read_to_string(dir.join(path)).map_err(at(path))?;
    Checkpoint::claim(&note).map_err(|_| ReadFault::Checkpoint)
}

/// The records of one bundle with their salts and bodies.
struct Parts {
    first: u64,
    entries: Vec<Vec<u8>>,
    salts: Vec<u8>,
    bodies: Vec<u8>,
}

impl Parts {
    fn read(dir: &Path, bundle: u64, size: u64) -> Result<Self, ReadFault> {
        let first = bundle * TILE_WIDTH;
        let width = (size - first).min(TILE_WIDTH);
        let path = entries_path(bundle, width);
        let octets =
            read_either(dir, &path, &entries_path(bundle, TILE_WIDTH)).map_err(at(&path))?;
        let mut entries = Vec::new();
        for entry in Bundle::new(&octets).take(usize::try_from(width).unwrap_or(usize::MAX)) {
            entries.push(entry.map_err(|()| ReadFault::Damaged(path.clone()))?.to_vec());
        }
        if entries.len() as u64 != width {
            return Err(ReadFault::Damaged(path));
        }
        let path = bodies_path(bundle);
        let bodies = fs::read(dir.join(&path)).map_err(at(&path))?;
        let salts = read_salts(dir, first, width)?;
        Ok(Self { first, entries, salts, bodies })
    }

    /// Number, entry and its octets' hash, salt, body of each record.
    fn iter(&self) -> impl Iterator<Item = (u64, Result<Part<'_>, EntryFault>)> {
        let mut start = Some(0_usize);
        self.entries.iter().enumerate().map(move |(place, octets)| {
            let part = Entry::decode(octets).and_then(|entry| {
                let from = start.ok_or(EntryFault::Length)?;
                let end = usize::try_from(entry.length).ok().and_then(|len| from.checked_add(len));
                start = end;
                let body = self.bodies.get(from..end.ok_or(EntryFault::Length)?);
                let salt = self.salts.get(place * SALT_BYTES..(place + 1) * SALT_BYTES);
                Ok(Part {
                    entry,
                    hash: leaf_hash(octets),
                    salt: salt.and_then(|salt| salt.try_into().ok()).ok_or(EntryFault::Salt)?,
                    body: body.ok_or(EntryFault::Length)?,
                })
            });
            if part.is_err() {
                start = None;
            }
            (self.first + place as u64, part)
        })
    }
}

/// One record in pieces.
struct Part<'a> {
    entry: Entry,
    hash: Digest,
    salt: [u8; SALT_BYTES],
    body: &'a [u8],
}

fn read_salts(dir: &Path, first: u64, width: u64) -> Result<Vec<u8>, ReadFault> {
    use std::io::{Read as _, Seek as _};
    let path = salts_path(first / SALTS_PER_FILE);
    let mut file = fs::File::open(dir.join(&path)).map_err(at(&path))?;
    let offset = first % SALTS_PER_FILE * SALT_BYTES as u64;
    file.seek(io::SeekFrom::Start(offset)).map_err(at(&path))?;
    let mut salts = Vec::new();
    file.take(width * SALT_BYTES as u64).read_to_end(&mut salts).map_err(at(&path))?;
    Ok(salts)
}

impl Custodian {
    /// With the key at hand.
    #[must_use]
    pub fn new(key: ArchivePrivateKey) -> Self {
        Self { key }
    }

    /// With the key in a file.
    pub fn open(file: &Path, passphrase: &Secret) -> Result<Self, ReadFault> {
        use std::io::Read as _;
        let mut text = String::new();
        fs::File::open(file)
            .and_then(|file| file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text))
            .map_err(at(file))?;
        ArchivePrivateKey::from_file(&text, passphrase).map(Self::new).map_err(ReadFault::Key)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &ArchivePrivateKey {
        &self.key
    }

    /// Reads all signed records in order, one segment key in memory at a time, and hands each to
    /// `each`, also those that cannot be read. Stops when a file of the log is missing.
    pub fn scan(
        &self,
        dir: &Path,
        progress: impl FnMut(Progress),
        each: impl FnMut(Found) -> Result<(), ReadFault>,
    ) -> Result<(), ReadFault> {
        self.scan_first(dir, claimed_checkpoint(dir)?.size, progress, each)
    }

    /// As [`Self::scan`], the first `size` records only.
    pub(crate) fn scan_first(
        &self,
        dir: &Path,
        size: u64,
        mut progress: impl FnMut(Progress),
        mut each: impl FnMut(Found) -> Result<(), ReadFault>,
    ) -> Result<(), ReadFault> {
        let mut keys = Keys { key: &self.key, current: None };
        for bundle in 0..size.div_ceil(TILE_WIDTH) {
            let parts = Parts::read(dir, bundle, size)?;
            for (leaf, part) in parts.iter() {
                match part {
                    Ok(part) => each(keys.found(leaf, &part))?,
                    Err(fault) => return Err(ReadFault::Entry(fault)),
                }
            }
            progress(Progress {
                done: (bundle + 1).saturating_mul(TILE_WIDTH).min(size),
                total: size,
            });
        }
        Ok(())
    }

    /// Reads one record.
    pub fn show(&self, dir: &Path, leaf: u64) -> Result<Found, ReadFault> {
        let size = claimed_checkpoint(dir)?.size;
        if leaf >= size {
            return Err(ReadFault::NoSuchRecord(leaf));
        }
        let parts = Parts::read(dir, leaf / TILE_WIDTH, size)?;
        let part = parts.iter().find(|(number, _)| *number == leaf);
        let part = part.ok_or(ReadFault::NoSuchRecord(leaf))?.1.map_err(ReadFault::Entry)?;
        let mut keys = Keys { key: &self.key, current: None };
        // Places in a segment are gap-free, so the opening lies as many records before.
        let opening = leaf
            .checked_sub(u64::from(part.entry.index))
            .ok_or_else(|| ReadFault::Damaged(entries_path(leaf / TILE_WIDTH, TILE_WIDTH)))?;
        if opening != leaf {
            let parts = Parts::read(dir, opening / TILE_WIDTH, size)?;
            let first = parts.iter().find(|(number, _)| *number == opening);
            if let Some((_, Ok(first))) = first {
                keys.found(opening, &first);
            }
        }
        Ok(keys.found(leaf, &part))
    }
}

/// The key of the segment that is being read.
struct Keys<'a> {
    key: &'a ArchivePrivateKey,
    current: Option<(SegmentId, Result<SegmentKey, OpenFault>)>,
}

impl Keys<'_> {
    fn found(&mut self, leaf: u64, part: &Part<'_>) -> Found {
        let content = match self.open(part) {
            Ok(opened) => opened,
            Err(ReadFault::Open(OpenFault::Destroyed)) => Opened::Destroyed,
            Err(fault) => Opened::Unreadable(fault),
        };
        Found { leaf, entry: part.entry, hash: part.hash, content }
    }

    fn open(&mut self, part: &Part<'_>) -> Result<Opened, ReadFault> {
        let entry = &part.entry;
        if sha256(&[part.body]) != entry.body {
            return Err(ReadFault::Entry(EntryFault::Body));
        }
        if entry.kind == Kind::Opening {
            let opening = Opening::decode(part.body).map_err(ReadFault::Open)?;
            let key = if opening.segment == entry.segment {
                opening.unseal(self.key)
            } else {
                Err(OpenFault::Damaged)
            };
            self.current = Some((entry.segment, key));
            return Ok(Opened::Opening(opening));
        }
        if part.salt == NO_SALT {
            return Err(ReadFault::Open(OpenFault::Destroyed));
        }
        if !entry.salt_fits(&part.salt) {
            return Err(ReadFault::Entry(EntryFault::Salt));
        }
        let key = match &self.current {
            Some((segment, key)) if *segment == entry.segment => key,
            Some(_) | None => return Err(ReadFault::Open(OpenFault::Damaged)),
        };
        let key = key.as_ref().map_err(|fault| ReadFault::Open(*fault))?;
        let plain = key.open(entry, &part.salt, part.body.to_vec()).map_err(ReadFault::Open)?;
        Plain::decode(&plain).map(Opened::Plain).map_err(ReadFault::Record)
    }
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Checkpoint => f.write_str("the folder has no checkpoint that can be read"),
            Self::NoSuchRecord(leaf) => write!(f, "there is no signed record {leaf}"),
            Self::Damaged(path) => write!(f, "{} is damaged", path.display()),
            Self::Entry(fault) => fault.fmt(f),
            Self::Open(fault) => fault.fmt(f),
            Self::Record(fault) => fault.fmt(f),
            Self::Key(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for ReadFault {}
