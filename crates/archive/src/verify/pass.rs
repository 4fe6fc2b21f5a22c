//! The pass over all records, bundle by bundle: entries against tiles, bodies and salts against
//! entries, places in segments, and the roots of both against the checkpoints.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{Findings, Outcome, Progress, Source, Target, damage::DamageKind, naming};
use crate::{
    checkpoint::Checkpoint,
    entry::{Entry, Kind, NO_SALT, SALT_BYTES, SegmentId},
    log::{Bundle, CHECKPOINT_FILE},
    merkle::{Digest, leaf_hash, sha256},
    tile::{
        Edge, SALTS_PER_FILE, TILE_WIDTH, bodies_path, entries_path, read_tile, salts_path,
        tile_path,
    },
};

/// A tree that grows during the pass, and the roots it had at the sizes asked for.
struct Growing {
    edge: Edge,
    upper: BTreeMap<PathBuf, Vec<u8>>,
    roots: BTreeMap<u64, Digest>,
}

impl Growing {
    fn new(targets: &BTreeMap<u64, Vec<Target>>) -> Self {
        let mut growing =
            Self { edge: Edge::new(), upper: BTreeMap::new(), roots: BTreeMap::new() };
        growing.note_root(targets);
        growing
    }

    fn push(&mut self, leaf: Digest, targets: &BTreeMap<u64, Vec<Target>>) {
        let upper = &mut self.upper;
        self.edge.push(leaf, |level, index, hashes| {
            if level > 0 {
                upper.insert(tile_path(level, index, TILE_WIDTH), hashes.concat());
            }
        });
        self.note_root(targets);
    }

    fn note_root(&mut self, targets: &BTreeMap<u64, Vec<Target>>) {
        let size = self.edge.size();
        if targets.contains_key(&size) {
            self.roots.insert(size, self.edge.root());
        }
    }

    fn finish(mut self) -> BTreeMap<PathBuf, Vec<u8>> {
        for (level, index, hashes) in self.edge.partial().filter(|(level, _, _)| *level > 0) {
            self.upper.insert(tile_path(level, index, hashes.len() as u64), hashes.concat());
        }
        self.upper
    }
}

/// Where the segments are.
#[derive(Default)]
struct Segments {
    seen: HashSet<SegmentId>,
    /// The running segment and the place that comes next.
    running: Option<(SegmentId, u32)>,
}

/// Goes over all records that `newest` signs.
pub(super) fn run(
    dir: &Path,
    newest: &Checkpoint,
    targets: &BTreeMap<u64, Vec<Target>>,
    findings: &mut Findings,
    progress: &mut impl FnMut(Progress),
) -> Outcome {
    let size = newest.size;
    let (mut by_entries, mut by_tiles) = (Growing::new(targets), Growing::new(targets));
    let mut segments = Segments::default();
    let mut salts = Salts { dir, number: None, octets: Vec::new() };
    let mut differing: Vec<u64> = Vec::new();
    for bundle in 0..size.div_ceil(TILE_WIDTH) {
        let width = (size - bundle * TILE_WIDTH).min(TILE_WIDTH);
        let nodes = read_nodes(dir, bundle, width, findings);
        let entries = read_entries(dir, bundle, width, findings);
        let leaves: Vec<Digest> = entries.iter().map(|octets| leaf_hash(octets)).collect();
        leaves.iter().for_each(|leaf| by_entries.push(*leaf, targets));
        nodes.iter().for_each(|node| by_tiles.push(*node, targets));
        if leaves != nodes {
            differing.push(bundle);
        }
        let mut check = BundleCheck { dir, bundle, nodes: &nodes, leaves: &leaves, findings };
        check.run(&entries, &mut segments, &mut salts);
        progress(Progress { done: bundle * TILE_WIDTH + width, total: size });
    }
    let right = |growing: &Growing| growing.roots.get(&size) == Some(&newest.root);
    let entries_right = right(&by_entries);
    if entries_right {
        for bundle in differing {
            name_tile(dir, bundle, size, findings);
        }
    } else if let Some(first) = differing.first() {
        naming::name_differences(dir, size, *first, findings);
    }
    let best = if entries_right { &by_entries.roots } else { &by_tiles.roots };
    compare_roots(best, targets, findings);
    let upper = if entries_right { by_entries } else { by_tiles };
    Outcome { upper: upper.finish() }
}

/// The level 0 hashes of a bundle.
fn read_nodes(dir: &Path, bundle: u64, width: u64, findings: &mut Findings) -> Vec<Digest> {
    read_tile(dir, 0, bundle, width).unwrap_or_else(|error| {
        findings.io(&tile_path(0, bundle, width), &error);
        Vec::new()
    })
}

