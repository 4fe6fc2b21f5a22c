//! What crashes and other hands do to the file.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use crate::{
    Directory, DirectoryFault,
    journal::Journal,
    limits::LINE_BYTES_MAX,
    tests::{Folder, account_add, admin, apply, at, dump, person, small},
};

fn open_fault(folder: &Folder) -> DirectoryFault {
    Directory::open(folder.file()).expect_err("the file is not sound")
}

/// The file's bytes, with the start of each line.
fn lines(folder: &Folder) -> Vec<Vec<u8>> {
    let bytes = fs::read(folder.file()).unwrap();
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn a_torn_last_line_is_passed_over_and_cut_whatever_its_length() {
    let folder = Folder::new();
    let directory = small(&folder);
    let before = dump(&directory.snapshot());
    drop(directory);
    let whole = fs::read(folder.file()).unwrap();
    let directory = Directory::open(folder.file()).unwrap();
    apply(&directory, &[account_add("cyd", "u4713")]).unwrap();
    let longer = fs::read(folder.file()).unwrap();
    for end in whole.len()..longer.len() {
        fs::write(folder.file(), &longer[..end]).unwrap();
        let directory = Directory::open(folder.file()).unwrap();
        assert_eq!(dump(&directory.snapshot()), before, "cut at byte {end}");
        assert!(!directory.refresh().unwrap());
        assert_eq!(apply(&directory, &[account_add("dan", "u4714")]).unwrap(), 5);
        let again = Directory::open(folder.file()).unwrap();
        assert_eq!(dump(&again.snapshot()), dump(&directory.snapshot()), "cut at byte {end}");
    }
}

#[test]
fn what_a_crash_leaves_behind_in_zeros_is_a_torn_line() {
    let folder = Folder::new();
    let directory = small(&folder);
    let mut file = OpenOptions::new().append(true).open(folder.file()).unwrap();
    file.write_all(&[0; 5_000]).unwrap();
    assert_eq!(Directory::open(folder.file()).unwrap().snapshot().version(), 4);
    assert_eq!(apply(&directory, &[account_add("cyd", "u4713")]).unwrap(), 5);
    assert_eq!(Directory::open(folder.file()).unwrap().snapshot().version(), 5);
}

#[test]
fn making_that_was_interrupted_is_done_again_and_spares_other_files() {
    let folder = Folder::new();
    drop(folder.create());
    let whole = fs::read(folder.file()).unwrap();
    for end in 0..whole.len() {
        fs::write(folder.file(), &whole[..end]).unwrap();
        assert!(matches!(open_fault(&folder), DirectoryFault::Unborn { .. }), "cut at byte {end}");
        drop(folder.create());
        assert_eq!(fs::read(folder.file()).unwrap(), whole);
    }
    for foreign in [whole.as_slice(), b"my diary", b"\n"] {
        fs::write(folder.file(), foreign).unwrap();
        let made = Directory::create(folder.file(), "bank.example", &admin(), at(0));
        assert!(matches!(made, Err(DirectoryFault::Exists { .. })));
        assert_eq!(fs::read(folder.file()).unwrap(), foreign);
    }
}

#[test]
fn any_changed_byte_before_the_last_line_is_found_and_the_line_named() {
    let folder = Folder::new();
    drop(small(&folder));
    let lines = lines(&folder);
    let whole = lines.concat();
    let mut start = 0;
    for (index, line) in lines.iter().enumerate().take(lines.len() - 1) {
        for place in start..start + line.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x01;
            fs::write(folder.file(), &bytes).unwrap();
            let fault = open_fault(&folder);
            let DirectoryFault::Damaged { line: named, .. } = fault else {
                panic!("byte {place}: {fault}")
            };
            // The line itself when it cannot be read, else the next one, which also names it.
            let number = index as u64 + 1;
            assert!(named == number || named == number + 1, "byte {place}: {fault}");
            assert!(fault.to_string().contains(&format!("line {number}")), "byte {place}: {fault}");
        }
        start += line.len();
    }
}

#[test]
fn lines_dropped_doubled_swapped_or_inserted_are_found() {
    let folder = Folder::new();
    drop(small(&folder));
    let sound = lines(&folder);
    let mut dropped = sound.clone();
    dropped.remove(1);
    let mut doubled = sound.clone();
    doubled.insert(1, sound[1].clone());
    let mut swapped = sound.clone();
    swapped.swap(1, 2);
    let mut inserted = sound.clone();
    inserted.insert(2, b"\n".to_vec());
    let mut headless = sound;
    headless.remove(0);
    for (lines, line) in [(dropped, 2), (doubled, 3), (swapped, 2), (inserted, 3), (headless, 1)] {
        fs::write(folder.file(), lines.concat()).unwrap();
        let fault = open_fault(&folder);
        let DirectoryFault::Damaged { line: named, .. } = fault else { panic!("{fault}") };
        assert_eq!(named, line, "{fault}");
    }
}

