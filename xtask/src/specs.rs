//! Standards: what the code cites, what the index says, and the public pages made of it; judges no behaviour.

#[cfg(test)]
mod tests;

mod citation;
mod pages;

use crate::Outcome;
use crate::table;
use crate::tidy::Finding;
use crate::tree::{Tree, is_test};
use citation::{Citation, covers};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const HELP: &str = "\
Compares the citations in the sources (`RFC 6120 §4.9.3.1`, `XEP-0198 §5`) with specs/index.tsv in
both directions: every cited section is in the index, and every section that the index calls `yes`
or `partial` is cited in the file that is said to own it. Says what is cited by code but by no
test. Writes docs/specs.md, the public page of what is supported, and docs/chancery.doap.

Usage: cargo xtask specs [--check] [--untested]

  --check      write nothing; fail when a page is stale
  --untested   list each section that code cites and no test does
";

const DOCUMENTS: &str = "specs/documents.tsv";
const INDEX: &str = "specs/index.tsv";
const STATUSES: &[&str] = &["yes", "partial", "planned", "no"];

/// A standard.
struct Document {
    name: String,
    version: String,
    title: String,
    line: usize,
}

/// A range of sections of a standard and how it stands here.
struct Entry {
    document: String,
    sections: String,
    status: String,
    owner: String,
    what: String,
    line: usize,
}

/// Both lists.
struct Index {
    documents: Vec<Document>,
    entries: Vec<Entry>,
}

/// A citation and where it stands.
struct Cited<'a> {
    path: &'a str,
    line: usize,
    citation: Citation,
}

/// The verb.
pub(crate) fn specs(words: &[String]) -> Outcome {
    for word in words {
        if !matches!(word.as_str(), "--check" | "--untested") {
            return Err(format!("specs knows no `{word}`; see `cargo xtask specs --help`"));
        }
    }
    let asked = |name: &str| words.iter().any(|word| word == name);
    let tree = Tree::read(&crate::run::root())?;
    let index = read(&tree)?;
    let cited = cited(&tree);
    let mut findings = uncovered(&index, &cited);
    findings.extend(unowned(&tree, &index, &cited));
    findings.sort();
    for finding in &findings {
        eprintln!("  {finding}");
    }
    let untested = untested(&cited);
    if asked("--untested") {
        for section in &untested {
            println!("  {section}");
        }
    }
    let sections: BTreeSet<&Citation> = cited.iter().map(|found| &found.citation).collect();
    println!(
        "specs: {} documents, {} sections cited, {} of them by no test",
        index.documents.len(),
        sections.len(),
        untested.len()
    );
    if !findings.is_empty() {
        return Err(format!("specs: {} findings", findings.len()));
    }
    let only_compare = asked("--check");
    table::settle("docs/specs.md", &pages::support(&index), only_compare, "specs")?;
    table::settle("docs/chancery.doap", &pages::doap(&index), only_compare, "specs")
}

/// For tidy: citations that the index does not cover.
pub(crate) fn check_citations(tree: &Tree) -> Vec<Finding> {
    match read(tree) {
        Ok(index) => uncovered(&index, &cited(tree)),
        Err(fault) => vec![finding(INDEX, 0, fault)],
    }
}

fn finding(path: &str, line: usize, what: String) -> Finding {
    Finding { path: path.to_owned(), line, what }
}

fn read(tree: &Tree) -> Result<Index, String> {
    let text = tree.text(DOCUMENTS).ok_or_else(|| format!("{DOCUMENTS} is missing"))?;
    let documents = table::read(DOCUMENTS, text, &["document", "version", "title"])?
        .iter()
        .map(|row| Document {
            name: row.cell(0).to_owned(),
            version: row.cell(1).to_owned(),
            title: row.cell(2).to_owned(),
            line: row.line,
        })
        .collect();
    let text = tree.text(INDEX).ok_or_else(|| format!("{INDEX} is missing"))?;
    let entries = table::read(INDEX, text, &["document", "sections", "status", "owner", "what"])?
        .iter()
        .map(|row| Entry {
            document: row.cell(0).to_owned(),
            sections: row.cell(1).to_owned(),
            status: row.cell(2).to_owned(),
            owner: row.cell(3).to_owned(),
            what: row.cell(4).to_owned(),
            line: row.line,
        })
        .collect();
    Ok(Index { documents, entries })
}

