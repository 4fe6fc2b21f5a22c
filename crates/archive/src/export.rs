//! Export: what a query finds, as mail files, JSON lines or CSV, with a manifest that counts, and
//! proofs that a third party can check without any key. It writes only into a new folder.

mod csv;
mod eml;
mod json;

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use model::Timestamp;
use serde_json::json;

use crate::{
    checkpoint::Checkpoint,
    custodian::{Custodian, Found, Opened, ReadFault},
    log::CHECKPOINT_FILE,
    merkle::{Digest, inclusion_proof, sha256},
    search::{Query, Tally},
    tile::TileNodes,
    verify::Progress,
};

/// The file that says what an export holds.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The file with one proof for each exported record.
pub const PROOFS_FILE: &str = "proofs.jsonl";

/// The form of an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One mail file for each conversation and day.
    Eml,
    /// One JSON object a line for each record.
    JsonLines,
    /// One line for each record.
    Csv,
}

impl Format {
    /// The word used on the command line and in the manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eml => "eml",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// The form of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Eml, Self::JsonLines, Self::Csv].into_iter().find(|format| format.name() == name)
    }
}

/// Who exports, and why: it goes into the manifest.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is to be exported.
    pub query: &'a Query,
    /// In which form.
    pub format: Format,
    /// Who asks.
    pub who: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub now: Timestamp,
}

/// What an export wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// What was gone through and found.
    pub tally: Tally,
    /// Records written, which must equal the hits.
    pub written: u64,
    /// Records written, by type.
    pub types: BTreeMap<String, u64>,
    /// Files written beside the manifest.
    pub files: Vec<PathBuf>,
    /// The checkpoint that the proofs lead to.
    pub checkpoint: Checkpoint,
}

/// Why there is no export.
#[derive(Debug)]
pub enum ExportFault {
    /// The log cannot be read.
    Read(ReadFault),
    /// The folder for the export is there already and not empty.
    NotEmpty(PathBuf),
    /// Writing fails.
    Write {
        /// Which file.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// The log changed while it was read, or a record is not in the tree that was signed.
    Proof(u64),
}

impl From<ReadFault> for ExportFault {
    fn from(fault: ReadFault) -> Self {
        Self::Read(fault)
    }
}

/// A file of the export that is hashed for the manifest when it is done.
struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(out: &Path, name: &Path) -> Result<Self, ExportFault> {
        let path = out.join(name);
        let file = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| File::create_new(&path))
            .map_err(|error| ExportFault::Write { path: path.clone(), error })?;
        Ok(Self { path: name.to_owned(), file: BufWriter::new(file) })
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), ExportFault> {
        let path = &self.path;
        self.file
            .write_all(octets)
            .map_err(|error| ExportFault::Write { path: path.clone(), error })
    }

    fn finish(self) -> Result<PathBuf, ExportFault> {
        let path = self.path;
        let synced = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        match synced.and_then(|file| file.sync_all()) {
            Ok(()) => Ok(path),
            Err(error) => Err(ExportFault::Write { path, error }),
        }
    }
}

/// Takes records one after the other and makes files of them.
trait Sink {
    fn take(&mut self, found: &Found) -> Result<(), ExportFault>;
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportFault>;
}

