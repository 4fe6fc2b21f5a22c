//! Every state of RFC 6121 appendix A.1 under every word (PRS-08).

use super::{Inbound, Relation, Word};

/// A state by its name in appendix A.1: n, t, f, b with `o` for pending out and `i` for pending in.
fn state(name: &str) -> Relation {
    Relation {
        to: name.starts_with('t') || name.starts_with('b'),
        from: name.starts_with('f') || name.starts_with('b'),
        asked: name.contains('o'),
        asking: name.contains('i'),
        approved: false,
    }
}

fn check_say(word: Word, rows: &[(&str, bool, &str)]) {
    for (before, goes_out, after) in rows {
        let mut relation = state(before);
        assert_eq!(relation.say(word), *goes_out, "{word:?} in {before}");
        relation.approved = false;
        assert_eq!(relation, state(after), "{word:?} in {before}");
    }
}

fn check_hear(word: Word, rows: &[(&str, Inbound, &str)]) {
    for (before, action, after) in rows {
        let mut relation = state(before);
        assert_eq!(relation.hear(word), *action, "{word:?} in {before}");
        assert_eq!(relation, state(after), "{word:?} in {before}");
    }
}

#[test]
fn prs_08_words_that_go_out() {
    check_say(
        Word::Subscribe,
        &[
            ("n", true, "no"),
            ("no", true, "no"),
            ("ni", true, "noi"),
            ("noi", true, "noi"),
            ("t", true, "t"),
            ("ti", true, "ti"),
            ("f", true, "fo"),
            ("fo", true, "fo"),
            ("b", true, "b"),
        ],
    );
    check_say(
        Word::Unsubscribe,
        &[
            ("n", true, "n"),
            ("no", true, "n"),
            ("ni", true, "ni"),
            ("noi", true, "ni"),
            ("t", true, "n"),
            ("ti", true, "ni"),
            ("f", true, "f"),
            ("fo", true, "f"),
            ("b", true, "f"),
        ],
    );
    check_say(
        Word::Subscribed,
        &[
            ("n", false, "n"),
            ("no", false, "no"),
            ("ni", true, "f"),
            ("noi", true, "fo"),
            ("t", false, "t"),
            ("ti", true, "b"),
            ("f", false, "f"),
            ("fo", false, "fo"),
            ("b", false, "b"),
        ],
    );
    check_say(
        Word::Unsubscribed,
        &[
            ("n", false, "n"),
            ("no", false, "no"),
            ("ni", true, "n"),
            ("noi", true, "no"),
            ("t", false, "t"),
            ("ti", true, "t"),
            ("f", true, "n"),
            ("fo", true, "no"),
            ("b", true, "t"),
        ],
    );
}

#[test]
fn prs_08_words_that_come_in() {
    use Inbound::{Approve, Deliver, Ignore};
    check_hear(
        Word::Subscribe,
        &[
            ("n", Deliver, "ni"),
            ("no", Deliver, "noi"),
            ("ni", Ignore, "ni"),
            ("noi", Ignore, "noi"),
            ("t", Deliver, "ti"),
            ("ti", Ignore, "ti"),
            ("f", Approve, "f"),
            ("fo", Approve, "fo"),
            ("b", Approve, "b"),
        ],
    );
    check_hear(
        Word::Unsubscribe,
        &[
            ("n", Ignore, "n"),
            ("no", Ignore, "no"),
            ("ni", Deliver, "n"),
            ("noi", Deliver, "no"),
            ("t", Ignore, "t"),
            ("ti", Deliver, "t"),
            ("f", Deliver, "n"),
            ("fo", Deliver, "no"),
            ("b", Deliver, "t"),
        ],
    );
    check_hear(
        Word::Subscribed,
        &[
            ("n", Ignore, "n"),
            ("no", Deliver, "t"),
            ("ni", Ignore, "ni"),
            ("noi", Deliver, "ti"),
            ("t", Ignore, "t"),
            ("ti", Ignore, "ti"),
            ("f", Ignore, "f"),
            ("fo", Deliver, "b"),
            ("b", Ignore, "b"),
        ],
    );
    check_hear(
        Word::Unsubscribed,
        &[
            ("n", Ignore, "n"),
            ("no", Deliver, "n"),
            ("ni", Ignore, "ni"),
            ("noi", Deliver, "ni"),
            ("t", Deliver, "n"),
            ("ti", Deliver, "ni"),
            ("f", Ignore, "f"),
            ("fo", Deliver, "f"),
            // The peer that ended in none or from here lost the other half of «both».
            ("b", Deliver, "f"),
        ],
    );
}

#[test]
fn an_approval_beforehand_answers_the_request() {
    let mut relation = Relation::default();
    assert!(!relation.say(Word::Subscribed));
    assert_eq!(relation.hear(Word::Subscribe), Inbound::Approve);
    assert!(relation.from && relation.approved);
    assert!(relation.say(Word::Unsubscribed));
    assert_eq!(relation, Relation::default());
}
