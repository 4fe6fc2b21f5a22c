//! Rules of this architecture: the hub stays small, one function writes messages, protocols stay at the edge.

use super::Finding;
use crate::rust;
use crate::tree::{Tree, is_test};

/// Most fields of the struct that everything would like to hang on.
const HUB_FIELDS_MAX: usize = 8;

/// Crates that must not know that there are protocols.
const BELOW: &[&str] = &["hub", "store", "archive", "directory", "policy"];

/// Words that only a protocol would say.
const PROTOCOL_WORDS: &[&str] = &["stanza", "jabber", "xmpp", "imap", "smtp"];

/// Lines below the edge that may say such a word: part of the path, what the line contains, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("crates/", "Format::Stanza", "the model's own name for a form of content, carried as a value"),
    ("crates/hub/src/lib.rs", "It knows no stanza", "says that it does not"),
    (
        "crates/archive/src/record.rs",
        "The network it came by: `xmpp`",
        "example of a value that the edge names",
    ),
    ("crates/policy/src/setting.rs", "\"http://jabber.org/protocol/", QUERIES),
    ("crates/policy/src/setting.rs", "\"jabber:iq:", QUERIES),
    ("crates/policy/src/setting.rs", "\"urn:xmpp:", QUERIES),
];

/// Why the policy's catalogue holds names of questions.
const QUERIES: &str =
    "default of a setting whose values are names of questions, compared as text and never parsed";

/// The hub holds handles and nothing else, and not many.
pub(super) fn check_hub(tree: &Tree) -> Vec<Finding> {
    if !tree.exists("crates/hub/Cargo.toml") {
        return Vec::new();
    }
    for (path, text) in tree.sources().filter(|(path, _)| path.starts_with("crates/hub/src/")) {
        let code = rust::cut(text).code;
        let Some(place) = code.find("struct Hub {") else { continue };
        let fields = fields(code.get(place..).unwrap_or_default());
        if fields > HUB_FIELDS_MAX {
            let what = format!(
                "`Hub` has {fields} fields, {HUB_FIELDS_MAX} are allowed: pass handles to functions"
            );
            return vec![Finding::new(path, rust::line_of(&code, place), what)];
        }
        return Vec::new();
    }
    vec![Finding::new("crates/hub/src/lib.rs", 0, "no `struct Hub {` found to count the fields of")]
}

/// Fields of the struct whose declaration begins the text.
fn fields(code: &str) -> usize {
    let mut depth = 0_i32;
    let mut count = 0;
    let mut pending = false;
    // An arrow of a function type is no closing bracket.
    for c in code.replace("->", "  ").chars().skip_while(|&c| c != '{') {
        match c {
            '{' | '(' | '[' | '<' => depth += 1,
            '}' | ')' | ']' | '>' => {
                depth -= 1;
                if depth == 0 {
                    return count + usize::from(pending);
                }
            }
            ',' if depth == 1 => {
                count += usize::from(pending);
                pending = false;
            }
            c => pending |= depth == 1 && rust::is_word(c),
        }
    }
    count
}

/// Exactly one place in the product writes a row of the message table, and it is in the store.
pub(super) fn check_door(tree: &Tree) -> Vec<Finding> {
    if !tree.exists("crates/store/Cargo.toml") {
        return Vec::new();
    }
    let mut doors = Vec::new();
    for (path, text) in tree.sources() {
        if !path.starts_with("crates/") || is_test(path) {
            continue;
        }
        doors.extend(inserts(text).into_iter().map(|line| (path, line)));
    }
    match doors.as_slice() {
        [(path, _)] if path.starts_with("crates/store/src/") => Vec::new(),
        [] => vec![Finding::new(
            "crates/store",
            0,
            "no `INSERT INTO message` found; this rule looks for it",
        )],
        many => many
            .iter()
            .map(|(path, line)| {
                let what = format!(
                    "one of {} places that write a message row; one, in the store, is allowed",
                    doors.len()
                );
                Finding::new(path, *line, what)
            })
            .collect(),
    }
}

/// Lines where a row of the table `message` is written.
fn inserts(text: &str) -> Vec<usize> {
    let lower = text.to_lowercase();
    let comments = rust::cut(&lower).comments;
    let mut found = Vec::new();
    let mut before = ["", ""];
    for (place, word) in rust::words(&lower) {
        let in_comment = comments.get(place..).is_some_and(|rest| rest.starts_with(word));
        // `replace into` and `insert or ignore into` write rows as well.
        let writes =
            before[1] == "into" && matches!(before[0], "insert" | "ignore" | "replace" | "abort");
        if matches!(word, "message" | "messages") && writes && !in_comment {
            found.push(rust::line_of(&lower, place));
        }
        before = [before[1], word];
    }
    found
}

/// No word of a protocol below the edge, but for citations in comments and the listed exceptions.
pub(super) fn check_protocols(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; EXCEPTIONS.len()];
    let below =
        |path: &str| BELOW.iter().any(|name| path.starts_with(&format!("crates/{name}/src/")));
    for (path, text) in tree.sources().filter(|(path, _)| below(path) && !is_test(path)) {
        let cut = rust::cut(text);
        for (index, (line, comment)) in text.lines().zip(cut.comments.lines()).enumerate() {
            let lower = line.to_lowercase();
            let Some(word) = PROTOCOL_WORDS.iter().find(|word| lower.contains(**word)) else {
                continue;
            };
            let only_comment =
                !PROTOCOL_WORDS.iter().any(|word| without(line, comment).contains(word));
            if only_comment && (comment.contains("XEP-") || comment.contains("RFC ")) {
                continue;
            }
            let excepted = EXCEPTIONS
                .iter()
                .position(|(at, what, _)| path.starts_with(at) && line.contains(what));
            match excepted {
                Some(number) => used[number] = true,
                None => {
                    let what = format!(
                        "`{word}` is a word of a protocol, and this crate must not know one"
                    );
                    findings.push(Finding::new(path, index + 1, what));
                }
            }
        }
    }
    for ((at, what, _), used) in EXCEPTIONS.iter().zip(used) {
        // A word of the model may come and go; an exception for one file must be needed there.
        let due = at.ends_with(".rs") && tree.exists(at);
        if due && !used {
            findings.push(Finding::new(
                "xtask/src/tidy/rules.rs",
                0,
                format!("no line needs the exception `{what}`"),
            ));
        }
    }
    findings
}

/// The line with its comment blanked, in lower case.
fn without(line: &str, comment: &str) -> String {
    line.chars()
        .zip(comment.chars().chain(std::iter::repeat(' ')))
        .map(|(a, b)| if b == ' ' { a } else { ' ' })
        .collect::<String>()
        .to_lowercase()
}
