//! Sealing: who can open what, keys, segments, rewinding.

use std::collections::HashSet;

use model::{MessageIds, PrivacyClass, Secret};

use super::{House, PLANTED, judged, noon, open_book, salt, submission};
use crate::{
    ArchivePrivateKey, Custodian, Entry, EntryFault, KeyFault, Kind, Link, Note, OpenFault, Opened,
    Plain, Record, SealFault, Sealer, SegmentLimits, SigningKey, VerifyingKey,
};

/// The record of part 3 comes back whole (ARC-02, ARC-28).
#[test]
fn a_message_comes_back_whole() {
    let mut house = House::new();
    let mut first = submission("ann", "bob", "first", noon());
    first.content.refers_to = Some("m0".into());
    let records = house.seal(first.clone()).records().to_vec();
    house.append(&records);
    house.say("bob", "ann", "second");
    house.log().checkpoint().unwrap();
    let found = house.custodian.show(house.dir(), 1).unwrap();
    let Opened::Plain(Plain::Message(one)) = found.content else { panic!("a message") };
    assert_eq!(one.octets, first.content.octets.to_vec());
    assert_eq!(one.text, "first");
    assert_eq!(one.sender, "ann@bank.example");
    assert_eq!(one.recipients[0].address, "bob@bank.example");
    assert_eq!(one.recipients[0].as_given, "BOB");
    assert_eq!(one.recipients[0].verdict, "deliver");
    assert_eq!(one.accepted, noon().as_micros());
    assert_eq!(one.sealed, noon().plus_secs(1).as_micros());
    assert_eq!((one.clock.as_str(), one.network.as_str()), ("system", "xmpp"));
    assert_eq!(one.members, ["ann@bank.example", "bob@bank.example"]);
    assert_eq!((one.class.as_str(), one.kind.as_str()), ("private", "message"));
    assert_eq!((one.policy_version, one.sequence), (7, 0));
    assert_eq!(one.refers_to.as_deref(), Some("m0"));
    assert_eq!(one.client_id.as_deref(), Some("c1"));
    assert_eq!(one.handling, 1 | 2 | 8);
    assert!(one.id.is_some());

    let Opened::Plain(Plain::Message(two)) = house.custodian.show(house.dir(), 2).unwrap().content
    else {
        panic!("a message")
    };
    assert_eq!(two.sequence, 1);
    assert_eq!(two.previous, records[1].leaf());
    assert_eq!(two.conversation, one.conversation);
}

/// ARC-08, ARC-09: neither entry nor body holds a word.
#[test]
fn no_word_is_in_a_record() {
    let mut house = House::new();
    let sealed = house.seal(submission("ann", "bob", PLANTED, noon()));
    for record in sealed.records() {
        let blob = record.encode();
        for word in [PLANTED, "ann@bank", "bank.example"] {
            assert!(!blob.windows(word.len()).any(|window| window == word.as_bytes()));
        }
    }
    assert_eq!(sealed.records()[1].body.len() % 256, 16);
}

/// ARC-10: only the custodians to whom a segment is sealed open it, each of them alone.
#[test]
fn each_custodian_alone_opens_and_nobody_else() {
    let keys: Vec<ArchivePrivateKey> =
        (0..3).map(|_| ArchivePrivateKey::generate().unwrap()).collect();
    let mut house = House::new();
    let two = vec![keys[0].public(), keys[1].public()];
    house.sealer = Sealer::new(two, SegmentLimits::default()).unwrap();
    house.say("ann", "bob", "hello");
    house.log().checkpoint().unwrap();
    let mut results =
        keys.into_iter().map(|key| Custodian::new(key).show(house.dir(), 1).unwrap().content);
    assert!(matches!(results.next(), Some(Opened::Plain(_))));
    assert!(matches!(results.next(), Some(Opened::Plain(_))));
    let Some(Opened::Unreadable(fault)) = results.next() else { panic!("unreadable") };
    assert!(matches!(fault, crate::ReadFault::Open(OpenFault::NotForThisKey)));
}

