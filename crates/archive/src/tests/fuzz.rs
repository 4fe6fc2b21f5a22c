//! Hostile octets: every reader of a form survives anything, and round trips hold.

use proptest::prelude::*;

use super::{noon, submission};
use crate::{
    Checkpoint, Entry, Opening, Plain, Query, Record, history,
    record::{Judgement, Link, Moment, encode_message},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn readers_survive_anything(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Plain::decode(&octets);
        let _ = Opening::decode(&octets);
        let _ = Entry::decode(&octets);
        let _ = Record::decode(&octets);
        let text = String::from_utf8_lossy(&octets);
        let _ = Query::parse(&text);
        let _ = Checkpoint::claim(&text);
        let _ = history::blocks(&text).count();
    }

    #[test]
    fn readers_survive_what_is_nearly_right(at in 0_usize..1_000, byte in any::<u8>(), cut in 0_usize..1_000) {
        let octets = encoded("some words", 3);
        let mut changed = octets;
        let at = at % changed.len();
        changed[at] = byte;
        changed.truncate(changed.len() - cut % changed.len());
        let _ = Plain::decode(&changed);
    }

    #[test]
    fn queries_survive_anything(text in "[a-z\"*: ORNT-]{0,40}") {
        let _ = Query::parse(&text);
    }

    #[test]
    fn records_come_back(text in any::<String>(), sequence in any::<u64>()) {
        let octets = encoded(&text, sequence);
        prop_assert_eq!(octets.len() % 256, 0);
        let Ok(Plain::Message(message)) = Plain::decode(&octets) else { panic!("a message") };
        prop_assert_eq!(message.text, text);
        prop_assert_eq!(message.sequence, sequence);
    }
}

fn encoded(text: &str, sequence: u64) -> Vec<u8> {
    let judgement =
        Judgement { policy_version: 1, disposition: "hold", verdict: &|_| "hold", rules: &[] };
    let id = model::MessageIds::after(None).next(noon(), 0);
    let link = Link { sequence, previous: [1; 32] };
    let moment = Moment { now: noon(), clock: "system" };
    let submission = submission("ann", "bob", text, noon());
    encode_message(&submission, &crate::conversation(&submission), &judgement, id, &link, moment)
}
