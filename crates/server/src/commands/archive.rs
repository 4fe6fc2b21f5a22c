//! `archive`: checks the log without any secret, and reads it with a custodian's key.

use std::path::{Path, PathBuf};

use ::archive::{
    CHECKPOINT_BYTES_MAX, CHECKPOINT_FILE, Checkpoint, Completeness, Custodian, Expected,
    ExportFault, Format, Found, Nodes as _, Query, ReadFault, Report, Request, TileNodes,
    VerifyingKey, inclusion_holds, inclusion_proof, verify,
};
use clap::{Args, Subcommand};
use hub::clock;
use serde_json::{Value, json};

use super::{Scene, Signature};
use crate::{
    fault::Fault,
    files::{self, hex},
    place::{CONFIG_FILE, Place, read_log_public},
    screen::{self, Counter},
};

/// Verifies the archive, and searches, shows and exports it.
///
/// `verify`, `prove` and `keys` need no secret: anybody may run them on a copy of the log's folder.
/// `search`, `show`, `export` and `complete` need the custodian's private key and belong on the
/// custodian's machine, with a copy of the folder.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  chancery archive verify\n  chancery archive verify \
                        ./log-copy --log-key log.pub --against checkpoint-of-may\n  chancery \
                        archive search --key custodian/custodian.key 'from:ana@bank.example \
                        merger'\n  chancery archive export --key custodian/custodian.key --out \
                        case-17 --format eml 'after:2026-11-01Z with:ben@bank.example'\n")]
pub(crate) struct Archive {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Check the whole log: every record, every hash, every signature. Needs no secret
    #[command(after_help = "It ends with 0 if the log is exactly what was signed, with 1 after \
                            naming every damaged, dropped, inserted or moved record.\n")]
    Verify(Verify),
    /// Find records
    #[command(after_help = QUERIES)]
    Search(Search),
    /// Show one record whole
    Show {
        /// The record's number in the log
        leaf: u64,
        #[command(flatten)]
        custodian: Key,
    },
    /// Write what a query finds into a new folder, with counts and proofs
    #[command(after_help = QUERIES)]
    Export(Export),
    /// Follow every conversation and see that no record is missing
    Complete {
        #[command(flatten)]
        custodian: Key,
    },
    /// Print the proof that a record is in the log. Needs no secret
    Prove {
        /// The record's number in the log
        leaf: u64,
        #[command(flatten)]
        source: Source,
    },
    /// Print the public keys: what the archive is sealed to, and what verifies the log
    Keys,
}

const QUERIES: &str = "A query is words and fields, all of which must fit; OR between \
alternatives, NOT before what must not fit.\n  from: to: with: ADDRESS   after: before: TIME \
(2026-11-21Z or RFC 3339)\n  type: class: rule: NAME   \"exactly these words\"   begin*\n";

