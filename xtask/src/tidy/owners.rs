//! Each outside library has owners: the house crates that may name it. A second user is a decision, made here.

use super::Finding;
use super::manifest::dependencies;
use crate::tree::Tree;
use crate::{run, rust};
use std::collections::BTreeSet;

/// Library and the crates that may have it among their dependencies; tests are free.
const OWNERS: &[(&str, &[&str])] = &[
    ("aho-corasick", &["policy"]),
    ("arc-swap", &["directory", "hub", "edge"]),
    ("aws-lc-rs", &["archive", "store", "edge", "server"]),
    ("base64", &["auth", "archive", "directory", "xmpp", "edge", "server"]),
    ("bytes", &["xmpp", "hub", "edge"]),
    ("clap", &["server"]),
    ("ed25519-dalek", &["archive"]),
    ("hmac", &["auth"]),
    ("hpke", &["archive"]),
    ("jiff", &["policy", "server"]),
    ("memchr", &["xmpp"]),
    ("pbkdf2", &["auth"]),
    ("postgres", &["store"]),
    ("precis-profiles", &["model", "auth"]),
    ("rcgen", &["server"]),
    ("regex", &["policy"]),
    ("rpassword", &["server"]),
    ("rusqlite", &["store"]),
    ("rustls", &["edge"]),
    ("serde", &["directory", "archive", "server"]),
    ("serde_json", &["directory", "archive", "server"]),
    ("sha1", &["auth", "xmpp"]),
    ("sha2", &["auth", "archive", "directory"]),
    ("socket2", &["edge"]),
    ("subtle", &["auth"]),
    ("tokio", &["directory", "hub", "edge", "server"]),
    ("tokio-postgres", &["store"]),
    ("tokio-rustls", &["edge"]),
    ("toml", &["server"]),
    ("tracing", &["directory", "store", "hub", "edge", "server"]),
    ("tracing-subscriber", &["server"]),
    ("x509-parser", &["edge", "server"]),
    ("zeroize", &["model", "auth", "archive", "store", "server"]),
];

/// Never in the graph, also not through others, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "one TLS stack: rustls"),
    ("openssl-sys", "one TLS stack: rustls"),
    ("native-tls", "one TLS stack: rustls"),
    ("ring", "one provider of cryptography: aws-lc-rs"),
];

/// Libraries that a crate uses without owning them.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let house = tree.crates();
    let mut findings = Vec::new();
    for name in &house {
        let path = format!("crates/{name}/Cargo.toml");
        for dependency in dependencies(tree.text(&path).unwrap_or_default()) {
            if dependency.dev || house.contains(&dependency.name) {
                continue;
            }
            let library = dependency.name;
            let what = match OWNERS.iter().find(|(known, _)| *known == library) {
                None => format!("`{library}` has no owner in xtask/src/tidy/owners.rs"),
                Some((_, owners)) if !owners.contains(name) => {
                    format!("`{library}` belongs to {}, not to `{name}`", owners.join(", "))
                }
                Some(_) => continue,
            };
            findings.push(Finding::new(&path, dependency.line, what));
        }
    }
    findings
}

/// Banned libraries anywhere in the graph that is built. Cargo.lock will not do: it also lists what
/// only a feature that nobody asks for would bring.
pub(super) fn check_graph(_tree: &Tree) -> Vec<Finding> {
    let words =
        ["tree", "--workspace", "--locked", "--quiet", "--prefix", "none", "--format", "{p}"];
    match run::cargo(&words).output() {
        Ok(output) if output.status.success() => banned(&String::from_utf8_lossy(&output.stdout)),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let reason = said.lines().next().unwrap_or("no reason given");
            vec![Finding::new("Cargo.lock", 0, format!("`cargo tree --locked` failed: {reason}"))]
        }
        Err(fault) => {
            vec![Finding::new("Cargo.lock", 0, format!("cargo cannot be started: {fault}"))]
        }
    }
}

/// Banned libraries in a listing of packages, one a line, name first.
pub(super) fn banned(listing: &str) -> Vec<Finding> {
    let present: BTreeSet<&str> =
        listing.lines().filter_map(|line| line.split(' ').next()).collect();
    BANNED
        .iter()
        .filter(|(name, _)| present.contains(name))
        .map(|(name, why)| {
            let what =
                format!("`{name}` is banned: {why}; `cargo tree -i {name}` shows who brings it");
            Finding::new("Cargo.lock", 0, what)
        })
        .collect()
}

/// The directory may use the runtime's channels and locks, not its sockets, clocks or tasks.
pub(super) fn check_runtime(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources().filter(|(path, _)| path.starts_with("crates/directory/src/"))
    {
        if crate::tree::is_test(path) {
            continue;
        }
        for (index, line) in rust::cut(text).code.lines().enumerate() {
            if line.split("tokio::").skip(1).any(|after| !after.starts_with("sync")) {
                findings.push(Finding::new(
                    path,
                    index + 1,
                    "`directory` may use only `tokio::sync`",
                ));
            }
        }
    }
    findings
}
