//! Stanzas flow (RFC 6120 §8, §10): each is checked for what every stanza must be, read, and handed
//! to the house. Keeps the connection alive.

use model::Timestamp;

use super::{
    ask::{Ask, IqRequest, IqTarget},
    config::SessionConfig,
    iq, message, presence,
    stream::Stream,
};
use crate::{
    encode::{self, Reply},
    fault::{StanzaError, StreamCondition, StreamFault},
    jid::Jid,
    namespace,
    stanza::{Stanza, StanzaKind},
};

/// A session with a name.
pub(super) struct Bound {
    jid: Jid,
    /// The full address as text, which goes into each stanza.
    text: String,
    /// Pings of the server so far; the number of the last one is in its id.
    pings: u32,
    /// When the server asked whether the client is still there, if it waits to hear.
    asked: Option<Timestamp>,
}

/// What readers of stanzas know of the one who wrote them.
pub(super) struct Sender<'a> {
    /// The full address.
    pub(super) jid: &'a Jid,
    /// The same as text.
    pub(super) text: &'a str,
    /// The language of the stream.
    pub(super) lang: Option<&'a str>,
    /// Which domains are ours.
    pub(super) config: &'a SessionConfig,
}

impl Bound {
    pub(super) fn new(jid: Jid, text: String) -> Self {
        Self { jid, text, pings: 0, asked: None }
    }

    pub(super) fn jid(&self) -> &Jid {
        &self.jid
    }

    /// The client is there.
    pub(super) fn heard(&mut self) {
        self.asked = None;
    }

    pub(super) fn deadline(&self, stream: &Stream) -> Timestamp {
        match self.asked {
            Some(asked) => asked.plus_secs(stream.config.ping_timeout_secs),
            None => stream.heard.plus_secs(stream.config.idle_timeout_secs),
        }
    }

    /// Asks whether the client is still there (XEP-0199 §4.1); false if it was asked already and
    /// did not answer.
    pub(super) fn ask_for_life(&mut self, stream: &mut Stream) -> bool {
        if self.asked.is_some() {
            return false;
        }
        self.asked = Some(stream.now);
        self.pings = self.pings.wrapping_add(1);
        let (id, domain) = (self.ping_id(), stream.domain.clone());
        let reply = Reply { id: &id, from: Some(domain.as_str()), to: Some(&self.text) };
        stream.send(|out| encode::ping(out, &reply));
        true
    }

    fn ping_id(&self) -> String {
        format!("alive-{}", self.pings)
    }

    pub(super) fn element(
        &mut self,
        stream: &mut Stream,
        stanza: &Stanza,
    ) -> Result<(), StreamFault> {
        if stanza.namespace() != namespace::CLIENT {
            return Err(match stanza.name() {
                // RFC 6120 §4.9.3.10
                "message" | "presence" | "iq" => StreamCondition::InvalidNamespace.into(),
                // RFC 6120 §4.9.3.24
                _ => StreamCondition::UnsupportedStanzaType.into(),
            });
        }
        self.check_from(stanza)?;
        let sender = Sender {
            jid: &self.jid,
            text: &self.text,
            lang: stream.lang.as_deref(),
            config: &stream.config,
        };
        let condition = match stanza.kind() {
            StanzaKind::Message => match message::read(stanza, &sender) {
                Ok(message) => {
                    stream.ask(Ask::Message(message.into()));
                    return Ok(());
                }
                Err(condition) => condition,
            },
            StanzaKind::Presence => match presence::read(stanza, &sender) {
                Ok(presence) => {
                    stream.ask(Ask::Presence(presence.into()));
                    return Ok(());
                }
                Err(condition) => condition,
            },
            StanzaKind::Iq => match iq::read(stanza, &sender) {
                Ok(reading) => {
                    self.iq(stream, stanza, reading);
                    return Ok(());
                }
                Err(condition) => condition,
            },
            StanzaKind::Other => return Err(StreamCondition::UnsupportedStanzaType.into()),
        };
        self.refuse(stream, stanza, &condition.error());
        Ok(())
    }

    /// RFC 6120 §8.1.2.1: absent, the own bare address, or the own full one.
    fn check_from(&self, stanza: &Stanza) -> Result<(), StreamFault> {
        let Some(from) = stanza.from() else {
            return Ok(());
        };
        if *from == *self.text {
            return Ok(());
        }
        match Jid::parse(&from) {
            Ok(from) if from == self.jid => Ok(()),
            Ok(from) if from.is_bare() && from.address == self.jid.address => Ok(()),
            // RFC 6120 §4.9.3.9
            Ok(_) | Err(_) => Err(StreamCondition::InvalidFrom.into()),
        }
    }

    fn iq(&self, stream: &mut Stream, stanza: &Stanza, reading: iq::Reading) {
        match reading {
            iq::Reading::Ask(ask) => {
                let to_server = matches!(ask.target, IqTarget::Account | IqTarget::Server(_));
                let answered = matches!(ask.request, IqRequest::Answered { .. });
                // The answer to our own ping has done its work by coming.
                if !(to_server && answered && *ask.id == *self.ping_id()) {
                    stream.ask(Ask::Iq(ask));
                }
            }
            iq::Reading::Done => {
                let (id, to) = (stanza.id().unwrap_or_default(), stanza.to());
                let reply = Reply { id: &id, from: to.as_deref(), to: Some(&self.text) };
                stream.send(|out| encode::iq_result(out, &reply, |_| {}));
            }
            iq::Reading::Drop => {}
        }
    }

    /// Answers with an error, but never an error (RFC 6120 §8.3.1) nor an `iq` answer.
    fn refuse(&self, stream: &mut Stream, stanza: &Stanza, error: &StanzaError) {
        if matches!(stanza.type_attribute().as_deref(), Some("error" | "result")) {
            return;
        }
        let (id, to) = (stanza.id(), stanza.to());
        // An address that is none cannot be who answers.
        let from = to.as_deref().filter(|to| Jid::parse(to).is_ok());
        stream.send(|out| {
            encode::stanza_error(out, stanza.name(), id.as_deref(), from, Some(&self.text), error);
        });
    }
}
