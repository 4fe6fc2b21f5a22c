//! What counts as a claim of a test, and what does not.

use super::page;
use crate::tree::Tree;

const LIST: (&str, &str) = (
    "requirements/requirements.tsv",
    "id\trequirement\tsource\tlevel\ttest\nPOL-11\tText is shown.\tS\tcore\tSee it.\nPOL-12\tOther.\tS\tcore\t-\n",
);
const GROUPS: (&str, &str) = ("requirements/groups.tsv", "prefix\ttitle\tsource\nPOL\tPolicy\tS\n");

fn covered(path: &str, text: &str) -> Result<usize, String> {
    page(&Tree::of(&[LIST, GROUPS, (path, text)])).map(|(_, covered, _)| covered)
}

fn check(path: &str, text: &str, expect: usize) {
    assert_eq!(covered(path, text), Ok(expect), "{text}");
}

#[test]
fn tests_claim_by_name_by_doc_and_by_head() {
    let source = "crates/policy/src/tests.rs";
    check(source, "//! x\n\n/// POL-11, POL-12: shown.\n#[test]\nfn text_is_shown() {}\n", 2);
    check(source, "//! x\n#[tokio::test]\nasync fn pol_11_text_is_shown() {}\n", 1);
    check(source, "proptest! {\n    /// POL-11.\n    #[test]\n    fn holds(x in 0..9) {}\n}\n", 1);
    check("crates/policy/tests/it/main.rs", "//! POL-11 as a play.\n", 1);
    check("crates/server/tests/clients/chat.py", "# POL-11\n", 1);
}

#[test]
fn other_mentions_claim_nothing() {
    let source = "crates/policy/src/judge.rs";
    check(source, "//! POL-11\n/// POL-11\nfn judge() {}\n", 0);
    check(source, "/// POL-11\nfn judge() {}\n#[test]\nfn other() {}\n", 0);
    check(source, "/// POL-110, XPOL-11\n#[test]\nfn other() {}\n", 0);
    check("docs/notes.txt", "POL-11\n", 0);
}

#[test]
fn unknown_requirements_are_an_error() {
    let wrong = covered("crates/policy/src/tests.rs", "/// POL-99\n#[test]\nfn a() {}\n");
    assert!(wrong.is_err_and(|sentence| sentence.contains("POL-99")));
}

#[test]
fn the_page_names_the_test() {
    let test = ("crates/policy/src/tests.rs", "/// POL-11\n#[test]\nfn text_is_shown() {}\n");
    let text = page(&Tree::of(&[LIST, GROUPS, test])).map(|(text, _, _)| text).unwrap_or_default();
    assert!(text.contains("| POL-11 | Text is shown. | core | [policy/src/tests.rs]"), "{text}");
    assert!(text.contains("`text_is_shown` |"));
    assert!(text.contains("| POL-12 | Other. | core |  |"));
}
