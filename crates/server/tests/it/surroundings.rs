//! Trouble around the server: a wrong configuration, a port in use, a second server, data of a newer
//! version, a damaged database, keys that are lost or not the right ones. Each gives one clear
//! sentence and the exit code that the help documents.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    client::Client,
    house::{House, Output, Plan, files, finish, program, run},
    players::python,
};

const BEN: &str = "ben@bank.example";

/// Starts the server, which must not come up.
fn fail(house: &House) -> Output {
    house.cli(&["serve"])
}

/// Changes a file, tries something, and puts the file back.
fn with_changed<T>(path: &Path, change: impl FnOnce(&Path), then: impl FnOnce() -> T) -> T {
    let before = fs::read(path).unwrap();
    change(path);
    let result = then();
    fs::write(path, before).unwrap();
    result
}

/// Every exit code is documented, and each command has a help that ends with examples.
#[test]
fn helps_read_well() {
    let folder = std::env::temp_dir();
    let help = run(&folder, &["--help"]).good();
    assert!(help.contains("Exit codes: 0 done; 1 refused"), "{help}");
    for command in
        ["init", "serve", "check-config", "account", "group", "policy", "archive", "review", "demo"]
    {
        assert!(help.contains(command), "{command}: {help}");
        let own = run(&folder, &[command, "--help"]).good();
        assert!(own.contains("Usage:") && own.contains("Example"), "{own}");
    }
    assert_eq!(run(&folder, &["no-such-command"]).status.code(), Some(2));
    assert_eq!(run(&folder, &["serve", "--no-such-option"]).status.code(), Some(2));
}

/// SEC-10: keys that nobody knows, values out of range, what is no TOML, a file that is not there.
#[test]
fn a_wrong_configuration_is_named_with_its_line() {
    let house = House::make(&Plan::of(1));
    assert!(house.cli(&["check-config"]).good().contains("is good"));
    let text = fs::read_to_string(house.config()).unwrap();
    let lines = text.lines().count();
    for (added, wanted) in
        [("colour = 'red'\n", "colour"), ("[nonsense]\n", "nonsense"), ("= 5\n", "line")]
    {
        fs::write(house.config(), format!("{text}{added}")).unwrap();
        for command in ["check-config", "serve"] {
            let said = house.cli(&[command]).bad(2);
            assert!(said.contains(wanted), "{said}");
            assert!(said.contains(&format!("line {}", lines + 1)), "{said}");
            assert!(said.contains("chancery.toml"), "{said}");
        }
    }
    fs::write(house.config(), &text).unwrap();
    house.set("session.sign_in_secs_max", "0");
    let said = house.cli(&["check-config"]).bad(2);
    assert!(said.contains("session.sign_in_secs_max = 0 is not between 5 and 600"), "{said}");
    fs::write(house.config(), text.replace("bank.example", "other.example")).unwrap();
    let said = fail(&house).bad(2);
    assert!(said.contains("other.example") && said.contains("bank.example"), "{said}");
    fs::remove_file(house.config()).unwrap();
    assert!(fail(&house).bad(2).contains("chancery.toml"));
}

/// SEC-10: a port that another program has, and a second server on the same data.
#[test]
fn what_is_in_use_is_named() {
    let mut house = House::make(&Plan::of(1));
    let taken = TcpListener::bind(("127.0.0.1", house.direct)).unwrap();
    let said = fail(&house).bad(3);
    assert!(said.contains(&house.direct.to_string()) && said.contains("another program"), "{said}");
    drop(taken);
    house.serve();
    let said = fail(&house).bad(3);
    assert!(said.contains("another server has"), "{said}");
    // The first one has noticed nothing, and commands still find it.
    house.cli(&["group", "add", "late"]).good();
    Client::present(&house, "ana", "desk").leave();
    let said = run(
        &house.beside(""),
        &["init", "house", "--domain", "bank.example", "--passphrase-file", "phrase.txt"],
    )
    .bad(1);
    assert!(said.contains("not empty"), "{said}");
}

/// A house in which something was said.
fn used() -> House {
    let mut house = House::start(&Plan::of(2));
    let mut ana = Client::present(&house, "ana", "desk");
    for number in 0..200 {
        ana.say(BEN, "m", &format!("number {number} {}", "x".repeat(500)));
    }
    ana.kept(200);
    house.stop();
    house
}

