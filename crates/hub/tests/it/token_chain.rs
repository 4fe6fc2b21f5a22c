//! The chain of tokens, proved by the compiler: nobody outside `policy` makes an `Admitted`, outside
//! `archive` a `Sealed`, outside `store` a `Stored`, and nothing else can be delivered. Each case is
//! a program that must not compile, for the reason given; beside them stand programs that must.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Programs that must not compile: name, code of the error, body.
const FORGERIES: &[(&str, &str, &str)] = &[
    (
        "admitted_by_literal",
        "E0451",
        "pub fn forge(one: Admitted, submission: Arc<Submission>) -> Admitted {
            Admitted { submission, ..one }
        }",
    ),
    ("admitted_by_default", "E0277", "pub fn forge() -> Admitted { Default::default() }"),
    ("admitted_by_clone", "E0599", "pub fn forge(one: Admitted) -> Admitted { one.clone() }"),
    (
        "admitted_from_a_submission",
        "E0277",
        "pub fn forge(submission: Submission) -> Admitted { submission.into() }",
    ),
    (
        "sealed_by_literal",
        "E0451",
        "pub fn forge(one: Sealed, id: MessageId) -> Sealed { Sealed { id, ..one } }",
    ),
    ("sealed_from_nothing", "E0277", "pub fn forge() -> Sealed { Default::default() }"),
    ("sealed_by_clone", "E0599", "pub fn forge(one: Sealed) -> Sealed { one.clone() }"),
    (
        "sealed_from_a_submission",
        "E0308",
        "pub fn forge(it: Submission, id: MessageId) { drop(Sealed::unrecorded(it, id)) }",
    ),
    (
        "sealed_by_the_sealer_from_a_submission",
        "E0308",
        "pub fn forge(sealer: &mut Sealer, it: Submission, id: MessageId, now: Timestamp) {
            drop(sealer.seal(it, id, &Link::start(), now, [1; 32]))
        }",
    ),
    (
        "stored_by_literal",
        "E0451",
        "pub fn forge(one: Stored, sealed: Sealed) -> Stored { Stored { sealed, ..one } }",
    ),
    ("stored_from_nothing", "E0277", "pub fn forge() -> Stored { Default::default() }"),
    ("stored_by_clone", "E0599", "pub fn forge(one: Stored) -> Stored { one.clone() }"),
    (
        "stored_by_its_maker",
        "E0624",
        "pub fn forge(sealed: Sealed) -> Stored { Stored::new(sealed, Vec::new()) }",
    ),
    (
        "stored_from_what_is_not_sealed",
        "E0308",
        "pub fn forge(admitted: Admitted) { drop(Stored::unrecorded(admitted)) }",
    ),
    (
        "written_without_a_seal",
        "E0308",
        "pub fn forge(admitted: Admitted) -> Entry {
            Entry { sealed: admitted, rows: Vec::new(), held: None }
        }",
    ),
    ("delivered_from_outside", "E0603", "pub use hub::deliver::deliver;"),
];

/// The fair way, with the same imports: it must compile.
const FAIR: &str = "pub fn fair(facts: &Facts, submission: Submission, id: MessageId) {
    let Some(admitted) = judge(facts, submission).admitted else { return };
    let Ok(sealed) = Sealed::unrecorded(admitted, id) else { return };
    let Ok(stored) = Stored::unrecorded(sealed) else { return };
    drop(stored)
}";

const PRELUDE: &str = "#![allow(unused_imports, missing_docs, reason = \"one for all cases\")]
use std::sync::Arc;
use archive::{Link, Sealed, Sealer};
use model::{MessageId, Submission, Timestamp};
use policy::{Admitted, Facts, judge};
use store::{Entry, Stored};
";

/// What is put beside `deliver` in a copy of this crate: what must compile there, and what must not.
const DELIVERS_STORED: &str = "
pub(crate) fn fair(hub: &Hub, stored: &Stored) { deliver(hub, stored, None) }
";
const DELIVERS_SEALED: &str = "
pub(crate) fn forge(hub: &Hub, sealed: &archive::Sealed) { deliver(hub, sealed, None) }
";

