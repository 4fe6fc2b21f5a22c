//! Each outside library has owners: the house crates that may name it. A second user is a decision, made here.

use super::Finding;
use super::manifest::{dependencies, locked};
use crate::rust;
use crate::tree::Tree;

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
    ("mimalloc", &["server"]),
    ("pbkdf2", &["auth"]),
    ("postgres", &["store"]),
    ("precis-profiles", &["model", "auth"]),
    ("rcgen", &["server"]),
    ("regex", &["policy"]),
    ("rusqlite", &["store"]),
    ("rustls", &["edge"]),
    ("serde", &["directory", "archive", "server"]),
    ("serde_json", &["directory", "archive", "server"]),
    ("sha1", &["auth", "xmpp"]),
    ("sha2", &["auth", "archive", "directory"]),
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

/// Banned libraries anywhere in the graph.
pub(super) fn check_lock(tree: &Tree) -> Vec<Finding> {
    let Some(lock) = tree.text("Cargo.lock") else {
        return vec![Finding::new("Cargo.lock", 0, "is missing; a product commits it")];
    };
    locked(lock)
        .into_iter()
        .filter_map(|(name, line)| {
            let (_, why) = BANNED.iter().find(|(banned, _)| *banned == name)?;
            Some(Finding::new("Cargo.lock", line, format!("`{name}` is banned: {why}")))
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