impl Custodian {
    /// Writes what the query finds in the log `dir` into the folder `out`, which must be new or
    /// empty.
    pub fn export(
        &self,
        dir: &Path,
        out: &Path,
        request: Request<'_>,
        progress: impl FnMut(Progress),
    ) -> Result<Exported, ExportFault> {
        let note = read_note(dir)?;
        let checkpoint =
            Checkpoint::claim(&note).map_err(|_| ExportFault::Read(ReadFault::Checkpoint))?;
        prepare(out)?;
        let mut sink: Box<dyn Sink> = match request.format {
            Format::Eml => Box::new(eml::Mails::new(out)),
            Format::JsonLines => Box::new(json::Lines::new(out)?),
            Format::Csv => Box::new(csv::Table::new(out)?),
        };
        let mut proofs = Output::create(out, Path::new(PROOFS_FILE))?;
        let mut nodes = TileNodes::new(dir, checkpoint.size);
        let mut leaves = Vec::new();
        let mut types: BTreeMap<String, u64> = BTreeMap::new();
        let mut fault = None;
        let size = checkpoint.size;
        let tally = self.search_first(dir, size, request.query, progress, |found| {
            if fault.is_some() {
                return Ok(());
            }
            let written = sink.take(&found).and_then(|()| {
                let line = proof_line(&mut nodes, &found, size)?;
                proofs.write(line.as_bytes())
            });
            match written {
                Ok(()) => {
                    leaves.push(found.leaf);
                    if let Opened::Plain(plain) = &found.content {
                        *types.entry(plain.type_name().to_owned()).or_default() += 1;
                    }
                }
                Err(error) => fault = Some(error),
            }
            Ok(())
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let mut files = sink.finish()?;
        files.push(proofs.finish()?);
        let written = leaves.len() as u64;
        let exported = Exported { tally, written, types, files, checkpoint };
        write_manifest(out, &request, &exported, &note, &leaves)?;
        Ok(exported)
    }
}

fn read_note(dir: &Path) -> Result<String, ExportFault> {
    fs::read_to_string(dir.join(CHECKPOINT_FILE)).map_err(|error| {
        ExportFault::Read(ReadFault::Io { path: PathBuf::from(CHECKPOINT_FILE), error })
    })
}

fn prepare(out: &Path) -> Result<(), ExportFault> {
    let fault = |error| ExportFault::Write { path: out.to_owned(), error };
    fs::create_dir_all(out).map_err(fault)?;
    match fs::read_dir(out).map_err(fault)?.next() {
        None => Ok(()),
        Some(_) => Err(ExportFault::NotEmpty(out.to_owned())),
    }
}

/// One line: the record's number, its entry and the path to the root.
fn proof_line(nodes: &mut TileNodes<'_>, found: &Found, size: u64) -> Result<String, ExportFault> {
    let path = inclusion_proof(nodes, found.leaf, size).ok().flatten();
    let path = path.ok_or(ExportFault::Proof(found.leaf))?;
    let path: Vec<String> = path.iter().map(|hash| BASE64.encode(hash)).collect();
    let line = json!({
        "leaf": found.leaf,
        "entry": BASE64.encode(found.entry.encode()),
        "leaf_hash": BASE64.encode(found.hash),
        "path": path,
    });
    Ok(format!("{line}\n"))
}

fn write_manifest(
    out: &Path,
    request: &Request<'_>,
    exported: &Exported,
    note: &str,
    leaves: &[u64],
) -> Result<(), ExportFault> {
    let mut files = BTreeMap::new();
    for name in &exported.files {
        let path = out.join(name);
        let octets =
            fs::read(&path).map_err(|error| ExportFault::Write { path: path.clone(), error })?;
        let digest = hex(&sha256(&[&octets]));
        files.insert(name.display().to_string(), json!({"sha256": digest, "bytes": octets.len()}));
    }
    let tally = exported.tally;
    let manifest = json!({
        "form": "chancery-export-v1",
        "exported_at": request.now.to_string(),
        "who": request.who,
        "reason": request.reason,
        "query": request.query.text(),
        "format": request.format.name(),
        "checkpoint": note,
        "counts": {
            "log": exported.checkpoint.size,
            "searched": tally.searched,
            "destroyed": tally.destroyed,
            "unreadable": tally.unreadable,
            "hits": tally.hits,
            "written": exported.written,
            "by_type": exported.types,
        },
        "reconciled": tally.hits == exported.written && tally.unreadable == 0,
        "leaves": leaves,
        "files": files,
    });
    let mut output = Output::create(out, Path::new(MANIFEST_FILE))?;
    output.write(format!("{manifest:#}\n").as_bytes())?;
    output.finish().map(|_| ())
}

/// Lower-case hex.
fn hex(octets: &Digest) -> String {
    octets.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for ExportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(fault) => fault.fmt(f),
            Self::NotEmpty(path) => write!(f, "the folder {} is not empty", path.display()),
            Self::Write { path, error } => {
                write!(f, "{} cannot be written: {error}", path.display())
            }
            Self::Proof(leaf) => {
                write!(f, "record {leaf} cannot be proven to be in the log that was signed")
            }
        }
    }
}

impl std::error::Error for ExportFault {}
