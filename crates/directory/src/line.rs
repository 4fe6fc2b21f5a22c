//! One line of the journal as JSON: number, time, author, reason, digest of the line before, and
//! the changes. The only module that knows the format on disk, together with `record`.

use model::{Address, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    change::{Author, Change},
    fault::{DirectoryFault, Rejection},
    journal::{Digest, Position},
    record::ChangeRecord,
};

/// The newest format that is read, and the one that is written.
pub(crate) const FORMAT: u32 = 1;

/// One set of changes, and what is said about it.
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) time: Timestamp,
    pub(crate) author: Author,
    pub(crate) reason: String,
    pub(crate) previous: Digest,
    pub(crate) changes: Vec<Change>,
}

/// The line as it stands in the file. `format` comes first: [`crate::journal::LINE_PREFIX`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineRecord {
    format: u32,
    number: u64,
    time: String,
    author: AuthorRecord,
    reason: String,
    previous: String,
    changes: Vec<ChangeRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum AuthorRecord {
    Administrator(String),
    Person(String),
}

/// The part that every format has, so that a newer one is told from damage.
#[derive(Deserialize)]
struct FormatRecord {
    format: u32,
}

impl Line {
    /// The line without its newline.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Rejection> {
        let author = match &self.author {
            Author::Administrator(name) => AuthorRecord::Administrator(name.clone()),
            Author::Person(address) => AuthorRecord::Person(address.to_string()),
        };
        let record = LineRecord {
            format: FORMAT,
            number: self.number,
            time: self.time.to_string(),
            author,
            reason: self.reason.clone(),
            previous: to_hex(&self.previous),
            changes: self.changes.iter().map(ChangeRecord::from_change).collect(),
        };
        // Strings and numbers always have a JSON form; JSON text holds no newline.
        serde_json::to_vec(&record).map_err(|fault| Rejection::Unwritable(fault.to_string()))
    }

    /// Reads the line that stands behind `before`, and checks that it follows it.
    pub(crate) fn decode(before: Position, bytes: &[u8]) -> Result<Self, DirectoryFault> {
        let number = before.number + 1;
        let damaged = |why: String| DirectoryFault::Damaged { line: number, why };
        let read: Result<LineRecord, _> = serde_json::from_slice(bytes);
        let format = match &read {
            Ok(record) => Some(record.format),
            Err(_) => serde_json::from_slice(bytes).ok().map(|FormatRecord { format }| format),
        };
        if let Some(format) = format.filter(|format| *format > FORMAT) {
            return Err(DirectoryFault::Newer { line: number, format });
        }
        // The parser's own message quotes what it read, which may be a verifier: only the place
        // is passed on (DIR-25).
        let record = read.map_err(|fault| {
            damaged(format!("it is not what the directory writes, at column {}", fault.column()))
        })?;
        if record.format != FORMAT {
            return Err(damaged(format!("there is no format {}", record.format)));
        }
        if record.number != number {
            return Err(damaged(format!("it calls itself line {}", record.number)));
        }
        if record.previous != to_hex(&before.digest) {
            return Err(damaged(format!(
                "line {}, before it, is not the one it was written after: one of the two was \
                 changed, dropped or inserted",
                before.number
            )));
        }
        let changes = record
            .changes
            .into_iter()
            .enumerate()
            .map(|(index, change)| {
                change.into_change().map_err(|what| {
                    damaged(format!("{what} of its change {} cannot be read", index + 1))
                })
            })
            .collect::<Result<_, _>>()?;
        let author = match record.author {
            AuthorRecord::Administrator(name) => Author::Administrator(name),
            AuthorRecord::Person(text) => {
                Author::Person(Address::parse(&text).map_err(|_| damaged(BAD_AUTHOR.to_owned()))?)
            }
        };
        let time = Timestamp::parse_rfc3339(&record.time)
            .ok_or_else(|| damaged("its time cannot be read".to_owned()))?;
        let (reason, previous) = (record.reason, before.digest);
        Ok(Self { number, time, author, reason, previous, changes })
    }
}

const BAD_AUTHOR: &str = "its author is not an address";

fn to_hex(digest: &Digest) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}
