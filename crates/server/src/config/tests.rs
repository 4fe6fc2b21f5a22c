//! The configuration: what is refused and in which words, and that nothing is undocumented.

use super::*;
use crate::reference::{KEYS, annotated, page};

const LEAST: &str = "domain = \"bank.example\"\n";

#[track_caller]
fn refused(more: &str, expect: &str) {
    let fault = Config::parse(&format!("{LEAST}{more}")).expect_err("refused");
    let said = fault.to_string();
    assert!(said.contains(expect), "{said:?} does not say {expect:?}");
    assert!(!said.contains('\n'), "{said:?} is more than one sentence");
}

#[test]
fn a_domain_is_enough() {
    let config = Config::parse("domain = \"BANK.example\"").expect("a configuration");
    assert_eq!(config.domain, "bank.example");
    assert_eq!(config.listen.starttls.len(), 1);
}

#[test]
fn unknown_keys_are_named_with_their_line() {
    refused("[listen]\nstartls = []\n", "line 3: unknown field `startls`");
    refused("[lisen]\n", "line 2: unknown field `lisen`");
    refused("colour = 1\n", "unknown field `colour`");
}

#[test]
fn what_is_no_toml_is_named_with_its_line() {
    refused("[listen\n", "line 2");
    refused("[session]\nwrite_secs_max = \"a while\"\n", "line 3");
    refused("[listen]\nstarttls = [\"localhost:5222\"]\n", "line 3");
}

#[test]
fn every_number_has_its_limits() {
    for (key, _, min, max) in Config::parse(LEAST).expect("a configuration").numbers() {
        let (section, name) = key.split_once('.').expect("a section");
        let line = |value: u64| format!("[{section}]\n{name} = {value}\n");
        refused(&line(u64::from(max) + 1), if max == u32::MAX { "line" } else { key });
        if min > 0 {
            refused(&line(u64::from(min) - 1), &format!("not between {min} and {max}"));
        }
        for good in [min, max] {
            let text = format!("{LEAST}{}", line(u64::from(good)));
            Config::parse(&text).expect("a limit is allowed");
        }
        let known = KEYS.iter().find(|known| known.full_name() == key).expect("documented");
        assert_eq!(known.limit, format!("{min} to {max}"), "{key}");
    }
}

#[test]
fn what_could_not_work_is_refused() {
    refused("[listen]\nstarttls = []\ndirect_tls = []\n", "nobody could connect");
    refused("[archive]\ncustodians = []\n", "archive.custodians");
    refused("[log]\nlevel = \"loud\"\n", "log.level");
    let fault = Config::parse("domain = \"a b\"").expect_err("refused").to_string();
    assert!(fault.contains("is not a domain"), "{fault}");
    let many = vec!["\"127.0.0.1:1\""; LISTENERS_MAX + 1].join(", ");
    refused(&format!("[listen]\nstarttls = [{many}]\n"), "16 addresses");
}

/// The keys of the struct, by full name, with the defaults in the form of the file.
fn struct_keys() -> Vec<(String, String)> {
    let config = Config::parse(LEAST).expect("a configuration");
    let table = toml::Table::try_from(config).expect("a table");
    let mut keys = Vec::new();
    for (name, value) in table {
        if let Some(section) = value.as_table() {
            for (key, value) in section {
                keys.push((format!("{name}.{key}"), value.to_string()));
            }
        } else {
            keys.push((name, value.to_string()));
        }
    }
    keys.sort();
    keys
}

#[test]
fn every_key_is_documented_with_its_default() {
    let mut documented: Vec<(String, String)> = KEYS
        .iter()
        .map(|key| {
            let default = key.default.unwrap_or("\"bank.example\"");
            (key.full_name(), default.to_owned())
        })
        .collect();
    documented.sort();
    assert_eq!(struct_keys(), documented);
    assert!(KEYS.iter().all(|key| !key.doc.is_empty() && !key.limit.is_empty()));
}

#[test]
fn the_annotated_file_is_a_configuration() {
    let given = [
        ("domain", "\"bank.example\"".to_owned()),
        ("listen.starttls", "[\"127.0.0.1:5222\"]".to_owned()),
    ];
    let text = annotated(&given);
    let config = Config::parse(&text).expect("a configuration");
    assert_eq!(config.listen.starttls, ["127.0.0.1:5222".parse().expect("an address")]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // With every comment taken away it is still one, and says the same as the defaults.
    let open: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    Config::parse(&open).expect("a configuration");
}

#[test]
fn the_page_is_the_one_in_docs() {
    let committed = include_str!("../../../../docs/configuration.md");
    assert_eq!(
        committed.trim_end(),
        page().trim_end(),
        "run `chancery check-config --reference > docs/configuration.md`"
    );
}