/// ENC-08, SEC-10: each key that is missing, damaged or another one is named with what it is for; with
/// the right one back everything is as it was.
#[test]
fn lost_and_wrong_keys_are_named() {
    let mut house = used();
    let keys = house.folder().join("keys");
    for name in ["vault.key", "log.key", "decoy.key", "server.key", "server.pem", "custodian.pub"] {
        let path = keys.join(name);
        let remove = |path: &Path| fs::remove_file(path).unwrap();
        let said = with_changed(&path, remove, || fail(&house).bad(3));
        assert!(said.contains(name), "{name} lost: {said}");
        let damage = |path: &Path| fs::write(path, "nonsense\n").unwrap();
        let said = with_changed(&path, damage, || fail(&house).bad(3));
        assert!(said.contains(name), "{name} damaged: {said}");
        set_private(&path);
    }
    let other = format!("{}\n", "ab".repeat(32));
    let vault = keys.join("vault.key");
    let said = with_changed(&vault, |path| fs::write(path, other).unwrap(), || fail(&house).bad(3));
    assert!(said.contains("vault.key") && said.contains("not the one"), "{said}");
    set_private(&vault);
    house.serve();
    let mut ben = Client::present(&house, "ben", "desk");
    ben.wait(|it| it.contains("number 199"));
}

fn set_private(path: &Path) {
    finish(Command::new("chmod").args(["600", path.to_str().unwrap()])).good();
}

/// SEC-10: data that a newer program has written is left alone and said to be so.
#[test]
fn data_of_a_newer_version_is_left_alone() {
    let mut house = used();
    let directory = house.data().join("directory");
    let newer = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("\"format\":1", "\"format\":7", 1)).unwrap();
    };
    let said = with_changed(&directory, newer, || fail(&house).bad(3));
    assert!(said.contains("newer"), "{said}");
    let database = database(&house);
    let before = fs::read(&database).unwrap();
    let script = "import sqlite3, sys; base = sqlite3.connect(sys.argv[1]); \
                  base.execute('UPDATE schema_version SET version = 99'); base.commit()";
    let words = ["-c", script, database.to_str().unwrap()];
    finish(Command::new(python()).args(words)).good();
    let said = fail(&house).bad(3);
    assert!(said.contains("version 99") && said.contains("newer program"), "{said}");
    fs::write(&database, before).unwrap();
    house.serve();
}

fn database(house: &House) -> PathBuf {
    let found = files(&house.data().join("store"));
    found.into_iter().find(|path| path.extension().is_some_and(|it| it == "sqlite")).unwrap()
}

/// SEC-10, MSG-11: a damaged directory or database never ends in a panic: the server says what is
/// damaged and ends with 3, or serves what is whole.
#[test]
fn a_damaged_database_is_said_to_be_damaged() {
    let house = used();
    let database = database(&house);
    let length = fs::metadata(&database).unwrap().len() as usize;
    let (mut refused, mut tried) = (0, 0);
    for place in [0, 16, 100, 4_096, length / 4, length / 2, length - 4_096] {
        let damage = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            for byte in bytes.iter_mut().skip(place).take(512) {
                *byte = 0xa5;
            }
            fs::write(path, bytes).unwrap();
        };
        tried += 1;
        with_changed(&database, damage, || {
            let output = start_and_end(&house);
            assert!(!output.err.contains("panicked"), "at {place}: {}", output.err);
            if output.status.success() {
                return;
            }
            refused += 1;
            let said = output.bad(3);
            assert!(said.contains("store") && said.contains("damaged"), "at {place}: {said}");
        });
        for side in ["-wal", "-shm"] {
            drop(fs::remove_file(format!("{}{side}", database.display())));
        }
    }
    assert!(refused >= 2, "{refused} of {tried} damages were noticed at the start");
    let directory = house.data().join("directory");
    let cut = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("ana@bank.example", "eva@bank.example", 1)).unwrap();
    };
    let said = with_changed(&directory, cut, || fail(&house).bad(3));
    assert!(said.contains("directory") && said.contains("backup"), "{said}");
    assert!(start_and_end(&house).status.success());
}

/// Starts the server and asks it to end a moment after it is ready, if it gets that far.
fn start_and_end(house: &House) -> Output {
    let script = "\"$1\" --config \"$2\" serve > \"$3\" & child=$!; \
                  while kill -0 $child 2>/dev/null && ! grep -q serving \"$3\"; do sleep 0.02; done; \
                  kill -TERM $child 2>/dev/null; wait $child";
    let (program, out) = (program(), house.beside("said.txt"));
    fs::write(&out, "").unwrap();
    let words = ["-c", script, "sh", program.to_str().unwrap()];
    let mut command = Command::new("sh");
    command.args(words).arg(house.folder()).arg(out);
    finish(&mut command)
}
