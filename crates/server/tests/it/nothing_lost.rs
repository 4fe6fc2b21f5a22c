//! Nothing is lost: the server is killed again and again while numbered messages flow, and each of
//! them ends up with its recipient, in both histories and in the archive, exactly once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    client::{Client, Reach, Silence},
    house::{House, Plan, pause},
    xml,
};

/// Messages, unless CHANCERY_LOST_MESSAGES says otherwise.
const MESSAGES: u64 = 10_000;

/// Kills, unless CHANCERY_LOST_KILLS says otherwise.
const KILLS: u64 = 50;

/// Seconds that the usual numbers may take.
const SECS_MAX: u64 = 180;

/// Messages between two questions whether the server is still there.
const BATCH: usize = 25;

/// Messages that the sender may be ahead of the recipient, so that each kill finds messages in
/// every place between the two.
const AHEAD_MAX: u64 = 150;

/// What the clients and the one who kills tell each other.
struct Progress {
    messages: u64,
    /// Numbers that the recipient has.
    received: AtomicU64,
    /// Something went wrong in one of the threads.
    broken: AtomicBool,
}

/// Marks the run as broken if its thread ends by a panic, so that the others do not wait for it.
struct Alarm<'a>(&'a Progress);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}

impl Progress {
    #[track_caller]
    fn check(&self) {
        assert!(!self.broken.load(Ordering::Relaxed), "another part of the test has failed");
    }
}

/// Numbers by archive id, as one history tells them.
#[derive(Default)]
struct Known {
    ids: BTreeMap<String, u64>,
    numbers: BTreeSet<u64>,
    last: Option<String>,
}

/// ARC-31, HST-01, MSG-11: fifty power failures during 10,000 messages lose none and double none.
#[test]
fn nothing_is_lost_or_doubled_by_kill_9() {
    let messages = number_from("CHANCERY_LOST_MESSAGES", MESSAGES);
    let kills = number_from("CHANCERY_LOST_KILLS", KILLS);
    let mut house = House::start(&Plan::of(2));
    let progress =
        Progress { messages, received: AtomicU64::new(0), broken: AtomicBool::new(false) };
    let began = Instant::now();
    let (ana, ben) = (Place::of(&house, "ana"), Place::of(&house, "ben"));
    let (received, live) = thread::scope(|scope| {
        scope.spawn(|| send_all(&ana, &progress));
        let recipient = scope.spawn(|| receive_all(&ben, &progress));
        let _alarm = Alarm(&progress);
        for kill in 1..=kills {
            let threshold = kill * messages / (kills + 1);
            while progress.received.load(Ordering::Relaxed) < threshold {
                progress.check();
                pause();
            }
            house.kill9();
            house.serve();
        }
        recipient.join().unwrap()
    });
    let secs = began.elapsed().as_secs();
    eprintln!("{messages} messages, {kills} kills, {secs} s; {live} came by themselves");
    assert_exact(&received, messages, "with the recipient");
    if (messages, kills) == (MESSAGES, KILLS) {
        assert!(secs < SECS_MAX, "{secs} seconds");
    }
    for (name, peer) in [("ana", "ben"), ("ben", "ana")] {
        let mut client = Client::silent(&house, name, "check");
        let mut known = Known::default();
        known.catch_up(&mut client, &format!("{peer}@bank.example")).unwrap();
        assert_exact(&known.by_number(), messages, &format!("in the history of {name}"));
        let order: Vec<u64> = known.ids.values().copied().collect();
        assert!(order.is_sorted(), "{name}'s history is out of order");
    }
    house.stop();
    assert!(house.verify().good().contains("intact"));
    assert_exact(&archived(&house), messages, "in the archive");
    house.custodian(&["complete"]).good();
}

/// What one client needs to come back without asking the house, which the killer has in its hands.
struct Place {
    name: &'static str,
    reach: Reach,
}

impl Place {
    fn of(house: &House, name: &'static str) -> Self {
        Self { name, reach: Reach::of(house, name) }
    }

    /// Comes back as often as it takes.
    fn connect(&self, progress: &Progress) -> Client {
        let began = Instant::now();
        loop {
            progress.check();
            match self.reach.try_silent("phone") {
                Ok(client) => return client,
                Err(why) => {
                    let late = began.elapsed() > Duration::from_secs(60);
                    assert!(!late, "{} cannot come back: {why}", self.name);
                }
            }
            pause();
        }
    }
}

impl Known {
    /// Reads what is new in the history.
    fn catch_up(&mut self, client: &mut Client, with: &str) -> Result<(), ()> {
        loop {
            let after = self.last.as_ref().map(|id| format!("<after>{id}</after>"));
            let page = format!("<max>250</max>{}", after.unwrap_or_default());
            let (results, end) = client.try_history(&[("with", with)], &page).map_err(drop)?;
            for result in &results {
                let id = xml::attribute(xml::element(result, "result").unwrap(), "id").unwrap();
                let number = number(result).unwrap();
                let known = self.ids.insert(id.to_owned(), number);
                assert!(known.is_none(), "{id} twice in a history");
                self.numbers.insert(number);
                self.last = Some(id.to_owned());
            }
            if end.contains("complete='true'") || end.contains("complete=\"true\"") {
                return Ok(());
            }
            assert!(!results.is_empty(), "an empty page that is not the last: {end}");
        }
    }

