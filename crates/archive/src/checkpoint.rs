//! Checkpoints: the size and root of the log, signed (C2SP tlog-checkpoint v1, signed-note v1). It
//! opens no files.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{
    key::{SigningKey, VerifyingKey, note_key_id},
    merkle::Digest,
};

/// Bytes that a signed checkpoint may have: the log's own line and those of witnesses.
pub const CHECKPOINT_BYTES_MAX: usize = 128 * 1_024;

/// The size and root of one log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many records it has.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
}

/// Why a text is not a checkpoint to be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckpointFault {
    /// Not a checkpoint.
    Malformed,
    /// No signature by this key under the name of the log.
    Unsigned,
    /// There is a signature by this key, and it is wrong.
    Signature,
    /// An origin with blanks, plus signs or control characters, or none.
    Origin,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let body = self.body();
        let mut signature = note_key_id(&self.origin, &key.verifying()).to_vec();
        signature.extend_from_slice(&key.sign(body.as_bytes()));
        format!("{body}\n\u{2014} {} {}\n", self.origin, BASE64.encode(signature))
    }

    /// Reads a signed note and checks the signature of the log itself. Signatures of others, for
    /// example of witnesses, are passed over.
    pub fn open(note: &str, key: &VerifyingKey) -> Result<Self, CheckpointFault> {
        let (checkpoint, body, signatures) = Self::parts(note)?;
        let id = note_key_id(&checkpoint.origin, key);
        let mut found = false;
        for line in signatures.lines() {
            let (name, encoded) = line
                .strip_prefix("\u{2014} ")
                .and_then(|rest| rest.split_once(' '))
                .ok_or(CheckpointFault::Malformed)?;
            let octets = BASE64.decode(encoded).map_err(|_| CheckpointFault::Malformed)?;
            let (given, signature) =
                octets.split_first_chunk::<4>().ok_or(CheckpointFault::Malformed)?;
            if name != checkpoint.origin || *given != id {
                continue;
            }
            let signature = signature.try_into().map_err(|_| CheckpointFault::Signature)?;
            if !key.verifies(body.as_bytes(), signature) {
                return Err(CheckpointFault::Signature);
            }
            found = true;
        }
        if found { Ok(checkpoint) } else { Err(CheckpointFault::Unsigned) }
    }

    /// Reads a note without looking at its signatures: what it claims, not what is so.
    pub fn claim(note: &str) -> Result<Self, CheckpointFault> {
        Self::parts(note).map(|(checkpoint, _, _)| checkpoint)
    }

    fn parts(note: &str) -> Result<(Self, &str, &str), CheckpointFault> {
        let malformed = CheckpointFault::Malformed;
        if note.len() > CHECKPOINT_BYTES_MAX || !note.ends_with('\n') {
            return Err(malformed);
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(malformed);
        }
        let at = note.rfind("\n\n").ok_or(malformed)?;
        let (body, signatures) = (&note[..=at], &note[at + 2..]);
        let mut lines = body.lines();
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(malformed);
        let (origin, size, root) = (line()?, line()?, line()?);
        let plain = size == "0" || !size.starts_with('0');
        if !plain || !size.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed);
        }
        let size = size.parse().map_err(|_| malformed)?;
        let root = BASE64.decode(root).map_err(|_| malformed)?;
        let root = root.try_into().map_err(|_| malformed)?;
        Ok((Self { origin: origin.to_owned(), size, root }, body, signatures))
    }
}

/// Whether a text may be the name of a log.
pub(crate) fn check_origin(origin: &str) -> Result<(), CheckpointFault> {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if origin.is_empty() || origin.contains(forbidden) {
        Err(CheckpointFault::Origin)
    } else {
        Ok(())
    }
}

impl fmt::Display for CheckpointFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "this is not a checkpoint",
            Self::Unsigned => "the checkpoint is not signed by this key",
            Self::Signature => "the signature of the checkpoint is wrong",
            Self::Origin => "this cannot be the name of a log",
        })
    }
}

impl std::error::Error for CheckpointFault {}