/// The entries of a bundle, as octets.
fn read_entries(dir: &Path, bundle: u64, width: u64, findings: &mut Findings) -> Vec<Vec<u8>> {
    let (path, signed) = entries_file(dir, bundle, width);
    let octets = match fs::read(dir.join(&path)) {
        Ok(octets) => octets,
        Err(error) => {
            findings.io(&path, &error);
            return Vec::new();
        }
    };
    let mut entries = Vec::new();
    let mut offset = 0;
    for entry in Bundle::new(&octets) {
        let Ok(entry) = entry else {
            findings.file(&path, Some(offset), DamageKind::Short);
            break;
        };
        offset += entry.len() as u64 + 2;
        entries.push(entry.to_vec());
    }
    // A full bundle may stand for a partial one that is gone; then it goes on.
    if !signed {
        entries.truncate(usize::try_from(width).unwrap_or(usize::MAX));
    }
    entries
}

/// The file of a bundle, and whether it is the one of exactly that width.
fn entries_file(dir: &Path, bundle: u64, width: u64) -> (PathBuf, bool) {
    let (exact, full) = (entries_path(bundle, width), entries_path(bundle, TILE_WIDTH));
    let missing = !fs::exists(dir.join(&exact)).unwrap_or(true);
    if missing && fs::exists(dir.join(&full)).unwrap_or(false) {
        (full, false)
    } else {
        (exact, true)
    }
}

/// Names the hashes of a tile that are not those of its entries, which were signed.
fn name_tile(dir: &Path, bundle: u64, size: u64, findings: &mut Findings) {
    let width = (size - bundle * TILE_WIDTH).min(TILE_WIDTH);
    let entries = read_entries(dir, bundle, width, &mut Findings::default());
    let nodes = read_tile(dir, 0, bundle, width).unwrap_or_default();
    for (place, entry) in (0..).zip(&entries) {
        if place >= width {
            let (file, _) = entries_file(dir, bundle, width);
            let kind = DamageKind::Inserted(entries.len() as u64 - width);
            findings.leaf(bundle * TILE_WIDTH + width, &file, place * 98, kind);
            return;
        }
        let at = usize::try_from(place).unwrap_or(usize::MAX);
        if nodes.get(at) != Some(&leaf_hash(entry)) {
            let exact = tile_path(0, bundle, width);
            let file = if fs::exists(dir.join(&exact)).unwrap_or(true) {
                exact
            } else {
                tile_path(0, bundle, TILE_WIDTH)
            };
            let leaf = bundle * TILE_WIDTH + place;
            findings.leaf(leaf, &file, place * 32, DamageKind::TileChanged);
        }
    }
}

/// Compares the roots that the log has with those that were signed or kept, and places what
/// differs between the last that fits and the first that does not.
fn compare_roots(
    roots: &BTreeMap<u64, Digest>,
    targets: &BTreeMap<u64, Vec<Target>>,
    findings: &mut Findings,
) {
    let mut from = 0;
    let mut broken = false;
    for (size, targets) in targets {
        let fits = |target: &&Target| roots.get(size) == Some(&target.root);
        let kept = targets.iter().filter(|target| target.source == Source::Kept);
        for _ in kept.filter(|target| !fits(target)) {
            let kind = DamageKind::NotConsistent { older: *size };
            findings.file(Path::new(CHECKPOINT_FILE), None, kind);
        }
        let mut signed = targets.iter().filter(|target| target.source == Source::Signed);
        if signed.any(|target| !fits(&target)) {
            if !broken {
                let file = entries_path(from / TILE_WIDTH, TILE_WIDTH);
                findings.leaf(from, &file, 0, DamageKind::TreeChanged { to: *size });
            }
            broken = true;
        } else if !broken {
            from = *size;
        }
    }
}

/// The salts, one file at a time.
struct Salts<'a> {
    dir: &'a Path,
    number: Option<u64>,
    octets: Vec<u8>,
}

impl Salts<'_> {
    fn get(&mut self, leaf: u64, findings: &mut Findings) -> Option<[u8; SALT_BYTES]> {
        let number = leaf / SALTS_PER_FILE;
        if self.number != Some(number) {
            self.number = Some(number);
            let path = salts_path(number);
            self.octets = fs::read(self.dir.join(&path)).unwrap_or_else(|error| {
                findings.io(&path, &error);
                Vec::new()
            });
        }
        let start = usize::try_from(leaf % SALTS_PER_FILE).ok()? * SALT_BYTES;
        self.octets.get(start..start + SALT_BYTES)?.try_into().ok()
    }
}

/// The check of one bundle.
struct BundleCheck<'a> {
    dir: &'a Path,
    bundle: u64,
    nodes: &'a [Digest],
    leaves: &'a [Digest],
    findings: &'a mut Findings,
}