/// Which log.
#[derive(Args, Debug)]
struct Source {
    /// The log's folder, or a configuration, or a folder with one [default: --config]
    #[arg(long = "folder", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The public key of the log [default: the configuration's]
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Verify {
    /// The log's folder, or a configuration, or a folder with one [default: --config]
    folder: Option<PathBuf>,
    /// The public key of the log; needed for a folder without a configuration
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere, which the log must extend; may be given more than once
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
}

/// The custodian's key, and which log.
#[derive(Args, Debug)]
struct Key {
    /// The custodian's private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file whose first line is the key's passphrase; asked for otherwise
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The log's folder, or a configuration, or a folder with one [default: --config]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Search {
    /// What to find
    #[arg(required = true)]
    query: Vec<String>,
    #[command(flatten)]
    custodian: Key,
}

#[derive(Args, Debug)]
struct Export {
    /// What to export
    #[arg(required = true)]
    query: Vec<String>,
    /// A new or empty folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// eml (mail files), jsonl (a JSON object a line) or csv
    #[arg(long, default_value = "jsonl", value_parser = format)]
    format: Format,
    #[command(flatten)]
    custodian: Key,
    #[command(flatten)]
    signature: Signature,
}

fn format(text: &str) -> Result<Format, String> {
    Format::from_name(text).ok_or_else(|| "a format is eml, jsonl or csv".to_owned())
}

pub(crate) fn run(scene: &Scene, archive: &Archive) -> Result<(), Fault> {
    match &archive.command {
        Command::Verify(verify) => verify.run(scene),
        Command::Search(search) => search.run(scene),
        Command::Show { leaf, custodian } => show(scene, *leaf, custodian),
        Command::Export(export) => export.run(scene),
        Command::Complete { custodian } => complete(scene, custodian),
        Command::Prove { leaf, source } => prove(scene, *leaf, source),
        Command::Keys => keys(scene),
    }
}

/// The folder of a log, and the installation if one was named.
fn log_folder(scene: &Scene, given: Option<&Path>) -> Result<(PathBuf, Option<Place>), Fault> {
    if let Some(given) = given
        && given.is_dir()
        && !given.join(CONFIG_FILE).exists()
    {
        return Ok((given.to_owned(), None));
    }
    let place = match given {
        Some(given) => Place::open(given)?,
        None => scene.place()?,
    };
    Ok((place.log_folder(), Some(place)))
}

fn log_key(place: Option<&Place>, given: Option<&Path>) -> Result<VerifyingKey, Fault> {
    match (given, place) {
        (Some(file), _) => read_log_public(file),
        (None, Some(place)) => place.log_public(),
        (None, None) => Err(Fault::Usage(
            "give the log's public key, keys/log.pub of the server, by --log-key".to_owned(),
        )),
    }
}

impl Verify {
    fn run(&self, scene: &Scene) -> Result<(), Fault> {
        let (folder, place) = log_folder(scene, self.folder.as_deref())?;
        let key = log_key(place.as_ref(), self.log_key.as_deref())?;
        let older = |file: &PathBuf| {
            let note = files::read_text(file, CHECKPOINT_BYTES_MAX as u64)?;
            Checkpoint::open(&note, &key)
                .map_err(|fault| Fault::Refused(format!("{}: {fault}", file.display())))
        };
        let expected = Expected {
            origin: place.map(|place| place.config.domain),
            older: self.against.iter().map(older).collect::<Result<_, _>>()?,
        };
        let mut counter = Counter::new("verifying");
        let report = verify(&folder, &key, &expected, |progress| {
            counter.show(progress.done, progress.total);
        });
        drop(counter);
        scene.show(|| report_text(&report), || report_value(&report));
        if report.is_intact() {
            return Ok(());
        }
        Err(Fault::Refused(format!(
            "the log in {} is not what was signed: {} faults; compare it with a copy from before",
            folder.display(),
            report.damages
        )))
    }
}

fn report_text(report: &Report) -> String {
    let mut lines: Vec<String> = report.damage.iter().map(|it| format!("damage: {it}")).collect();
    let more = report.damages.saturating_sub(report.damage.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.extend(report.remarks.iter().map(|remark| format!("note: {remark}")));
    if let Some(checkpoint) = &report.checkpoint {
        let state = if report.is_intact() { "intact" } else { "DAMAGED" };
        lines.push(format!(
            "{state}: log {} with {} records ({} messages, {} notes, {} segments), root {}",
            checkpoint.origin,
            checkpoint.size,
            report.messages,
            report.notes,
            report.openings,
            hex(&checkpoint.root)
        ));
        lines.push(format!(
            "{} checkpoints checked, {} records destroyed on purpose, {} wait for the next checkpoint",
            report.checkpoints, report.destroyed, report.unsigned
        ));
    } else {
        lines.push("DAMAGED: there is no checkpoint that can be believed".to_owned());
    }
    lines.join("\n")
}

fn report_value(report: &Report) -> Value {
    let damage = |it: &::archive::Damage| {
        json!({ "leaf": it.leaf, "file": it.file, "offset": it.offset,
                "what": it.kind.to_string() })
    };
    json!({
        "intact": report.is_intact(),
        "checkpoint": report.checkpoint.as_ref().map(|it| json!({
            "origin": it.origin, "size": it.size, "root": hex(&it.root),
        })),
        "messages": report.messages,
        "notes": report.notes,
        "segments": report.openings,
        "destroyed": report.destroyed,
        "unsigned": report.unsigned,
        "checkpoints": report.checkpoints,
        "damages": report.damages,
        "damage": report.damage.iter().map(damage).collect::<Vec<_>>(),
        "remarks": report.remarks,
    })
}

impl Key {
    fn open(&self, scene: &Scene) -> Result<(Custodian, PathBuf), Fault> {
        let (folder, _) = log_folder(scene, self.folder.as_deref())?;
        let what = "passphrase of the custodian's key";
        let passphrase = screen::secret(self.passphrase_file.as_deref(), what, false)?;
        let custodian = Custodian::open(&self.key, &passphrase).map_err(|fault| {
            if let ReadFault::Key(why) = fault {
                Fault::Refused(format!("{}: {why}", self.key.display()))
            } else {
                Fault::Environment(fault.to_string())
            }
        })?;
        Ok((custodian, folder))
    }
}

fn read_fault(folder: &Path) -> impl Fn(ReadFault) -> Fault + '_ {
    move |fault| {
        if let ReadFault::NoSuchRecord(_) = fault {
            return Fault::Refused(fault.to_string());
        }
        let folder = folder.display();
        Fault::Environment(format!("the log in {folder}: {fault}; `archive verify` says more"))
    }
}

fn query(words: &[String]) -> Result<Query, Fault> {
    Query::parse(&words.join(" ")).map_err(|fault| Fault::Usage(fault.to_string()))
}

/// One line of a search: number, time, who, to whom, what.
fn line(found: &Found) -> String {
    let value = found.to_json();
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match &found.content {
        ::archive::Opened::Plain(::archive::Plain::Message(message)) => {
            let to: Vec<&str> = message.recipients.iter().map(|it| it.address.as_str()).collect();
            let said: String =
                message.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let time = model::Timestamp::from_micros(message.accepted);
            format!("{:>8}  {time}  {} -> {}: {said}", found.leaf, message.sender, to.join(" "))
        }
        ::archive::Opened::Plain(::archive::Plain::Note(note)) => {
            let time = model::Timestamp::from_micros(note.sealed);
            let details: Vec<String> = note
                .details
                .iter()
                .map(|(name, value)| format!("{name}={}", value.replace('\n', "; ")))
                .collect();
            let attempt = note.attempt.as_ref().map_or(String::new(), |attempt| {
                format!("  {}: {}", attempt.sender, attempt.text.replace(char::is_control, " "))
            });
            format!("{:>8}  {time}  {}  {}{attempt}", found.leaf, note.name, details.join(" "))
        }
        ::archive::Opened::Opening(_)
        | ::archive::Opened::Destroyed
        | ::archive::Opened::Unreadable(_) => format!("{:>8}  {}", found.leaf, text("type")),
    }
}

impl Search {
    fn run(&self, scene: &Scene) -> Result<(), Fault> {
        let query = query(&self.query)?;
        let (custodian, folder) = self.custodian.open(scene)?;
        let mut counter = Counter::new("searching");
        let tally = custodian
            .search(
                &folder,
                &query,
                |progress| counter.show(progress.done, progress.total),
                |found| {
                    if scene.json {
                        screen::print(&found.to_json().to_string());
                    } else {
                        screen::print(&line(&found));
                    }
                    Ok(())
                },
            )
            .map_err(read_fault(&folder))?;
        drop(counter);
        screen::remark(&format!(
            "{} of {} records found; {} destroyed, {} not readable with this key",
            tally.hits, tally.searched, tally.destroyed, tally.unreadable
        ));
        if tally.hits > 0 {
            Ok(())
        } else {
            Err(Fault::Refused("nothing fits the query".to_owned()))
        }
    }
}

fn show(scene: &Scene, leaf: u64, key: &Key) -> Result<(), Fault> {
    let (custodian, folder) = key.open(scene)?;
    let found = custodian.show(&folder, leaf).map_err(read_fault(&folder))?;
    screen::print_json(&found.to_json());
    Ok(())
}

impl Export {
    fn run(&self, scene: &Scene) -> Result<(), Fault> {
        let query = query(&self.query)?;
        let (custodian, folder) = self.custodian.open(scene)?;
        let who = self.signature.name();
        let request = Request {
            query: &query,
            format: self.format,
            who: &who,
            reason: &self.signature.reason,
            now: clock::now(),
        };
        let mut counter = Counter::new("exporting");
        let done = custodian
            .export(&folder, &self.out, request, |progress| {
                counter.show(progress.done, progress.total);
            })
            .map_err(|fault| match fault {
                ExportFault::Read(fault) => read_fault(&folder)(fault),
                ExportFault::NotEmpty(_) => Fault::Refused(fault.to_string()),
                ExportFault::Write { .. } | ExportFault::Proof(_) => {
                    Fault::Environment(fault.to_string())
                }
            })?;
        drop(counter);
        scene.show(
            || {
                format!(
                    "{} records in {} files written to {}, each with its proof",
                    done.written,
                    done.files.len(),
                    self.out.display()
                )
            },
            || {
                json!({ "written": done.written, "searched": done.tally.searched,
                        "destroyed": done.tally.destroyed, "unreadable": done.tally.unreadable,
                        "types": done.types, "files": done.files, "out": self.out })
            },
        );
        Ok(())
    }
}

fn complete(scene: &Scene, key: &Key) -> Result<(), Fault> {
    let (custodian, folder) = key.open(scene)?;
    let mut counter = Counter::new("following conversations");
    let report: Completeness = custodian
        .verify_complete(&folder, |progress| counter.show(progress.done, progress.total))
        .map_err(read_fault(&folder))?;
    drop(counter);
    let gaps: Vec<String> = report.gaps.iter().map(ToString::to_string).collect();
    scene.show(
        || {
            let mut lines = gaps.clone();
            lines.push(format!(
                "{} conversations, {} messages, {} notes; {} gaps, {} destroyed, {} unreadable",
                report.conversations,
                report.messages,
                report.notes,
                report.gaps_count,
                report.destroyed,
                report.unreadable
            ));
            lines.join("\n")
        },
        || {
            json!({ "complete": report.is_complete(), "conversations": report.conversations,
                    "messages": report.messages, "notes": report.notes,
                    "destroyed": report.destroyed, "unreadable": report.unreadable,
                    "gaps": gaps, "gaps_count": report.gaps_count })
        },
    );
    if report.is_complete() {
        return Ok(());
    }
    Err(Fault::Refused(format!("the log in {} has gaps", folder.display())))
}

fn prove(scene: &Scene, leaf: u64, source: &Source) -> Result<(), Fault> {
    let (folder, place) = log_folder(scene, source.folder.as_deref())?;
    let key = log_key(place.as_ref(), source.log_key.as_deref())?;
    let note = files::read_text(&folder.join(CHECKPOINT_FILE), CHECKPOINT_BYTES_MAX as u64)?;
    let checkpoint = Checkpoint::open(&note, &key).map_err(|fault| {
        Fault::Refused(format!("{}: {fault}", folder.join(CHECKPOINT_FILE).display()))
    })?;
    let mut nodes = TileNodes::new(&folder, checkpoint.size);
    let unreadable = |why| Fault::io("read the tree in", &folder, &why);
    let path = inclusion_proof(&mut nodes, leaf, checkpoint.size).map_err(unreadable)?;
    let path = path.ok_or_else(|| {
        Fault::Refused(format!("the log has {} signed records, no {leaf}", checkpoint.size))
    })?;
    let hash = nodes.node(0, leaf).map_err(unreadable)?;
    if !inclusion_holds(&hash, leaf, checkpoint.size, &path, &checkpoint.root) {
        return Err(Fault::Refused(format!(
            "the tree in {} does not lead to the signed root; run `archive verify`",
            folder.display()
        )));
    }
    let path: Vec<String> = path.iter().map(|node| hex(node)).collect();
    scene.show(
        || {
            format!(
                "record {leaf} is in the log of {} records\nleaf hash {}\npath      {}\n{note}",
                checkpoint.size,
                hex(&hash),
                path.join("\n          ")
            )
        },
        || {
            json!({ "leaf": leaf, "leaf_hash": hex(&hash), "size": checkpoint.size,
                    "root": hex(&checkpoint.root), "path": path, "checkpoint": note })
        },
    );
    Ok(())
}

fn keys(scene: &Scene) -> Result<(), Fault> {
    let place = scene.place()?;
    let custodians = place.custodians()?;
    let log = place.log_public()?.to_text();
    scene.show(
        || {
            let line = |key: &::archive::ArchivePublicKey| {
                format!("sealed to {}  {}", key.id(), key.to_text())
            };
            let mut lines: Vec<String> = custodians.iter().map(line).collect();
            lines.push(format!("verified by {log}"));
            lines.join("\n")
        },
        || {
            let one = |key: &::archive::ArchivePublicKey| {
                json!({ "id": key.id().to_string(), "key": key.to_text() })
            };
            json!({ "custodians": custodians.iter().map(one).collect::<Vec<_>>(), "log": log })
        },
    );
    Ok(())
}
