//! Damage: whatever is done to the folder is named (ARC-20, ENC-16).

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Folder, House, ORIGIN, files, read_all};
use crate::{
    CHECKPOINT_FILE, Checkpoint, DamageKind, Expected, HISTORY_FILE, Log, Record, Report,
    SigningKey, bodies_path, entries_path, salts_path, tile_path, verify,
};

fn flip(path: &Path, at: usize, bit: u8) {
    let mut octets = fs::read(path).unwrap();
    octets[at] ^= bit;
    fs::write(path, octets).unwrap();
}

fn kinds(report: &Report) -> Vec<(Option<u64>, &DamageKind)> {
    report.damage.iter().map(|damage| (damage.leaf, &damage.kind)).collect()
}

/// Every byte of every file of a small log, one after the other.
#[test]
fn a_flipped_byte_anywhere_is_named_with_its_file() {
    let mut house = House::new();
    house.chat(2);
    house.log().checkpoint().unwrap();
    house.chat(3);
    house.log().checkpoint().unwrap();
    for path in files(house.dir()) {
        let full = house.dir().join(&path);
        let len = fs::metadata(&full).unwrap().len() as usize;
        let step = if path.starts_with("bodies") { 13 } else { 1 };
        for at in (0..len).step_by(step) {
            flip(&full, at, 0x20);
            let report = house.verify();
            assert!(!report.is_intact(), "byte {at} of {}", path.display());
            let named = report.damage.iter().any(|damage| damage.file == path);
            assert!(named, "byte {at} of {}: {:?}", path.display(), report.damage);
            flip(&full, at, 0x20);
        }
    }
    assert!(house.verify().is_intact());
}

/// Samples of a log with full tiles on two levels; records are named by number.
#[test]
fn a_flipped_byte_in_a_longer_log_is_named_with_its_record() {
    let mut house = House::new();
    house.chat(599);
    house.log().checkpoint().unwrap();
    for path in files(house.dir()) {
        let full = house.dir().join(&path);
        let len = fs::metadata(&full).unwrap().len() as usize;
        for at in [0, len / 3, len / 2, len.saturating_sub(1)].into_iter().filter(|at| *at < len) {
            flip(&full, at, 0x01);
            let report = house.verify();
            let named = report.damage.iter().any(|damage| damage.file == path);
            assert!(named, "byte {at} of {}: {:?}", path.display(), report.damage);
            flip(&full, at, 0x01);
        }
    }
    let case = |path: PathBuf, at: usize, leaf: u64, kind: &DamageKind| {
        flip(&house.dir().join(&path), at, 0x80);
        let report = house.verify();
        assert!(kinds(&report).contains(&(Some(leaf), kind)), "{:?}", report.damage);
        assert!(
            report.damage.iter().all(|damage| damage.leaf == Some(leaf)),
            "{:?}",
            report.damage
        );
        flip(&house.dir().join(&path), at, 0x80);
    };
    // The digest of the body in the entry of record 300, its leaf hash, its salt.
    case(entries_path(1, 256), 44 * 98 + 2 + 70, 300, &DamageKind::EntryChanged);
    case(tile_path(0, 1, 256), 44 * 32, 300, &DamageKind::TileChanged);
    case(salts_path(0), 300 * 32, 300, &DamageKind::SaltChanged);
    let body = fs::read(house.dir().join(bodies_path(1))).unwrap().len() / 256;
    case(bodies_path(1), 44 * body + 5, 300, &DamageKind::BodyChanged);
    assert!(house.verify().is_intact());
}

/// Every file of the log is missed.
#[test]
fn a_missing_or_cut_file_is_named() {
    let mut house = House::new();
    house.chat(300);
    house.log().checkpoint().unwrap();
    for path in files(house.dir()) {
        if path == Path::new("lock") {
            continue;
        }
        let full = house.dir().join(&path);
        let octets = fs::read(&full).unwrap();
        fs::remove_file(&full).unwrap();
        let report = house.verify();
        let missed = report.damage.iter().any(|damage| damage.file == path);
        // The history is a help and no part of what is signed.
        assert!(missed || path == Path::new(HISTORY_FILE), "{}", path.display());
        fs::write(&full, &octets[..octets.len() - 1]).unwrap();
        let report = house.verify();
        assert!(report.damage.iter().any(|damage| damage.file == path), "{}", path.display());
        fs::write(&full, &octets).unwrap();
    }
    let full = house.dir().join(bodies_path(0));
    let mut octets = fs::read(&full).unwrap();
    octets.push(0);
    fs::write(&full, octets).unwrap();
    let report = house.verify();
    assert_eq!(kinds(&report), [(None, &DamageKind::Long)]);
}

