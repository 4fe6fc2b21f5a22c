//! What all states of a session share: the bytes that come, the steps that go, the header of the
//! stream, and the clock. Decides nothing about legality.

use std::{collections::VecDeque, mem, sync::Arc};

use model::{Address, Timestamp};

use super::{
    ask::{Ask, Step},
    config::{SessionConfig, WAITING_BYTES_MAX},
};
use crate::{
    encode,
    fault::{StreamCondition, StreamFault},
    frame::{Framer, StreamHeader},
    jid::Jid,
    limits::Limits,
    namespace,
};

/// The shared part of a session.
pub(super) struct Stream {
    pub(super) config: Arc<SessionConfig>,
    pub(super) framer: Framer,
    /// The latest time that anybody told.
    pub(super) now: Timestamp,
    /// When the session ends if it is not bound by then.
    pub(super) negotiated_by: Timestamp,
    /// When the client was last heard.
    pub(super) heard: Timestamp,
    /// The domain that the client asked for, or the first one.
    pub(super) domain: Address,
    /// The name of the current stream or of the one to come.
    pub(super) id: String,
    /// The language of the client's stream, for stanzas that name none.
    pub(super) lang: Option<Box<str>>,
    /// Whether the header of the current stream is out.
    header_sent: bool,
    steps: VecDeque<Step>,
}

impl Stream {
    pub(super) fn new(config: Arc<SessionConfig>, id: String, now: Timestamp) -> Self {
        Self {
            framer: Framer::new(Limits::BEFORE_LOGIN),
            now,
            negotiated_by: now.plus_secs(config.negotiation_timeout_secs),
            heard: now,
            domain: config.domain.clone(),
            id,
            lang: None,
            header_sent: false,
            steps: VecDeque::new(),
            config,
        }
    }

    pub(super) fn next_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Bytes for the client; what is sent in a row is one step.
    pub(super) fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Step::Send(bytes)) = self.steps.back_mut() {
            write(bytes);
            return;
        }
        let mut bytes = Vec::new();
        write(&mut bytes);
        self.steps.push_back(Step::Send(bytes));
    }

    pub(super) fn ask(&mut self, ask: Ask) {
        self.steps.push_back(Step::Ask(ask));
    }

    pub(super) fn start_tls(&mut self) {
        self.steps.push_back(Step::StartTls);
    }

    /// Answers the client's header with ours (RFC 6120 §4.7).
    pub(super) fn send_header(&mut self, to: Option<&Jid>) {
        self.header_sent = true;
        let (domain, id) = (self.domain.clone(), mem::take(&mut self.id));
        self.send(|out| {
            out.extend_from_slice(b"<?xml version='1.0'?><stream:stream");
            encode::attribute(out, "xmlns", namespace::CLIENT);
            encode::attribute(out, "xmlns:stream", namespace::STREAMS);
            encode::attribute(out, "id", &id);
            encode::attribute(out, "from", domain.as_str());
            encode::attribute_if(out, "to", to.map(Jid::to_string).as_deref());
            encode::attribute(out, "version", "1.0");
            encode::attribute(out, "xml:lang", "en");
            out.push(b'>');
        });
    }

    /// Checks the client's header, answers it, and says what is wrong with it afterwards, since an
    /// error stands inside a stream (RFC 6120 §4.9.1.2).
    pub(super) fn open(&mut self, header: &StreamHeader) -> Result<(), StreamFault> {
        let known = header
            .to
            .as_deref()
            .map(|to| Address::parse(to).ok().filter(|domain| self.config.serves(domain.as_str())));
        self.lang = header.lang.clone().filter(|lang| !lang.is_empty());
        let asker = header.from.as_deref().map(Jid::parse);
        if let Some(Some(domain)) = &known {
            self.domain = domain.clone();
        }
        // RFC 6120 §4.7.2: "to" answers "from".
        self.send_header(asker.as_ref().and_then(|asker| asker.as_ref().ok()));
        if header.content.is_some_and(|content| content.name() != namespace::CLIENT) {
            // RFC 6120 §4.9.3.10
            return Err(StreamCondition::InvalidNamespace.because("This is for clients."));
        }
        match (known, asker) {
            // RFC 6120 §4.9.3.6
            (Some(None), _) => Err(StreamCondition::HostUnknown.into()),
            // RFC 6120 §4.7.2: a client's stream says whom it is for.
            (None, _) => Err(StreamCondition::HostUnknown.because("The stream names no host.")),
            // RFC 6120 §4.9.3.9
            (Some(Some(_)), Some(Err(_))) => Err(StreamCondition::InvalidFrom.into()),
            (Some(Some(_)), Some(Ok(_)) | None) => Ok(()),
        }
    }

    /// The client begins a new stream on the same connection, called `id`. Limits are as before.
    pub(super) fn restart(&mut self, id: String) {
        self.framer.restart();
        self.begin(id);
    }

    /// The client begins anew under TLS; nothing it sent before counts (RFC 6120 §5.4.3.3).
    pub(super) fn begin_encrypted(&mut self, id: String) {
        self.framer = Framer::new(Limits::BEFORE_LOGIN);
        self.begin(id);
    }

    fn begin(&mut self, id: String) {
        self.id = id;
        self.header_sent = false;
    }

    /// Whether more is kept unread than a waiting session may keep.
    pub(super) fn overflows(&self, more: usize) -> bool {
        self.framer.pending_bytes().saturating_add(more) > WAITING_BYTES_MAX
    }

    /// Ends the stream, with an error if there is one (RFC 6120 §4.4, §4.9.1.1).
    pub(super) fn end(&mut self, fault: Option<&StreamFault>) {
        if !self.header_sent {
            self.send_header(None);
        }
        self.send(|out| {
            if let Some(fault) = fault {
                fault.write(out);
            }
            encode::close(out, "stream:stream");
        });
        self.cut();
    }

    /// Says a last word and ends the stream.
    pub(super) fn end_after(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.send(write);
        self.end(None);
    }

    /// Ends without a word, where no word can be sent.
    pub(super) fn cut(&mut self) {
        self.ask(Ask::Ended);
        self.steps.push_back(Step::Close);
    }
}