#[test]
fn a_line_that_cannot_follow_is_named_with_the_reason() {
    let folder = Folder::new();
    drop(folder.create());
    let first = fs::read(folder.file()).unwrap();
    let previous: String = crate::journal::digest(first.strip_suffix(b"\n").unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let with = |format: u32, extra: &str, change: &str| {
        let mut bytes = first.clone();
        let line = format!(
            "{{\"format\":{format},\"number\":2,\"time\":\"2026-11-21T00:00:00Z\",\
             \"author\":{{\"administrator\":\"root\"}},\"reason\":\"\",\
             \"previous\":\"{previous}\",{extra}\"changes\":[{change}]}}\n"
        );
        bytes.extend_from_slice(line.as_bytes());
        fs::write(folder.file(), bytes).unwrap();
        Directory::open(folder.file()).map(|_| ()).map_err(|fault| fault.to_string())
    };
    let group = r#"{"group_add":{"id":"a","name":"A","parent":null,"priority":0}}"#;
    assert_eq!(with(1, "", group), Ok(()));
    let cases = [
        with(2, "", group),
        with(2, "\"new\":1,", "{\"unheard_of\":{}}"),
        with(0, "", group),
        with(1, "\"new\":1,", group),
        with(1, "", r#"{"unheard_of":{}}"#),
        with(1, "", r#"{"group_remove":{"id":"a","force":true}}"#),
        with(1, "", r#"{"group_remove":{"id":"a b"}}"#),
        with(1, "", r#"{"group_remove":{"id":"a"}}"#),
        with(1, "", r#"{"domain_set":{"domain":"other.example"}}"#),
        with(
            1,
            "",
            r#"{"account_password":{"address":"a@b","verifiers":{"sha1":"pw","sha256":"pw"}}}"#,
        ),
        with(1, "", ""),
    ];
    let texts: Vec<String> = cases.into_iter().map(Result::unwrap_err).collect();
    assert!(texts.iter().all(|text| text.contains("line 2")), "{texts:#?}");
    assert!(texts[0].contains("newer version") && texts[1].contains("newer version"), "{texts:#?}");
    assert!(texts[7].ends_with("there is no group called a"), "{texts:#?}");
    // DIR-25: what stands in the place of a verifier is not repeated.
    assert!(!texts[9].contains("pw"), "{}", texts[9]);
}

#[test]
fn an_endless_line_is_damage_and_takes_bounded_memory() {
    let folder = Folder::new();
    drop(folder.create());
    let mut file = OpenOptions::new().append(true).open(folder.file()).unwrap();
    file.write_all(&vec![b'x'; LINE_BYTES_MAX + 1]).unwrap();
    let fault = open_fault(&folder);
    assert!(matches!(fault, DirectoryFault::Damaged { line: 2, .. }), "{fault}");
}

#[test]
fn damage_that_appears_later_keeps_the_last_good_state_and_refuses_changes() {
    let folder = Folder::new();
    let directory = small(&folder);
    let before = dump(&directory.snapshot());
    let mut file = OpenOptions::new().append(true).open(folder.file()).unwrap();
    file.write_all(b"not a line\n").unwrap();
    let refreshed = directory.refresh();
    assert!(matches!(refreshed, Err(DirectoryFault::Damaged { line: 5, .. })), "{refreshed:?}");
    assert!(apply(&directory, &[account_add("cyd", "u4713")]).is_err());
    assert_eq!(dump(&directory.snapshot()), before);
}

/// DIR-15: whoever can read the file can guess passwords against it.
#[test]
fn dir_15_only_the_owner_may_read_the_file() {
    let folder = Folder::new();
    drop(folder.create());
    assert_eq!(fs::metadata(folder.file()).unwrap().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(folder.file(), Permissions::from_mode(mode)).unwrap();
        let fault = open_fault(&folder);
        assert!(matches!(fault, DirectoryFault::TooOpen { .. }), "{fault}");
        assert!(fault.to_string().contains("chmod 600"));
    }
}

#[test]
fn files_that_are_missing_replaced_or_shortened_are_told() {
    let folder = Folder::new();
    assert!(matches!(open_fault(&folder), DirectoryFault::Missing { .. }));
    let directory = small(&folder);
    let bytes = fs::read(folder.file()).unwrap();
    let shorter = bytes.len() as u64 - 1;
    OpenOptions::new().write(true).open(folder.file()).unwrap().set_len(shorter).unwrap();
    assert!(matches!(directory.refresh(), Err(DirectoryFault::Replaced { .. })));
    fs::remove_file(folder.file()).unwrap();
    assert!(matches!(directory.refresh(), Err(DirectoryFault::Replaced { .. })));
    fs::write(folder.file(), &bytes).unwrap();
    let applied = apply(&directory, &[account_add("cyd", "u4713")]);
    assert!(matches!(applied, Err(DirectoryFault::Replaced { .. })), "{applied:?}");
    assert!(directory.snapshot().account(&person("ann")).is_some());
    assert!(matches!(Directory::open("/dev/null"), Err(DirectoryFault::NotAFile { .. })));
}

#[test]
fn a_lock_that_is_not_given_back_is_told() {
    let folder = Folder::new();
    drop(folder.create());
    let (one, two) =
        (Journal::open(&folder.file()).unwrap(), Journal::open(&folder.file()).unwrap());
    let held = one.lock(true, 1).unwrap();
    assert!(matches!(two.lock(false, 2), Err(DirectoryFault::Busy { .. })));
    drop(held);
    let shared = one.lock(false, 1).unwrap();
    assert!(two.lock(false, 1).is_ok());
    assert!(matches!(two.lock(true, 2), Err(DirectoryFault::Busy { .. })));
    drop(shared);
    assert!(two.lock(true, 1).is_ok());
}