impl BundleCheck<'_> {
    fn run(&mut self, entries: &[Vec<u8>], segments: &mut Segments, salts: &mut Salts<'_>) {
        let width = self.nodes.len().max(entries.len()) as u64;
        let path = entries_file(self.dir, self.bundle, width.min(TILE_WIDTH)).0;
        let bodies_path = bodies_path(self.bundle);
        let mut bodies = match File::open(self.dir.join(&bodies_path)) {
            Ok(file) => Some(io::BufReader::with_capacity(256 * 1_024, file)),
            Err(error) => {
                self.findings.io(&bodies_path, &error);
                None
            }
        };
        let (mut offset, mut body_offset) = (0, 0);
        for (place, octets) in entries.iter().enumerate() {
            let leaf = self.bundle * TILE_WIDTH + place as u64;
            let entry = Entry::decode(octets);
            // An entry that is not in the tree is named where entries and tree are compared;
            // what it says of its body cannot be relied on.
            let in_tree = self.nodes.get(place) == self.leaves.get(place);
            let Ok(entry) = entry else {
                if in_tree {
                    self.findings.leaf(leaf, &path, offset, DamageKind::EntryChanged);
                }
                bodies = None;
                offset += octets.len() as u64 + 2;
                continue;
            };
            self.count(&entry);
            self.check_place(&entry, leaf, &path, offset, segments);
            offset += octets.len() as u64 + 2;
            if let Some(reader) = &mut bodies {
                match read_body(reader, entry.length) {
                    Ok(digest) if digest == entry.body => {}
                    Ok(_) if in_tree => {
                        let kind = DamageKind::BodyChanged;
                        self.findings.leaf(leaf, &bodies_path, body_offset, kind);
                    }
                    Ok(_) => {}
                    Err(_) => {
                        self.findings.leaf(leaf, &bodies_path, body_offset, DamageKind::Short);
                        bodies = None;
                    }
                }
            }
            body_offset += entry.length;
            self.check_salt(&entry, leaf, salts);
        }
        self.check_rest(bodies, entries.len(), body_offset, &bodies_path);
    }

    fn count(&mut self, entry: &Entry) {
        let report = &mut self.findings.report;
        match entry.kind {
            Kind::Opening => report.openings += 1,
            Kind::Message => report.messages += 1,
            Kind::Note => report.notes += 1,
        }
    }

    /// Places follow each other in a segment without gaps, and each segment begins with its
    /// opening.
    fn check_place(
        &mut self,
        entry: &Entry,
        leaf: u64,
        path: &Path,
        offset: u64,
        segments: &mut Segments,
    ) {
        let opens = entry.kind == Kind::Opening && entry.index == 0;
        let known = if opens { segments.seen.insert(entry.segment) } else { true };
        match segments.running {
            _ if opens && known => {}
            Some((running, next)) if running == entry.segment && !opens => {
                if next != entry.index {
                    let kind = DamageKind::SegmentOrder { expected: next, found: entry.index };
                    self.findings.leaf(leaf, path, offset, kind);
                }
            }
            _ => self.findings.leaf(leaf, path, offset, DamageKind::SegmentUnknown),
        }
        segments.running = Some((entry.segment, entry.index.saturating_add(1)));
    }

    fn check_salt(&mut self, entry: &Entry, leaf: u64, salts: &mut Salts<'_>) {
        let path = salts_path(leaf / SALTS_PER_FILE);
        let offset = leaf % SALTS_PER_FILE * SALT_BYTES as u64;
        let kind = match salts.get(leaf, self.findings) {
            Some(salt) if entry.salt_fits(&salt) => return,
            Some(NO_SALT) if entry.kind != Kind::Opening => {
                self.findings.report.destroyed += 1;
                if self.findings.report.destroyed_leaves.len() < super::DAMAGES_NAMED_MAX {
                    self.findings.report.destroyed_leaves.push(leaf);
                }
                return;
            }
            Some(_) => DamageKind::SaltChanged,
            None => DamageKind::Short,
        };
        self.findings.leaf(leaf, &path, offset, kind);
    }

    /// Behind the last body of a full bundle there is nothing.
    fn check_rest(
        &mut self,
        bodies: Option<io::BufReader<File>>,
        entries: usize,
        end: u64,
        path: &Path,
    ) {
        let Some(mut bodies) = bodies else { return };
        let len = bodies.seek(SeekFrom::End(0)).unwrap_or(end);
        if len > end && entries as u64 == TILE_WIDTH {
            self.findings.file(path, Some(end), DamageKind::Long);
        } else if len > end {
            let more = len - end;
            let path = path.display();
            self.findings.remark(format!("{path} has {more} octets that are not signed yet"));
        }
    }
}

/// The digest of the next `length` octets.
fn read_body(reader: &mut impl Read, length: u64) -> io::Result<Digest> {
    let mut body = Vec::new();
    let read = reader.take(length).read_to_end(&mut body)?;
    if read as u64 == length {
        Ok(sha256(&[&body]))
    } else {
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    }
}
