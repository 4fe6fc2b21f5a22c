//! The floor: takes bytes from one TLS connection and puts them into others, and nothing else. What it
//! costs is what TLS, the kernel and waking up cost; a server that does anything is above it.
//!
//! The first line of a connection is `name peer peer …`: its own name, and whom its bytes go to.

use crate::Outcome;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::version::TLS13;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Bytes read at once, on the stack: one TLS record (RFC 8446 §5.1).
const READ_BYTES: usize = 16 * 1024;

/// Bytes that wait for a connection; the clients' windows keep far below it.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a first line: one sender may name a hundred watchers.
const LINE_BYTES_MAX: u64 = 8 * 1024;

/// Where others leave bytes for a connection.
#[derive(Default)]
struct Inbox {
    inner: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    waker: Option<Waker>,
}

type Inboxes = Arc<Mutex<HashMap<String, Arc<Inbox>>>>;

/// Serves until it is ended. Words: port, certificate, key.
pub(crate) async fn serve(words: &[String]) -> Outcome<()> {
    let [port, certificate, key] = words else {
        return Err("floor needs a port, a certificate and a key".to_owned());
    };
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port"))?;
    let acceptor = acceptor(Path::new(certificate), Path::new(key))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener =
        TcpListener::bind(address).await.map_err(|why| format!("cannot listen: {why}"))?;
    let inboxes = Inboxes::default();
    loop {
        let accepted = listener.accept().await;
        let (stream, _) = accepted.map_err(|why| format!("cannot accept: {why}"))?;
        tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&inboxes)));
    }
}

/// The same choices as the product's: its provider, one ticket, no client certificates.
fn acceptor(certificate: &Path, key: &Path) -> Outcome<TlsAcceptor> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|why| format!("{}: {why}", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|why| why.to_string())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|why| why.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|why| why.to_string())?;
    config.send_tls13_tickets = 1;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, inboxes: Inboxes) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let mut stream = Box::new(stream);
    let Ok((name, inbox, peers)) = introduce(&mut stream, &inboxes).await else { return };
    // The other side may go at any time; that is how every connection here ends.
    let _gone = forward(&mut stream, &inbox, &peers).await;
    forget(&inboxes, &name, &inbox);
    let _gone = stream.shutdown().await;
}

/// Takes a name away, unless a later connection has it now.
fn forget(inboxes: &Inboxes, name: &str, inbox: &Arc<Inbox>) {
    let mut known = lock(inboxes);
    if known.get(name).is_some_and(|current| Arc::ptr_eq(current, inbox)) {
        known.remove(name);
    }
}

type Introduced = (String, Arc<Inbox>, Vec<Arc<Inbox>>);

async fn introduce(stream: &mut TlsStream<TcpStream>, inboxes: &Inboxes) -> io::Result<Introduced> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        line.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&line).into_owned();
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default().to_owned();
    let inbox = Arc::new(Inbox::default());
    let peers = {
        let mut known = lock(inboxes);
        known.insert(name.clone(), Arc::clone(&inbox));
        words.filter_map(|peer| known.get(peer).cloned()).collect()
    };
    stream.write_all(b"ok\n").await?;
    stream.flush().await?;
    Ok((name, inbox, peers))
}

/// Reads for others and writes from others until one side ends. Nothing is kept while it waits.
async fn forward(
    stream: &mut TlsStream<TcpStream>,
    inbox: &Inbox,
    peers: &[Arc<Inbox>],
) -> io::Result<()> {
    loop {
        let mut out = Vec::new();
        let go_on = poll_fn(|context| {
            out = inbox.take(context.waker());
            let mut space = [MaybeUninit::uninit(); READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Err(fault)) => Poll::Ready(Err(fault)),
                Poll::Ready(Ok(())) => {
                    let fits = peers.iter().all(|peer| peer.leave(buffer.filled()));
                    Poll::Ready(Ok(fits && !buffer.filled().is_empty()))
                }
                Poll::Pending if out.is_empty() => Poll::Pending,
                Poll::Pending => Poll::Ready(Ok(true)),
            }
        })
        .await?;
        if !out.is_empty() {
            stream.write_all(&out).await?;
            stream.flush().await?;
        }
        if !go_on {
            return Ok(());
        }
    }
}

impl Inbox {
    /// What waits; if nothing does, the waker is called when something comes.
    fn take(&self, waker: &Waker) -> Vec<u8> {
        let mut inner = lock(&self.inner);
        let bytes = std::mem::take(&mut inner.bytes);
        if !inner.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            inner.waker = Some(waker.clone());
        }
        bytes
    }

    fn leave(&self, bytes: &[u8]) -> bool {
        let mut inner = lock(&self.inner);
        inner.bytes.extend_from_slice(bytes);
        if let Some(waker) = &inner.waker {
            waker.wake_by_ref();
        }
        inner.bytes.len() <= WAITING_BYTES_MAX
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
