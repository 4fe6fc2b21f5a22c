//! A full disk: whoever writes is told to wait, nothing passes that was not recorded, and all goes
//! on by itself once there is room.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    client::{Client, Reach, condition},
    house::{Folder, House, Plan, eventually, files, finish},
    xml,
};

const BEN: &str = "ben@bank.example";

/// A small file system of its own, taken away at the end.
struct SmallDisk {
    folder: Folder,
}

impl SmallDisk {
    fn new(mib: u32) -> Self {
        let folder = Folder::new();
        let size = format!("size={mib}m,mode=0700");
        let words = ["-t", "tmpfs", "-o", size.as_str(), "tmpfs", folder.path().to_str().unwrap()];
        let mounted = finish(&mut administrator("mount", &words));
        assert!(
            mounted.status.success(),
            "this test mounts a small file system: run it as root, or with sudo that asks nothing\n{}",
            mounted.err
        );
        if !is_root() {
            let owner = finish(Command::new("id").arg("-u")).good();
            let words = [owner.trim(), folder.path().to_str().unwrap()];
            finish(&mut administrator("chown", &words)).good();
        }
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room there is, to the last octet.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("ballast");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![7; size];
            while file.write_all(&block).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let folder = self.path().to_str().unwrap();
        drop(finish(&mut administrator("umount", &["-l", folder])));
    }
}

fn is_root() -> bool {
    finish(Command::new("id").arg("-u")).good().trim() == "0"
}

fn administrator(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(if is_root() { program } else { "sudo" });
    if !is_root() {
        command.args(["-n", program]);
    }
    command.args(words);
    command
}

/// ARC-31, MSG-11: on a full disk each message comes back with «wait»; none of them is delivered,
/// kept or archived. With room again the same sessions go on, and the log verifies.
#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    let disk = SmallDisk::new(24);
    let mut house = House::start(&Plan { data: Some(disk.path().to_owned()), ..Plan::of(2) });
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    ana.say(BEN, "m0", "before");
    ben.hear("before");
    let ballast = disk.fill();
    let mut refused = Vec::new();
    let mut delivered = Vec::new();
    for number in 0..200 {
        // Files that are there already may have room for some.
        let (id, body) = (format!("m{number}"), format!("number {number} {}", "x".repeat(2_000)));
        ana.say(BEN, &id, &body);
        if number % 50 == 49 {
            refused.extend(ana.settle().into_iter().filter(|stanza| is_wait(stanza)));
        }
    }
    // Everything is answered by an error or has reached Ben: asked of Ben, who must have all else.
    eventually("every message is refused or delivered", 60, || {
        refused.extend(ana.settle().into_iter().filter(|stanza| is_wait(stanza)));
        delivered.extend(ben.settle().into_iter().filter(|it| xml::name(it) == "message"));
        refused.len() + delivered.len() >= 200
    });
    assert_eq!(refused.len() + delivered.len(), 200);
    assert!(refused.len() >= 100, "only {} refused; is the disk full?", refused.len());
    // Nobody can sign in worse than before, and what is there can be read.
    let (results, _) = ana.history(&[("with", BEN)], "<max>250</max>");
    assert_eq!(results.len(), 1 + delivered.len());
    fs::remove_file(ballast).unwrap();
    let mut tries = 0;
    eventually("a message passes again", 30, || {
        tries += 1;
        ana.say(BEN, &format!("again-{tries}"), &format!("again {tries}"));
        let answers = ana.settle();
        refused.extend(answers.into_iter().filter(|stanza| is_wait(stanza)));
        ben.settle().iter().any(|stanza| stanza.contains("again "))
    });
    ana.say(BEN, "last", "the end");
    ben.hear("the end");
    let (results, _) = ben.history(&[("with", "ana@bank.example")], "<max>250</max>");
    let kept = results.len();
    house.stop();
    check_archive(&house, disk.path(), kept);
}

fn is_wait(stanza: &str) -> bool {
    let error = xml::attribute(stanza, "type") == Some("error");
    if error {
        assert_eq!(condition(stanza).0, "wait/resource-constraint", "{stanza}");
    }
    error
}

/// The archive has what the histories have, and nothing else.
fn check_archive(house: &House, data: &Path, kept: usize) {
    let log = data.join("log");
    let log = log.to_str().unwrap();
    let key = house.folder().join("keys/log.pub");
    house.cli(&["archive", "verify", log, "--log-key", key.to_str().unwrap()]).good();
    let (custodian, phrase) =
        (house.folder().join("custodian/custodian.key"), house.beside("phrase.txt"));
    let key = ["--key", custodian.to_str().unwrap(), "--passphrase-file", phrase.to_str().unwrap()];
    let search = ["archive", "search", "--json", "from:ana@bank.example", "--folder", log];
    let found = house.cli(&[&search[..], &key].concat()).good();
    assert_eq!(found.lines().count(), kept, "in {:?}", files(data));
}

/// ARC-31: a limit of the database's own size works in the same way, without a full disk.
#[test]
fn a_full_database_refuses_and_a_greater_limit_lets_pass() {
    let mut house = House::start(&Plan::of(2).with("data.size_mib_max", "2"));
    let mut ana = Client::present(&house, "ana", "desk");
    let large = "x".repeat(100_000);
    for number in 0..60 {
        ana.say(BEN, &format!("m{number}"), &large);
    }
    let refused = ana.wait(is_wait);
    assert!(!condition(&refused).1.is_empty(), "{refused}");
    house.stop();
    house.set("data.size_mib_max", "64");
    house.serve();
    let mut ana = Client::present(&house, "ana", "desk");
    ana.say(BEN, "more", "there is room");
    ana.settle();
    let mut ben = Reach::of(&house, "ben").try_silent("desk").unwrap();
    ben.send("<presence/>");
    ben.hear("there is room");
}
