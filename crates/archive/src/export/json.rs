//! Records as JSON, one object a line. Names of members are those of the record's fields.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use model::Timestamp;
use serde_json::{Map, Value, json};

use super::{ExportFault, Output, Sink, hex};
use crate::{
    custodian::{Found, Opened},
    record::{MessageRecord, NoteRecord, Plain},
};

pub(super) struct Lines {
    output: Output,
}

impl Lines {
    pub(super) fn new(out: &Path) -> Result<Self, ExportFault> {
        Ok(Self { output: Output::create(out, Path::new("records.jsonl"))? })
    }
}

impl Sink for Lines {
    fn take(&mut self, found: &Found) -> Result<(), ExportFault> {
        self.output.write(format!("{}\n", found.to_json()).as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportFault> {
        self.output.finish().map(|path| vec![path])
    }
}

impl Found {
    /// The record as one JSON object, as it stands in an export.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = match &self.content {
            Opened::Plain(Plain::Message(message)) => message_object(message),
            Opened::Plain(Plain::Note(note)) => note_object(note),
            Opened::Opening(opening) => {
                let custodians: Vec<String> =
                    opening.capsules.iter().map(|capsule| capsule.key.to_string()).collect();
                let mut object = Map::new();
                object.insert("opened".into(), json!(opening.opened.to_string()));
                object.insert("custodians".into(), json!(custodians));
                object
            }
            Opened::Destroyed => Map::from_iter([("destroyed".to_owned(), json!(true))]),
            Opened::Unreadable(fault) => {
                Map::from_iter([("unreadable".to_owned(), json!(fault.to_string()))])
            }
        };
        object.insert("leaf".into(), json!(self.leaf));
        object.insert("leaf_hash".into(), json!(hex(&self.hash)));
        object.insert("record".into(), json!(self.entry.kind.name()));
        object.insert("segment".into(), json!(self.entry.segment.to_string()));
        object.insert("place".into(), json!(self.entry.index));
        Value::Object(object)
    }
}

fn time(micros: i64) -> String {
    Timestamp::from_micros(micros).to_string()
}

fn message_object(message: &MessageRecord) -> Map<String, Value> {
    let recipients: Vec<Value> = message
        .recipients
        .iter()
        .map(|recipient| {
            json!({
                "address": recipient.address,
                "session": recipient.session,
                "as_given": recipient.as_given,
                "verdict": recipient.verdict,
            })
        })
        .collect();
    let rules: Vec<Value> = message
        .rules
        .iter()
        .map(|rule| json!({"name": rule.name, "action": rule.action}))
        .collect();
    let value = json!({
        "id": message.id.map(|id| id.to_string()),
        "conversation": message.conversation,
        "sequence": message.sequence,
        "previous": hex(&message.previous),
        "type": message.kind,
        "format": message.format,
        "octets": BASE64.encode(&message.octets),
        "text": message.text,
        "sender": message.sender,
        "session": message.session,
        "recipients": recipients,
        "accepted": time(message.accepted),
        "sealed": time(message.sealed),
        "clock": message.clock,
        "members": message.members,
        "member_hash": hex(&message.member_hash),
        "origin": message.origin,
        "network": message.network,
        "class": message.class,
        "policy_version": message.policy_version,
        "rules": rules,
        "disposition": message.disposition,
        "refers_to": message.refers_to,
        "client_id": message.client_id,
        "handling": message.handling,
    });
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn note_object(note: &NoteRecord) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("id".into(), json!(note.id.map(|id| id.to_string())));
    object.insert("type".into(), json!(note.name));
    object.insert("sealed".into(), json!(time(note.sealed)));
    object.insert("clock".into(), json!(note.clock));
    let details: Map<String, Value> =
        note.details.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    object.insert("details".into(), Value::Object(details));
    if let Some(attempt) = &note.attempt {
        object.insert("attempt".into(), Value::Object(message_object(attempt)));
    }
    object
}
