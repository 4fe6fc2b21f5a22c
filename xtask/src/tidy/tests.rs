//! Every rule of tidy against a sample it must refuse and a neighbour it must let pass.

use super::{Finding, architecture, arrows, manifest, owners, rules, size, text};
use crate::tree::Tree;

type Rule = fn(&Tree) -> Vec<Finding>;

/// Paths and lines that the rule refuses.
fn check(rule: Rule, files: &[(&str, &str)], expect: &[&str]) {
    let mut found: Vec<String> = rule(&Tree::of(files))
        .iter()
        .map(|finding| format!("{}:{}", finding.path, finding.line))
        .collect();
    found.sort();
    assert_eq!(found, expect, "{:?}", rule(&Tree::of(files)));
}

const LINTS: &str = "[lints]\nworkspace = true\n";

#[test]
fn a_manifest_gives_up_its_dependencies() {
    let text = "[dependencies]\nmodel = { workspace = true, features = [\n  \"a=b\",\n] }\nauth.workspace = true\n\
                [target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n[dev-dependencies]\nproptest = \"1\"\n\
                [dependencies.tokio]\nversion = \"1\"\n[features]\ndefault = []\n";
    let found: Vec<(&str, bool)> =
        manifest::dependencies(text).iter().map(|found| (found.name, found.dev)).collect();
    let expect =
        [("model", false), ("auth", false), ("libc", false), ("proptest", true), ("tokio", false)];
    assert_eq!(
        found.iter().filter(|(name, _)| *name != "version").copied().collect::<Vec<_>>(),
        expect
    );
}

#[test]
fn arrows_go_down_and_only_where_the_table_says() {
    let good = [
        ("crates/model/Cargo.toml", "[dependencies]\n"),
        (
            "crates/hub/Cargo.toml",
            "[dependencies]\nmodel.workspace = true\nstore.workspace = true\n",
        ),
        ("crates/store/Cargo.toml", "[dev-dependencies]\nauth.workspace = true\n"),
    ];
    check(arrows::check, &good, &[]);
    // Upwards, sideways, past the hub, and a test that uses a neighbour.
    check(
        arrows::check,
        &[("crates/model/Cargo.toml", "[dependencies]\nauth.workspace = true\n")],
        &["crates/model/Cargo.toml:2"],
    );
    check(
        arrows::check,
        &[("crates/policy/Cargo.toml", "[dependencies]\nauth = { workspace = true }\n")],
        &["crates/policy/Cargo.toml:2"],
    );
    check(
        arrows::check,
        &[("crates/hub/Cargo.toml", "[dependencies]\nxmpp.workspace = true\n")],
        &["crates/hub/Cargo.toml:2"],
    );
    check(
        arrows::check,
        &[("crates/edge/Cargo.toml", "[dependencies.store]\nworkspace = true\n")],
        &["crates/edge/Cargo.toml:1"],
    );
    check(
        arrows::check,
        &[("crates/policy/Cargo.toml", "[dev-dependencies]\nauth.workspace = true\n")],
        &["crates/policy/Cargo.toml:2"],
    );
    check(arrows::check, &[("crates/errors/Cargo.toml", "")], &["crates/errors/Cargo.toml:0"]);
    check(
        arrows::check,
        &[("xtask/Cargo.toml", "[dependencies]\nclap = \"4\"\n")],
        &["xtask/Cargo.toml:2"],
    );
}

#[test]
fn crates_take_the_lints_and_readers_of_foreign_bytes_deny_panics() {
    check(arrows::check_lints, &[("crates/hub/Cargo.toml", LINTS)], &[]);
    check(arrows::check_lints, &[("crates/hub/Cargo.toml", "")], &["crates/hub/Cargo.toml:0"]);
    let head = "//! x\n#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]\n";
    check(
        arrows::check_lints,
        &[("crates/xmpp/Cargo.toml", LINTS), ("crates/xmpp/src/lib.rs", head)],
        &[],
    );
    let said = "//! x\n#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy::indexing_slicing\n";
    check(
        arrows::check_lints,
        &[("crates/xmpp/Cargo.toml", LINTS), ("crates/xmpp/src/lib.rs", said)],
        &["crates/xmpp/src/lib.rs:0"],
    );
}

#[test]
fn outside_libraries_stay_with_their_owners() {
    check(
        owners::check,
        &[("crates/store/Cargo.toml", "[dependencies]\nrusqlite.workspace = true\n")],
        &[],
    );
    check(
        owners::check,
        &[("crates/hub/Cargo.toml", "[dev-dependencies]\nrusqlite.workspace = true\n")],
        &[],
    );
    check(
        owners::check,
        &[("crates/hub/Cargo.toml", "[dependencies]\nrusqlite.workspace = true\n")],
        &["crates/hub/Cargo.toml:2"],
    );
    check(
        owners::check,
        &[("crates/hub/Cargo.toml", "[dependencies]\nleft-pad = \"1\"\n")],
        &["crates/hub/Cargo.toml:2"],
    );
    check(
        owners::check,
        &[("crates/policy/Cargo.toml", "[dependencies]\ntokio.workspace = true\n")],
        &["crates/policy/Cargo.toml:2"],
    );
}

