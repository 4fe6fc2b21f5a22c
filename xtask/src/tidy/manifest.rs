//! Reads the parts of a Cargo manifest that the rules need; not a TOML parser.

/// One line of a dependency table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency<'a> {
    /// Name as written (the crate's own name; renaming is not used in this house).
    pub(super) name: &'a str,
    /// Counted from one.
    pub(super) line: usize,
    /// Stands in a table of dev-dependencies.
    pub(super) dev: bool,
}

/// All dependencies of a manifest, those for one platform included.
pub(super) fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let mut table = "";
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = name;
            // `[dependencies.name]` is one dependency spelled as a table.
            if let Some((kind, name)) = name.rsplit_once('.')
                && kind.ends_with("dependencies")
            {
                found.push(Dependency {
                    name,
                    line: index + 1,
                    dev: kind.ends_with("dev-dependencies"),
                });
            }
            continue;
        }
        if !table.ends_with("dependencies") {
            continue;
        }
        let Some((key, _)) = line.split_once('=') else { continue };
        let name = key.trim().split('.').next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !name.is_empty() && name.chars().all(plain) {
            found.push(Dependency {
                name,
                line: index + 1,
                dev: table.ends_with("dev-dependencies"),
            });
        }
    }
    found
}
