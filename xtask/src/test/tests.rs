//! The count over runners: both forms of a summary, and lines that only look like one.

use super::Tally;

fn check(lines: &[&str], passed: u64, failed: u64) {
    let mut tally = Tally::default();
    for line in lines {
        tally.add(line);
    }
    assert_eq!(tally, Tally { passed, failed, seen: true });
}

#[test]
fn both_runners_are_counted() {
    let nextest = "     Summary [   0.009s] 52 tests run: 50 passed (1 slow), 1 failed, 1 timed out, 3 skipped";
    check(&["7 passed in a dream", nextest], 50, 2);
    let built_in = "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
    let broken = "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
    check(&[built_in, broken], 7, 1);
}
