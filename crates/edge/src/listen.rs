//! Listeners: accept, count, hand over to a driver. A connection that has not signed in costs
//! little and does not stay.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hub::Hub;
use model::Timestamp;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use xmpp::session::SessionConfig;

use crate::{drive, tls::Tls};

/// Connections that have not signed in, from all sources.
pub const STRANGERS_MAX: usize = 16_384;

/// Connections that have not signed in, from one source address.
pub const STRANGERS_PER_SOURCE_MAX: usize = 4_096;

/// A peer that is silent this long is asked by TCP whether it is still there.
pub const KEEPALIVE_IDLE_SECS: u64 = 60;

/// Time between two such questions; after [`KEEPALIVE_RETRIES`] the connection is gone.
pub const KEEPALIVE_INTERVAL_SECS: u64 = 15;

/// Questions without an answer before a connection is given up.
pub const KEEPALIVE_RETRIES: u32 = 4;

/// What every driver of the house shares.
pub struct House {
    /// The one door and all behind it.
    pub hub: Arc<Hub>,
    /// The certificate.
    pub tls: Tls,
    /// Fills a buffer with randomness.
    pub random: fn(&mut [u8]),
    /// True when the house closes.
    pub closing: watch::Receiver<bool>,
    /// What every chat session is told before it begins.
    pub sessions: Arc<SessionConfig>,
    /// Values of the configuration that drivers need.
    pub settings: Settings,
    /// Who has not signed in yet.
    pub strangers: Strangers,
    /// When the server started.
    pub started: Timestamp,
    /// The product's version, as others may see it.
    pub version: &'static str,
}

/// What the configuration may change of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Bytes of one stanza that a signed-in client may send.
    pub stanza_bytes_max: usize,
    /// Seconds from the first byte to a bound session.
    pub sign_in_secs_max: u32,
    /// Seconds that a peer may take to read what it was sent.
    pub write_secs_max: u32,
}

/// How a listener begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// In the clear until STARTTLS (RFC 6120 §5).
    StartTls,
    /// With TLS from the first byte (XEP-0368).
    Direct,
}

/// Why a port cannot be listened on.
#[derive(Debug)]
pub struct ListenFault {
    address: SocketAddr,
    why: io::Error,
}

/// Counts connections that have not signed in.
#[derive(Default)]
pub struct Strangers {
    all: AtomicUsize,
    by_source: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection in the count; leaves it when dropped or when it signs in.
pub(crate) struct Stranger {
    house: Arc<House>,
    source: IpAddr,
}

/// Opens a port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenFault> {
    TcpListener::bind(address).await.map_err(|why| ListenFault { address, why })
}

/// Accepts until the house closes.
pub async fn listen(listener: TcpListener, opening: Opening, house: Arc<House>) {
    let mut closing = house.closing.clone();
    loop {
        let accepted = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, source)) => welcome(stream, source, opening, &house),
            Err(fault) => {
                // Out of descriptors, most likely: those that end make room.
                tracing::warn!(%fault, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn welcome(stream: TcpStream, source: SocketAddr, opening: Opening, house: &Arc<House>) {
    let Some(stranger) = Stranger::count(house, source.ip()) else {
        tracing::debug!(%source, "too many connections that have not signed in");
        return;
    };
    if let Err(fault) = prepare(&stream) {
        tracing::debug!(%source, %fault, "cannot set up a connection");
        return;
    }
    tokio::spawn(drive::serve(stream, source, opening, Arc::clone(house), stranger));
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(KEEPALIVE_IDLE_SECS))
        .with_interval(Duration::from_secs(KEEPALIVE_INTERVAL_SECS))
        .with_retries(KEEPALIVE_RETRIES);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

impl Stranger {
    fn count(house: &Arc<House>, source: IpAddr) -> Option<Self> {
        let strangers = &house.strangers;
        if strangers.all.fetch_add(1, Ordering::Relaxed) >= STRANGERS_MAX {
            strangers.all.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let mut by_source = strangers.by_source.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_source.entry(source).or_default();
        *count += 1;
        let fits = *count <= STRANGERS_PER_SOURCE_MAX;
        drop(by_source);
        let stranger = Self { house: Arc::clone(house), source };
        fits.then_some(stranger)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let strangers = &self.house.strangers;
        strangers.all.fetch_sub(1, Ordering::Relaxed);
        let mut by_source = strangers.by_source.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                by_source.remove(&self.source);
            }
        }
    }
}

impl fmt::Display for ListenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        if self.why.kind() == io::ErrorKind::AddrInUse {
            return write!(
                f,
                "cannot listen on {address}: another program uses this port; stop it, or give \
                 another port in the configuration"
            );
        }
        write!(f, "cannot listen on {address}: {}", self.why)
    }
}

impl std::error::Error for ListenFault {}
