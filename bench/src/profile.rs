//! Where the product's time goes, by perf; measures nothing itself.

use crate::Outcome;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Samples a second.
const FREQUENCY: &str = "499";

/// Lines of the list that is shown.
const LINES_MAX: usize = 45;

/// A recording that runs.
pub(crate) struct Recording {
    child: Child,
    file: String,
}

/// How somebody without perf does it.
pub(crate) const WITHOUT: &str =
    "perf is not here: apt-get install linux-perf, or attach another profiler to the process";

/// Starts a recording of a process for some seconds.
pub(crate) fn record(process: u32, seconds: u64, file: &Path) -> Outcome<Recording> {
    let file = file.to_string_lossy().into_owned();
    let (process, seconds) = (process.to_string(), seconds.to_string());
    let child = Command::new("perf")
        .args(["record", "-e", "cpu-clock", "-F", FREQUENCY, "-g", "-p", &process, "-o", &file])
        .args(["--", "sleep", &seconds])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|_| WITHOUT.to_owned())?;
    Ok(Recording { child, file })
}

impl Recording {
    /// Waits for its end and shows where the time went.
    pub(crate) fn show(mut self, title: &str) -> Outcome<()> {
        let _ended = self.child.wait();
        println!("\nWhere the time goes, {title} (perf report -i {} shows all):", self.file);
        for (what, words) in [
            ("by thread", ["--sort", "comm"].as_slice()),
            ("by library", ["--sort", "dso"].as_slice()),
            ("by function", ["--sort", "symbol"].as_slice()),
        ] {
            let output = Command::new("perf")
                .args(["report", "-i", &self.file, "--stdio", "--no-children", "-g", "none"])
                .args(words)
                .stdin(Stdio::null())
                .output()
                .map_err(|_| WITHOUT.to_owned())?;
            println!("  {what}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let lines =
                text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
            for line in lines.take(LINES_MAX) {
                println!("  {}", line.trim_end_matches([' ', '-']));
            }
        }
        Ok(())
    }
}
