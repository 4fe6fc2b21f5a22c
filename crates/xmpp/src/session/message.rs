//! Reads a message (RFC 6121 §5) just far enough for whoever judges, keeps and delivers it. Knows
//! nothing of its recipients.

use model::{ContentKind, PrivacyClass};

use super::{
    ask::{Hints, MessageAsk, MessageType},
    bound::Sender,
    stamp,
};
use crate::{
    fault::StanzaCondition,
    jid::Jid,
    payload::{bad_request, jid_malformed, ns},
    stanza::{ElementRef, Stanza},
};

/// Retractions before XEP-0424 0.4 were fastened to their message (XEP-0422).
const FASTENING: &str = "urn:xmpp:fasten:0";
const RETRACTION_FASTENED: &str = "urn:xmpp:message-retract:0";

/// Reads a message, or says what its sender did wrong.
pub(super) fn read(stanza: &Stanza, sender: &Sender<'_>) -> Result<MessageAsk, StanzaCondition> {
    let as_given = stanza.to().map(|to| Box::from(&*to)).unwrap_or_default();
    let to = match stanza.to() {
        Some(to) => Some(Jid::parse(&to).map_err(|_| jid_malformed())?),
        None => None,
    };
    let kind = MessageType::from_attribute(stanza.type_attribute().as_deref());
    let payload = Payload::read(stanza)?;
    let (content, refers_to) = payload.meaning(kind);
    let text = stamp::readable_text(stanza);
    let silent = kind != MessageType::Error && text.is_empty();
    let only_chat_state = silent && payload.only_chat_state();
    // RFC 6121 §8.1.1.1: no address means the own account.
    let own = Jid::bare(sender.jid.address.clone());
    let address = to.as_ref().unwrap_or(&own);
    Ok(MessageAsk {
        kind,
        id: stamp::owned(stanza.id()),
        text,
        content,
        refers_to,
        only_chat_state,
        hints: payload.hints,
        private_copy: payload.private_copy,
        class: payload.class,
        octets: stamp::canonical(stanza, sender.text, Some(address), sender.lang, sender.config),
        to,
        as_given,
    })
}

/// What the direct children say.
#[derive(Default)]
struct Payload {
    words: bool,
    retracts: Option<Box<str>>,
    edits: Option<Box<str>>,
    reacts_to: Option<Box<str>>,
    confirms: Option<Box<str>>,
    chat_states: usize,
    /// Children that are neither chat states nor mere company of theirs.
    others: usize,
    hints: Hints,
    private_copy: bool,
    class: Option<PrivacyClass>,
}

impl Payload {
    fn read(stanza: &Stanza) -> Result<Self, StanzaCondition> {
        let mut payload = Self::default();
        let own = stanza.namespace();
        for child in stanza.children() {
            let namespace = child.namespace();
            if namespace == own {
                payload.own(child);
                continue;
            }
            match (&*namespace, child.name()) {
                (ns::CHAT_STATES, _) => payload.chat_states += 1,
                (ns::HINTS, name) => payload.hint(name),
                (ns::CARBONS, "private") => payload.private_copy = true,
                // XEP-0359 §3.1: the client's own id says nothing by itself.
                (ns::STANZA_ID, _) => {}
                (ns::CLASS, "class") => payload.class(child)?,
                _ => payload.extension(&namespace, child),
            }
        }
        Ok(payload)
    }

    fn own(&mut self, child: ElementRef<'_>) {
        match child.name() {
            "thread" => {}
            "body" | "subject" => {
                self.others += 1;
                self.words |= !child.inner().trim().is_empty();
            }
            _ => self.others += 1,
        }
    }

    fn hint(&mut self, name: &str) {
        match name {
            "no-store" => self.hints.no_store = true,
            "no-permanent-store" => self.hints.no_permanent_store = true,
            "no-copy" => self.hints.no_copy = true,
            "store" => self.hints.store = true,
            // XEP-0334 §4 knows four.
            _ => {}
        }
    }

    /// A class that cannot be understood must not be taken for none: the sender meant to protect.
    fn class(&mut self, child: ElementRef<'_>) -> Result<(), StanzaCondition> {
        let class = PrivacyClass::from_name(child.text().trim()).ok_or_else(bad_request)?;
        match self.class.replace(class) {
            None => Ok(()),
            Some(_) => Err(bad_request()),
        }
    }

    fn extension(&mut self, namespace: &str, child: ElementRef<'_>) {
        self.others += 1;
        let id = || stamp::owned(child.attribute("id")).unwrap_or_default();
        let into = match (namespace, child.name()) {
            (ns::RETRACTION, "retract") => &mut self.retracts,
            (FASTENING, "apply-to")
                if child.to_element().get(RETRACTION_FASTENED, "retract").is_some() =>
            {
                &mut self.retracts
            }
            (ns::CORRECTION, "replace") => &mut self.edits,
            (ns::REACTIONS, "reactions") => &mut self.reacts_to,
            (ns::RECEIPTS, "received")
            | (ns::MARKERS, "received" | "displayed" | "acknowledged") => &mut self.confirms,
            _ => return,
        };
        *into = Some(id());
    }

    /// What the message does, and to which other one. A message with words that also confirms an
    /// earlier one is a message.
    fn meaning(&self, kind: MessageType) -> (ContentKind, Option<Box<str>>) {
        let (content, refers_to) = if kind == MessageType::Error {
            (ContentKind::Bounce, &None)
        } else if self.retracts.is_some() {
            (ContentKind::Retraction, &self.retracts)
        } else if self.edits.is_some() {
            (ContentKind::Edit, &self.edits)
        } else if self.reacts_to.is_some() {
            (ContentKind::Reaction, &self.reacts_to)
        } else if self.words {
            (ContentKind::Message, &None)
        } else if self.confirms.is_some() {
            (ContentKind::Receipt, &self.confirms)
        } else {
            (ContentKind::Event, &None)
        };
        (content, refers_to.clone().filter(|id| !id.is_empty()))
    }

    fn only_chat_state(&self) -> bool {
        self.chat_states > 0 && self.others == 0
    }
}
