//! Exports: what is in them, and that a stranger can check them.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::{Folder, House, noon, submission};
use crate::{
    Checkpoint, ExportFault, Format, MANIFEST_FILE, Note, PROOFS_FILE, Query, Request,
    inclusion_holds, leaf_hash,
};

fn house() -> House {
    let mut house = House::new();
    house.say("ann", "bob", "hello, \"world\"\nline two");
    house.say("bob", "ann", "=1+1");
    let mut next_day = submission("ann", "bob", "grüße", noon().plus_secs(86_400));
    next_day.content.refers_to = Some("c1".into());
    let records = house.seal(next_day).records().to_vec();
    house.append(&records);
    house.say("cid", "bob", "other");
    house.note(&Note::Policy { version: 9, author: "root".into(), summary: "new".into() });
    house.log().checkpoint().unwrap();
    house
}

fn request(query: &Query, format: Format) -> Request<'_> {
    Request { query, format, who: "carol", reason: "case 7", now: noon() }
}

/// N13: counts, checkpoint and a proof for each record, checked with nothing but the export and
/// the public key.
#[test]
fn an_export_proves_itself() {
    let house = house();
    let query = Query::parse("with:ann@bank.example OR type:policy").unwrap();
    for format in [Format::Eml, Format::JsonLines, Format::Csv] {
        assert_eq!(Format::from_name(format.name()), Some(format));
        let out = Folder::new();
        let exported = house
            .custodian
            .export(house.dir(), out.path(), request(&query, format), |_| {})
            .unwrap();
        assert_eq!((exported.written, exported.tally.hits), (4, 4));
        let manifest = fs::read(out.path().join(MANIFEST_FILE)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["counts"]["by_type"]["message"], 3);
        assert_eq!(manifest["counts"]["by_type"]["policy"], 1);
        assert_eq!(manifest["reconciled"], true);
        assert_eq!(manifest["leaves"], serde_json::json!([1, 2, 3, 5]));
        assert_eq!(manifest["query"], query.text());
        let note = manifest["checkpoint"].as_str().unwrap();
        let checkpoint = Checkpoint::open(note, &house.verifying).unwrap();
        let proofs = fs::read_to_string(out.path().join(PROOFS_FILE)).unwrap();
        assert_eq!(proofs.lines().count(), 4);
        for line in proofs.lines() {
            let proof: Value = serde_json::from_str(line).unwrap();
            let decode = |value: &Value| BASE64.decode(value.as_str().unwrap()).unwrap();
            let leaf = leaf_hash(&decode(&proof["entry"]));
            let path: Vec<[u8; 32]> = proof["path"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hash| decode(hash).try_into().unwrap())
                .collect();
            let index = proof["leaf"].as_u64().unwrap();
            assert!(inclusion_holds(&leaf, index, checkpoint.size, &path, &checkpoint.root));
        }
        for (name, file) in manifest["files"].as_object().unwrap() {
            let octets = fs::read(out.path().join(name)).unwrap();
            let digest = crate::merkle::sha256(&[&octets]);
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(file["sha256"], hex);
        }
        let again =
            house.custodian.export(house.dir(), out.path(), request(&query, format), |_| {});
        assert!(matches!(again, Err(ExportFault::NotEmpty(_))));
    }
}

#[test]
fn json_lines_hold_the_whole_record() {
    let house = house();
    let query = Query::parse("hello").unwrap();
    let out = Folder::new();
    let request = request(&query, Format::JsonLines);
    house.custodian.export(house.dir(), out.path(), request, |_| {}).unwrap();
    let lines = fs::read_to_string(out.path().join("records.jsonl")).unwrap();
    let record: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!(record["text"], "hello, \"world\"\nline two");
    assert_eq!(record["sender"], "ann@bank.example");
    assert_eq!(record["recipients"][0]["as_given"], "BOB");
    assert_eq!(record["accepted"], "2026-11-21T12:00:00.000000Z");
    assert_eq!(record["policy_version"], 7);
    let octets = BASE64.decode(record["octets"].as_str().unwrap()).unwrap();
    assert!(octets.starts_with(b"<message>"));
}

/// RFC 4180 quoting, and no formula for a spreadsheet to run.
#[test]
fn csv_is_quoted_and_runs_no_formula() {
    let house = house();
    let query = Query::parse("hello OR 1 OR other").unwrap();
    let out = Folder::new();
    let request = request(&query, Format::Csv);
    house.custodian.export(house.dir(), out.path(), request, |_| {}).unwrap();
    let table = fs::read_to_string(out.path().join("records.csv")).unwrap();
    assert!(table.starts_with("leaf,id,time,type,"));
    assert!(table.contains("\"hello, \"\"world\"\"\nline two\""));
    assert!(table.contains("\"'=1+1\""));
    assert!(table.contains(",other,"));
}

/// One mail for each conversation and day, threaded.
#[test]
fn mails_are_threaded_by_day() {
    let house = house();
    let query = Query::parse("from:ann@bank.example").unwrap();
    let out = Folder::new();
    let request = request(&query, Format::Eml);
    let exported = house.custodian.export(house.dir(), out.path(), request, |_| {}).unwrap();
    let mails: Vec<String> = exported
        .files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .map(|path| fs::read_to_string(out.path().join(path)).unwrap())
        .collect();
    assert_eq!(mails.len(), 2);
    let (first, second) = (&mails[0], &mails[1]);
    let header = |mail: &str, name: &str| {
        let line = mail.split("\r\n").find(|line| line.starts_with(name)).map(str::to_owned);
        line.map(|line| line[name.len() + 2..].to_owned())
    };
    assert_eq!(header(first, "From").unwrap(), "<ann@bank.example>");
    assert_eq!(header(first, "To").unwrap(), "<bob@bank.example>");
    assert_eq!(header(first, "Date").unwrap(), "Sat, 21 Nov 2026 12:00:00 +0000");
    assert!(header(first, "In-Reply-To").is_none());
    assert_eq!(header(second, "In-Reply-To"), header(first, "Message-ID"));
    assert_eq!(header(second, "References"), header(first, "Message-ID"));
    assert!(first.lines().all(|line| line.len() <= 200 && line.is_ascii()));
    let text = second.split("\r\n\r\n").nth(2).unwrap().split("--").next().unwrap();
    let text = BASE64.decode(text.replace("\r\n", "")).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("ann@bank.example (message, deliver, record 3, refers to c1):\ngrüße"));
}
