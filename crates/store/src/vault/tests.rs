//! Envelopes open where they were sealed, and nowhere else.

use std::collections::HashSet;

use model::Secret;
use proptest::{collection::vec, prelude::any, prop_assert, prop_assert_eq, proptest};

use super::{HEADER_BYTES, Place, Table, Vault};
use crate::fault::StoreFault;

fn vault(byte: u8) -> Vault {
    Vault::new(&Secret::new(vec![byte; super::VAULT_KEY_BYTES])).unwrap()
}

proptest! {
    /// ENC-16: every bit of an envelope counts, and so does every part of its place.
    #[test]
    fn only_the_sealed_opens(
        plain in vec(any::<u8>(), 0..200),
        (owner, id, day) in (any::<i64>(), any::<i64>(), any::<u32>()),
        (at, bit) in (any::<usize>(), 0..8_u32),
    ) {
        let vault = vault(1);
        let place = Place { table: Table::Private, owner, id, name: b"n" };
        let envelope = vault.seal(place, day, &plain).unwrap();
        prop_assert_eq!(vault.open(place, &envelope).unwrap(), plain);
        let mut flipped = envelope.clone();
        let at = at % flipped.len();
        flipped[at] ^= 1 << bit;
        let cut = &envelope[..at];
        let damaged = |place, envelope: &[u8]| {
            matches!(vault.open(place, envelope), Err(StoreFault::Damaged(_)))
        };
        prop_assert!(damaged(place, &flipped));
        prop_assert!(damaged(place, cut));
        let others = [
            Place { table: Table::Card, ..place },
            Place { owner: owner.wrapping_add(1), ..place },
            Place { id: id.wrapping_add(1), ..place },
            Place { name: b"", ..place },
        ];
        prop_assert!(others.iter().all(|other| damaged(*other, &envelope)));
        prop_assert!(self::vault(2).open(place, &envelope).is_err());
    }
}

/// ENC-19: no nonce comes twice, and equal texts give unrelated envelopes.
#[test]
fn nonces_are_fresh() {
    let vault = vault(1);
    let place = Place::numbered(Table::Message, 0, 1);
    let envelopes: Vec<_> =
        (0..5_000).map(|_| vault.seal(place, 7, b"the same text").unwrap()).collect();
    let nonces: HashSet<_> = envelopes.iter().map(|octets| &octets[5..HEADER_BYTES]).collect();
    let texts: HashSet<_> = envelopes.iter().map(|octets| &octets[HEADER_BYTES..]).collect();
    assert_eq!((nonces.len(), texts.len()), (envelopes.len(), envelopes.len()));
}

/// A digest tells the same name again, within its table and under its key only.
#[test]
fn digests_are_keyed() {
    let digest = |byte, table, name: &str| vault(byte).digest(table, name.as_bytes());
    assert_eq!(digest(1, Table::Party, "ana"), digest(1, Table::Party, "ana"));
    assert_ne!(digest(1, Table::Party, "ana"), digest(1, Table::Party, "ben"));
    assert_ne!(digest(1, Table::Party, "ana"), digest(1, Table::Block, "ana"));
    assert_ne!(digest(1, Table::Party, "ana"), digest(2, Table::Party, "ana"));
}
