//! The forms on disk are promises: these octets must not change under old archives.

use model::{MessageIds, Timestamp};

use super::{noon, submission};
use crate::{
    ENTRY_BYTES, Entry, EntryFault, Kind, Link, Plain, SegmentId,
    field::{Fields, Writer},
    record::{Judgement, Moment, encode_message},
};

#[test]
fn an_entry_has_its_documented_form() {
    let entry = Entry {
        kind: Kind::Message,
        segment: SegmentId([3; 16]),
        index: 0x0102_0304,
        length: 784,
        salt: [7; 32],
        body: [9; 32],
    };
    let octets = entry.encode();
    let mut expected = vec![1, 2, 0, 0];
    expected.extend([3; 16]);
    expected.extend([1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 3, 16]);
    expected.extend([7; 32]);
    expected.extend([9; 32]);
    assert_eq!(octets.to_vec(), expected);
    assert_eq!(Entry::decode(&octets), Ok(entry));
    assert_eq!(Entry::decode(&octets[..ENTRY_BYTES - 1]), Err(EntryFault::Length));
    for (at, value) in [(0, 2), (1, 0), (1, 4), (2, 1), (3, 1)] {
        let mut other = octets;
        other[at] = value;
        assert_eq!(Entry::decode(&other), Err(EntryFault::Unknown));
    }
    let mut long = octets;
    long[24] = 1;
    assert_eq!(Entry::decode(&long), Err(EntryFault::Length));
}

#[test]
fn a_record_has_its_documented_form() {
    let submission = submission("ann", "bob", "hi", noon());
    let judgement = Judgement {
        policy_version: 7,
        disposition: "deliver",
        verdict: &|_| "deliver",
        rules: &[("words", "log")],
    };
    let id = MessageIds::after(None).next(noon(), 0);
    let moment = Moment { now: Timestamp::from_micros(5), clock: "system" };
    let link = Link { sequence: 3, previous: [4; 32] };
    let of = crate::conversation(&submission);
    let octets = encode_message(&submission, &of, &judgement, id, &link, moment);
    assert_eq!(octets.len() % 256, 0);
    assert_eq!(octets[..7], [1, 1, 1, 0, 0, 0, 8]);
    let tags: Vec<u8> = Fields::new(&octets[2..]).map(|field| field.unwrap().tag).collect();
    let expected =
        [1, 2, 3, 4, 13, 14, 5, 6, 7, 8, 9, 11, 12, 15, 15, 16, 17, 18, 19, 20, 22, 21, 24, 25, 0];
    assert_eq!(tags, expected);
    let Plain::Message(message) = Plain::decode(&octets).unwrap() else { panic!("a message") };
    assert_eq!((message.sequence, message.previous), (3, [4; 32]));
    assert_eq!(message.rules[0].name, "words");
    let members = message.members.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(message.member_hash, crate::member_hash(&members));
}

/// A later version may add fields; an older reader passes over them.
#[test]
fn unknown_fields_are_passed_over() {
    let mut out = Writer::new(&[1, 1], 64);
    out.text(8, "hello");
    out.nested(99, |out| out.number(1, 5));
    out.text(9, "ann");
    out.pad(64);
    let octets = out.finish();
    assert_eq!(octets.len(), 64);
    let Plain::Message(message) = Plain::decode(&octets).unwrap() else { panic!("a message") };
    assert_eq!((message.text.as_str(), message.sender.as_str()), ("hello", "ann"));
    assert!(Plain::decode(&[2, 1]).is_err());
    assert!(Plain::decode(&[1]).is_err());
    assert!(Plain::decode(&octets[..40]).is_err());
}
