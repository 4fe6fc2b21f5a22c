//! Records as mail: one message file for each conversation and day (RFC 5322, RFC 2045), threaded
//! by In-Reply-To and References to the day before. The words stand in the first part, the octets
//! as they came in parts behind it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use model::Timestamp;

use super::{ExportFault, Output, Sink, hex};
use crate::{
    custodian::{Found, Opened},
    merkle::sha256,
    record::{MessageRecord, Plain},
};

/// Bytes of base64 on one line (RFC 2045 §6.8).
const LINE_BYTES: usize = 76;

/// Days named in References.
const REFERENCES_MAX: usize = 20;

/// Stands for the sender where only the house speaks.
const HOUSE: &str = "archive@chancery.invalid";

/// What is kept of one record until its day is written.
struct Line {
    micros: i64,
    leaf: u64,
    text: String,
    part: Option<(String, Vec<u8>)>,
}

pub(super) struct Mails {
    out: PathBuf,
    /// Conversation, then day.
    days: BTreeMap<String, BTreeMap<String, Day>>,
}

#[derive(Default)]
struct Day {
    people: Vec<String>,
    first_sender: String,
    lines: Vec<Line>,
}

impl Mails {
    pub(super) fn new(out: &Path) -> Self {
        Self { out: out.to_owned(), days: BTreeMap::new() }
    }
}

impl Sink for Mails {
    fn take(&mut self, found: &Found) -> Result<(), ExportFault> {
        let Opened::Plain(plain) = &found.content else { return Ok(()) };
        let conversation = match (plain, plain.message()) {
            (Plain::Message(message), _) => message.conversation.clone(),
            (Plain::Note(_), Some(attempt)) => attempt.members.join(" "),
            (Plain::Note(_), None) => "notes of the house".to_owned(),
        };
        let time = plain.time();
        let date = time.to_string().get(..10).unwrap_or_default().to_owned();
        let day = self.days.entry(conversation).or_default().entry(date).or_default();
        if let Some(message) = plain.message() {
            for member in &message.members {
                if !day.people.contains(member) {
                    day.people.push(member.clone());
                }
            }
            if day.first_sender.is_empty() {
                day.first_sender.clone_from(&message.sender);
            }
        }
        day.lines.push(Line {
            micros: time.as_micros(),
            leaf: found.leaf,
            text: transcript(found, plain),
            part: plain.message().map(|message| (message.format.clone(), message.octets.clone())),
        });
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportFault> {
        let mut files = Vec::new();
        for (conversation, days) in self.days {
            let name =
                hex(&sha256(&[conversation.as_bytes()])).get(..16).unwrap_or_default().to_owned();
            let mut before: Vec<String> = Vec::new();
            for (date, day) in days {
                let id = format!("<{date}.{name}@chancery.archive>");
                let mail = mail(&conversation, &date, day, &id, &before);
                let path = PathBuf::from(format!("eml/{name}/{date}.eml"));
                let mut output = Output::create(&self.out, &path)?;
                output.write(mail.as_bytes())?;
                files.push(output.finish()?);
                before.push(id);
            }
        }
        Ok(files)
    }
}

/// The words of one record, as a person reads them.
fn transcript(found: &Found, plain: &Plain) -> String {
    let time = plain.time();
    let leaf = found.leaf;
    match plain {
        Plain::Message(message) => {
            format!("[{time}] {} {}\n{}\n", message.sender, head(message, leaf), message.text)
        }
        Plain::Note(note) => {
            let mut text = format!("[{time}] note: {} (record {leaf})\n", note.name);
            for (key, value) in &note.details {
                text.push_str(&format!("  {key}: {value}\n"));
            }
            if let Some(attempt) = &note.attempt {
                text.push_str(&format!("{} {}\n", attempt.sender, head(attempt, leaf)));
                for recipient in &attempt.recipients {
                    text.push_str(&format!("  {}: {}\n", recipient.address, recipient.verdict));
                }
                text.push_str(&attempt.text);
                text.push('\n');
            }
            text
        }
    }
}

fn head(message: &MessageRecord, leaf: u64) -> String {
    let mut head = format!("({}, {}, record {leaf}", message.kind, message.disposition);
    if let Some(refers_to) = &message.refers_to {
        head.push_str(&format!(", refers to {refers_to}"));
    }
    head.push_str("):");
    head
}

fn mail(conversation: &str, date: &str, mut day: Day, id: &str, before: &[String]) -> String {
    day.lines.sort_by_key(|line| (line.micros, line.leaf));
    let boundary =
        hex(&sha256(&[id.as_bytes(), b"boundary"])).get(..40).unwrap_or_default().to_owned();
    let sender = if day.first_sender.is_empty() { HOUSE } else { &day.first_sender }.to_owned();
    let others: Vec<&str> =
        day.people.iter().filter(|one| **one != sender).map(String::as_str).collect();
    let to = if others.is_empty() { vec![sender.as_str()] } else { others };
    let first = day.lines.first().map_or(0, |line| line.micros);
    let mut mail = String::new();
    let mut header = |name: &str, value: &str| {
        mail.push_str(name);
        mail.push_str(": ");
        mail.push_str(value);
        mail.push_str("\r\n");
    };
    header("From", &address(&sender));
    let to: Vec<String> = to.into_iter().map(address).collect();
    header("To", &to.join(",\r\n "));
    header("Date", &mail_date(Timestamp::from_micros(first)));
    header("Subject", &encoded_word(&format!("Conversation {conversation}, {date}")));
    header("Message-ID", id);
    if let Some(last) = before.last() {
        header("In-Reply-To", last);
        let recent = before.get(before.len().saturating_sub(REFERENCES_MAX)..).unwrap_or_default();
        header("References", &recent.join("\r\n "));
    }
    header("MIME-Version", "1.0");
    header("Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""));
    mail.push_str("\r\n");
    let text: String = day.lines.iter().map(|line| format!("{}\n", line.text)).collect();
    part(&mut mail, &boundary, "text/plain; charset=utf-8", None, text.as_bytes());
    for line in &day.lines {
        if let Some((kind, octets)) = &line.part {
            let name = format!("record-{}", line.leaf);
            // Only base64 may not stand on a message/rfc822 part (RFC 2046 §5.2.1).
            let kind = if kind.starts_with("message/") { "application/octet-stream" } else { kind };
            part(&mut mail, &boundary, kind, Some(&name), octets);
        }
    }
    mail.push_str(&format!("--{boundary}--\r\n"));
    mail
}

fn part(mail: &mut String, boundary: &str, kind: &str, name: Option<&str>, octets: &[u8]) {
    mail.push_str(&format!("--{boundary}\r\nContent-Type: {kind}\r\n"));
    if let Some(name) = name {
        mail.push_str(&format!("Content-Disposition: attachment; filename=\"{name}\"\r\n"));
    }
    mail.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    let encoded = BASE64.encode(octets);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_BYTES));
        mail.push_str(line);
        mail.push_str("\r\n");
        rest = after;
    }
}

