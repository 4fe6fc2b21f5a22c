//! The files of the checkout as values; knows no rule, so that rules can be tried on trees made up in tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Folders that are products of a build or belong to a tool.
const SKIPPED: &[&str] = &[".git", "target", "node_modules", "corpus", "artifacts", "__pycache__"];

/// Larger files are data, not text that somebody wrote by hand.
const TEXT_BYTES_MAX: u64 = 2_000_000;

/// Every file below the root, path with `/` and without a leading one.
#[derive(Default)]
pub(crate) struct Tree {
    texts: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

impl Tree {
    /// Reads the checkout.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut tree = Self::default();
        tree.walk(root, "")?;
        Ok(tree)
    }

    /// A tree from pairs of path and text, for tests.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            let mut upto = *path;
            while let Some((folder, _)) = upto.rsplit_once('/') {
                tree.paths.insert(folder.to_owned());
                upto = folder;
            }
            tree.paths.insert((*path).to_owned());
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        tree
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let entries =
            std::fs::read_dir(folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|fault| format!("{}: {fault}", folder.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type().map_err(|fault| format!("{path}: {fault}"))?;
            if kind.is_dir() {
                if SKIPPED.contains(&name.as_str()) || name.starts_with("target-") {
                    continue;
                }
                self.paths.insert(path.clone());
                self.walk(&entry.path(), &path)?;
            } else if kind.is_file() {
                self.paths.insert(path.clone());
                let size = entry.metadata().map_or(u64::MAX, |data| data.len());
                if size > TEXT_BYTES_MAX {
                    continue;
                }
                if let Ok(text) = std::fs::read_to_string(entry.path()) {
                    self.texts.insert(path, text);
                }
            }
        }
        Ok(())
    }

    /// Whether a file or folder of this path is there.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.paths.contains(path.trim_end_matches('/'))
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// All texts, in order of path.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All Rust sources.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// Names of the house crates: the folders of `crates/` that have a manifest.
    pub(crate) fn crates(&self) -> Vec<&str> {
        self.texts()
            .filter_map(|(path, _)| path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
            .filter(|name| !name.contains('/'))
            .collect()
    }
}

/// Whether the file is part of the tests and not of what runs.
pub(crate) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
        || path.contains("/tests/")
        || path.contains("/benches/")
        || path.starts_with("fuzz/")
}
