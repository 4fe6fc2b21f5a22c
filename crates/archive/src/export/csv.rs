//! Records as lines of a table (RFC 4180). What a spreadsheet would take for a formula is made
//! plain text by an apostrophe in front.

use std::path::{Path, PathBuf};

use super::{ExportFault, Output, Sink, hex};
use crate::{
    custodian::{Found, Opened},
    record::Plain,
};

const HEAD: &str = "leaf,id,time,type,class,conversation,sequence,sender,recipients,verdicts,rules,\
                    disposition,policy_version,refers_to,client_id,text,details,leaf_hash\r\n";

pub(super) struct Table {
    output: Output,
}

impl Table {
    pub(super) fn new(out: &Path) -> Result<Self, ExportFault> {
        let mut output = Output::create(out, Path::new("records.csv"))?;
        output.write(HEAD.as_bytes())?;
        Ok(Self { output })
    }
}

impl Sink for Table {
    fn take(&mut self, found: &Found) -> Result<(), ExportFault> {
        let Opened::Plain(plain) = &found.content else { return Ok(()) };
        let line: Vec<String> = cells(found, plain).iter().map(|cell| quoted(cell)).collect();
        self.output.write(format!("{}\r\n", line.join(",")).as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportFault> {
        self.output.finish().map(|path| vec![path])
    }
}

fn cells(found: &Found, plain: &Plain) -> Vec<String> {
    let message = plain.message();
    let of = |get: &dyn Fn(&crate::MessageRecord) -> String| message.map(get).unwrap_or_default();
    let joined = |parts: Vec<&str>| parts.join(" ");
    let details = match plain {
        Plain::Note(note) => {
            let pairs = note.details.iter().map(|(key, value)| format!("{key}={value}"));
            pairs.collect::<Vec<_>>().join("; ")
        }
        Plain::Message(_) => String::new(),
    };
    vec![
        found.leaf.to_string(),
        plain.id().map(|id| id.to_string()).unwrap_or_default(),
        plain.time().to_string(),
        plain.type_name().to_owned(),
        of(&|message| message.class.clone()),
        of(&|message| message.conversation.clone()),
        of(&|message| message.sequence.to_string()),
        of(&|message| message.sender.clone()),
        of(&|message| joined(message.recipients.iter().map(|one| one.address.as_str()).collect())),
        of(&|message| {
            let verdicts: Vec<&str> =
                message.recipients.iter().map(|one| one.verdict.as_str()).collect();
            verdicts.join("; ")
        }),
        of(&|message| {
            let rules = message.rules.iter().map(|rule| format!("{}={}", rule.name, rule.action));
            rules.collect::<Vec<_>>().join("; ")
        }),
        of(&|message| message.disposition.clone()),
        of(&|message| message.policy_version.to_string()),
        of(&|message| message.refers_to.clone().unwrap_or_default()),
        of(&|message| message.client_id.clone().unwrap_or_default()),
        of(&|message| message.text.clone()),
        details,
        hex(&found.hash),
    ]
}

fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if formula || cell.contains([',', '"', '\r', '\n']) {
        format!("\"{guard}{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
