//! What sealing and logging cost. Run by hand: `cargo test -p archive --release -- --ignored
//! --nocapture cost`.

use model::MessageIds;

use super::{House, judged, noon, open_book, salt, submission};
use crate::{Link, Record};

/// Microseconds that this thread has been on a processor.
fn cpu_micros() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e3
}

/// Microseconds of processor for each call, over many calls.
fn micros<T>(mut calls: Vec<T>, mut call: impl FnMut(T)) -> f64 {
    let count = calls.len() as f64;
    let start = cpu_micros();
    calls.drain(..).for_each(&mut call);
    (cpu_micros() - start) / count
}

#[test]
#[ignore = "a measurement, not a check"]
#[expect(clippy::print_stdout, reason = "a measurement is read by a person")]
fn cost_of_sealing_and_logging() {
    const COUNT: usize = 50_000;
    let mut house = House::new();
    let book = open_book();
    let text = "x".repeat(300);
    let mut ids = MessageIds::after(None);
    let admitted: Vec<_> = (0..COUNT)
        .map(|_| {
            let admitted = judged(&book, submission("ann", "bob", &text, noon()), true).admitted;
            (admitted.unwrap(), ids.next(noon(), 1), salt())
        })
        .collect();
    let mut link = Link::start();
    let mut again = Vec::with_capacity(COUNT);
    let mark = house.sealer.mark();
    let seal = micros(admitted, |(admitted, id, salt)| {
        let sealed = house.sealer.seal(admitted, id, &link, noon(), salt).unwrap();
        link = *sealed.next_link();
        again.push((sealed.into_admitted(), id));
    });
    house.sealer.rewind(mark);
    let mut records: Vec<Record> = Vec::new();
    for (admitted, id) in again {
        let sealed = house.sealer.seal(admitted, id, &link, noon(), salt()).unwrap();
        link = *sealed.next_link();
        records.extend_from_slice(sealed.records());
    }
    let bytes = records.iter().map(Record::encoded_len).sum::<usize>() / records.len();
    let numbered: Vec<(u64, Record)> = (0..).zip(records).collect();
    let batches: Vec<_> = numbered.chunks(500).collect();
    let append = micros(batches, |batch| house.log().append(batch).unwrap()) / 500.0;
    let settle = micros(vec![()], |()| drop(house.log().checkpoint().unwrap()));
    let verify = micros(vec![()], |()| assert!(house.verify().is_intact()));
    let count = COUNT as f64;
    println!(
        "seal {seal:.2} µs, append {append:.2} µs, checkpoint {:.2} µs, verify {:.2} µs a record of \
         {bytes} bytes",
        settle / count,
        verify / count
    );
}
