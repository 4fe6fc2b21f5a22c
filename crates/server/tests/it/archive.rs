//! The archive as an outsider, a custodian and a thief find it: verified without a secret, every
//! damage named, read with the key alone, and no planted word anywhere on the server.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    client::Client,
    house::{Folder, House, Plan, files, files_with, run},
    xml,
};

const BEN: &str = "ben@bank.example";

/// Words that nobody else would write.
const PLANTED: [&str; 6] =
    ["zirconoxal", "quandrifex", "blurvitane", "mephodrine", "ystervogel", "krasnolith"];

/// A house in which the planted words were said in every way there is.
fn planted() -> House {
    let house = House::start(&Plan::of(3));
    let mut ana = Client::present(&house, "ana", "desk");
    let mut ben = Client::present(&house, "ben", "desk");
    ana.say(BEN, "m1", "the price of zirconoxal");
    ben.hear("the price of zirconoxal");
    ben.say("ana@bank.example", "m2", "quandrifex is up");
    ana.hear("quandrifex is up");
    // To somebody who is not there, and of another form than chat.
    ana.send(
        "<message to='cleo@bank.example' id='m3'><subject>blurvitane</subject>\
         <body>about blurvitane</body></message>",
    );
    // Kept for its owner, seen by contacts, shown to all: none of it is the disk's to tell.
    ana.ask(
        "set",
        None,
        "<query xmlns='jabber:iq:private'><note xmlns='urn:test:note'>mephodrine</note></query>",
    );
    ana.ask("set", None, "<vCard xmlns='vcard-temp'><NOTE>ystervogel</NOTE></vCard>");
    ana.ask(
        "set",
        None,
        "<query xmlns='jabber:iq:roster'><item jid='ben@bank.example' name='krasnolith'/></query>",
    );
    let (results, _) = ben.history(&[], "<max>50</max>");
    assert_eq!(results.len(), 2);
    ana.history(&[], "<max>50</max>");
    house
}

/// ENC-07, ENC-14, ARC-10: no private word is in any file of the server, while it runs, after a
/// kill and after an orderly end; nor in its log.
#[test]
fn planted_words_are_nowhere_on_the_server() {
    let mut house = planted();
    let nowhere = |house: &House, when: &str| {
        let found = files_with(&house.folder(), &PLANTED);
        assert!(found.is_empty(), "{when}: {found:?}");
        let log = fs::read(house.beside("server.log")).unwrap();
        let log = String::from_utf8_lossy(&log);
        assert!(!PLANTED.iter().any(|word| log.contains(word)), "{when}: in the server's log");
    };
    assert!(files(&house.data()).len() > 4, "{:?}", files(&house.data()));
    nowhere(&house, "while it runs");
    house.kill9();
    nowhere(&house, "after kill -9");
    house.serve();
    // What was said is still there for those whom it concerns.
    let mut cleo = Client::present(&house, "cleo", "desk");
    let late = cleo.hear("about blurvitane");
    assert!(xml::element(&late, "delay").is_some(), "{late}");
    house.stop();
    nowhere(&house, "after its end");
}

/// ARC-02, ARC-08, ARC-20, ARC-28: with the custodian's key exactly the planted messages are found,
/// shown and exported in every form; without it nothing is.
#[test]
fn the_custodian_finds_exactly_what_was_planted() {
    let mut house = planted();
    house.stop();
    let found = house.custodian(&["search", "zirconoxal"]);
    assert!(found.err.contains("1 of "), "{}", found.err);
    let line = found.good();
    assert!(
        line.contains("ana@bank.example -> ben@bank.example: the price of zirconoxal"),
        "{line}"
    );
    let leaf = line.split_whitespace().next().unwrap();
    let record = house.custodian(&["show", leaf]).json();
    assert_eq!(record["text"], "the price of zirconoxal");
    assert_eq!(record["sender"], "ana@bank.example");
    assert!(record["policy_version"].as_u64().is_some(), "{record}");
    house.cli(&["archive", "prove", leaf]).good();
    // Sign-in names are nowhere in a record.
    assert!(!record.to_string().contains("a.keller"), "{record}");
    let all = house.custodian(&["search", "zirconoxal OR quandrifex OR blurvitane"]).good();
    assert_eq!(all.lines().count(), 3, "{all}");
    house.custodian(&["search", "neverwritten"]).bad(1);
    for (format, readable) in [("jsonl", 1), ("csv", 1), ("eml", 0)] {
        let out = house.beside(&format!("out-{format}"));
        let words =
            ["export", "--format", format, "--out", out.to_str().unwrap(), "from:ana@bank.example"];
        let done = house.custodian(&[&words[..1], &["--json"], &words[1..]].concat()).json();
        assert_eq!(done["written"], 2, "{done}");
        // In mail files the words stand in base64: one file for each conversation and day.
        let texts = files_with(&out, &["zirconoxal", "blurvitane"]);
        assert_eq!(texts.len(), readable, "{texts:?}");
        let mails = files(&out)
            .iter()
            .filter(|path| path.extension().is_some_and(|it| it == "eml"))
            .count();
        assert_eq!(mails, if format == "eml" { 2 } else { 0 });
        assert!(files_with(&out, &["quandrifex"]).is_empty());
    }
    let complete = house.custodian(&["complete", "--json"]).json();
    assert_eq!(
        (complete["complete"].as_bool(), complete["messages"].as_u64()),
        (Some(true), Some(3))
    );
    stranger_reads_nothing(&house);
}