/// ENC-16: a record is bound to its place; no part of it can be used in another.
#[test]
fn a_record_is_bound_to_its_place() {
    let mut house = House::new();
    house.say("ann", "bob", "one");
    house.say("ann", "bob", "two");
    house.log().checkpoint().unwrap();
    let records = super::read_all(house.dir());
    let opening = crate::Opening::decode(&records[0].body).unwrap();
    let key = opening.unseal(house.custodian.key()).unwrap();
    let entry = Entry::decode(&records[1].entry).unwrap();
    let open = |entry: &Entry, salt: &[u8; 32], body: &[u8]| key.open(entry, salt, body.to_vec());
    assert!(open(&entry, &records[1].salt, &records[1].body).is_ok());
    let elsewhere = Entry { index: 2, ..entry };
    assert_eq!(open(&elsewhere, &records[1].salt, &records[1].body), Err(OpenFault::Damaged));
    let other_kind = Entry { kind: Kind::Note, ..entry };
    assert_eq!(open(&other_kind, &records[1].salt, &records[1].body), Err(OpenFault::Damaged));
    assert_eq!(open(&entry, &records[2].salt, &records[1].body), Err(OpenFault::Damaged));
    assert_eq!(open(&entry, &[0; 32], &records[1].body), Err(OpenFault::Destroyed));
    let mut body = records[1].body.clone();
    for at in 0..body.len() {
        body[at] ^= 0x40;
        assert_eq!(open(&entry, &records[1].salt, &body), Err(OpenFault::Damaged));
        body[at] ^= 0x40;
    }
}

/// ENC-19: the same message sealed again is another ciphertext.
#[test]
fn the_same_text_never_looks_the_same() {
    let mut house = House::new();
    let mut bodies = HashSet::new();
    for _ in 0..200 {
        let sealed = house.seal(submission("ann", "bob", "yes", noon()));
        let record = sealed.records().last().unwrap().clone();
        assert!(bodies.insert(record.body[..16].to_vec()));
        assert!(bodies.insert(record.salt.to_vec()));
    }
    let admitted = judged(&open_book(), submission("ann", "bob", "x", noon()), true).admitted;
    let id = MessageIds::after(None).next(noon(), 0);
    let sealed = house.sealer.seal(admitted.unwrap(), id, &Link::start(), noon(), [0; 32]);
    assert_eq!(sealed.err(), Some(SealFault::Salt));
}

/// Segments end by age and by size, and when the clock has gone back; places go on from 1.
#[test]
fn segments_end_and_begin_with_an_opening() {
    let limits = SegmentLimits { age_secs_max: 60, bytes_max: 8_000 };
    let mut house = House::with_limits(limits);
    let mut openings = 0;
    for _ in 0..40 {
        let records = house.seal(submission("ann", "bob", "x", noon())).records().to_vec();
        openings += usize::from(records.len() == 2);
        house.append(&records);
    }
    assert_eq!(openings, 4);
    house.now = house.now.plus_secs(61);
    assert_eq!(house.seal(submission("ann", "bob", "x", noon())).records().len(), 2);
    house.now = house.now.plus_secs(-600);
    assert_eq!(house.seal(submission("ann", "bob", "x", noon())).records().len(), 2);
    house.sealer.expire(house.now.plus_secs(60));
    assert_eq!(house.seal(submission("ann", "bob", "x", noon())).records().len(), 2);
    house.sealer.forget();
    assert_eq!(house.seal(submission("ann", "bob", "x", noon())).records().len(), 2);
}

/// A batch that was not stored leaves no gap, and what is sealed again has other keys.
#[test]
fn a_failed_batch_is_sealed_again_without_a_gap() {
    let mut house = House::with_limits(SegmentLimits { age_secs_max: 3_600, bytes_max: 9_000 });
    let say = |house: &mut House| {
        let admitted = judged(&house.book, submission("ann", "bob", "x", noon()), true).admitted;
        let (id, now) = (house.next_id(), house.now);
        let seal = house.sealer.seal(admitted.unwrap(), id, &Link::start(), now, salt());
        seal.unwrap().records().to_vec()
    };
    // The very first batch fails, then one inside a segment, then one that rotated twice.
    for failing in [3, 2, 30] {
        let mark = house.sealer.mark();
        let void: Vec<Record> = (0..failing).flat_map(|_| say(&mut house)).collect();
        house.sealer.rewind(mark);
        let mut again = Vec::new();
        for _ in 0..4 {
            again.extend(say(&mut house));
        }
        assert!(again.iter().all(|record| {
            Entry::decode(&record.entry).unwrap().kind == Kind::Opening
                || void.iter().all(|old| old.salt != record.salt && old.body != record.body)
        }));
        house.append(&again);
    }
    house.log().checkpoint().unwrap();
    let report = house.verify();
    assert!(report.is_intact(), "{:?}", report.damage);
    assert_eq!(report.messages, 12);
}

