//! House rules that are tests: each rule is a function from the tree to findings, tried on bad samples.

mod architecture;
mod arrows;
mod manifest;
mod owners;
mod rules;
mod size;
mod text;

#[cfg(test)]
mod tests;

use crate::Outcome;
use crate::tree::Tree;
use std::fmt;

pub(crate) const HELP: &str = "\
Checks the house rules that no compiler checks: which crate may import which, who owns which outside
library, the length of files and functions, banned words, citations of standards, names in
ARCHITECTURE.md and docs/security.md, the one door to the message table, and no word of a protocol
below the edge. STYLE.md says why each is there.

Usage: cargo xtask tidy

Changes nothing. Fails when there is a finding. Old sinners stand in xtask/ratchet.tsv, which may
only shrink.
";

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// File, from the root.
    pub(crate) path: String,
    /// Counted from one; 0 is the file as a whole.
    pub(crate) line: usize,
    /// What is wrong and what to do.
    pub(crate) what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.path)?;
        if self.line > 0 {
            write!(out, ":{}", self.line)?;
        }
        write!(out, ": {}", self.what)
    }
}

type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const RULES: &[Rule] = &[
    ("arrows between crates", arrows::check),
    ("owners of outside libraries", owners::check),
    ("banned outside libraries", owners::check_graph),
    ("runtime only where the world is", owners::check_runtime),
    ("lints of every crate", arrows::check_lints),
    ("first line of a source", text::check_heads),
    ("length of files and functions", size::check),
    ("banned words", text::check_words),
    ("banned names", text::check_names),
    ("space at the end of a line", text::check_trailing),
    ("exceptions from lints with a reason", text::check_reasons),
    ("citations of standards", crate::specs::check_citations),
    ("names in documents", architecture::check),
    ("fields of the hub", rules::check_hub),
    ("one door to the message table", rules::check_door),
    ("no protocol below the edge", rules::check_protocols),
];

/// The verb.
pub(crate) fn tidy(_words: &[String]) -> Outcome {
    let tree = Tree::read(&crate::run::root())?;
    let mut count = 0;
    for (name, rule) in RULES {
        let mut findings = rule(&tree);
        findings.sort();
        if !findings.is_empty() {
            eprintln!("\n{name}:");
        }
        for finding in &findings {
            eprintln!("  {finding}");
        }
        count += findings.len();
    }
    if count > 0 {
        return Err(format!("tidy: {count} findings"));
    }
    println!("tidy: {} rules, {} sources, no finding", RULES.len(), tree.sources().count());
    Ok(())
}
