//! Stanzas have the lengths that the figures are for, and are found again however they are cut.

use super::*;

#[test]
fn stanzas_have_their_lengths() {
    let to = "u0012@bench.example";
    assert_eq!(message(to, 7, 9).len(), MESSAGE_BYTES);
    assert_eq!(message(to, 9_999_999_999, 1 << 50).len(), MESSAGE_BYTES);
    assert_eq!(presence(1).len(), PRESENCE_BYTES);
    assert_eq!(presence(1 << 50).len(), PRESENCE_BYTES);
}

#[test]
fn every_stanza_is_seen_once_however_the_bytes_are_cut() {
    let text: String = (0..20).map(|number| message("a@b", number, number * 3)).collect();
    for size in [1, 2, 7, 64, 299, 300, 301, 10_000] {
        let mut scanner = Scanner::new(MESSAGE_END);
        let mut seen = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            scanner.feed(piece, |stanza| seen.extend(stamp(stanza)));
        }
        assert_eq!(seen, (0..20).map(|number| number * 3).collect::<Vec<u64>>());
    }
}

#[test]
fn numbers_of_presences_are_read() {
    assert_eq!(status(presence(42).as_bytes()), Some(42));
    assert_eq!(status(b"<presence/>"), None);
    assert!(is_error(b"<message type='error' from='a@b'>"));
}