/// A message that nobody wants archived, and a house that archives nothing.
#[test]
fn without_archive_there_is_no_record() {
    let mut sealer = Sealer::off();
    let admitted = judged(&open_book(), submission("ann", "bob", "x", noon()), true).admitted;
    let id = MessageIds::after(None).next(noon(), 0);
    let sealed = sealer.seal(admitted.unwrap(), id, &Link::start(), noon(), salt()).unwrap();
    assert!(sealed.records().is_empty());
    assert_eq!(*sealed.next_link(), Link::start());
    let note = Note::Policy { version: 1, author: "a".into(), summary: "s".into() };
    assert!(sealer.note(&note, id, noon(), salt()).unwrap().records().is_empty());
    assert!(Sealer::new(Vec::new(), SegmentLimits::default()).is_err());
}

/// A refused attempt is a record with its content and why.
#[test]
fn a_refused_attempt_is_kept_with_its_content() {
    let mut house = House::new();
    let mut attempt = submission("ann", "bob", "buy now", noon());
    attempt.class = PrivacyClass::Private;
    let judged = judged(&house.book, attempt, false);
    assert!(judged.admitted.is_none());
    let note = Note::refused(judged.submission, house.book.version(), &judged.refused);
    house.note(&note);
    house.log().checkpoint().unwrap();
    let Opened::Plain(Plain::Note(note)) = house.custodian.show(house.dir(), 1).unwrap().content
    else {
        panic!("a note")
    };
    assert_eq!(note.name, "refused");
    let attempt = note.attempt.unwrap();
    assert_eq!(attempt.text, "buy now");
    assert!(attempt.recipients[0].verdict.starts_with("refused: forbidden"), "{attempt:?}");
}

/// Key files open with their passphrase only, and say so when they were changed.
#[test]
fn key_files_need_their_passphrase() {
    let key = ArchivePrivateKey::generate().unwrap();
    let passphrase = Secret::new(b"correct horse".to_vec());
    let file = key.to_file_with(&passphrase, 10).unwrap();
    let opened = ArchivePrivateKey::from_file(&file, &passphrase).unwrap();
    assert!(opened.public() == key.public());
    let wrong = Secret::new(b"correct horsf".to_vec());
    assert_eq!(ArchivePrivateKey::from_file(&file, &wrong).err(), Some(KeyFault::Passphrase));
    for at in 0..file.len() - 1 {
        let mut changed = file.clone().into_bytes();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        if let Ok(text) = String::from_utf8(changed) {
            assert!(ArchivePrivateKey::from_file(&text, &passphrase).is_err(), "byte {at}");
        }
    }
    for end in 0..file.len() - 2 {
        assert!(ArchivePrivateKey::from_file(&file[..end], &passphrase).is_err());
    }
    let newer = file.replacen("-v1", "-v2", 1);
    assert_eq!(ArchivePrivateKey::from_file(&newer, &passphrase).err(), Some(KeyFault::Version));
    let short = Secret::new(b"short".to_vec());
    assert_eq!(key.to_file(&short).err(), Some(KeyFault::Weak));

    let public = crate::ArchivePublicKey::from_text(&key.public().to_text()).unwrap();
    assert!(public == key.public());
    let signing = SigningKey::generate().unwrap();
    let text = String::from_utf8(signing.to_text().expose().to_vec()).unwrap();
    let again = SigningKey::from_text(&text).unwrap().verifying();
    assert!(again == signing.verifying());
    assert_eq!(VerifyingKey::from_text(&again.to_text()).unwrap(), again);
    assert!(VerifyingKey::from_text(&text).is_err());
}

/// Blobs of the store are checked when they are read.
#[test]
fn a_changed_blob_is_not_a_record() {
    let mut house = House::new();
    let record = house.seal(submission("ann", "bob", "x", noon())).records()[1].clone();
    let blob = record.encode();
    assert_eq!(Record::decode(&blob).unwrap(), record);
    for at in 0..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        // The entry's own digest is the tree's business; everything else shows here.
        let in_head = at < 24 && at != 1 || (32..64).contains(&at);
        let decoded = Record::decode(&changed);
        assert!(decoded.is_err() || in_head || at == 1, "byte {at}");
    }
    let mut destroyed = record;
    destroyed.salt = crate::NO_SALT;
    assert!(Record::decode(&destroyed.encode()).is_ok());
    assert_eq!(Record::decode(&blob[..90]), Err(EntryFault::Length));
}
