//! One record as it lies in the log: the entry that the tree hashes, the salt that can be destroyed
//! alone, and the body. Nothing here can read a body.

use std::fmt;

use crate::merkle::{Digest, leaf_hash, sha256};

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 96;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// Bytes of the entry that the encryption of the body is bound to: all but the body's digest.
pub(crate) const BOUND_BYTES: usize = 64;

/// What stands in the place of a salt that was destroyed, and of one that never was.
pub const NO_SALT: [u8; SALT_BYTES] = [0; SALT_BYTES];

/// The form of the entry.
const ENTRY_VERSION: u8 = 1;

/// The greatest body, in bytes. Contents are limited far below it by policy.
pub const BODY_BYTES_MAX: u64 = 1 << 30;

const SALT_LABEL: &[u8] = b"chancery archive salt v1\0";

/// What a record is, as everybody may know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The opening of a segment: its key, sealed to each custodian.
    Opening,
    /// One message, sealed.
    Message,
    /// One note of the house about what it did, sealed.
    Note,
}

/// The name of a segment: random, so that it tells nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub [u8; 16]);

/// What the leaf of the tree commits to. It holds no word and no name: digests of ciphertext and
/// of random salts only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What the record is.
    pub kind: Kind,
    /// The segment whose key the record's key comes from.
    pub segment: SegmentId,
    /// The place in the segment; the opening is number 0.
    pub index: u32,
    /// Length of the body in bytes.
    pub length: u64,
    /// [`salt_commitment`] of the salt; zeros for an opening, which has none.
    pub salt: Digest,
    /// SHA-256 of the body.
    pub body: Digest,
}

/// One record of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The octets of the [`Entry`]: what the Merkle leaf hashes.
    pub entry: Vec<u8>,
    /// The salt, kept in a file of its own; without it the body cannot be opened by anybody.
    pub salt: [u8; SALT_BYTES],
    /// The ciphertext, or the opening of a segment.
    pub body: Vec<u8>,
}

/// Why octets are not an entry or a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryFault {
    /// Too short, too long, or a length inside does not fit.
    Length,
    /// A version or kind this program does not know.
    Unknown,
    /// The body is not the one the entry commits to.
    Body,
    /// The salt is not the one the entry commits to.
    Salt,
}

/// What an entry says of its salt.
#[must_use]
pub fn salt_commitment(salt: &[u8; SALT_BYTES]) -> Digest {
    sha256(&[SALT_LABEL, salt])
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Opening => 1,
            Self::Message => 2,
            Self::Note => 3,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Opening, Self::Message, Self::Note].into_iter().find(|kind| kind.code() == code)
    }

    /// The word used in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Message => "message",
            Self::Note => "note",
        }
    }
}

impl Entry {
    /// The octets: version, kind, two zeros, segment, index, length, salt commitment, body digest.
    #[must_use]
    pub fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut octets = [0; ENTRY_BYTES];
        octets[0] = ENTRY_VERSION;
        octets[1] = self.kind.code();
        octets[4..20].copy_from_slice(&self.segment.0);
        octets[20..24].copy_from_slice(&self.index.to_be_bytes());
        octets[24..32].copy_from_slice(&self.length.to_be_bytes());
        octets[32..64].copy_from_slice(&self.salt);
        octets[64..96].copy_from_slice(&self.body);
        octets
    }

    /// Reads the octets.
    pub fn decode(octets: &[u8]) -> Result<Self, EntryFault> {
        let octets: &[u8; ENTRY_BYTES] = octets.try_into().map_err(|_| EntryFault::Length)?;
        let [version, kind, zero, another, ..] = *octets;
        if version != ENTRY_VERSION || zero != 0 || another != 0 {
            return Err(EntryFault::Unknown);
        }
        let kind = Kind::from_code(kind).ok_or(EntryFault::Unknown)?;
        let length = u64::from_be_bytes(part(octets, 24));
        if length > BODY_BYTES_MAX {
            return Err(EntryFault::Length);
        }
        Ok(Self {
            kind,
            segment: SegmentId(part(octets, 4)),
            index: u32::from_be_bytes(part(octets, 20)),
            length,
            salt: part(octets, 32),
            body: part(octets, 64),
        })
    }

    /// Whether `salt` is the one this entry commits to.
    #[must_use]
    pub fn salt_fits(&self, salt: &[u8; SALT_BYTES]) -> bool {
        match self.kind {
            Kind::Opening => *salt == NO_SALT && self.salt == [0; 32],
            Kind::Message | Kind::Note => salt_commitment(salt) == self.salt,
        }
    }
}

fn part<const N: usize>(octets: &[u8; ENTRY_BYTES], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&octets[at..at + N]);
    out
}

impl Record {
    /// One blob: the entry, the salt, the body. The entry tells the body's length.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.encoded_len());
        self.encode_to(&mut blob);
        blob
    }

    /// As [`Self::encode`], at the end of a buffer.
    pub fn encode_to(&self, blob: &mut Vec<u8>) {
        blob.extend_from_slice(&self.entry);
        blob.extend_from_slice(&self.salt);
        blob.extend_from_slice(&self.body);
    }

    /// Length of [`Self::encode`] in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.entry.len() + SALT_BYTES + self.body.len()
    }

    /// Reads a blob and checks the body and the salt against the entry. A destroyed salt passes.
    pub fn decode(blob: &[u8]) -> Result<Self, EntryFault> {
        let (entry, rest) = blob.split_at_checked(ENTRY_BYTES).ok_or(EntryFault::Length)?;
        let (salt, body) = rest.split_first_chunk::<SALT_BYTES>().ok_or(EntryFault::Length)?;
        let record = Self { entry: entry.to_vec(), salt: *salt, body: body.to_vec() };
        record.check()?;
        Ok(record)
    }

    /// Checks the parts against each other and returns the entry.
    pub fn check(&self) -> Result<Entry, EntryFault> {
        let entry = Entry::decode(&self.entry)?;
        if u64::try_from(self.body.len()) != Ok(entry.length) {
            return Err(EntryFault::Length);
        }
        if sha256(&[&self.body]) != entry.body {
            return Err(EntryFault::Body);
        }
        if self.salt != NO_SALT && !entry.salt_fits(&self.salt) {
            return Err(EntryFault::Salt);
        }
        Ok(entry)
    }

    /// The Merkle leaf hash, which is also the digest that the next record of the same
    /// conversation names.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        leaf_hash(&self.entry)
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "the record has a wrong length",
            Self::Unknown => "the record is of a form or kind that this program does not know",
            Self::Body => "the body is not the one that the entry commits to",
            Self::Salt => "the salt is not the one that the entry commits to",
        })
    }
}

impl std::error::Error for EntryFault {}
