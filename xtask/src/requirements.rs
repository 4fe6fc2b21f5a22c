//! Which test covers which requirement, from the IDs that tests name; judges no test.

#[cfg(test)]
mod tests;

use crate::tree::Tree;
use crate::{Outcome, rust, table};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

pub(crate) const HELP: &str = "\
Reads requirements/requirements.tsv and writes docs/requirements.md: every requirement with the
tests that cover it, or nothing. A test covers a requirement when its name (`pol_11_…`), its doc
comment or, for a script or a test file of another language, any comment names the ID (`POL-11`).
An ID that does not exist is an error.

Usage: cargo xtask requirements [--check]

  --check   write nothing; fail when the page is stale
";

const LIST: &str = "requirements/requirements.tsv";
const GROUPS: &str = "requirements/groups.tsv";

/// Where each ID is covered: test names by file.
type Coverage = BTreeMap<String, BTreeSet<String>>;

/// The verb.
pub(crate) fn requirements(words: &[String]) -> Outcome {
    if let Some(word) = words.iter().find(|word| *word != "--check") {
        return Err(format!(
            "requirements knows no `{word}`; see `cargo xtask requirements --help`"
        ));
    }
    let tree = Tree::read(&crate::run::root())?;
    let (page, covered, all) = page(&tree)?;
    println!("requirements: {covered} of {all} are named by a test");
    table::settle("docs/requirements.md", &page, !words.is_empty(), "requirements")
}

/// The page, the number of requirements with a test, and of all.
fn page(tree: &Tree) -> Result<(String, usize, usize), String> {
    let list = tree.text(LIST).ok_or_else(|| format!("{LIST} is missing"))?;
    let rows = table::read(LIST, list, &["id", "requirement", "source", "level", "test"])?;
    let groups = tree.text(GROUPS).ok_or_else(|| format!("{GROUPS} is missing"))?;
    let groups = table::read(GROUPS, groups, &["prefix", "title", "source"])?;
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.cell(0)).collect();
    let prefixes: BTreeSet<&str> = groups.iter().map(|row| row.cell(0)).collect();
    let coverage = coverage(tree, &prefixes);
    if let Some((unknown, tests)) = coverage.iter().find(|(id, _)| !ids.contains(id.as_str())) {
        let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
        return Err(format!("{unknown} is no requirement, but {} names it", tests.join(", ")));
    }
    let mut body = String::new();
    let mut summary = String::from("| group | all | with a test |\n| --- | ---: | ---: |\n");
    for group in &groups {
        let (prefix, title) = (group.cell(0), group.cell(1));
        let of_group = || rows.iter().filter(|row| row.cell(0).starts_with(&format!("{prefix}-")));
        let covered = of_group().filter(|row| coverage.contains_key(row.cell(0))).count();
        let _infallible =
            writeln!(summary, "| {prefix} {title} | {} | {covered} |", of_group().count());
        let _infallible = writeln!(
            body,
            "\n## {prefix}: {title}\n\nSource: {}\n\n| ID | requirement | level | test |\n| --- | --- | --- | --- |",
            group.cell(2)
        );
        for row in of_group() {
            let tests = coverage.get(row.cell(0)).map(cell).unwrap_or_default();
            let text = table::markdown_cell(row.cell(1));
            let _infallible =
                writeln!(body, "| {} | {text} | {} | {tests} |", row.cell(0), row.cell(3));
        }
    }
    let covered = coverage.len();
    let head = format!(
        "# Requirements\n\nEvery requirement and the tests that name it. Written by `cargo xtask requirements` from\n\
         {LIST}, which also holds the black-box test of each. An empty cell means\n\
         that no test claims it, not that the thing is missing. {covered} of {} are covered.\n\n",
        rows.len()
    );
    Ok((format!("{head}{summary}{body}"), covered, rows.len()))
}

/// Tests of one requirement, as a cell: each file once, with its tests.
fn cell(tests: &BTreeSet<String>) -> String {
    let mut by_file: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for test in tests {
        let (path, name) = test.split_once(' ').unwrap_or((test, ""));
        by_file.entry(path).or_default().extend((!name.is_empty()).then_some(name));
    }
    let shown = by_file.iter().map(|(path, names)| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let short = path.strip_prefix("crates/").unwrap_or(path);
        format!("[{short}](../{path}) {}", names.join(" ")).trim_end().to_owned()
    });
    shown.collect::<Vec<_>>().join("<br>")
}

fn coverage(tree: &Tree, prefixes: &BTreeSet<&str>) -> Coverage {
    let mut coverage = Coverage::new();
    for (path, text) in tree.texts() {
        let ours = ["crates/", "fuzz/", "tests/"].iter().any(|top| path.starts_with(top));
        if !ours {
            continue;
        }
        let claims = if path.ends_with(".rs") {
            rust_claims(path, text, prefixes)
        } else if path.contains("/tests/") || path.starts_with("tests/") {
            let script = [".txt", ".py", ".js", ".mjs"].iter().any(|end| path.ends_with(end));
            if script {
                ids(text, prefixes).into_iter().map(|id| (id, path.to_owned())).collect()
            } else {
                Vec::new()
            }
        } else {
            Vec::new()
        };
        for (id, test) in claims {
            coverage.entry(id).or_default().insert(test);
        }
    }
    coverage
}

/// Pairs of ID and test. A `//!` head of a test file claims for the file as a whole.
fn rust_claims(path: &str, text: &str, prefixes: &BTreeSet<&str>) -> Vec<(String, String)> {
    let cut = rust::cut(text);
    let mut claims = Vec::new();
    let mut named = Vec::new();
    let mut is_test = false;
    for (code, comment) in cut.code.lines().zip(cut.comments.lines()) {
        let code = code.trim();
        if comment.trim_start().starts_with("//!") {
            if crate::tree::is_test(path) {
                claims.extend(ids(comment, prefixes).into_iter().map(|id| (id, path.to_owned())));
            }
            continue;
        }
        if code.is_empty() && !comment.trim().is_empty() {
            named.extend(ids(comment, prefixes));
            continue;
        }
        if code.starts_with("#[") {
            is_test |= code.contains("test]") || code.contains("test(") || code.contains("rstest");
            continue;
        }
        if let Some(name) = is_test.then(|| function_name(code)).flatten() {
            named.extend(ids(&name.to_uppercase().replace('_', "-"), prefixes));
            claims.extend(named.drain(..).map(|id| (id, format!("{path} {name}"))));
        }
        named.clear();
        is_test = false;
    }
    claims
}

fn function_name(code: &str) -> Option<&str> {
    let mut words = rust::words(code).map(|(_, word)| word);
    words.find(|word| *word == "fn")?;
    words.next()
}

/// Requirement IDs in a text: a known prefix, a dash, two digits.
fn ids(text: &str, prefixes: &BTreeSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for (place, word) in rust::words(text) {
        let after = text.get(place + word.len()..).unwrap_or_default();
        let number: String = after.chars().skip(1).take_while(char::is_ascii_digit).collect();
        let ends = after.chars().nth(1 + number.len()).is_none_or(|c| !rust::is_word(c));
        if after.starts_with('-') && number.len() == 2 && ends && prefixes.contains(word) {
            found.push(format!("{word}-{number}"));
        }
    }
    found
}
