//! Rules about the text of sources: heads, words, names, spaces and reasons.

use super::Finding;
use crate::rust;
use crate::tree::Tree;

/// Marks of work left lying; spelled in halves so that this file passes its own rule.
const MARKS: &[&str] = &[concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];

/// Names that say nothing; part of a module's, crate's or type's name.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "misc", "common"];

/// Every source begins with what it is for.
pub(super) fn check_heads(tree: &Tree) -> Vec<Finding> {
    tree.sources()
        .filter(|(_, text)| !text.starts_with("//!"))
        // Golden outputs and sources that must not compile are data of a test.
        .filter(|(path, _)| !path.contains("/tests/ui/") && !path.contains("/golden/"))
        .map(|(path, _)| {
            Finding::new(path, 1, "the first line must be `//!` and say what the file is for")
        })
        .collect()
}

fn is_written(path: &str) -> bool {
    const ENDS: &[&str] =
        &[".rs", ".toml", ".py", ".js", ".mjs", ".md", ".sh", ".tsv", ".sql", ".yml"];
    !path.starts_with("requirements/")
        && path != "docs/requirements.md"
        && (ENDS.iter().any(|end| path.ends_with(end)) || path == ".ci/run")
}

/// No marks of work left lying.
pub(super) fn check_words(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| is_written(path)) {
        for (index, line) in text.lines().enumerate() {
            for mark in MARKS {
                if rust::words(line).any(|(_, word)| word == *mark) {
                    let what =
                        format!("`{mark}`: do it now, or write down as a limit what is not done");
                    findings.push(Finding::new(path, index + 1, what));
                }
            }
        }
    }
    findings
}

/// No module, crate or type whose name says nothing.
pub(super) fn check_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        for segment in path.split('/') {
            let stem = segment.strip_suffix(".rs").unwrap_or(segment);
            if stem.split(['_', '-']).any(|part| EMPTY_NAMES.contains(&part)) {
                findings.push(Finding::new(path, 0, format!("`{stem}` says nothing as a name")));
            }
        }
        let code = rust::cut(text).code;
        let mut before = "";
        for (place, word) in rust::words(&code) {
            let declares = matches!(before, "mod" | "struct" | "enum" | "trait" | "type" | "union");
            if declares && parts(word).any(|part| EMPTY_NAMES.contains(&part.as_str())) {
                let what = format!("`{word}` says nothing as a name");
                findings.push(Finding::new(path, rust::line_of(&code, place), what));
            }
            before = word;
        }
    }
    findings
}

/// `PoolManager` and `pool_manager` in lower-case parts.
fn parts(name: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            spaced.push('_');
        }
        spaced.extend(c.to_lowercase());
    }
    spaced.split('_').map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// No space or tab at the end of a line, and a newline at the end of a file.
pub(super) fn check_trailing(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| is_written(path)) {
        for (index, line) in text.split('\n').enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(Finding::new(path, index + 1, "space at the end of the line"));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            findings.push(Finding::new(path, 0, "no newline at the end"));
        }
    }
    findings
}

/// An exception from a lint says why.
pub(super) fn check_reasons(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let code = rust::cut(text).code;
        for (place, word) in rust::words(&code) {
            if word != "allow" && word != "expect" {
                continue;
            }
            let before = code.get(..place).unwrap_or_default().trim_end();
            let in_attribute =
                before.ends_with("#[") || before.ends_with("#![") || in_cfg_attr(before);
            let argument = argument(code.get(place + word.len()..).unwrap_or_default());
            let reasoned = rust::words(argument).any(|(_, word)| word == "reason");
            if in_attribute && !reasoned {
                let what = format!("`{word}` without `reason = \"…\"`");
                findings.push(Finding::new(path, rust::line_of(&code, place), what));
            }
        }
    }
    findings
}

/// Whether the text ends inside `#[cfg_attr(`.
fn in_cfg_attr(before: &str) -> bool {
    before.rfind("cfg_attr(").is_some_and(|start| {
        let tail = before.get(start..).unwrap_or_default();
        !tail.contains(']')
    })
}

/// What stands between the first parenthesis and its partner.
fn argument(after: &str) -> &str {
    let mut depth = 0_i32;
    for (place, c) in after.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return after.get(..place).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    after
}