fn write_bundle(dir: &Path, index: u64, width: u64, records: &[Record]) {
    let mut octets = Vec::new();
    for record in records {
        octets.extend_from_slice(&(record.entry.len() as u16).to_be_bytes());
        octets.extend_from_slice(&record.entry);
    }
    fs::write(dir.join(entries_path(index, width)), octets).unwrap();
    let bodies: Vec<u8> = records.iter().flat_map(|record| record.body.clone()).collect();
    fs::write(dir.join(bodies_path(index)), bodies).unwrap();
}

/// Records dropped, inserted and swapped in the files, with the tree left as it was.
#[test]
fn records_moved_under_the_tree_are_named() {
    let mut house = House::new();
    house.chat(99);
    house.log().checkpoint().unwrap();
    let all = read_all(house.dir());
    let mut dropped = all.clone();
    dropped.remove(40);
    write_bundle(house.dir(), 0, 100, &dropped);
    let report = house.verify();
    assert!(kinds(&report).contains(&(Some(40), &DamageKind::Dropped(1))), "{:?}", report.damage);

    let mut inserted = all.clone();
    inserted.insert(40, all[7].clone());
    write_bundle(house.dir(), 0, 100, &inserted);
    let report = house.verify();
    assert!(kinds(&report).contains(&(Some(40), &DamageKind::Inserted(1))), "{:?}", report.damage);

    let mut behind = all.clone();
    behind.push(all[7].clone());
    write_bundle(house.dir(), 0, 100, &behind);
    let report = house.verify();
    assert!(kinds(&report).contains(&(Some(100), &DamageKind::Inserted(1))), "{:?}", report.damage);

    let mut swapped = all.clone();
    swapped.swap(40, 41);
    write_bundle(house.dir(), 0, 100, &swapped);
    let report = house.verify();
    assert!(kinds(&report).contains(&(Some(40), &DamageKind::Reordered(2))), "{:?}", report.damage);

    write_bundle(house.dir(), 0, 100, &all);
    assert!(house.verify().is_intact());
}

/// Writes a log anew from records, as somebody would who has the folder.
fn rebuild(records: &[Record], key: SigningKey, steps: &[usize]) -> Folder {
    let folder = Folder::new();
    let mut log = Log::open(folder.path(), key, ORIGIN).unwrap();
    let numbered: Vec<(u64, Record)> = (0..).zip(records.iter().cloned()).collect();
    let mut from = 0;
    for to in steps.iter().copied().chain([records.len()]) {
        log.append(&numbered[from..to.min(records.len())]).unwrap();
        log.checkpoint().unwrap();
        from = to.min(records.len());
    }
    folder
}

type Attack = fn(&mut Vec<Record>);

const ATTACKS: [(Attack, u64); 3] = [
    (|records| drop(records.remove(320)), 320),
    (|records| records.insert(320, records[5].clone()), 320),
    (|records| records.swap(320, 321), 320),
];

/// An attacker without the signing key rebuilds everything but cannot sign it.
#[test]
fn a_rebuilt_log_without_the_key_is_named() {
    let mut house = House::new();
    house.chat(299);
    house.log().checkpoint().unwrap();
    house.chat(300);
    house.log().checkpoint().unwrap();
    for (attack, leaf) in ATTACKS {
        let mut records = read_all(house.dir());
        attack(&mut records);
        let folder = rebuild(&records, SigningKey::generate().unwrap(), &[]);
        let report = verify(folder.path(), &house.verifying, &Expected::default(), |_| {});
        let unsigned = DamageKind::Checkpoint(crate::CheckpointFault::Unsigned);
        assert!(kinds(&report).contains(&(None, &unsigned)), "{:?}", report.damage);

        for name in [CHECKPOINT_FILE, HISTORY_FILE] {
            fs::copy(house.dir().join(name), folder.path().join(name)).unwrap();
        }
        let report = verify(folder.path(), &house.verifying, &Expected::default(), |_| {});
        assert!(!report.is_intact());
        let named = report.damage.iter().any(|damage| {
            damage.leaf == Some(leaf) && matches!(damage.kind, DamageKind::SegmentOrder { .. })
        });
        assert!(named, "{:?}", report.damage);
        let placed = kinds(&report).contains(&(Some(300), &DamageKind::TreeChanged { to: 600 }));
        assert!(placed, "{:?}", report.damage);
    }
}

