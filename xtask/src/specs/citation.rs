//! The form of a citation and of a range of sections; knows no file and no index.

use std::cmp::Ordering;
use std::fmt;

/// A document and, mostly, a section of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Citation {
    /// `RFC 6120` or `XEP-0198`.
    pub(super) document: String,
    /// Without the sign: `4.9.3.1`.
    pub(super) section: Option<String>,
}

impl fmt::Display for Citation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.document)?;
        self.section.as_ref().map_or(Ok(()), |section| write!(out, " §{section}"))
    }
}

/// Citations of a line. `RFC 6120 §4.3, §4.4 and §5` are three; a range is its two ends.
pub(super) fn in_line(line: &str) -> Vec<Citation> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((document, after)) = document(rest) {
        rest = after;
        let mut any = false;
        while let Some((section, after)) = section(rest, any) {
            found.push(Citation { document: document.clone(), section: Some(section) });
            rest = after;
            any = true;
        }
        if !any {
            found.push(Citation { document, section: None });
        }
    }
    found
}

/// The next document named in the text, and what follows it.
fn document(text: &str) -> Option<(String, &str)> {
    let rfc = text.find("RFC ").map(|place| (place, "RFC ", 1));
    let xep = text.find("XEP-").map(|place| (place, "XEP-", 4));
    let (place, mark, digits_min) = match (rfc, xep) {
        (Some(a), Some(b)) => std::cmp::min(a, b),
        (a, b) => a.or(b)?,
    };
    let after = text.get(place + mark.len()..)?;
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let rest = after.get(digits..)?;
    if digits < digits_min {
        return document(after);
    }
    Some((format!("{mark}{}", after.get(..digits)?), rest))
}

/// The section at the head of the text; further ones after a comma, `and`, `or` or a dash.
fn section(text: &str, further: bool) -> Option<(String, &str)> {
    const JOINS: &[&str] = &[", ", " and ", " or ", "–", "-", " to ", " "];
    let text = if further {
        JOINS.iter().find_map(|join| {
            let rest = text.strip_prefix(join)?;
            // The second end of a range may do without the sign.
            let bare = matches!(*join, "–" | "-") && rest.starts_with(|c: char| c.is_ascii_digit());
            (bare || rest.starts_with('§')).then_some(rest)
        })?
    } else {
        text.trim_start_matches([',', ' ']).strip_prefix('§')?
    };
    let text = text.trim_start_matches('§').trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(text.len());
    let section = text.get(..end)?.trim_end_matches('.');
    (!section.is_empty())
        .then(|| (section.to_owned(), text.get(section.len()..).unwrap_or_default()))
}

/// Whether a list of sections and ranges (`4`, `4.1-4.9`, `*`, parted by commas) covers a section.
/// A section covers all below it.
pub(super) fn covers(ranges: &str, section: &str) -> bool {
    ranges.split(',').map(str::trim).any(|range| match range.split_once('-') {
        None => range == "*" || below(range, section),
        Some((from, to)) => {
            let after = compare(section, from) != Ordering::Less;
            let before = compare(section, to) != Ordering::Greater || below(to, section);
            after && before
        }
    })
}

fn below(range: &str, section: &str) -> bool {
    section.strip_prefix(range).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Order of sections: numbers by value, letters by alphabet, numbers before letters.
fn compare(left: &str, right: &str) -> Ordering {
    let key = |text: &str| -> Vec<(bool, u32, String)> {
        text.split('.')
            .map(|part| {
                part.parse()
                    .map_or((true, 0, part.to_owned()), |number| (false, number, String::new()))
            })
            .collect()
    };
    key(left).cmp(&key(right))
}
