//! Tab-separated tables with a heading line, the form of every list in this repository.

/// One line below the heading, with its number in the file.
pub(crate) struct Row<'a> {
    /// Counted from one.
    pub(crate) line: usize,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// Cell of a column; `-` reads as empty.
    pub(crate) fn cell(&self, column: usize) -> &'a str {
        match self.cells.get(column) {
            None | Some(&"-") => "",
            Some(cell) => cell,
        }
    }
}

/// Reads a table whose heading must be exactly `heading`; lines that begin with `#` are comments.
pub(crate) fn read<'a>(
    path: &str,
    text: &'a str,
    heading: &[&str],
) -> Result<Vec<Row<'a>>, String> {
    let mut rows = Vec::new();
    let mut headed = false;
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        if !headed {
            if cells != heading {
                return Err(format!("{path}: the heading must be {}", heading.join(" ⇥ ")));
            }
            headed = true;
            continue;
        }
        if cells.len() != heading.len() {
            let (have, want) = (cells.len(), heading.len());
            return Err(format!("{path}:{}: {have} columns where {want} are due", index + 1));
        }
        rows.push(Row { line: index + 1, cells });
    }
    Ok(rows)
}

/// Makes text safe inside a cell of a Markdown table.
pub(crate) fn markdown_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Writes a generated file, or, when only asked to compare, says that it is stale.
pub(crate) fn settle(path: &str, text: &str, only_compare: bool, verb: &str) -> crate::Outcome {
    let place = crate::run::root().join(path);
    let old = std::fs::read_to_string(&place).unwrap_or_default();
    if old == text {
        return Ok(());
    }
    if only_compare {
        return Err(format!("{path} is stale; run `cargo xtask {verb}` and commit it"));
    }
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|fault| format!("{}: {fault}", folder.display()))?;
    }
    std::fs::write(&place, text).map_err(|fault| format!("{path}: {fault}"))?;
    println!("wrote {path}");
    Ok(())
}
