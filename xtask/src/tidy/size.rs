//! Length of files and functions, with a ratchet for old sinners that may only shrink.

use super::Finding;
use crate::tree::Tree;
use crate::{rust, table};
use std::collections::BTreeMap;

/// Longest file, in lines.
const FILE_LINES_MAX: usize = 800;

/// Longest function, in lines of code of its body.
const FUNCTION_LINES_MAX: usize = 70;

const RATCHET: &str = "xtask/ratchet.tsv";

/// Files and functions that are too long, and ratchet lines that no longer hold.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut allowed = match ratchet(tree) {
        Ok(allowed) => allowed,
        Err(fault) => return vec![Finding::new(RATCHET, 0, fault)],
    };
    for (path, text) in tree.sources() {
        let mut measured = vec![(String::new(), 1, text.lines().count(), FILE_LINES_MAX)];
        for function in rust::functions(&rust::cut(text).code) {
            measured.push((function.name, function.line, function.code_lines, FUNCTION_LINES_MAX));
        }
        for (name, line, length, max) in measured {
            let old = allowed.remove(&(path.to_owned(), name.clone()));
            let of = if name.is_empty() { "the file".to_owned() } else { format!("`{name}`") };
            let what = match old {
                None if length <= max => continue,
                None => format!(
                    "{of} has {length} lines, {max} are allowed: cut it where it has a seam"
                ),
                Some((at, _)) if length <= max => {
                    format!("{of} is short again: remove line {at} of {RATCHET}")
                }
                Some((at, limit)) if length < limit => {
                    format!("{of} shrank to {length}: lower line {at} of {RATCHET} to it")
                }
                Some((_, limit)) if length > limit => {
                    format!("{of} grew from {limit} to {length} lines")
                }
                Some(_) => continue,
            };
            findings.push(Finding::new(path, line, what));
        }
    }
    for ((path, name), (line, _)) in allowed {
        findings.push(Finding::new(
            RATCHET,
            line,
            format!("{path} {name} is gone: remove the line"),
        ));
    }
    findings
}

type Ratchet = BTreeMap<(String, String), (usize, usize)>;

fn ratchet(tree: &Tree) -> Result<Ratchet, String> {
    let mut allowed = Ratchet::new();
    let text = tree.text(RATCHET).unwrap_or_default();
    for row in table::read(RATCHET, text, &["file", "function", "lines"])? {
        let lines =
            row.cell(2).parse().map_err(|_| format!("line {}: no number of lines", row.line))?;
        allowed.insert((row.cell(0).to_owned(), row.cell(1).to_owned()), (row.line, lines));
    }
    Ok(allowed)
}