/// An attacker with the signing key passes alone, and fails against any older checkpoint that
/// somebody kept (N2).
#[test]
fn a_rebuilt_log_with_the_key_fails_against_an_older_checkpoint() {
    let mut house = House::new();
    house.chat(399);
    let kept = house.log().checkpoint().unwrap();
    house.chat(200);
    house.log().checkpoint().unwrap();
    let expected = Expected { origin: Some(ORIGIN.into()), older: vec![kept] };
    let report = verify(house.dir(), &house.verifying, &expected, |_| {});
    assert!(report.is_intact(), "{:?}", report.damage);
    for (attack, _) in ATTACKS {
        let mut records = read_all(house.dir());
        attack(&mut records);
        let folder = rebuild(&records, house.signing(), &[400]);
        let report = verify(folder.path(), &house.verifying, &expected, |_| {});
        let kind = DamageKind::NotConsistent { older: 400 };
        assert!(kinds(&report).contains(&(None, &kind)), "{:?}", report.damage);
    }
    let records = read_all(house.dir());
    let folder = rebuild(&records[..300], house.signing(), &[]);
    let report = verify(folder.path(), &house.verifying, &expected, |_| {});
    assert_eq!(kinds(&report), [(None, &DamageKind::Shortened { older: 400 })]);
    let other = Expected { origin: Some("other.example".into()), older: Vec::new() };
    let report = verify(house.dir(), &house.verifying, &other, |_| {});
    assert_eq!(kinds(&report), [(None, &DamageKind::Origin(ORIGIN.into()))]);
}

/// An older checkpoint put in place of the newest, with the newer files left or taken away.
#[test]
fn a_rolled_back_checkpoint_is_named() {
    let mut house = House::new();
    house.chat(10);
    house.log().checkpoint().unwrap();
    let older = fs::read(house.dir().join(CHECKPOINT_FILE)).unwrap();
    house.chat(10);
    house.log().checkpoint().unwrap();
    fs::write(house.dir().join(CHECKPOINT_FILE), &older).unwrap();
    assert_eq!(kinds(&house.verify()), [(None, &DamageKind::RolledBack)]);
    fs::remove_dir_all(house.dir().join("tile")).unwrap();
    let report = house.verify();
    assert!(report.damage.iter().any(|damage| damage.kind == DamageKind::Missing));
    assert!(report.checkpoint.is_some_and(|checkpoint: Checkpoint| checkpoint.size == 21));
}

/// A folder that is no log, and an empty log.
#[test]
fn nothing_is_not_intact_and_an_empty_log_is() {
    let folder = Folder::new();
    let key = SigningKey::generate().unwrap();
    let verifying = key.verifying();
    assert!(!verify(folder.path(), &verifying, &Expected::default(), |_| {}).is_intact());
    drop(Log::open(folder.path(), key, ORIGIN).unwrap());
    let report = verify(folder.path(), &verifying, &Expected::default(), |_| {});
    assert!(report.is_intact(), "{:?}", report.damage);
    assert!(
        verify(&folder.path().join("no"), &verifying, &Expected::default(), |_| {}).damages > 0
    );
}

/// What waits for a checkpoint is counted, and damage to it is seen.
#[test]
fn the_journal_is_looked_at_too() {
    let mut house = House::new();
    house.chat(3);
    house.log().checkpoint().unwrap();
    house.chat(4);
    house.chat(2);
    let report = house.verify();
    assert!(report.is_intact());
    assert_eq!(report.unsigned, 6);
    let journal = house.dir().join("journal");
    let len = fs::metadata(&journal).unwrap().len() as usize;
    for at in (0..len).step_by(61) {
        flip(&journal, at, 0x10);
        let report = house.verify();
        assert!(report.damages + report.remarks.len() as u64 > 0, "byte {at}");
        assert!(at >= len / 2 || report.damages > 0, "byte {at}");
        flip(&journal, at, 0x10);
    }
}
