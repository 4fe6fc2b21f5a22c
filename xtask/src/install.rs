//! Brings the machine to what `prerequisites` lists: says what and why first, and does nothing twice.

use crate::prerequisites::{DEBIAN, NODE, NODE_WHY, PYTHON, PYTHON_WHY, Package, Proof, Purpose};
use crate::{Outcome, run};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Tries for a mirror or registry before it counts as a failure.
const TRIES: u32 = 4;

/// Folder of the clients that tests start: `<target>/test-clients`. Always below the checkout, so
/// that tests find it wherever the build products go.
fn clients() -> PathBuf {
    run::root().join("target/test-clients")
}

/// Installs what is missing for this purpose.
pub(crate) fn install(purpose: Purpose) -> Outcome {
    let missing: Vec<&Package> = DEBIAN
        .iter()
        .filter(|package| package.purpose == purpose && !is_there(&package.proof))
        .collect();
    if !missing.is_empty() {
        debian(&missing)?;
    }
    if purpose == Purpose::Test {
        python()?;
        node()?;
    }
    Ok(())
}

fn is_there(proof: &Proof) -> bool {
    match proof {
        Proof::Program(name) => {
            run::has(name)
                || Path::new("/usr/sbin").join(name).is_file()
                || Path::new("/usr/bin").join(name).is_file()
        }
        Proof::Below(folder, file) => std::fs::read_dir(folder)
            .is_ok_and(|entries| entries.flatten().any(|entry| entry.path().join(file).is_file())),
        Proof::Runs(program, words) => run::command(program, words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success()),
    }
}

fn debian(missing: &[&Package]) -> Outcome {
    println!("Missing Debian packages:");
    for package in missing {
        println!("  {:<14} {}", package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !run::has("apt-get") {
        return Err(format!(
            "this is no Debian; install what corresponds to {} and run again (or with --no-install)",
            names.join(", ")
        ));
    }
    // A fresh image has no lists at all, and an old list names versions that the mirror dropped.
    run::pass_patiently(TRIES, || apt(&["update"]))?;
    let mut words = vec![
        "install",
        "--yes",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confold",
    ];
    words.extend(&names);
    run::pass_patiently(TRIES, || apt(&words))?;
    match missing.iter().find(|package| !is_there(&package.proof)) {
        Some(package) => {
            Err(format!("{} was installed, but what it should bring is not there", package.name))
        }
        None => Ok(()),
    }
}

/// apt-get as root, which asks nothing and waits for another apt to end.
fn apt(words: &[&str]) -> Command {
    let mut all = vec!["-o", "DPkg::Lock::Timeout=300"];
    all.extend(words);
    let root =
        Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    let mut command = if root {
        run::command("apt-get", &all)
    } else {
        let mut with_sudo = vec!["--preserve-env=DEBIAN_FRONTEND", "apt-get"];
        with_sudo.extend(&all);
        run::command("sudo", &with_sudo)
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn python() -> Outcome {
    let folder = clients().join("venv");
    if stamped(&folder, PYTHON) {
        return Ok(());
    }
    println!("Python client into {}: {PYTHON_WHY}", folder.display());
    fresh(&folder)?;
    let place = folder.to_string_lossy().into_owned();
    run::pass(run::command("/usr/bin/python3", &["-m", "venv", &place]))?;
    let pip = folder.join("bin/pip");
    let mut words = vec![
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--only-binary=:all:",
    ];
    words.extend(PYTHON);
    run::pass_patiently(TRIES, || run::command(&pip, &words))?;
    stamp(&folder, PYTHON)
}

fn node() -> Outcome {
    let folder = clients().join("node");
    if stamped(&folder, NODE) {
        return Ok(());
    }
    println!("JavaScript client into {}: {NODE_WHY}", folder.display());
    fresh(&folder)?;
    // Without a manifest of its own npm would look for one further up.
    let manifest = folder.join("package.json");
    std::fs::write(&manifest, "{ \"private\": true, \"type\": \"module\" }\n")
        .map_err(|fault| format!("{}: {fault}", manifest.display()))?;
    let place = folder.to_string_lossy().into_owned();
    let mut words = vec![
        "install",
        "--prefix",
        &place,
        "--save-exact",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ];
    words.extend(NODE);
    run::pass_patiently(TRIES, || run::command("npm", &words))?;
    stamp(&folder, NODE)
}

/// An empty folder: what a broken run left is worth nothing.
fn fresh(folder: &Path) -> Outcome {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .map_err(|fault| format!("{}: {fault}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).map_err(|fault| format!("{}: {fault}", folder.display()))
}

/// Whether exactly this list was installed, to the end, by an earlier run.
fn stamped(folder: &Path, list: &[&str]) -> bool {
    std::fs::read_to_string(folder.join("installed.txt")).is_ok_and(|text| text == list.join("\n"))
}

fn stamp(folder: &Path, list: &[&str]) -> Outcome {
    let place = folder.join("installed.txt");
    std::fs::write(&place, list.join("\n")).map_err(|fault| format!("{}: {fault}", place.display()))
}
