//! The tree in tiles of 256 hashes (C2SP tlog-tiles): names of files, the right edge of a growing
//! tree, and reading hashes back. It knows nothing of what the leaves are.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::merkle::{Digest, Nodes, empty_root, node_hash};

/// Hashes in a tile, entries in a bundle, bodies in a file of bodies.
pub const TILE_WIDTH: u64 = 256;

/// Salts in a file of salts.
pub const SALTS_PER_FILE: u64 = 65_536;

/// Tiles kept in memory while reading.
const TILES_CACHED_MAX: usize = 1_024;

/// The file of a tile; `width` 256 is the full one.
#[must_use]
pub fn tile_path(level: u32, index: u64, width: u64) -> PathBuf {
    numbered(&format!("tile/{level}"), index, width)
}

/// The file of an entry bundle; `width` 256 is the full one.
#[must_use]
pub fn entries_path(index: u64, width: u64) -> PathBuf {
    numbered("tile/entries", index, width)
}

/// The file of the bodies of the entries in that bundle.
#[must_use]
pub fn bodies_path(index: u64) -> PathBuf {
    numbered("bodies", index, TILE_WIDTH)
}

/// The file of the salts of the records `index * 65,536` and following.
#[must_use]
pub fn salts_path(index: u64) -> PathBuf {
    numbered("salts", index, TILE_WIDTH)
}

fn numbered(folder: &str, index: u64, width: u64) -> PathBuf {
    let mut path = format!("{:03}", index % 1_000);
    let mut rest = index / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    if width == TILE_WIDTH {
        PathBuf::from(format!("{folder}/{path}"))
    } else {
        PathBuf::from(format!("{folder}/{path}.p/{width}"))
    }
}

/// How many hashes level `level` has in a tree of `size` leaves.
pub(crate) fn level_len(size: u64, level: u32) -> u64 {
    size.checked_shr(8 * level).unwrap_or(0)
}

/// The right edge of a growing tree: the hashes of the last, partial tile of each level.
#[derive(Clone, Default)]
pub(crate) struct Edge {
    size: u64,
    levels: Vec<Vec<Digest>>,
}

impl Edge {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Reads the edge of the tree of `size` leaves.
    pub(crate) fn read(dir: &Path, size: u64) -> io::Result<Self> {
        let mut edge = Self { size, levels: Vec::new() };
        let mut level = 0;
        while level_len(size, level) > 0 {
            let len = level_len(size, level);
            let (index, width) = (len / TILE_WIDTH, len % TILE_WIDTH);
            let hashes = if width == 0 { Vec::new() } else { read_tile(dir, level, index, width)? };
            edge.levels.push(hashes);
            level += 1;
        }
        Ok(edge)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; `full` gets each tile that it completes: level, index, hashes.
    pub(crate) fn push(&mut self, leaf: Digest, mut full: impl FnMut(u32, u64, &[Digest])) {
        self.size += 1;
        let mut hash = leaf;
        let mut level = 0;
        loop {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(level) else { return };
            hashes.push(hash);
            if hashes.len() < 256 {
                return;
            }
            let number = u32::try_from(level).unwrap_or(u32::MAX);
            full(number, level_len(self.size, number) / TILE_WIDTH - 1, hashes);
            hash = whole(hashes);
            hashes.clear();
            level += 1;
        }
    }

    /// The partial tiles: level, index, hashes. Empty ones are left out.
    pub(crate) fn partial(&self) -> impl Iterator<Item = (u32, u64, &[Digest])> {
        (0..).zip(&self.levels).filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            (level, level_len(self.size, level) / TILE_WIDTH, hashes.as_slice())
        })
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Digest {
        let mut root = None;
        for hashes in &self.levels {
            // The rightmost subtrees are the smallest: fold from the right end to the left.
            let mut end = hashes.len();
            let mut height = 0;
            while end > 0 {
                if hashes.len() >> height & 1 == 1 {
                    let start = end - (1 << height);
                    let subtree = whole(hashes.get(start..end).unwrap_or_default());
                    root = Some(root.map_or(subtree, |right| node_hash(&subtree, &right)));
                    end = start;
                }
                height += 1;
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

/// The hash over a power of two of hashes.
pub(crate) fn whole(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&whole(left), &whole(right))
        }
    }
}

/// Reads `width` hashes of a tile: from the file of that width, or else from the beginning of the
/// full one, which takes its place.
pub(crate) fn read_tile(dir: &Path, level: u32, index: u64, width: u64) -> io::Result<Vec<Digest>> {
    let octets = read_either(dir, &tile_path(level, index, width), &tile_path(level, index, 256))?;
    let hashes: Vec<Digest> = octets.as_chunks::<32>().0.to_vec();
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    if hashes.len() < width || !octets.len().is_multiple_of(32) {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    Ok(hashes.into_iter().take(width).collect())
}

/// Reads the first file, or where that is not there the second.
pub(crate) fn read_either(dir: &Path, first: &Path, second: &Path) -> io::Result<Vec<u8>> {
    match fs::read(dir.join(first)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::read(dir.join(second)),
        other => other,
    }
}

/// The hashes of a log on disk, as its tiles say them.
pub struct TileNodes<'a> {
    dir: &'a Path,
    size: u64,
    tiles: HashMap<(u32, u64), Vec<Digest>>,
}

impl<'a> TileNodes<'a> {
    /// The tree of the first `size` leaves of the log in `dir`.
    #[must_use]
    pub fn new(dir: &'a Path, size: u64) -> Self {
        Self { dir, size, tiles: HashMap::new() }
    }

    fn hashes(&mut self, level: u32, index: u64) -> io::Result<&[Digest]> {
        if self.tiles.len() >= TILES_CACHED_MAX {
            self.tiles.clear();
        }
        match self.tiles.entry((level, index)) {
            std::collections::hash_map::Entry::Occupied(tile) => Ok(tile.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                let width = (level_len(self.size, level) - index * TILE_WIDTH).min(TILE_WIDTH);
                Ok(place.insert(read_tile(self.dir, level, index, width)?))
            }
        }
    }
}

impl Nodes for TileNodes<'_> {
    type Fault = io::Error;

    fn node(&mut self, height: u32, index: u64) -> io::Result<Digest> {
        let (level, within) = (height / 8, height % 8);
        let first = index << within;
        let tile = self.hashes(level, first / TILE_WIDTH)?;
        let start = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        tile.get(start..start + (1 << within))
            .map(whole)
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }
}
