//! What a message costs. Not a test: `cargo test --release -p store -- --ignored --nocapture cost`.

use store::{Backend, Batch, Change, Entry};

use crate::ground::{Folder, Ground, Sealing, address, row, submission, vault};

/// Messages of one batch.
const BATCH: usize = 128;

/// Batches that are measured.
const BATCHES: usize = 400;

/// CPU time of this process so far, in microseconds, by the scheduler's own account.
fn cpu_micros() -> u64 {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        nanos += text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0_u64);
    }
    nanos / 1_000
}

fn measure(name: &str, people: usize, kept: bool, archive: bool) {
    let folder = Folder::new();
    let mut ground = Ground::sqlite();
    ground.backend = Backend::Sqlite { path: folder.path().to_owned() };
    if !archive {
        ground.sealing = Sealing::off();
    }
    let store = store::Store::open(ground.backend.clone(), vault()).unwrap();
    let mut writer = store.writer().unwrap();
    let people: Vec<_> = (0..people).map(|n| address(&format!("person{n}@bank.example"))).collect();
    let text = "Good morning, the figures of yesterday are in the folder. ".repeat(3);
    let mut spent = 0;
    let mut seed = 1_u64;
    for _ in 0..BATCHES {
        let mut entries = Vec::new();
        let mut changes = Vec::new();
        for _ in 0..BATCH {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let from = usize::try_from(seed >> 33).unwrap() % people.len();
            // Everybody writes to the few they always write to.
            let to = (from + 1 + usize::try_from(seed >> 60).unwrap() % 4) % people.len();
            let (from, to) = (&people[from], &people[to]);
            let sealed = ground.sealing.seal(submission(from, to, &text), ground.ids.next());
            let rows = if kept {
                vec![row(from, to, false, true), row(to, from, true, true)]
            } else {
                changes.push(Change::Delivered { owner: to.clone(), through: sealed.id() });
                vec![row(to, from, true, false)]
            };
            entries.push(Entry { sealed, rows, held: None });
        }
        let batch = Batch { entries, changes: Vec::new(), notes: Vec::new() };
        let before = cpu_micros();
        drop(writer.append(batch).unwrap());
        if archive {
            let records = store.reader().counts().unwrap().records;
            writer.outbox_done(records - 1).unwrap();
        }
        if !kept {
            writer.append(Batch { changes, ..Batch::default() }).unwrap();
        }
        spent += cpu_micros() - before;
    }
    let each = spent as f64 / (BATCH * BATCHES) as f64;
    let len = std::fs::metadata(folder.path().join("store.sqlite")).unwrap().len();
    #[expect(clippy::print_stderr, reason = "this is the report of a measurement")]
    {
        eprintln!("{name}: {each:.1} µs CPU a message, file {} KiB", len / 1_024);
    }
}

#[test]
#[ignore = "a measurement"]
fn cost() {
    measure("two kept rows and a record, 200 people", 200, true, true);
    measure("two kept rows, 200 people", 200, true, false);
    measure("two kept rows and a record, 5,000 people", 5_000, true, true);
    measure("one passing row and its delivery, 200 people", 200, false, false);
}
