//! Plays every conversation of `tests/scripts`, twice: with each line as one piece, and byte by
//! byte. Both must give the same steps. `script` says how a conversation is written.

mod client;
mod hostile;
mod script;

use std::{fs, path::Path};

use script::{Pace, Script};

#[test]
fn conversations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let mut faults = Vec::new();
    let mut played = 0;
    for path in &paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for script in Script::read_file(&folder, path) {
            for pace in [Pace::Lines, Pace::Bytes] {
                played += 1;
                if let Err(fault) = script.play(pace) {
                    faults.push(format!("{name}, {} ({pace:?}): {fault}", script.title));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {played} fail:\n{}", faults.len(), faults.join("\n\n"));
    assert!(played > 100, "the scripts were not found");
}