#[test]
fn banned_libraries_are_found_anywhere_in_the_graph() {
    let count = |listing: &str| owners::banned(listing).len();
    assert_eq!(count("edge v0.0.0 (/src/edge)\nrustls v0.23.46\nring-like v1.0.0\n"), 0);
    assert_eq!(count("rustls v0.23.46\nring v0.17.14\nring v0.17.14 (*)\n"), 1);
    assert_eq!(count("openssl-sys v0.9.0\nnative-tls v0.2.0 (*)\n"), 2);
}

#[test]
fn the_directory_uses_only_channels_of_the_runtime() {
    let path = "crates/directory/src/lib.rs";
    check(owners::check_runtime, &[(path, "//! x\nuse tokio::sync::watch; // tokio::net\n")], &[]);
    check(
        owners::check_runtime,
        &[(path, "//! x\ntokio::spawn(f());\n")],
        &["crates/directory/src/lib.rs:2"],
    );
}

#[test]
fn sources_begin_with_their_purpose() {
    check(text::check_heads, &[("crates/a/src/lib.rs", "//! For a.\n")], &[]);
    check(
        text::check_heads,
        &[("crates/a/src/lib.rs", "use b;\n//! For a.\n")],
        &["crates/a/src/lib.rs:1"],
    );
}

#[test]
fn long_files_and_functions_are_refused_and_the_ratchet_only_shrinks() {
    let list = |line: &str| format!("file\tfunction\tlines\n{line}");
    let long = format!("fn long() {{\n{}}}\n", "    f();\n".repeat(71));
    let free = format!("fn free() {{\n{}}}\n", "    // said\n\n".repeat(100));
    let empty = list("");
    check(size::check, &[("a.rs", &free), ("xtask/ratchet.tsv", &empty)], &[]);
    check(size::check, &[("a.rs", &long), ("xtask/ratchet.tsv", &empty)], &["a.rs:1"]);
    check(size::check, &[("a.rs", &"\n".repeat(801)), ("xtask/ratchet.tsv", &empty)], &["a.rs:1"]);
    check(size::check, &[("a.rs", &long), ("xtask/ratchet.tsv", &list("a.rs\tlong\t71\n"))], &[]);
    // Grown, shrunk, mended, gone.
    check(
        size::check,
        &[("a.rs", &long), ("xtask/ratchet.tsv", &list("a.rs\tlong\t70\n"))],
        &["a.rs:1"],
    );
    check(
        size::check,
        &[("a.rs", &long), ("xtask/ratchet.tsv", &list("a.rs\tlong\t80\n"))],
        &["a.rs:1"],
    );
    check(
        size::check,
        &[("a.rs", "fn long() {}\n"), ("xtask/ratchet.tsv", &list("a.rs\tlong\t80\n"))],
        &["a.rs:1"],
    );
    check(
        size::check,
        &[("xtask/ratchet.tsv", &list("a.rs\tlong\t80\n"))],
        &["xtask/ratchet.tsv:2"],
    );
}

#[test]
fn marks_of_unfinished_work_are_refused() {
    let mark = concat!("//! x\n// FIX", "ME later\n");
    check(text::check_words, &[("a.rs", mark)], &["a.rs:2"]);
    check(text::check_words, &[("a.md", concat!("TO", "DO: all\n"))], &["a.md:1"]);
    check(text::check_words, &[("a.rs", "//! x\nlet fixme = todo_list;\n")], &[]);
}

#[test]
fn names_that_say_nothing_are_refused() {
    check(
        text::check_names,
        &[("crates/a/src/pool.rs", "struct Pool; // a manager\nfn helper() {}\n")],
        &[],
    );
    check(text::check_names, &[("crates/a/src/utils.rs", "")], &["crates/a/src/utils.rs:0"]);
    check(text::check_names, &[("crates/common/src/lib.rs", "")], &["crates/common/src/lib.rs:0"]);
    check(text::check_names, &[("a.rs", "\npub(crate) struct PoolManager;\n")], &["a.rs:2"]);
    check(text::check_names, &[("a.rs", "mod misc;\n")], &["a.rs:1"]);
}

#[test]
fn spaces_at_the_end_of_a_line_are_refused() {
    check(text::check_trailing, &[("a.rs", "a\n\nb\n")], &[]);
    check(text::check_trailing, &[("a.rs", "a \nb\t\n")], &["a.rs:1", "a.rs:2"]);
    check(text::check_trailing, &[("a.md", "a")], &["a.md:0"]);
}

