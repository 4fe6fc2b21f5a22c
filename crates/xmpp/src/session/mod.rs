//! One connection of a client, from the first byte to the last (RFC 6120 §4 to §8, RFC 6121). Says
//! what is *legal now*; what is *allowed* is asked of the house.
//!
//! In reading order: `config` and `ask` are what goes in and out; `stream` is what all states
//! share; then one file for each stretch of the way: `opening` (a stream header is due), `plain`
//! (STARTTLS is due), `sign_in` (SASL), `binding` (a resource is due), `bound` (stanzas), with
//! `message`, `presence` and `iq` reading one kind of stanza each.
//!
//! A session is driven by three verbs and drained by a fourth. After each of [`Session::receive`],
//! [`Session::answer`], [`Session::tls_ready`] and [`Session::tick`], call [`Session::next_step`]
//! until there is none; stanzas are read one by one as steps are taken, so a session never holds
//! more than it was given. While an ask waits for its answer nothing is read, and the driver should
//! stop receiving too (see [`Session::wants_input`]).

use std::sync::Arc;

use auth::ChannelBindings;
use model::Timestamp;

mod ask;
mod binding;
mod bound;
mod config;
mod iq;
mod message;
mod opening;
mod plain;
mod presence;
mod sign_in;
mod stamp;
mod stream;

pub use ask::{
    Answer, Ask, Hints, IqAsk, IqRequest, IqTarget, LoginAnswer, MessageAsk, MessageType,
    PresenceAsk, Show, Step,
};
pub use config::{Capabilities, SessionConfig, TRIES_MAX, Transport, WAITING_BYTES_MAX};

use crate::{
    fault::{StreamCondition, StreamFault},
    frame::Frame,
    jid::Jid,
    payload::features,
};
use binding::{Binding, Unbound};
use bound::Bound;
use opening::{Opening, Phase};
use plain::{Handshake, Plain};
use sign_in::{AwaitingResponse, LookingUp, SigningIn};
use stream::Stream;

/// The server's side of one client's stream.
pub struct Session {
    stream: Stream,
    state: State,
}

/// Where a session is. Each state is a type of its own; a step eats the state before it.
enum State {
    /// A stream header is due.
    Opening(Opening),
    /// STARTTLS is due.
    Plain(Plain),
    /// The driver is doing the TLS handshake.
    Handshake(Handshake),
    /// A mechanism is due.
    SigningIn(SigningIn),
    /// The house looks the login up.
    LookingUp(Box<LookingUp>),
    /// The client's proof is due.
    AwaitingResponse(Box<AwaitingResponse>),
    /// A resource is due.
    Unbound(Unbound),
    /// The house names the session.
    Binding(Binding),
    /// Stanzas flow.
    Bound(Box<Bound>),
    /// Over. Nothing that comes is looked at.
    Ended,
}

/// What a state makes of a frame.
type Next = Result<State, StreamFault>;

impl Session {
    /// A session for a fresh connection. `stream_id` is unguessable and never used twice (RFC 6120
    /// §4.7.3).
    #[must_use]
    pub fn new(
        config: Arc<SessionConfig>,
        transport: Transport,
        stream_id: String,
        now: Timestamp,
    ) -> Self {
        let phase = match transport {
            Transport::Plain => Phase::Plain,
            Transport::Tls(bindings) => Phase::Encrypted(bindings),
        };
        let stream = Stream::new(config, stream_id, now);
        Self { stream, state: State::Opening(Opening { phase }) }
    }

