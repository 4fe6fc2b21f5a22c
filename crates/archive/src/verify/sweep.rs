//! The sweep over the files of the tree: tiles above the leaves, partial tiles that older
//! checkpoints left behind, and files that do not belong there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Findings, Outcome, damage::DamageKind};
use crate::tile::{TILE_WIDTH, entries_path, level_len, read_either, tile_path};

/// Looks at every file under `tile`, and for every tile that must be there.
pub(super) fn run(dir: &Path, size: u64, outcome: &Outcome, findings: &mut Findings) {
    for (path, octets) in &outcome.upper {
        match fs::read(dir.join(path)) {
            Ok(found) if found == *octets => {}
            Ok(found) => {
                let offset = found.iter().zip(octets).take_while(|(one, other)| one == other);
                let offset = offset.count() as u64 / 32 * 32;
                findings.file(path, Some(offset), DamageKind::TileChanged);
            }
            // A partial tile may be gone once the full one is there.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && stands_in(dir, path, octets) => {}
            Err(error) => findings.io(path, &error),
        }
    }
    let mut folders = vec![PathBuf::from("tile")];
    while let Some(folder) = folders.pop() {
        let Ok(names) = fs::read_dir(dir.join(&folder)) else { continue };
        for name in names.flatten() {
            let path = folder.join(name.file_name());
            if name.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else {
                check_file(dir, size, &path, findings);
            }
        }
    }
}

/// Whether the full tile is there in place of a partial one and begins with it.
fn stands_in(dir: &Path, partial: &Path, octets: &[u8]) -> bool {
    let full = partial.parent().map(|folder| folder.with_extension(""));
    full.and_then(|full| fs::read(dir.join(full)).ok()).is_some_and(|full| full.starts_with(octets))
}

/// What the name of a file under `tile` says.
struct Named {
    /// None for entries.
    level: Option<u32>,
    index: u64,
    width: u64,
}

fn parse(path: &Path) -> Option<Named> {
    let text = path.strip_prefix("tile").ok()?.to_str()?;
    let (level, rest) = text.split_once('/')?;
    let level = if level == "entries" { None } else { Some(level.parse().ok()?) };
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (number, width.parse().ok()?),
        None => (rest, TILE_WIDTH),
    };
    let mut index: u64 = 0;
    for part in number.split('/') {
        let digits = part.strip_prefix('x').unwrap_or(part);
        index = index.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
    }
    let named = Named { level, index, width };
    (named.path() == path).then_some(named)
}

impl Named {
    fn path(&self) -> PathBuf {
        match self.level {
            Some(level) => tile_path(level, self.index, self.width),
            None => entries_path(self.index, self.width),
        }
    }

    fn of_width(&self, width: u64) -> PathBuf {
        Self { width, ..*self }.path()
    }
}

/// A file that is narrower than the tile of today must be its beginning; a wider one is not
/// signed yet.
fn check_file(dir: &Path, size: u64, path: &Path, findings: &mut Findings) {
    let Some(named) = parse(path) else {
        findings.remark(format!("{} does not belong to a log", path.display()));
        return;
    };
    let len = level_len(size, named.level.unwrap_or(0));
    let today = len.saturating_sub(named.index * TILE_WIDTH).min(TILE_WIDTH);
    if named.width == today {
        return;
    }
    if named.width > today {
        findings.remark(format!("{} is not signed yet", path.display()));
        return;
    }
    let current = read_either(dir, &named.of_width(today), &named.of_width(TILE_WIDTH));
    let (Ok(found), Ok(current)) = (fs::read(dir.join(path)), current) else { return };
    let whole = named.level.is_none() || found.len() as u64 == named.width * 32;
    if !whole || !current.starts_with(&found) || found.is_empty() {
        let same = found.iter().zip(&current).take_while(|(one, other)| one == other).count();
        findings.file(path, Some(same as u64), DamageKind::TileChanged);
    }
}
