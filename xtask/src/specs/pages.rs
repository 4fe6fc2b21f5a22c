//! The public page of supported standards and the project description that XMPP sites read.

use super::{Document, Entry, Index};
use crate::table::markdown_cell;
use std::fmt::Write as _;

/// `yes` when all of it is, `partial` when some is, else the best that is left.
fn overall(index: &Index, document: &Document) -> &'static str {
    let has = |status: &str| entries(index, document).any(|entry| entry.status == status);
    match (has("yes"), has("partial"), has("planned"), has("no")) {
        (true, false, false, false) => "yes",
        (false, false, true, _) => "planned",
        (false, false, false, _) => "no",
        _ => "partial",
    }
}

fn entries<'a>(index: &'a Index, document: &'a Document) -> impl Iterator<Item = &'a Entry> {
    index.entries.iter().filter(|entry| entry.document == document.name)
}

fn address(name: &str) -> String {
    match name.strip_prefix("XEP-") {
        Some(number) => format!("https://xmpp.org/extensions/xep-{number}.html"),
        None => format!("https://www.rfc-editor.org/info/rfc{}", name.trim_start_matches("RFC ")),
    }
}

/// `docs/specs.md`.
pub(super) fn support(index: &Index) -> String {
    let mut page = String::from(
        "# Standards\n\nWhat Chancery follows, section by section. Written by `cargo xtask specs` from specs/index.tsv,\n\
         which a program compares with the citations in the sources: a section called yes or partial\n\
         is cited in the file that owns it.\n\n| document | title | state |\n| --- | --- | --- |\n",
    );
    for document in &index.documents {
        let Document { name, title, .. } = document;
        // A page of tables; writing to a string cannot fail.
        let _infallible = writeln!(
            page,
            "| [{name}]({}) | {} | {} |",
            address(name),
            markdown_cell(title),
            overall(index, document)
        );
    }
    page.push_str("\n## Section by section\n");
    for document in &index.documents {
        let _infallible = writeln!(
            page,
            "\n### {}: {}\n\n| sections | what | state | owner |\n| --- | --- | --- | --- |",
            document.name, document.title
        );
        for entry in entries(index, document) {
            let Entry { sections, what, status, owner, .. } = entry;
            let sections =
                if sections == "*" { "all".to_owned() } else { format!("§ {sections}") };
            let owner =
                if owner.is_empty() { String::new() } else { format!("[{owner}](../{owner})") };
            let _infallible =
                writeln!(page, "| {sections} | {} | {status} | {owner} |", markdown_cell(what));
        }
    }
    page
}

/// `docs/chancery.doap` (XEP-0453).
pub(super) fn doap(index: &Index) -> String {
    let mut page = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by `cargo xtask specs` from specs/index.tsv. -->
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns="http://usefulinc.com/ns/doap#"
    xmlns:xmpp="https://linkmauve.fr/ns/xmpp-doap#">
  <Project rdf:about="">
    <name>Chancery</name>
    <shortdesc xml:lang="en">One server for all of an organisation's messages</shortdesc>
    <description xml:lang="en">Chat through one policy checkpoint into one sealed archive</description>
    <programming-language>Rust</programming-language>
    <license rdf:resource="https://spdx.org/licenses/Apache-2.0.html"/>
    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-server"/>
"#,
    );
    for document in index.documents.iter().filter(|document| document.name.starts_with("RFC ")) {
        if matches!(overall(index, document), "yes" | "partial") {
            let _infallible =
                writeln!(page, "    <implements rdf:resource=\"{}\"/>", address(&document.name));
        }
    }
    for document in index.documents.iter().filter(|document| document.name.starts_with("XEP-")) {
        let status = match overall(index, document) {
            "yes" => "complete",
            "partial" => "partial",
            _ => continue,
        };
        let _infallible = writeln!(
            page,
            "    <implements>\n      <xmpp:SupportedXep>\n        <xmpp:xep rdf:resource=\"{}\"/>\n        \
             <xmpp:status>{status}</xmpp:status>",
            address(&document.name)
        );
        if !document.version.is_empty() {
            let _infallible =
                writeln!(page, "        <xmpp:version>{}</xmpp:version>", document.version);
        }
        page.push_str("      </xmpp:SupportedXep>\n    </implements>\n");
    }
    page.push_str("  </Project>\n</rdf:RDF>\n");
    page
}
