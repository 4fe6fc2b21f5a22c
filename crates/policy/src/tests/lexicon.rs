//! Lexicon rules: what is found and what is not, and rules that cannot be.

use crate::{
    Audience, Lexicon, LexiconAction, LexiconFault, LexiconRule, PATTERN_BYTES_MAX, PATTERNS_MAX,
    Reading, WORD_BYTES_MAX, WORDS_MAX,
};

fn rule(words: &[&str], patterns: &[&str]) -> LexiconRule {
    LexiconRule {
        name: "r".to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        action: LexiconAction::Log,
        audience: Audience::Everyone,
        text: String::new(),
    }
}

fn check(words: &[&str], patterns: &[&str], text: &str, expect: bool) {
    let lexicon = Lexicon::compile(rule(words, patterns)).expect("a good rule");
    assert_eq!(lexicon.finds(&Reading::of(text)), expect, "{words:?} {patterns:?} in {text:?}");
}

/// MON-05: whole words, in any case.
#[test]
fn whole_words_in_any_case() {
    check(&["guarantee"], &[], "We GUARANTEE it.", true);
    check(&["guarantee"], &[], "guarantee", true);
    check(&["guarantee"], &[], "guaranteed", false);
    check(&["guarantee"], &[], "unguarantee", false);
    check(&["guarantee"], &[], "(guarantee)", true);
    check(&["guarantee"], &[], "guarantee_1", false);
    check(&["Ärger"], &[], "so ein ärger!", true);
    check(&["ärger"], &[], "SO EIN ÄRGER", true);
    check(&["ärger"], &[], "Ärgernis", false);
    check(&["секрет"], &[], "Это СЕКРЕТ.", true);
    check(&["$$$"], &[], "make$$$now", true);
    check(&["art", "part of"], &[], "a part of it", true);
    check(&["he", "she"], &[], "ask she", true);
    check(&["he"], &[], "she he", true);
    check(&[], &[r"\b\d{4}-\d{4}\b"], "card 1234-5678", true);
    check(&[], &["insider"], "INSIDERS", true);
}

/// Words that hide behind invisible characters, wide letters or odd blanks.
#[test]
fn hidden_words() {
    check(&["guarantee"], &[], "guar\u{ad}antee", true);
    check(&["guarantee"], &[], "g\u{200b}u\u{200d}a\u{2060}r\u{feff}antee", true);
    check(&["guar\u{200b}antee"], &[], "guarantee", true);
    check(&["guarantee"], &[], "ｇｕａｒａｎｔｅｅ", true);
    check(&["sure thing"], &[], "a sure\n\t\u{a0}thing", true);
    check(&[], &["guarantee"], "guar\u{ad}antee", true);
    check(&["guarantee"], &[], "\u{202e}guarantee\u{202c}", true);
}

#[test]
fn rules_that_cannot_be() {
    let fault = |rule| Lexicon::compile(rule).map(|_| ()).expect_err("a bad rule");
    assert_eq!(fault(rule(&[], &[])), LexiconFault::Empty);
    assert_eq!(fault(rule(&["\u{200b}"], &[])), LexiconFault::Word("\u{200b}".to_owned()));
    let long = "x".repeat(WORD_BYTES_MAX + 1);
    assert_eq!(fault(rule(&[&long], &[])), LexiconFault::Word(long.clone()));
    assert_eq!(fault(rule(&vec!["x"; WORDS_MAX + 1], &[])), LexiconFault::TooMany);
    assert_eq!(fault(rule(&[], &vec!["x"; PATTERNS_MAX + 1])), LexiconFault::TooMany);
    let word = "x".repeat(WORD_BYTES_MAX);
    assert_eq!(fault(rule(&vec![word.as_str(); 2_049], &[])), LexiconFault::TooLarge);
    let long = "x".repeat(PATTERN_BYTES_MAX + 1);
    assert_eq!(fault(rule(&[], &[&long])), LexiconFault::PatternTooLong(long.clone()));
    let bad = fault(rule(&[], &["fine", "(open"]));
    assert_eq!(bad.to_string(), "the pattern \"(open\" is bad: error: unclosed group");
    assert!(matches!(fault(rule(&[], &[r"(\w{500}){500}"])), LexiconFault::Pattern(..)));
}