    fn by_number(&self) -> BTreeMap<u64, BTreeSet<String>> {
        let mut numbers: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for (id, number) in &self.ids {
            numbers.entry(*number).or_default().insert(id.clone());
        }
        numbers
    }
}

/// Sends every number. After each break it asks its own history what is in, and sends the rest.
fn send_all(place: &Place, progress: &Progress) {
    let _alarm = Alarm(progress);
    let mut known = Known::default();
    loop {
        let mut client = place.connect(progress);
        if known.catch_up(&mut client, "ben@bank.example").is_err() {
            continue;
        }
        let there = &known.numbers;
        let missing: Vec<u64> = (0..progress.messages).filter(|n| !there.contains(n)).collect();
        if missing.is_empty() || send(&mut client, &missing, progress).is_err() {
            if missing.is_empty() {
                return;
            }
            continue;
        }
        // All is sent. It is over when the history has all; until then nothing is sent again on
        // this stream, for what is on its way is not lost.
        while known.catch_up(&mut client, "ben@bank.example").is_ok() {
            if known.numbers.len() as u64 == progress.messages {
                return;
            }
            progress.check();
            pause();
        }
    }
}

fn send(client: &mut Client, numbers: &[u64], progress: &Progress) -> Result<(), ()> {
    for batch in numbers.chunks(BATCH) {
        while batch[0] > progress.received.load(Ordering::Relaxed) + AHEAD_MAX {
            progress.check();
            client.try_settle().map_err(drop)?;
            pause();
        }
        let mut text = String::new();
        for number in batch {
            text.push_str(&format!(
                "<message to='ben@bank.example' type='chat' id='n{number}'>\
                 <body>number {number}</body></message>"
            ));
        }
        client.try_send(&text).map_err(drop)?;
        let before = client.try_settle().map_err(drop)?;
        let error = before.iter().find(|stanza| xml::attribute(stanza, "type") == Some("error"));
        assert!(error.is_none(), "{error:?}");
    }
    Ok(())
}

/// Receives every number. After each break it reads what its history has and the stream did not
/// bring, as clients do, and then says that it is there. Gives the ids by number, and how many
/// numbers the streams brought by themselves.
fn receive_all(place: &Place, progress: &Progress) -> (BTreeMap<u64, BTreeSet<String>>, usize) {
    let _alarm = Alarm(progress);
    let mut known = Known::default();
    let mut live = BTreeSet::new();
    loop {
        let mut client = place.connect(progress);
        if known.catch_up(&mut client, "ana@bank.example").is_err() {
            continue;
        }
        if client.try_send("<presence/>").is_err() {
            continue;
        }
        client.patience(2_000);
        loop {
            let count = known.numbers.len() as u64;
            progress.received.store(count, Ordering::Relaxed);
            if count == progress.messages {
                return (known.by_number(), live.len());
            }
            progress.check();
            let stanza = match client.next_or() {
                Ok(stanza) => stanza,
                Err(Silence::Late) => continue,
                Err(Silence::End) => break,
            };
            if let Some(number) = number(&stanza) {
                let id = xml::element(&stanza, "stanza-id").and_then(|it| xml::attribute(it, "id"));
                let id = id.unwrap_or_else(|| panic!("no stanza-id: {stanza}")).to_owned();
                live.insert(number);
                known.last = known.last.max(Some(id.clone()));
                known.ids.insert(id, number);
                known.numbers.insert(number);
            }
        }
    }
}

/// The number in a message or a result of the history.
fn number(stanza: &str) -> Option<u64> {
    xml::text(stanza, "body")?.strip_prefix("number ")?.parse().ok()
}

/// Every number there is exactly once.
#[track_caller]
fn assert_exact(numbers: &BTreeMap<u64, BTreeSet<String>>, messages: u64, place: &str) {
    let missing: Vec<u64> = (0..messages).filter(|number| !numbers.contains_key(number)).collect();
    assert!(missing.is_empty(), "not {place}: {missing:?}");
    let doubled: Vec<_> = numbers.iter().filter(|(_, ids)| ids.len() != 1).collect();
    assert!(doubled.is_empty(), "more than once {place}: {doubled:?}");
    assert_eq!(numbers.len() as u64, messages, "{place}");
}

/// What the custodian exports.
fn archived(house: &House) -> BTreeMap<u64, BTreeSet<String>> {
    let out = house.beside("export");
    let words = ["export", "--out", out.to_str().unwrap(), "from:ana@bank.example"];
    house.custodian(&words).good();
    let mut numbers: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for line in fs::read_to_string(out.join("records.jsonl")).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let text = record["text"].as_str().unwrap();
        let number = text.strip_prefix("number ").unwrap().parse().unwrap();
        let leaf = record["leaf"].to_string();
        assert!(numbers.entry(number).or_default().insert(leaf), "one record twice: {line}");
    }
    numbers
}

fn number_from(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}
