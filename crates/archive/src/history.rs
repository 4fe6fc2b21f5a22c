//! The history of checkpoints: every checkpoint that was signed, so that damage can be placed
//! between two of them. It signs nothing.
//!
//! The file is a sequence of signed notes, each followed by an empty line.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// The file of all checkpoints.
pub const HISTORY_FILE: &str = "checkpoints";

/// Bytes at the end that are looked at for a note that a crash cut off.
const TAIL_BYTES: u64 = 4_096;

/// Adds a signed note. One that was cut off by a crash is cut off here.
pub(crate) fn append(dir: &Path, note: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(dir.join(HISTORY_FILE))?;
    let good = good_len(&mut file)?;
    file.set_len(good)?;
    file.seek(SeekFrom::Start(good))?;
    file.write_all(note.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// The length up to the end of the last whole note: behind the last empty line that follows a
/// signature line.
fn good_len(file: &mut File) -> io::Result<u64> {
    let len = file.seek(SeekFrom::End(0))?;
    let start = len.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let mut end = tail.len();
    while let Some(at) =
        tail.get(..end).and_then(|tail| tail.windows(2).rposition(|w| w == b"\n\n"))
    {
        let line = tail.get(..at).and_then(|text| text.rsplit(|byte| *byte == b'\n').next());
        if line.is_some_and(|line| line.starts_with("\u{2014} ".as_bytes())) {
            return Ok(start + at as u64 + 2);
        }
        end = at + 1;
    }
    Ok(if start == 0 { 0 } else { len })
}

/// One note of the history.
pub(crate) struct Block<'a> {
    pub(crate) offset: usize,
    pub(crate) note: &'a str,
}

/// The notes of a history; an error is the offset of what is not one, and nothing comes after it.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = Result<Block<'_>, usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let offset = at;
        let note = first(rest);
        at = note.map_or(text.len(), |note| at + note.len() + 1);
        Some(note.map(|note| Block { offset, note }).ok_or(offset))
    })
}

/// The note up to the end of its last signature line.
fn first(rest: &str) -> Option<&str> {
    let signatures = rest.find("\n\n")? + 2;
    let end = signatures + rest.get(signatures..)?.find("\n\n")? + 1;
    rest.get(..end)
}
