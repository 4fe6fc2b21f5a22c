//! The verb `fuzz`: libFuzzer with coverage on the pinned stable compiler; needs neither nightly nor cargo-fuzz.

use crate::{Outcome, run};
use std::path::Path;

pub(crate) const HELP: &str = "\
Throws random bytes at the parsers: builds the targets of fuzz/ with coverage and runs them.

Usage: cargo xtask fuzz [target …] [--seconds N] [--seed N]

  target        names of files in fuzz/fuzz_targets, without .rs; none means all, one after another
  --seconds N   how long each runs (60)
  --seed N      the same inputs in the same order each time, from the committed ones alone; a number
                above zero (each run is different)

Begins from the inputs in fuzz/corpus/<target>, which are committed and stay as they are. What it finds
interesting is kept in target/fuzz/corpus/<target> for the next run; an input that breaks a target is
kept in fuzz/artifacts/<target> and named at the end. No sanitizer is used: the house forbids unsafe code, so
what a fuzzer can find here is a panic, a wrong answer, a hang or too much memory.
";

/// How long a target runs when nobody says.
const SECONDS: u64 = 60;

/// Longest single input before it counts as a hang, in seconds.
const INPUT_SECS_MAX: u64 = 10;

/// Memory of a target, in MiB.
const MEMORY_MIB_MAX: u64 = 2048;

/// What cargo-fuzz passes for `--sanitizer none`: counters and compared values for libFuzzer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions --cfg fuzzing";

/// The verb.
pub(crate) fn fuzz(words: &[String]) -> Outcome {
    let (mut wanted, pace) = arguments(words)?;
    let all = targets(&run::root().join("fuzz/fuzz_targets"))?;
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        return Err(format!("no fuzz target `{unknown}`; there are {}", all.join(", ")));
    }
    if wanted.is_empty() {
        wanted.clone_from(&all);
    }
    let host = host()?;
    let products = run::target().join("fuzz");
    let products_name = products.to_string_lossy().into_owned();
    let mut build =
        vec!["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", &host];
    build.extend(["--target-dir", &products_name]);
    for name in &wanted {
        build.extend(["--bin", name]);
    }
    let mut command = run::cargo(&build);
    command.env("RUSTFLAGS", COVERAGE);
    run::pass(command)?;
    let mut faults = Vec::new();
    for name in &wanted {
        let program = products.join(&host).join("release").join(name);
        faults.extend(one(&program, name, pace).err());
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// How a target runs.
#[derive(Clone, Copy)]
struct Pace {
    seconds: u64,
    /// None: another each time.
    seed: Option<u32>,
}

fn one(program: &Path, name: &str, pace: Pace) -> Outcome {
    let root = run::root();
    let seeds = root.join("fuzz/corpus").join(name);
    // libFuzzer writes to the first folder and only reads the others.
    let kept = if pace.seed.is_some() { "fuzz/seeded" } else { "fuzz/corpus" };
    let corpus = run::target().join(kept).join(name);
    if pace.seed.is_some() && corpus.exists() {
        std::fs::remove_dir_all(&corpus)
            .map_err(|fault| format!("{}: {fault}", corpus.display()))?;
    }
    let artifacts = root.join("fuzz/artifacts").join(name);
    for folder in [&seeds, &corpus, &artifacts] {
        std::fs::create_dir_all(folder)
            .map_err(|fault| format!("{}: {fault}", folder.display()))?;
    }
    let words = [
        format!("-max_total_time={}", pace.seconds),
        // libFuzzer takes zero for «any».
        format!("-seed={}", pace.seed.unwrap_or(0)),
        format!("-timeout={INPUT_SECS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".to_owned(),
        corpus.to_string_lossy().into_owned(),
        seeds.to_string_lossy().into_owned(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    run::pass(run::command(program, &words))
        .map_err(|fault| format!("{name}: {fault}; the input lies in {}", artifacts.display()))
}

fn arguments(words: &[String]) -> Result<(Vec<String>, Pace), String> {
    let mut wanted = Vec::new();
    let mut pace = Pace { seconds: SECONDS, seed: None };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--seconds" => {
                let number = rest.next().ok_or("--seconds needs a number")?;
                pace.seconds =
                    number.parse().map_err(|_| format!("`{number}` is no number of seconds"))?;
            }
            "--seed" => {
                let number = rest.next().ok_or("--seed needs a number")?;
                pace.seed = Some(number.parse().map_err(|_| format!("`{number}` is no seed"))?);
            }
            option if option.starts_with('-') => {
                return Err(format!("fuzz knows no `{option}`; see `cargo xtask fuzz --help`"));
            }
            name => wanted.push(name.to_owned()),
        }
    }
    Ok((wanted, pace))
}

fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            entry.file_name().to_string_lossy().strip_suffix(".rs").map(str::to_owned)
        })
        .collect();
    names.sort();
    Ok(names)
}

/// The compiler's own platform; naming it keeps the coverage flags away from build scripts.
fn host() -> Result<String, String> {
    let output =
        run::command("rustc", &["-vV"]).output().map_err(|fault| format!("rustc: {fault}"))?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| "rustc does not say its host".to_owned())
}
