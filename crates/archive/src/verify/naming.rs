//! Names what happened to records where the entries and the tree disagree: changed, dropped,
//! inserted, reordered. It takes the tree to be right and compares two streams of hashes.

use std::{collections::VecDeque, fs, path::Path};

use super::{
    Findings,
    damage::{Damage, DamageKind},
};
use crate::{
    log::Bundle,
    merkle::{Digest, leaf_hash},
    tile::{TILE_WIDTH, entries_path, read_either, read_tile, tile_path},
};

/// How many records may have been dropped or inserted in one place to be told as such.
const WINDOW: usize = 1_024;

/// How far records may have been moved to be told as such.
const MOVED_MAX: usize = 16;

/// Stands for the hashes of a file that is not there, which is named elsewhere.
const UNKNOWN: Digest = [0; 32];

/// A hash and where it was found.
#[derive(Clone, Copy)]
struct Spot {
    hash: Digest,
    bundle: u64,
    offset: u64,
}

/// Hashes of entries, or of tiles, from some bundle on.
struct Stream<'a> {
    dir: &'a Path,
    size: u64,
    tiles: bool,
    next: u64,
    ready: VecDeque<Spot>,
}

impl Stream<'_> {
    /// The hash that comes `ahead` after the next one.
    fn peek(&mut self, ahead: usize) -> Option<Spot> {
        while self.ready.len() <= ahead && self.next * TILE_WIDTH < self.size {
            let width = (self.size - self.next * TILE_WIDTH).min(TILE_WIDTH);
            if self.tiles {
                self.read_tile(width);
            } else {
                self.read_bundle(width);
            }
            self.next += 1;
        }
        self.ready.get(ahead).copied()
    }

    fn read_tile(&mut self, width: u64) {
        let unknown = || vec![UNKNOWN; usize::try_from(width).unwrap_or_default()];
        let hashes = read_tile(self.dir, 0, self.next, width).unwrap_or_else(|_| unknown());
        let bundle = self.next;
        let spots = (0..).zip(hashes);
        self.ready.extend(spots.map(|(at, hash)| Spot { hash, bundle, offset: at * 32 }));
    }

    fn read_bundle(&mut self, width: u64) {
        let path = entries_path(self.next, width);
        let octets = read_either(self.dir, &path, &entries_path(self.next, TILE_WIDTH));
        let Ok(octets) = octets else {
            let spot = Spot { hash: UNKNOWN, bundle: self.next, offset: 0 };
            self.ready.extend((0..width).map(|_| spot));
            return;
        };
        let mut offset = 0;
        for entry in Bundle::new(&octets).map_while(Result::ok) {
            self.ready.push_back(Spot { hash: leaf_hash(entry), bundle: self.next, offset });
            offset += entry.len() as u64 + 2;
        }
    }

    fn window(&mut self) -> Vec<Digest> {
        (0..WINDOW).map_while(|ahead| self.peek(ahead)).map(|spot| spot.hash).collect()
    }

    fn skip(&mut self, count: usize) {
        self.ready.drain(..count.min(self.ready.len()));
    }
}

/// What happened at one place: so many entries and so many hashes of the tree do not belong
/// together.
enum Event {
    Reordered(usize),
    Changed(usize),
    Dropped(usize),
    Inserted(usize),
}

/// Names every difference from bundle `first` on.
pub(super) fn name_differences(dir: &Path, size: u64, first: u64, findings: &mut Findings) {
    let stream = |tiles| Stream { dir, size, tiles, next: first, ready: VecDeque::new() };
    let (mut entries, mut tree) = (stream(false), stream(true));
    let mut leaf = first * TILE_WIDTH;
    while !findings.is_full() {
        let (entry, node) = (entries.peek(0), tree.peek(0));
        match (entry, node) {
            (None, None) => return,
            (Some(entry), Some(node))
                if entry.hash == node.hash || entry.hash == UNKNOWN || node.hash == UNKNOWN =>
            {
                entries.skip(1);
                tree.skip(1);
                leaf += 1;
                continue;
            }
            _ => {}
        }
        let event = classify(&entries.window(), &tree.window());
        let spot = entry.or(node);
        let (bundle, offset) =
            spot.map_or((leaf / TILE_WIDTH, 0), |spot| (spot.bundle, spot.offset));
        let width = size.saturating_sub(bundle * TILE_WIDTH).min(TILE_WIDTH);
        let file = if entry.is_some() {
            present(dir, entries_path(bundle, width), entries_path(bundle, TILE_WIDTH))
        } else {
            present(dir, tile_path(0, bundle, width), tile_path(0, bundle, TILE_WIDTH))
        };
        let (kind, from_entries, from_tree) = match event {
            Event::Reordered(n) => (DamageKind::Reordered(n as u64), n, n),
            Event::Changed(n) => (DamageKind::EntryChanged, n, n),
            Event::Dropped(n) => (DamageKind::Dropped(n as u64), 0, n),
            Event::Inserted(n) => (DamageKind::Inserted(n as u64), n, 0),
        };
        findings.add(Damage { leaf: Some(leaf), file, offset: Some(offset), kind });
        entries.skip(from_entries);
        tree.skip(from_tree);
        leaf += from_tree as u64;
    }
}

fn present(
    dir: &Path,
    first: std::path::PathBuf,
    second: std::path::PathBuf,
) -> std::path::PathBuf {
    if fs::exists(dir.join(&first)).unwrap_or(false) { first } else { second }
}

/// Tells the simplest event that explains why the first hashes differ.
fn classify(entries: &[Digest], tree: &[Digest]) -> Event {
    for n in 2..=entries.len().min(tree.len()).min(MOVED_MAX) {
        let (mut one, mut other) = (entries[..n].to_vec(), tree[..n].to_vec());
        one.sort_unstable();
        other.sort_unstable();
        if one == other {
            return Event::Reordered(n);
        }
    }
    if entries.is_empty() {
        return Event::Dropped(tree.len());
    }
    if tree.is_empty() {
        return Event::Inserted(entries.len());
    }
    for distance in 1..WINDOW {
        if entries.get(distance).is_some() && entries.get(distance) == tree.get(distance) {
            return Event::Changed(1);
        }
        if tree.get(distance) == entries.first() {
            return Event::Dropped(distance);
        }
        if entries.get(distance) == tree.first() {
            return Event::Inserted(distance);
        }
    }
    Event::Changed(1)
}
