//! The log: order, idempotence, form of the folder, full disks.

use std::fs::{self, OpenOptions};

use super::{House, ORIGIN, PLANTED, files, noon, read_all, submission};
use crate::{
    CHECKPOINT_FILE, Checkpoint, CheckpointFault, Log, LogFault, NO_SALT, Nodes, Opened, Record,
    SigningKey, TileNodes, consistency_holds, consistency_proof, inclusion_holds, inclusion_proof,
    leaf_hash,
};

/// Nothing in the folder says a word (ENC-07, ARC-08).
#[test]
fn no_file_holds_a_word_of_a_record() {
    let mut house = House::new();
    house.chat(300);
    house.log().checkpoint().unwrap();
    house.chat(3);
    for path in files(house.dir()) {
        let octets = fs::read(house.dir().join(&path)).unwrap();
        for word in [PLANTED, "ann@bank", "bob@bank", "message"] {
            let found = octets.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} in {}", path.display());
        }
    }
}

#[test]
fn the_folder_has_the_form_of_tlog_tiles() {
    let mut house = House::new();
    house.chat(299);
    house.log().checkpoint().unwrap();
    house.chat(300);
    house.log().checkpoint().unwrap();
    let names: Vec<String> =
        files(house.dir()).iter().map(|path| path.display().to_string()).collect();
    let expected = [
        "bodies/000",
        "bodies/001",
        "bodies/002",
        "checkpoint",
        "checkpoints",
        "journal",
        "lock",
        "salts/000",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/1",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ];
    assert_eq!(names, expected);
    assert_eq!(crate::tile_path(0, 1_234_067, 256).display().to_string(), "tile/0/x001/x234/067");
    assert_eq!(crate::tile_path(2, 5, 3).display().to_string(), "tile/2/005.p/3");
    let report = house.verify();
    assert!(report.is_intact() && report.remarks.is_empty(), "{:?}", report);
    assert_eq!((report.openings, report.messages, report.notes), (1, 599, 0));
    assert_eq!(report.checkpoints, 2);
}

/// The signed note of C2SP: origin, size, root, and one signature line by the log's name.
#[test]
fn the_checkpoint_is_a_signed_note() {
    let mut house = House::new();
    house.chat(3);
    let checkpoint = house.log().checkpoint().unwrap();
    let note = fs::read_to_string(house.dir().join(CHECKPOINT_FILE)).unwrap();
    let lines: Vec<&str> = note.split('\n').collect();
    assert_eq!(lines[..2], [ORIGIN, "4"]);
    assert!(lines[3].is_empty() && lines[4].starts_with("\u{2014} archive.bank.example/log "));
    assert_eq!(Checkpoint::open(&note, &house.verifying).unwrap(), checkpoint);
    let witnessed = format!("{note}\u{2014} witness.example AAAAAAAA\n");
    assert!(Checkpoint::open(&witnessed, &house.verifying).is_ok());
    let other = SigningKey::generate().unwrap().verifying();
    assert_eq!(Checkpoint::open(&note, &other), Err(CheckpointFault::Unsigned));
    let forged = note.replacen("\n4\n", "\n5\n", 1);
    assert_eq!(Checkpoint::open(&forged, &house.verifying), Err(CheckpointFault::Signature));
    for bad in ["", "\n\n", "a\n1\n", "a\n01\nAA==\n\n", "a\nx\nAA==\n\n\u{2014} a A\n"] {
        assert_eq!(Checkpoint::open(bad, &house.verifying), Err(CheckpointFault::Malformed));
    }
}

/// Proofs from the tiles of a real folder.
#[test]
fn proofs_come_from_the_tiles() {
    let mut house = House::new();
    house.chat(200);
    let older = house.log().checkpoint().unwrap();
    house.chat(400);
    let newer = house.log().checkpoint().unwrap();
    let mut nodes = TileNodes::new(house.dir(), newer.size);
    for (index, record) in read_all(house.dir()).iter().enumerate().step_by(37) {
        let index = index as u64;
        let path = inclusion_proof(&mut nodes, index, newer.size).unwrap().unwrap();
        let leaf = leaf_hash(&record.entry);
        assert_eq!(nodes.node(0, index).unwrap(), leaf);
        assert!(inclusion_holds(&leaf, index, newer.size, &path, &newer.root));
    }
    let path = consistency_proof(&mut nodes, older.size, newer.size).unwrap().unwrap();
    assert!(consistency_holds(older.size, &older.root, newer.size, &newer.root, &path));
}

/// Everything may be given again; gaps and other records may not.
#[test]
fn append_is_idempotent_by_number() {
    let mut house = House::new();
    house.chat(300);
    house.log().checkpoint().unwrap();
    house.chat(5);
    let size = house.log().size();
    house.log().checkpoint().unwrap();
    let all: Vec<(u64, Record)> = (0..).zip(read_all(house.dir())).collect();
    house.log().append(&all).unwrap();
    assert_eq!(house.log().size(), size);
    let more: Vec<Record> = (0..2)
        .flat_map(|_| house.seal(submission("ann", "bob", "x", noon())).records().to_vec())
        .collect();
    let log = house.log();
    let gap = log.append(&[(size + 1, more[0].clone())]);
    assert!(matches!(gap, Err(LogFault::Gap { .. })));
    let conflict = log.append(&[(3, more[0].clone())]);
    assert!(matches!(conflict, Err(LogFault::Conflict { number: 3 })));
    let twice = [(size, more[0].clone()), (size, more[1].clone())];
    assert!(matches!(log.append(&twice), Err(LogFault::Conflict { .. })));
    let mut broken = more[0].clone();
    broken.body[0] ^= 1;
    assert!(matches!(log.append(&[(size, broken)]), Err(LogFault::Record { .. })));
    assert_eq!(log.size(), size);
    log.append(&[(size, more[0].clone()), (size + 1, more[1].clone())]).unwrap();
    assert!(matches!(log.append(&[(size + 1, more[0].clone())]), Err(LogFault::Conflict { .. })));
    log.append(&[(size + 1, more[1].clone())]).unwrap();
    log.checkpoint().unwrap();
    assert!(house.verify().is_intact());
}

/// One writer, one key, one name.
#[test]
fn a_log_is_opened_by_one_and_only_by_its_own() {
    let mut house = House::new();
    house.chat(2);
    house.log().checkpoint().unwrap();
    assert!(matches!(Log::open(house.dir(), house.signing(), ORIGIN), Err(LogFault::InUse)));
    house.log = None;
    let other = SigningKey::generate().unwrap();
    let fault = Log::open(house.dir(), other, ORIGIN).err();
    assert!(matches!(fault, Some(LogFault::Checkpoint(CheckpointFault::Unsigned))));
    let fault = Log::open(house.dir(), house.signing(), "other.example").err();
    assert!(matches!(fault, Some(LogFault::Origin { .. })));
    let fault = Log::open(house.dir(), house.signing(), "two words").err();
    assert!(matches!(fault, Some(LogFault::Checkpoint(CheckpointFault::Origin))));
    fs::remove_file(house.dir().join(CHECKPOINT_FILE)).unwrap();
    assert!(Log::open(house.dir(), house.signing(), ORIGIN).is_err());
}

/// ARC-31: a full disk refuses, loses nothing, and is over by itself.
#[test]
fn a_full_disk_refuses_and_recovers() {
    let mut house = House::new();
    house.chat(10);
    let size = house.log().size();
    let more = house.seal(submission("ann", "bob", "x", noon())).records().to_vec();
    let more = [(size, more[0].clone())];
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let file = house.log().journal_mut().swap_file(full);
    for _ in 0..2 {
        assert!(house.log().append(&more).is_err());
        assert_eq!(house.log().size(), size);
    }
    house.log().journal_mut().swap_file(file);
    house.log().append(&more).unwrap();
    assert_eq!(house.log().size(), size + 1);

    // The tiles cannot be written: a file is where a folder must be.
    fs::write(house.dir().join("tile"), b"").unwrap();
    assert!(house.log().checkpoint().is_err());
    house.reopen();
    assert_eq!(house.log().size(), size + 1);
    assert!(house.log().checkpoint().is_err());
    fs::remove_file(house.dir().join("tile")).unwrap();
    house.log().checkpoint().unwrap();
    assert!(house.verify().is_intact());
}

/// N8 in small: the content is gone for good, the proofs are not.
#[test]
fn a_destroyed_salt_takes_the_content_and_leaves_the_proof() {
    let mut house = House::new();
    house.chat(20);
    let before = house.log().checkpoint().unwrap();
    house.log().destroy_salts(&[3, 7]).unwrap();
    let report = house.verify();
    assert!(report.is_intact());
    assert_eq!((report.destroyed, report.destroyed_leaves), (2, vec![3, 7]));
    assert_eq!(house.log().checkpoint().unwrap(), before);
    assert!(matches!(house.custodian.show(house.dir(), 3).unwrap().content, Opened::Destroyed));
    assert!(matches!(house.custodian.show(house.dir(), 4).unwrap().content, Opened::Plain(_)));
    assert_eq!(read_all(house.dir())[7].salt, NO_SALT);
    assert!(matches!(house.log().destroy_salts(&[99]), Err(LogFault::Gap { .. })));
    house.reopen();
    house.chat(3);
    house.log().checkpoint().unwrap();
    assert!(house.verify().is_intact());
}