    /// Takes bytes as they came from the connection.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) {
        self.stream.now = now;
        self.stream.heard = now;
        if matches!(self.state, State::Ended) || bytes.is_empty() {
            return;
        }
        // The handshake is the driver's; bytes that come this way were sent before it.
        if matches!(self.state, State::Handshake(_)) {
            return self.cut();
        }
        if !self.wants_input() && self.stream.overflows(bytes.len()) {
            let condition = StreamCondition::PolicyViolation;
            return self.fail(&condition.because("Too much was sent before an answer."));
        }
        if let State::Bound(bound) = &mut self.state {
            bound.heard();
        }
        self.stream.framer.push(bytes);
    }

    /// Takes the answer to the ask that is open. An answer to no ask is dropped.
    pub fn answer(&mut self, answer: Answer, now: Timestamp) {
        self.stream.now = now;
        let state = std::mem::replace(&mut self.state, State::Ended);
        let next = match (state, answer) {
            (State::LookingUp(looking_up), Answer::Login(login)) => {
                looking_up.answer(&mut self.stream, &login)
            }
            (State::Binding(binding), Answer::Bound { jid }) => {
                Ok(binding.bound(&mut self.stream, jid))
            }
            (State::Binding(binding), Answer::BindRefused(error)) => {
                binding.refused(&mut self.stream, &error)
            }
            (other, Answer::Login(_) | Answer::Bound { .. } | Answer::BindRefused(_)) => Ok(other),
        };
        self.enter(next);
    }

    /// The TLS handshake that [`Step::StartTls`] asked for is done. The client begins a new stream,
    /// which the server calls `stream_id`.
    pub fn tls_ready(&mut self, bindings: ChannelBindings, stream_id: String, now: Timestamp) {
        self.stream.now = now;
        self.stream.heard = now;
        if matches!(self.state, State::Handshake(_)) {
            self.stream.begin_encrypted(stream_id);
            self.state = State::Opening(Opening { phase: Phase::Encrypted(bindings) });
        }
    }

    /// Looks at the clock. To be called when [`Self::deadline`] has come.
    pub fn tick(&mut self, now: Timestamp) {
        self.stream.now = now;
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if let State::Bound(bound) = &mut self.state {
            if !bound.ask_for_life(&mut self.stream) {
                self.fail(&StreamCondition::ConnectionTimeout.into());
            }
        } else {
            let condition = StreamCondition::ConnectionTimeout;
            self.end(&condition.because("Signing in took too long."), now);
        }
    }

    /// Ends the stream from this side: a shutdown, a newer session of the same name, an account
    /// that was switched off (RFC 6120 §4.9.3.3, §4.9.3.20).
    pub fn end(&mut self, fault: &StreamFault, now: Timestamp) {
        self.stream.now = now;
        if matches!(self.state, State::Handshake(_)) {
            self.cut();
        } else if !matches!(self.state, State::Ended) {
            self.fail(fault);
        }
    }

    /// What to do next; none until something comes or the deadline passes.
    pub fn next_step(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.stream.next_step() {
                return Some(step);
            }
            if !self.wants_input() {
                return None;
            }
            match self.stream.framer.next_frame() {
                Ok(Some(frame)) => self.frame(frame),
                Ok(None) => return None,
                Err(fault) => self.fail(&fault),
            }
        }
    }

    /// Whether the session reads. If not, it waits for an answer or the handshake, or is over, and
    /// bytes should stay in the socket.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        match self.state {
            State::Opening(_)
            | State::Plain(_)
            | State::SigningIn(_)
            | State::AwaitingResponse(_)
            | State::Unbound(_)
            | State::Bound(_) => true,
            State::Handshake(_) | State::LookingUp(_) | State::Binding(_) | State::Ended => false,
        }
    }

    /// When to call [`Self::tick`], if nothing comes before; none once the session is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        if let State::Bound(bound) = &self.state {
            return Some(bound.deadline(&self.stream));
        }
        (!matches!(self.state, State::Ended)).then_some(self.stream.negotiated_by)
    }

    /// The full address of the session, once it is bound.
    #[must_use]
    pub fn jid(&self) -> Option<&Jid> {
        if let State::Bound(bound) = &self.state { Some(bound.jid()) } else { None }
    }

    fn frame(&mut self, frame: Frame) {
        let state = std::mem::replace(&mut self.state, State::Ended);
        let stream = &mut self.stream;
        let next = match (frame, state) {
            // RFC 6120 §4.4: the other side closes too.
            (Frame::Close, _) => {
                stream.end(None);
                Ok(State::Ended)
            }
            (Frame::Open(header), State::Opening(opening)) => opening.open(stream, &header),
            (Frame::Stanza(stanza), State::Plain(plain)) => plain.element(stream, &stanza),
            (Frame::Stanza(stanza), State::SigningIn(signing_in)) => {
                signing_in.element(stream, &stanza)
            }
            (Frame::Stanza(stanza), State::AwaitingResponse(awaiting)) => {
                awaiting.element(stream, &stanza)
            }
            (Frame::Stanza(stanza), State::Unbound(unbound)) => unbound.element(stream, &stanza),
            (Frame::Stanza(stanza), State::Bound(mut bound)) => {
                bound.element(stream, &stanza).map(|()| State::Bound(bound))
            }
            // The framer says nothing of the kind; if it did, the stream could not be trusted.
            (Frame::Open(_) | Frame::Stanza(_), _) => Err(StreamCondition::BadFormat.into()),
        };
        self.enter(next);
    }

    fn enter(&mut self, next: Next) {
        match next {
            Ok(state) => self.state = state,
            Err(fault) => self.fail(&fault),
        }
    }

    /// A stream error ends everything (RFC 6120 §4.9.1.1).
    fn fail(&mut self, fault: &StreamFault) {
        self.stream.end(Some(fault));
        self.state = State::Ended;
    }

    fn cut(&mut self) {
        self.stream.cut();
        self.state = State::Ended;
    }
}