#[test]
fn exceptions_from_lints_need_a_reason() {
    let good = "#[allow(dead_code, reason = \"x\")]\nfn f() { o.expect(\"y\"); }\n\
                #![cfg_attr(test, allow(clippy::panic, reason = \"\"))]\n#![allow(\n    a,\n    reason = \"b\"\n)]\n";
    check(text::check_reasons, &[("a.rs", good)], &[]);
    check(text::check_reasons, &[("a.rs", "#[allow(dead_code)]\n")], &["a.rs:1"]);
    check(text::check_reasons, &[("a.rs", "#![expect(\n    dead_code\n)]\n")], &["a.rs:1"]);
    check(
        text::check_reasons,
        &[("a.rs", "#![cfg_attr(test, allow(clippy::panic))]\n")],
        &["a.rs:1"],
    );
}

#[test]
fn documents_name_what_exists() {
    let tree = |line: &'static str| {
        vec![
            ("ARCHITECTURE.md", line),
            ("Cargo.toml", "[workspace.dependencies]\nrustls = \"1\"\n"),
            ("crates/hub/Cargo.toml", ""),
            (
                "crates/hub/src/submit.rs",
                "//! x\npub struct Hub {\n    store: Store,\n}\npub async fn submit() {}\n",
            ),
        ]
    };
    let good = "`hub` `Hub` `hub::submit` `Hub::submit(…)` `hub/src/submit.rs` `crates/hub` `rustls` `cargo xtask check`\n";
    check(architecture::check, &tree(good), &[]);
    for bad in [
        "`spoke`",
        "`Wheel`",
        "`hub::deliver`",
        "`hub/src/deliver.rs`",
        "`Hub → Wheel`",
        "`Wheel::submit`",
    ] {
        let text: &'static str = Box::leak(format!("fine\n{bad}\n").into_boxed_str());
        check(architecture::check, &tree(text), &["ARCHITECTURE.md:2"]);
    }
}

#[test]
fn the_hub_has_few_fields() {
    let hub = |count: usize| {
        let fields: String = (0..count)
            .map(|n| format!("    /// Doc, with, commas.\n    f{n}: Map<u8, (u8, u8)>,\n"))
            .collect();
        format!("//! x\npub struct Hub {{\n{fields}}}\n")
    };
    let manifest = ("crates/hub/Cargo.toml", "");
    check(rules::check_hub, &[manifest, ("crates/hub/src/lib.rs", &hub(8))], &[]);
    check(
        rules::check_hub,
        &[manifest, ("crates/hub/src/lib.rs", &hub(9))],
        &["crates/hub/src/lib.rs:2"],
    );
    check(
        rules::check_hub,
        &[manifest, ("crates/hub/src/lib.rs", "//! x\n")],
        &["crates/hub/src/lib.rs:0"],
    );
    check(rules::check_hub, &[], &[]);
}

#[test]
fn one_place_writes_message_rows() {
    let manifest = ("crates/store/Cargo.toml", "");
    let one = "//! x\n// INSERT INTO message is here only\nconst A: &str = \"INSERT INTO message (id)\";\n";
    let other = "//! x\nconst A: &str = \"insert or ignore\n into message (id)\";\n";
    let path = "crates/store/src/append.rs";
    check(rules::check_door, &[manifest, (path, one)], &[]);
    check(rules::check_door, &[manifest, (path, one), ("crates/store/src/tests.rs", one)], &[]);
    check(
        rules::check_door,
        &[manifest, (path, "const A: &str = \"INSERT INTO message_key (id)\";")],
        &["crates/store:0"],
    );
    check(
        rules::check_door,
        &[manifest, (path, one), ("crates/store/src/import.rs", other)],
        &["crates/store/src/append.rs:3", "crates/store/src/import.rs:3"],
    );
    check(rules::check_door, &[manifest, ("crates/hub/src/a.rs", one)], &["crates/hub/src/a.rs:3"]);
}

#[test]
fn protocols_are_not_named_below_the_edge() {
    let path = "crates/hub/src/route.rs";
    let good = "//! x\n// XEP-0313 §3: what an XMPP client asks for\nlet a = Format::Stanza;\n";
    check(
        rules::check_protocols,
        &[(path, good), ("crates/edge/src/a.rs", "use xmpp::Stanza;\n")],
        &[],
    );
    check(
        rules::check_protocols,
        &[(path, "//! x\nfn stanza() {}\n")],
        &["crates/hub/src/route.rs:2"],
    );
    check(
        rules::check_protocols,
        &[(path, "//! x\n// an XMPP client\n")],
        &["crates/hub/src/route.rs:2"],
    );
    // An exception that nothing needs any more.
    check(
        rules::check_protocols,
        &[("crates/hub/src/lib.rs", "//! x\n")],
        &["xtask/src/tidy/rules.rs:0"],
    );
    check(
        rules::check_protocols,
        &[(path, "let ns = \"urn:xmpp:mam:2\"; // XEP-0313 §3\n")],
        &["crates/hub/src/route.rs:1"],
    );
}