/// Another key of the same form, and the right key without its passphrase.
fn stranger_reads_nothing(house: &House) {
    let other = Folder::new();
    fs::write(other.path().join("phrase"), "another long passphrase\n").unwrap();
    let words = ["init", "h", "--domain", "bank.example", "--passphrase-file", "phrase"];
    run(other.path(), &words).good();
    let log = house.data().join("log");
    let search = |key: &Path, phrase: &Path| {
        let words = ["archive", "search", "zirconoxal", "--folder", log.to_str().unwrap(), "--key"];
        let rest = [key.to_str().unwrap(), "--passphrase-file", phrase.to_str().unwrap()];
        run(other.path(), &[&words[..], &rest].concat())
    };
    let (own, right) = (other.path().join("phrase"), house.beside("phrase.txt"));
    let strange = search(&other.path().join("h/custodian/custodian.key"), &own);
    assert!(strange.status.code() != Some(0) && !strange.out.contains("zircon"), "{}", strange.out);
    let locked = search(&house.folder().join("custodian/custodian.key"), &own);
    assert!(locked.status.code() == Some(1) && locked.out.is_empty(), "{}", locked.err);
    assert!(search(&house.folder().join("custodian/custodian.key"), &right).status.success());
}

/// ARC-04, ARC-09: the log verifies with the public key alone, also a copy elsewhere; one changed
/// octet in any of its files, a file cut off or taken away is found and named, with exit code 1.
#[test]
fn every_damage_of_the_log_is_named() {
    let mut house = planted();
    house.stop();
    let said = house.verify().good();
    assert!(said.contains("intact"), "{said}");
    let (log, key) = (house.data().join("log"), house.folder().join("keys/log.pub"));
    let mut tried = 0;
    for path in files(&log) {
        let name = path.strip_prefix(&log).unwrap().to_owned();
        let octets = fs::read(&path).unwrap();
        if octets.is_empty() {
            continue;
        }
        for damage in ["first", "middle", "last", "cut", "gone"] {
            let copy = Folder::new();
            copy_tree(&log, copy.path());
            let target = copy.path().join(&name);
            let mut changed = octets.clone();
            match damage {
                "first" => changed[0] ^= 1,
                "middle" => changed[octets.len() / 2] ^= 0x10,
                "last" => changed[octets.len() - 1] ^= 1,
                _ => changed.truncate(octets.len() / 2),
            }
            match damage {
                "gone" => fs::remove_file(&target).unwrap(),
                _ => fs::write(&target, changed).unwrap(),
            }
            let words = ["--json", "archive", "verify", copy.path().to_str().unwrap(), "--log-key"];
            let output = run(copy.path(), &[&words[..], &[key.to_str().unwrap()]].concat());
            tried += 1;
            if (name.as_path(), damage) == (Path::new("checkpoints"), "gone") {
                // Older checkpoints are no part of the log; that they are missing is said.
                assert!(output.good().contains("no older checkpoints"));
                continue;
            }
            let code = output.status.code();
            assert_eq!(code, Some(1), "{damage} of {name:?}: {}\n{}", output.out, output.err);
            assert_damage_named(&output.out, &name, damage);
        }
    }
    assert!(tried >= 15, "only {tried} damages were tried in {:?}", files(&log));
    assert!(house.verify().good().contains("intact"));
}

fn assert_damage_named(out: &str, name: &Path, damage: &str) {
    let report: Value = serde_json::from_str(out).unwrap_or_else(|why| panic!("{why}: {out}"));
    assert_eq!(report["intact"], false, "{damage} of {name:?}");
    let found = report["damage"].as_array().unwrap();
    assert!(!found.is_empty(), "{damage} of {name:?}: {report}");
}

fn copy_tree(from: &Path, to: &Path) {
    for path in files(from) {
        let target: PathBuf = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, target).unwrap();
    }
}

/// ARC-01, ARC-30: with the archive on, refusals and policy versions are in it too; nobody but the
/// domain can switch it off.
#[test]
fn refusals_and_policy_versions_are_archived() {
    let mut house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    house.cli(&["policy", "set", "domain", "message.max_bytes", "1024", "--by", "gina"]).good();
    ana.say(BEN, "m1", &format!("kladderadatsch {}", "x".repeat(2_000)));
    ana.refused("m1");
    house.cli(&["policy", "set", "group:bonds", "archive.seal", "false"]).bad(1);
    house.stop();
    let found = house.custodian(&["search", "kladderadatsch"]).good();
    assert!(found.contains("refused"), "{found}");
    assert!(house.custodian(&["search", "type:policy"]).status.success());
}
