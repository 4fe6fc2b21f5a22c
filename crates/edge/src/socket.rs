//! A connection's bytes, in the clear or inside TLS, with nothing kept while it is idle.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use auth::ChannelBindings;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use crate::tls::Tls;

/// Bytes read from a socket at once, on the stack: one TLS record (RFC 8446 §5.1).
const READ_BYTES: usize = 16 * 1024;

/// Seconds that a TLS handshake may take.
pub const HANDSHAKE_SECS_MAX: u64 = 15;

/// Time that a peer has to take note of a goodbye.
pub(crate) const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);

/// Bytes that a peer may still have on the way when it is told goodbye.
pub(crate) const CLOSE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A connection.
pub(crate) enum Socket {
    /// Not yet encrypted; only the negotiation of STARTTLS passes here.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<TlsStream<TcpStream>>),
    /// Gone, or between the two.
    Closed,
}

impl Socket {
    /// Does the server's side of the handshake.
    pub(crate) async fn secure(self, tls: &Tls) -> io::Result<(Self, ChannelBindings)> {
        let Self::Plain(stream) = self else {
            return Err(io::Error::other("TLS within TLS"));
        };
        let handshake = tls.acceptor().accept(stream);
        let stream =
            timeout(Duration::from_secs(HANDSHAKE_SECS_MAX), handshake).await.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, "TLS handshake took too long")
            })??;
        let bindings = tls.bindings(stream.get_ref().1);
        Ok((Self::Tls(Box::new(stream)), bindings))
    }

    /// Gives what has arrived to `sink`. Ready with the number of bytes; none at the end.
    pub(crate) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        sink: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        let read = match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, &mut buffer),
            Self::Closed => Poll::Ready(Ok(())),
        };
        match read {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(fault)) => Poll::Ready(Err(fault)),
            Poll::Ready(Ok(())) => {
                sink(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            }
        }
    }

    /// Writes everything, or gives up when the peer has not read for so long.
    pub(crate) async fn send(&mut self, bytes: &[u8], secs_max: u32) -> io::Result<()> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            let write = async {
                match self {
                    Self::Plain(stream) => stream.write(rest).await,
                    Self::Tls(stream) => stream.write(rest).await,
                    Self::Closed => Err(io::ErrorKind::NotConnected.into()),
                }
            };
            written += timeout(Duration::from_secs(secs_max.into()), write)
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the peer does not read"))??;
        }
        match self {
            Self::Plain(_) | Self::Closed => Ok(()),
            Self::Tls(stream) => timeout(Duration::from_secs(secs_max.into()), stream.flush())
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the peer does not read"))?,
        }
    }

    /// Says goodbye as TLS and TCP do, without waiting long for an answer. What the peer still sends
    /// is read and dropped: octets that nobody has read would have the system reset the connection,
    /// and the peer would lose what it was told last, such as why its stream ended.
    pub(crate) async fn close(mut self) {
        let goodbye = async {
            let stream = match &mut self {
                Self::Plain(stream) => {
                    stream.shutdown().await?;
                    stream
                }
                Self::Tls(stream) => {
                    stream.shutdown().await?;
                    stream.get_mut().0
                }
                Self::Closed => return Ok(()),
            };
            let mut dropped = stream.take(CLOSE_BYTES_MAX);
            tokio::io::copy(&mut dropped, &mut tokio::io::sink()).await.map(drop)
        };
        if !matches!(timeout(CLOSE_TIME_MAX, goodbye).await, Ok(Ok(()))) {
            tracing::trace!("the peer was gone before the goodbye, or did not go");
        }
    }
}