/// An address in a header: as it is if it is plain ASCII without anything special, else as an
/// encoded display name with an address that nobody can answer to.
fn address(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+-=~!".contains(&byte);
    if text.bytes().all(plain) && text.contains('@') {
        format!("<{text}>")
    } else {
        format!("{} <unrepresentable@chancery.invalid>", encoded_word(text))
    }
}

/// RFC 2047 encoded words, folded.
fn encoded_word(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) && text.len() < 900 {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut piece = String::new();
    for c in text.chars() {
        if piece.len() + c.len_utf8() > 42 {
            words.push(format!("=?utf-8?B?{}?=", BASE64.encode(&piece)));
            piece.clear();
        }
        piece.push(c);
    }
    words.push(format!("=?utf-8?B?{}?=", BASE64.encode(&piece)));
    words.join("\r\n ")
}

/// RFC 5322 §3.3, in UTC.
fn mail_date(time: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.to_string();
    let number =
        |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<usize>().ok());
    let (year, clock) = (text.get(..4).unwrap_or_default(), text.get(11..19).unwrap_or_default());
    let (month, day) = (number(5, 7).unwrap_or(1), number(8, 10).unwrap_or(1));
    let weekday = usize::try_from(time.as_secs().div_euclid(86_400).rem_euclid(7)).unwrap_or(0);
    let weekday = DAYS.get(weekday).copied().unwrap_or_default();
    let month = MONTHS.get(month.saturating_sub(1)).copied().unwrap_or_default();
    format!("{weekday}, {day} {month} {year} {clock} +0000")
}