/// Every citation below `crates/` and `fuzz/`, in sources and in test scripts.
fn cited(tree: &Tree) -> Vec<Cited<'_>> {
    const ENDS: &[&str] = &[".rs", ".txt", ".py", ".js", ".mjs", ".sql"];
    let mut found = Vec::new();
    for (path, text) in tree.texts() {
        let ours = path.starts_with("crates/") || path.starts_with("fuzz/");
        if !ours || !ENDS.iter().any(|end| path.ends_with(end)) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for citation in citation::in_line(line) {
                found.push(Cited { path, line: index + 1, citation });
            }
        }
    }
    found
}

/// Citations that no entry covers.
fn uncovered(index: &Index, cited: &[Cited<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for found in cited {
        let Citation { document, section } = &found.citation;
        let mut of_document = index.entries.iter().filter(|entry| entry.document == *document);
        let covered = match section {
            None => of_document.next().is_some(),
            Some(section) => of_document.any(|entry| covers(&entry.sections, section)),
        };
        if !covered {
            let what = format!("cites {}, which {INDEX} does not cover", found.citation);
            findings.push(finding(found.path, found.line, what));
        }
    }
    findings
}

/// Faults of the index itself, and entries whose owner does not cite them.
fn unowned(tree: &Tree, index: &Index, cited: &[Cited<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in &index.documents {
        if !index.entries.iter().any(|entry| entry.document == document.name) {
            findings.push(finding(
                DOCUMENTS,
                document.line,
                format!("{} has no line in {INDEX}", document.name),
            ));
        }
    }
    for entry in &index.entries {
        if let Some(what) = fault(tree, index, entry, cited) {
            findings.push(finding(INDEX, entry.line, what));
        }
    }
    findings
}

fn fault(tree: &Tree, index: &Index, entry: &Entry, cited: &[Cited<'_>]) -> Option<String> {
    let Entry { document, sections, status, owner, .. } = entry;
    if !index.documents.iter().any(|known| known.name == *document) {
        return Some(format!("{document} is not in {DOCUMENTS}"));
    }
    if !STATUSES.contains(&status.as_str()) {
        return Some(format!("`{status}` is no status; one of {}", STATUSES.join(", ")));
    }
    if !matches!(status.as_str(), "yes" | "partial") {
        return (!owner.is_empty())
            .then(|| format!("{document} {sections} is {status} and yet has an owner"));
    }
    if owner.is_empty() || !tree.exists(owner) {
        return Some(format!("{document} {sections}: the owner `{owner}` does not exist"));
    }
    // A chapter of examples is owned by the scripts that play them; all else by what runs.
    let examples = is_test(owner) || is_test(&format!("{owner}/"));
    let obeyed = cited.iter().any(|found| {
        let inside = found.path == owner || found.path.starts_with(&format!("{owner}/"));
        let section = found.citation.section.as_deref();
        let covered = section.map_or(sections == "*", |section| covers(sections, section));
        inside
            && (examples || !is_test(found.path))
            && found.citation.document == *document
            && covered
    });
    (!obeyed).then(|| format!("{document} {sections} is {status}, but {owner} does not cite it"))
}

/// Sections that code cites and no test does.
fn untested(cited: &[Cited<'_>]) -> Vec<String> {
    let mut tested: BTreeMap<&Citation, bool> = BTreeMap::new();
    for found in cited.iter().filter(|found| found.citation.section.is_some()) {
        *tested.entry(&found.citation).or_default() |= is_test(found.path);
    }
    tested
        .into_iter()
        .filter(|(_, tested)| !tested)
        .map(|(citation, _)| citation.to_string())
        .collect()
}
