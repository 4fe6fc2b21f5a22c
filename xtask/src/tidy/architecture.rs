//! Names in documents that promise to be true: a crate, path, type or function in backticks must exist.

use super::Finding;
use super::manifest::dependencies;
use crate::rust;
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// Documents whose names are checked. A missing one is not checked, so that a branch may begin without.
const DOCUMENTS: &[&str] = &["ARCHITECTURE.md", "docs/security.md", "SECURITY.md", "STYLE.md"];

/// Names of the language and its tools that a document may say though no file here declares them.
const FOREIGN: &[&str] = &[
    "Arc",
    "Debug",
    "Default",
    "Display",
    "HashMap",
    "Instant",
    "Mutex",
    "Option",
    "Result",
    "String",
    "SystemTime",
    "Vec",
    "allow",
    "async",
    "await",
    "bool",
    "cargo",
    "clippy",
    "dyn",
    "expect",
    "false",
    "from",
    "fmt",
    "id",
    "impl",
    "main",
    "match",
    "mod",
    "panic",
    "pub",
    "reason",
    "rustfmt",
    "true",
    "unsafe",
    "unwrap",
];

/// What the sources declare.
struct Names {
    /// Every declared name, field, variant and module.
    all: BTreeSet<String>,
    /// The same, crate by crate.
    by_crate: BTreeMap<String, BTreeSet<String>>,
    libraries: BTreeSet<String>,
}

/// Names in backticks that nothing declares.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let names = names(tree);
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        let Some(text) = tree.text(document) else { continue };
        let mut in_block = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
                continue;
            }
            if in_block {
                continue;
            }
            for span in line.split('`').skip(1).step_by(2) {
                // `Admitted → Sealed → Stored` is three names.
                for name in span.split(['→', '←', ',']) {
                    if !known(tree, &names, name.trim()) {
                        let what = format!("`{}` does not exist", name.trim());
                        findings.push(Finding::new(document, index + 1, what));
                    }
                }
            }
        }
    }
    findings
}

/// Whether the name is one of ours; what does not look like a name is not judged.
fn known(tree: &Tree, names: &Names, span: &str) -> bool {
    let name = span.split(['(', '<', '{']).next().unwrap_or_default().trim_end_matches('!');
    let plain = |c: char| rust::is_word(c) || matches!(c, ':' | '/' | '.' | '-');
    if name.is_empty()
        || !name.chars().all(plain)
        || name.starts_with(['-', '.']) && !name.starts_with(".c")
    {
        return true;
    }
    if name.contains('/')
        || [".rs", ".md", ".toml", ".tsv", ".txt"].iter().any(|end| name.ends_with(end))
    {
        return tree.exists(name) || tree.exists(&format!("crates/{name}"));
    }
    if name.contains("::") {
        return known_path(names, name);
    }
    if !name.starts_with(char::is_alphabetic) || name.contains(['.', ':']) {
        return true;
    }
    let house = tree.crates().contains(&name) || name == "xtask" || name == "fuzz";
    house || names.all.contains(name) || names.libraries.contains(name) || FOREIGN.contains(&name)
}

/// `crate::path::name`, `Type::member`, or a path into an outside library, which is not judged.
fn known_path(names: &Names, path: &str) -> bool {
    let mut parts = path.split("::");
    let first = parts.next().unwrap_or_default();
    if let Some(own) = names.by_crate.get(first) {
        return parts.all(|part| own.contains(part));
    }
    if names.libraries.contains(first) || matches!(first, "std" | "core" | "clippy") {
        return true;
    }
    path.split("::").all(|part| names.all.contains(part))
}

fn names(tree: &Tree) -> Names {
    let mut all = BTreeSet::new();
    let mut by_crate: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in tree.sources() {
        let declared = declared(&rust::cut(text).code);
        let stem =
            path.rsplit('/').next().and_then(|file| file.strip_suffix(".rs")).unwrap_or_default();
        let own =
            path.strip_prefix("crates/").and_then(|rest| rest.split('/').next()).unwrap_or("xtask");
        let own = by_crate.entry(own.to_owned()).or_default();
        own.insert(stem.to_owned());
        own.extend(declared.iter().cloned());
        all.insert(stem.to_owned());
        all.extend(declared);
    }
    let libraries = tree
        .text("Cargo.toml")
        .map(|text| dependencies(text).iter().map(|found| found.name.to_owned()).collect())
        .unwrap_or_default();
    Names { all, by_crate, libraries }
}

/// Declared items, and what stands before a colon or opens a variant: fields, variants.
fn declared(code: &str) -> Vec<String> {
    const KEYWORDS: &[&str] = &[
        "fn",
        "struct",
        "enum",
        "trait",
        "type",
        "mod",
        "const",
        "static",
        "macro_rules",
        "union",
    ];
    let mut found = Vec::new();
    let mut before = "";
    for (place, word) in rust::words(code) {
        let rest = code.get(place + word.len()..).unwrap_or_default();
        let field = rest.starts_with(':') && !rest.starts_with("::");
        let line_start =
            code.get(..place).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        let opens_line =
            line_start.trim().is_empty() || line_start.trim_end().ends_with(['{', ',']);
        let variant = word.starts_with(char::is_uppercase) && opens_line;
        if KEYWORDS.contains(&before) || field || variant {
            found.push(word.to_owned());
        }
        before = word;
    }
    found
}