/// MSG-02, ARC-31: nothing passes unjudged, unsealed or unstored, for there is no program that
/// could do it.
#[test]
fn nobody_can_forge_a_token() {
    let place = write_programs();
    let errors = check(&place);
    let expected = FORGERIES.iter().map(|(name, code, _)| (*name, *code));
    let expected = expected.chain([("delivers_sealed", "E0308")]);
    let expected: BTreeMap<String, BTreeSet<String>> =
        expected.map(|(name, code)| (name.to_owned(), BTreeSet::from([code.to_owned()]))).collect();
    // What is fair is not among them: it compiles.
    assert_eq!(errors, expected);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A workspace of its own under the build folder: the forgeries, and two copies of this crate.
fn write_programs() -> PathBuf {
    let (root, place) = (root(), Path::new(env!("CARGO_TARGET_TMPDIR")).join("token_chain"));
    if place.exists() {
        fs::remove_dir_all(&place).unwrap();
    }
    let write = |path: &str, text: &str| {
        let path = place.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let crates = format!("path = \"{}/crates/", root.display());
    let ours = |line: &&str| {
        !["members", "default-members", "exclude"].iter().any(|key| line.starts_with(key))
    };
    let lines: Vec<&str> = workspace.lines().filter(ours).collect();
    let workspace = lines.join("\n").replace("path = \"crates/", &crates);
    let members = "members = [\"forgeries\", \"delivers_stored\", \"delivers_sealed\"]";
    let workspace = workspace.replacen("[workspace]", &format!("[workspace]\n{members}"), 1);
    write("Cargo.toml", &workspace);
    fs::copy(root.join("Cargo.lock"), place.join("Cargo.lock")).unwrap();

    let needs = ["archive", "hub", "model", "policy", "store"]
        .map(|name| format!("{name} = {{ workspace = true }}\n"));
    let head = "version = \"0.0.0\"\nedition = \"2024\"\npublish = false\n";
    let needs = needs.concat();
    let manifest = format!("[package]\nname = \"forgeries\"\n{head}\n[dependencies]\n{needs}");
    write("forgeries/Cargo.toml", &manifest);
    let program = |body: &str| format!("{PRELUDE}{body}\nfn main() {{}}\n");
    for (name, _, body) in FORGERIES {
        write(&format!("forgeries/src/bin/{name}.rs"), &program(body));
    }
    write("forgeries/src/bin/fair.rs", &program(FAIR));

    let hub = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(hub.join("Cargo.toml")).unwrap();
    for (name, more) in [("delivers_stored", DELIVERS_STORED), ("delivers_sealed", DELIVERS_SEALED)]
    {
        let named = manifest.replacen("name = \"hub\"", &format!("name = \"{name}\""), 1);
        write(&format!("{name}/Cargo.toml"), &named);
        for (path, text) in sources(&hub.join("src")) {
            let more = if path == Path::new("deliver.rs") { more } else { "" };
            write(&format!("{name}/src/{}", path.display()), &format!("{text}{more}"));
        }
    }
    place
}

/// Compiles all of it, and says which errors each target has.
fn check(place: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test of what the compiler says")]
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--workspace", "--keep-going", "--message-format=short"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(place)
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let mut errors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in said.lines() {
        let Some((path, rest)) = line.split_once(": error") else { continue };
        let file = path.split(':').next().unwrap_or_default();
        let code = rest.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or("?");
        let mut parts = file.split('/');
        let package = parts.next().unwrap_or_default();
        let stem = Path::new(file).file_stem().unwrap().to_string_lossy().into_owned();
        let name = if package == "forgeries" { stem } else { package.to_owned() };
        errors.entry(name).or_default().insert(code.to_owned());
    }
    assert!(!output.status.success() && !errors.is_empty(), "cargo says:\n{said}");
    errors
}

/// The sources below a folder, but for unit tests, by their paths in it.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !is_test {
                open.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(folder).unwrap().to_path_buf(), text));
            }
        }
    }
    found.sort();
    found
}

/// The public functions of a source that name one of these types among their parameters.
fn takers(text: &str, types: &[&str]) -> Vec<String> {
    let code: Vec<&str> =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("pub ") {
        let rest = code.get(at + 4..).unwrap();
        let mut words = rest.split_whitespace();
        if !words
            .by_ref()
            .take_while(|word| ["async", "const", "fn"].contains(word))
            .any(|w| w == "fn")
        {
            continue;
        }
        let signature = rest.split(['{', ';']).next().unwrap();
        let parameters = signature.split(" -> ").next().unwrap();
        let name = parameters.split("fn ").nth(1).unwrap().split(['(', '<']).next().unwrap();
        let mut named = parameters.split(|c: char| !c.is_alphanumeric() && c != '_');
        if named.any(|word| types.contains(&word)) {
            found.push(name.to_owned());
        }
    }
    found
}

/// The one door: of all that `hub`, `edge` and `server` offer, one function takes a submission, and
/// none takes a token.
#[test]
fn there_is_one_door() {
    let mut doors = Vec::new();
    for house in ["hub", "edge", "server"] {
        for (path, text) in sources(&root().join("crates").join(house).join("src")) {
            let types = ["Submission", "Admitted", "Sealed", "Stored", "Held"];
            let found = takers(&text, &types);
            doors.extend(
                found.into_iter().map(|name| format!("{house}/{}: {name}", path.display())),
            );
            assert!(!text.contains("pub trait"), "a trait in {house} could be another door");
        }
    }
    assert_eq!(doors, ["hub/submit.rs: submit"]);
}

/// The search itself finds what it is to find.
#[test]
fn doors_are_found() {
    let text = "pub fn one(a: u8) -> Submission {}\npub async fn two(\n  x: Vec<Submission>,\n) {}\n\
                pub(crate) fn three(s: Submission) {}\n/// pub fn four(s: Submission)\n\
                pub const fn five<T>(s: &model::Submission) -> u8 {}\npub struct Submission;";
    assert_eq!(takers(text, &["Submission"]), ["two", "five"]);
}
