//! The history of checkpoints: every checkpoint that was signed, so that damage can be placed
//! between two of them. It signs nothing.
//!
//! The file is a sequence of blocks: a line `time`, then the signed note, then an empty line.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use model::Timestamp;

use crate::checkpoint::Checkpoint;

/// The file of all checkpoints.
pub const HISTORY_FILE: &str = "checkpoints";

const TIME: &str = "time ";

/// Adds a checkpoint. A block that was cut off by a crash is cut off here.
pub(crate) fn append(
    dir: &Path,
    checkpoint: &Checkpoint,
    note: &str,
    now: Option<Timestamp>,
) -> io::Result<()> {
    debug_assert!(Checkpoint::claim(note).as_ref() == Ok(checkpoint));
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(dir.join(HISTORY_FILE))?;
    let good = good_len(&mut file)?;
    file.set_len(good)?;
    file.seek(SeekFrom::Start(good))?;
    let time = now.map_or_else(|| "-".to_owned(), |now| now.to_string());
    file.write_all(format!("{TIME}{time}\n{note}\n").as_bytes())?;
    file.sync_all()
}

/// Bytes that an unfinished block may have at the end.
const TAIL_BYTES: u64 = 4_096;

/// The length up to the end of the last whole block.
fn good_len(file: &mut File) -> io::Result<u64> {
    let len = file.seek(SeekFrom::End(0))?;
    let start = len.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let behind = tail.windows(7).rposition(|window| window == b"\n\ntime ").map(|at| at + 2);
    let Some(last) = behind.or((start == 0).then_some(0)) else { return Ok(len) };
    let rest = tail.get(last..).unwrap_or_default();
    let whole = std::str::from_utf8(rest).ok().and_then(block);
    let good = whole.map_or(last, |(_, _, len)| last + len);
    Ok(start + good as u64)
}

/// One block of the history.
pub(crate) struct Block<'a> {
    pub(crate) offset: usize,
    pub(crate) time: &'a str,
    pub(crate) note: &'a str,
}

/// The blocks of a history; an error is the offset of what is not one.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = Result<Block<'_>, usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let offset = at;
        let block = block(rest);
        at = block.as_ref().map_or(text.len(), |(_, _, len)| at + len);
        Some(block.map(|(time, note, _)| Block { offset, time, note }).ok_or(offset))
    })
}

fn block(rest: &str) -> Option<(&str, &str, usize)> {
    let (head, after) = rest.strip_prefix(TIME)?.split_once('\n')?;
    let start = TIME.len() + head.len() + 1;
    let signatures = after.find("\n\n")? + 2;
    let end = signatures + after.get(signatures..)?.find("\n\n")? + 1;
    Some((head, after.get(..end)?, start + end + 1))
}
