//! The form of citations, the cover of ranges, and an index that lies in either direction.

use super::citation::{covers, in_line};
use super::{check_citations, cited, read, unowned};
use crate::tree::Tree;

fn check(line: &str, expect: &[&str]) {
    let found: Vec<String> = in_line(line).iter().map(ToString::to_string).collect();
    assert_eq!(found, expect, "{line}");
}

#[test]
fn citations_are_found_in_their_forms() {
    check("// RFC 6120 §4.9.3.1: bad-format", &["RFC 6120 §4.9.3.1"]);
    check(
        "(RFC 6120 §11.3, §11.4 and XEP-0198 §5).",
        &["RFC 6120 §11.3", "RFC 6120 §11.4", "XEP-0198 §5"],
    );
    check("as RFC 5802, §3–5, says", &["RFC 5802 §3", "RFC 5802 §5"]);
    check("the RFC says; XEP-198 is none; RFC 6120.", &["RFC 6120"]);
    check("RFC 8446 §B.4. Then", &["RFC 8446 §B.4"]);
}

#[test]
fn ranges_cover_what_lies_in_them_and_below() {
    for (ranges, section) in
        [("*", "9"), ("4", "4.9.3"), ("4.2-4.9", "4.10"), ("3-7", "7.2.1"), ("1, A", "A.1")]
    {
        assert_eq!(covers(ranges, section), section != "4.10", "{ranges} {section}");
    }
    for (ranges, section) in
        [("4", "40"), ("4.9", "4"), ("3-7", "8"), ("5-7", "A"), ("4.9-4.12", "4.8")]
    {
        assert!(!covers(ranges, section), "{ranges} {section}");
    }
}

const DOCUMENTS: (&str, &str) =
    ("specs/documents.tsv", "document\tversion\ttitle\nRFC 6120\t-\tCore\n");
const HEADING: &str = "document\tsections\tstatus\towner\twhat\n";

fn faults(entry: &str, source: &str) -> (usize, usize) {
    let index = format!("{HEADING}{entry}\n");
    let tree =
        Tree::of(&[DOCUMENTS, ("specs/index.tsv", &index), ("crates/xmpp/src/frame.rs", source)]);
    let uncovered = check_citations(&tree).len();
    let unowned =
        read(&tree).map_or(usize::MAX, |index| unowned(&tree, &index, &cited(&tree)).len());
    (uncovered, unowned)
}

#[test]
fn the_index_is_true_in_both_directions() {
    let cites = "// RFC 6120 §4.2\n";
    assert_eq!(faults("RFC 6120\t4\tyes\tcrates/xmpp\tx", cites), (0, 0));
    assert_eq!(faults("RFC 6120\t5\tno\t-\tx", cites), (1, 0));
    assert_eq!(faults("RFC 6120\t4\tyes\tcrates/xmpp/src/frame.rs\tx", ""), (0, 1));
    assert_eq!(faults("RFC 6120\t4\tyes\tcrates/xmpp/src/gone.rs\tx", cites), (0, 1));
    assert_eq!(faults("RFC 6120\t4\tperhaps\t-\tx", cites), (0, 1));
    assert_eq!(faults("RFC 6121\t4\tno\t-\tx", ""), (0, 2));
    assert_eq!(faults("RFC 6120\t4\tplanned\tcrates/xmpp\tx", cites), (0, 1));
    let bare = Tree::of(&[("crates/xmpp/src/frame.rs", cites)]);
    assert_eq!(check_citations(&bare).len(), 1);
}
