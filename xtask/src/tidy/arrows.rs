//! Which house crate may import which; reads manifests only, since what a manifest forbids no source can do.

use super::Finding;
use super::manifest::dependencies;
use crate::tree::Tree;

/// Crate, floor, and the house crates it may import. Arrows only go down.
const FLOORS: &[(&str, u8, &[&str])] = &[
    ("model", 0, &[]),
    ("auth", 1, &["model"]),
    ("policy", 1, &["model"]),
    ("xmpp", 2, &["model", "auth"]),
    ("archive", 2, &["model", "policy"]),
    ("directory", 2, &["model", "auth", "policy"]),
    ("store", 3, &["model", "policy", "archive"]),
    ("hub", 4, &["model", "auth", "policy", "archive", "directory", "store"]),
    ("edge", 5, &["model", "auth", "xmpp", "hub"]),
    (
        "server",
        6,
        &["model", "auth", "policy", "xmpp", "archive", "directory", "store", "hub", "edge"],
    ),
];

/// Crates that read foreign bytes, and the nouns below them: input must not be able to panic them.
const NEVER_PANIC: &[&str] = &["model", "auth", "xmpp"];

const PANIC_LINTS: &[&str] = &["unwrap_used", "expect_used", "panic", "indexing_slicing"];

fn floor(name: &str) -> Option<&'static (&'static str, u8, &'static [&'static str])> {
    FLOORS.iter().find(|(known, _, _)| *known == name)
}

/// Arrows that the table does not allow, and crates that it does not know.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in tree.crates() {
        let path = format!("crates/{name}/Cargo.toml");
        let Some((_, level, allowed)) = floor(name) else {
            findings.push(Finding::new(
                &path,
                0,
                format!("`{name}` has no place in the table of floors"),
            ));
            continue;
        };
        for dependency in dependencies(tree.text(&path).unwrap_or_default()) {
            let Some((other, below, _)) = floor(dependency.name) else { continue };
            // A test may use any lower floor; a test that needs a neighbour belongs further up.
            let fine = if dependency.dev { below < level } else { allowed.contains(other) };
            if !fine {
                let kind = if dependency.dev { "its tests" } else { "it" };
                let what = format!("`{name}` imports `{other}`, which {kind} may not");
                findings.push(Finding::new(&path, dependency.line, what));
            }
        }
    }
    if let Some(text) = tree.text("xtask/Cargo.toml") {
        for dependency in dependencies(text) {
            let what = format!("xtask has no dependencies, also not `{}`", dependency.name);
            findings.push(Finding::new("xtask/Cargo.toml", dependency.line, what));
        }
    }
    findings
}

/// Every crate takes the lints of the workspace, and those that read foreign bytes deny a panic.
pub(super) fn check_lints(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in tree.crates() {
        let path = format!("crates/{name}/Cargo.toml");
        let text = tree.text(&path).unwrap_or_default();
        if !text.contains("[lints]\nworkspace = true") {
            findings.push(Finding::new(&path, 0, "no `[lints]` with `workspace = true`"));
        }
        if !NEVER_PANIC.contains(&name) {
            continue;
        }
        let head = format!("crates/{name}/src/lib.rs");
        let code = crate::rust::cut(tree.text(&head).unwrap_or_default()).code;
        for lint in PANIC_LINTS {
            let named = format!("clippy::{lint}");
            if !code.split("#![").any(|part| part.starts_with("deny") && part.contains(&named)) {
                findings.push(Finding::new(&head, 0, format!("does not deny `{named}`")));
            }
        }
    }
    findings
}
