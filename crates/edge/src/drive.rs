//! One connection: bytes to the session, the session's steps to the house, the house's notices to
//! the peer. A loop and a match; what is legal is the session's, what is allowed is the hub's.

use std::{
    future::{Future, poll_fn},
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use hub::{EndReason, Hub, Notice, SESSION_UNSETTLED_MAX, Session as HubSession, clock};
use model::MessageId;
use tokio::{net::TcpStream, time::sleep};
use xmpp::session::{Answer, Ask, LoginAnswer, Session, Step, Transport};

use crate::{
    listen::{House, Opening, Stranger},
    socket::Socket,
    xmpp as chat,
};

/// Bytes that are gathered before they are written, so that notices do not wait for each other.
const OUT_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an output buffer that an idle connection keeps.
const OUT_BYTES_IDLE: usize = 1_024;

/// One connection and all that belongs to it.
pub(crate) struct Connection {
    pub(crate) house: Arc<House>,
    pub(crate) protocol: Session,
    /// The session in the hub, once it is bound.
    pub(crate) bound: Option<Arc<HubSession>>,
    /// The directory's version that the last proof is checked with; 0 is too old for any account.
    proved_in: u64,
    /// What goes out next.
    pub(crate) out: Vec<u8>,
    source: IpAddr,
    stranger: Option<Stranger>,
    /// Messages that are in `out` and count as delivered when they are written.
    unwritten: Vec<MessageId>,
    notices: Vec<Notice>,
    closing: bool,
}

/// What a connection was woken by.
enum Event {
    /// Bytes, a notice, or the time.
    Go,
    /// The peer is gone.
    Gone,
}

/// Serves a connection until it ends.
pub(crate) async fn serve(
    stream: TcpStream,
    source: SocketAddr,
    opening: Opening,
    house: Arc<House>,
    stranger: Stranger,
) {
    let mut socket = Socket::Plain(stream);
    let mut transport = Transport::Plain;
    if opening == Opening::Direct {
        match socket.secure(&house.tls).await {
            Ok((secured, bindings)) => {
                socket = secured;
                transport = Transport::Tls(bindings);
            }
            Err(fault) => {
                tracing::debug!(%source, %fault, "no TLS came about");
                return;
            }
        }
    }
    let config = Arc::clone(&house.sessions);
    let protocol = Session::new(config, transport, stream_id(&house), clock::now());
    let mut connection = Connection {
        house,
        protocol,
        bound: None,
        proved_in: 0,
        out: Vec::new(),
        source: source.ip(),
        stranger: Some(stranger),
        unwritten: Vec::new(),
        notices: Vec::new(),
        closing: false,
    };
    let ended = connection.run(&mut socket).await;
    if let Err(fault) = ended {
        tracing::debug!(%source, %fault, "a connection has ended");
    }
    connection.leave();
    socket.close().await;
}

impl Connection {
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.house.hub
    }

    async fn run(&mut self, socket: &mut Socket) -> io::Result<()> {
        loop {
            self.take_steps(socket).await?;
            let ended = self.take_notices();
            self.write(socket).await?;
            if let Some(reason) = ended.filter(|_| !self.closing) {
                self.protocol.end(&chat::end_fault(reason), clock::now());
                self.take_steps(socket).await?;
                self.write(socket).await?;
            }
            if self.closing {
                return Ok(());
            }
            if self.pull().await {
                continue;
            }
            if let Event::Gone = self.wait(socket).await? {
                return Ok(());
            }
        }
    }

    /// Does what the session says until it says nothing more.
    async fn take_steps(&mut self, socket: &mut Socket) -> io::Result<()> {
        while let Some(step) = self.protocol.next_step() {
            match step {
                Step::Send(bytes) => self.out.extend_from_slice(&bytes),
                Step::StartTls => {
                    self.write(socket).await?;
                    self.start_tls(socket).await?;
                }
                Step::Ask(ask) => self.ask(ask).await,
                Step::Close => self.closing = true,
            }
            if self.out.len() > OUT_BYTES_MAX {
                self.write(socket).await?;
            }
        }
        Ok(())
    }

    async fn start_tls(&mut self, socket: &mut Socket) -> io::Result<()> {
        let plain = std::mem::replace(socket, Socket::Closed);
        let (secured, bindings) = plain.secure(&self.house.tls).await?;
        *socket = secured;
        self.protocol.tls_ready(bindings, stream_id(&self.house), clock::now());
        Ok(())
    }

    async fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Login { login, .. } => self.login(&login),
            Ask::Authenticated { address, .. } => {
                tracing::debug!(%address, source = %self.source, "signed in");
            }
            Ask::AuthFailed { login } => {
                self.hub().sign_in_failed(&login, self.source);
                tracing::info!(source = %self.source, "a sign-in failed");
            }
            Ask::Bind { address, resource } => self.bind(&address, resource).await,
            Ask::Message(message) => self.message(*message).await,
            Ask::Presence(presence) => self.presence(*presence).await,
            Ask::Iq(iq) => self.iq(*iq).await,
            Ask::Ended => {
                // What was said before the end is on the disk before the end is answered.
                if let Some(session) = &self.bound {
                    session.settled().await;
                }
            }
        }
    }

    fn login(&mut self, login: &str) {
        let caller = self.hub().caller(login, self.source);
        self.proved_in = caller.version;
        let mut nonce = [0; auth::NONCE_BYTES];
        (self.house.random)(&mut nonce);
        let answer = LoginAnswer {
            account: caller.account,
            allowed: caller.enabled,
            throttled: caller.throttled,
            nonce,
            stream_id: stream_id(&self.house),
        };
        self.protocol.answer(Answer::Login(answer), clock::now());
    }

    async fn bind(&mut self, address: &model::Address, resource: Option<model::Resource>) {
        let resource = resource.or_else(|| model::Resource::parse(&stream_id(&self.house)).ok());
        let Some(resource) = resource else { return };
        let answer = match self.hub().bind(address, resource, self.proved_in).await {
            Ok(session) => {
                let jid = xmpp::jid::Jid::full(address.clone(), session.resource.clone());
                self.bound = Some(session);
                self.stranger = None;
                Answer::Bound { jid }
            }
            Err(denied) => Answer::BindRefused(chat::denied_error(&denied)),
        };
        self.protocol.answer(answer, clock::now());
    }

    /// Writes down what the hub has for the session. Says if and why the session has ended.
    fn take_notices(&mut self) -> Option<EndReason> {
        let session = Arc::clone(self.bound.as_ref()?);
        let mut notices = std::mem::take(&mut self.notices);
        let ended = session.take(&mut notices);
        for notice in notices.drain(..) {
            self.unwritten.extend(notice.message_id());
            self.notice(&session, &notice);
        }
        if notices.capacity() <= 64 {
            self.notices = notices;
        }
        ended
    }

    async fn write(&mut self, socket: &mut Socket) -> io::Result<()> {
        if !self.out.is_empty() {
            socket.send(&self.out, self.house.settings.write_secs_max).await?;
            self.out.clear();
            if self.out.capacity() > OUT_BYTES_IDLE {
                self.out = Vec::new();
            }
        }
        if let Some(session) = &self.bound
            && !self.unwritten.is_empty()
        {
            self.house.hub.written(session, &self.unwritten);
            self.unwritten.clear();
        }
        Ok(())
    }

    /// Fetches what waited, if the session is to have it. True if there is something to write now.
    async fn pull(&mut self) -> bool {
        let Some(session) = self.bound.as_ref().filter(|session| session.is_pulling()) else {
            return false;
        };
        let session = Arc::clone(session);
        self.hub().pull(&session).await;
        true
    }

    /// Waits for bytes, a notice or the deadline.
    async fn wait(&mut self, socket: &mut Socket) -> io::Result<Event> {
        let now = clock::now();
        let micros = self.protocol.deadline().map_or(i64::MAX, |at| at.micros_since(now));
        let mut timer = pin!(sleep(Duration::from_micros(u64::try_from(micros).unwrap_or(0))));
        let (protocol, bound) = (&mut self.protocol, &self.bound);
        poll_fn(|context| {
            let mut woken = false;
            if let Some(session) = bound {
                woken = session.poll_ready(context.waker()).is_ready();
            }
            let settled =
                bound.as_ref().is_none_or(|session| session.unsettled() < SESSION_UNSETTLED_MAX);
            if settled && protocol.wants_input() {
                let received =
                    socket.poll_receive(context, |bytes| protocol.receive(bytes, clock::now()));
                match received {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Ok(Event::Gone)),
                    Poll::Ready(Ok(_)) => woken = true,
                    Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                    Poll::Pending => {}
                }
            }
            // Also if there is input: a peer that never pauses cannot put its deadline off.
            if timer.as_mut().poll(context).is_ready() {
                protocol.tick(clock::now());
                woken = true;
            }
            if woken { Poll::Ready(Ok(Event::Go)) } else { Poll::Pending }
        })
        .await
    }

    /// The end, however it came.
    fn leave(&mut self) {
        if let Some(session) = self.bound.take() {
            self.hub().unbind(&session, &self.unwritten, clock::now());
        }
    }
}

impl Drop for Connection {
    /// A task that is broken off takes its session along; it would be shown as here for ever.
    fn drop(&mut self) {
        self.leave();
    }
}

/// An unguessable name for a stream (RFC 6120 §4.7.3).
fn stream_id(house: &House) -> String {
    let mut random = [0_u8; 16];
    (house.random)(&mut random);
    format!("{:032x}", u128::from_le_bytes(random))
}
