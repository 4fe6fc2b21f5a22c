//! Crashes: a folder as it may be found after any write was cut off.

use std::{fs, path::Path};

use super::{Folder, House, ORIGIN, files, read_all};
use crate::{Expected, Log, Record, verify};

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        fs::create_dir_all(to.join(&path).parent().unwrap()).unwrap();
        fs::copy(from.join(&path), to.join(&path)).unwrap();
    }
}

/// The journal cut at every byte of the last append: everything before it is there, and what is
/// given again is taken.
#[test]
fn a_torn_append_is_cut_off_and_given_again() {
    let mut house = House::new();
    house.chat(4);
    house.log().checkpoint().unwrap();
    house.chat(2);
    let safe = house.log().size();
    let journal = house.dir().join("journal");
    let before = fs::metadata(&journal).unwrap().len();
    house.chat(2);
    let whole = house.log().size();
    house.log().checkpoint().unwrap();
    let all: Vec<(u64, Record)> = (0..).zip(read_all(house.dir())).collect();
    house.log = None;

    let mut again = House::new();
    again.signing = house.signing.clone();
    again.verifying = house.verifying.clone();
    again.log = None;
    fs::remove_dir_all(again.dir()).unwrap();
    again.log = Some(Log::open(again.dir(), house.signing(), ORIGIN).unwrap());
    again.log().append(&all[..5]).unwrap();
    again.log().checkpoint().unwrap();
    again.log().append(&all[5..7]).unwrap();
    again.log().append(&all[7..]).unwrap();
    let octets = fs::read(again.dir().join("journal")).unwrap();
    assert_eq!(safe, 7);
    for len in (before as usize..=octets.len()).rev() {
        again.log = None;
        // Lost pages come back as zeros, or not at all.
        for fill in [0, octets.len() - len] {
            let mut torn = octets[..len].to_vec();
            torn.resize(len + fill, 0);
            fs::write(again.dir().join("journal"), &torn).unwrap();
            let mut log = Log::open(again.dir(), house.signing(), ORIGIN).unwrap();
            let size = log.size();
            assert!(size == safe || size == whole && torn == octets, "at {len}: {size}");
            if len % 97 == 0 {
                log.append(&all).unwrap();
                assert_eq!(log.size(), whole);
            }
        }
    }
    let mut log = Log::open(again.dir(), house.signing(), ORIGIN).unwrap();
    log.append(&all).unwrap();
    log.checkpoint().unwrap();
    assert!(again.verify().is_intact());
    assert_eq!(read_all(again.dir()), read_all(house.dir()));
}

/// A record that was safe and was changed later is not passed over in silence.
#[test]
fn a_changed_record_inside_the_journal_is_not_taken_for_a_crash() {
    let mut house = House::new();
    house.chat(3);
    house.chat(3);
    house.log = None;
    let journal = house.dir().join("journal");
    let octets = fs::read(&journal).unwrap();
    for at in (48..octets.len() / 2).step_by(29) {
        let mut changed = octets.clone();
        changed[at] ^= 4;
        fs::write(&journal, changed).unwrap();
        assert!(Log::open(house.dir(), house.signing(), ORIGIN).is_err(), "byte {at}");
    }
    fs::write(&journal, octets).unwrap();
    house.reopen();
    assert_eq!(house.log().size(), 7);
}

/// A checkpoint that was cut off at any file it writes: each file on its own is missing, empty,
/// half or whole, under the old checkpoint and the old journal.
#[test]
fn a_torn_checkpoint_is_done_again() {
    let mut house = House::new();
    house.chat(250);
    house.log().checkpoint().unwrap();
    house.chat(20);
    house.log = None;
    let before = Folder::new();
    copy(house.dir(), before.path());
    house.reopen();
    let checkpoint = house.log().checkpoint().unwrap();
    house.log = None;
    let kept = ["checkpoint", "journal", "checkpoints"];
    let written: Vec<_> = files(house.dir())
        .into_iter()
        .filter(|path| !kept.iter().any(|name| path == Path::new(name)))
        .collect();
    for torn in &written {
        for part in 0..3 {
            let folder = Folder::new();
            copy(before.path(), folder.path());
            // Everything is written but one file; that one was there before or not.
            for path in &written {
                let octets = fs::read(house.dir().join(path)).unwrap();
                let old = fs::read(before.path().join(path)).unwrap_or_default();
                let new = old.len() + (octets.len() - old.len()) * part / 2;
                let octets = if path == torn { &octets[..new] } else { &octets[..] };
                fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
                fs::write(folder.path().join(path), octets).unwrap();
            }
            let report = verify(folder.path(), &house.verifying, &Expected::default(), |_| {});
            assert!(report.is_intact(), "{} {part}: {:?}", torn.display(), report.damage);
            let mut log = Log::open(folder.path(), house.signing(), ORIGIN).unwrap();
            assert_eq!(log.checkpoint().unwrap(), checkpoint);
            drop(log);
            let report = verify(folder.path(), &house.verifying, &Expected::default(), |_| {});
            assert!(report.is_intact(), "{} {part}: {:?}", torn.display(), report.damage);
        }
    }
}

/// The checkpoint is there and the journal or the history is still the old one.
#[test]
fn a_crash_behind_the_checkpoint_loses_nothing() {
    let mut house = House::new();
    house.chat(5);
    house.log().checkpoint().unwrap();
    house.chat(5);
    let journal = fs::read(house.dir().join("journal")).unwrap();
    let history = fs::read(house.dir().join("checkpoints")).unwrap();
    house.log().checkpoint().unwrap();
    house.log = None;
    let whole = fs::read(house.dir().join("checkpoints")).unwrap();
    fs::write(house.dir().join("journal"), &journal).unwrap();
    for len in [history.len(), history.len() + 7, whole.len() - 1, whole.len()] {
        fs::write(house.dir().join("checkpoints"), &whole[..len]).unwrap();
        house.reopen();
        assert_eq!((house.log().size(), house.log().signed_size()), (11, 11));
        let mark = house.sealer.mark();
        house.chat(1);
        house.sealer.rewind(mark);
        house.log = None;
        fs::write(house.dir().join("journal"), &journal).unwrap();
    }
    fs::write(house.dir().join("checkpoints"), &whole[..history.len() + 9]).unwrap();
    house.reopen();
    house.chat(300);
    house.log().checkpoint().unwrap();
    let report = house.verify();
    assert!(report.is_intact(), "{:?}", report.damage);
    assert_eq!(report.checkpoints, 2);
}
