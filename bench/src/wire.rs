//! The client's side of TLS 1.3: connect, read up to a mark, write; knows no protocol above it.

use crate::Outcome;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// Bytes that an answer may have before its mark.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// How long a server may take for one answer.
const ANSWER_SECS_MAX: u64 = 30;

/// What reads.
pub(crate) type Reader = ReadHalf<TlsStream<TcpStream>>;
/// What writes.
pub(crate) type Writer = WriteHalf<TlsStream<TcpStream>>;

/// One connection.
pub(crate) struct Wire {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    /// Bytes that came behind the last mark.
    unread: Vec<u8>,
}

/// A configuration for all connections of a run: full handshakes only, since that is what is measured.
pub(crate) fn client_config() -> Outcome<Arc<ClientConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(|why| format!("TLS 1.3 is not to be had: {why}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Unquestioning { provider }))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

impl Wire {
    /// Connects to a port of this machine.
    pub(crate) async fn connect(
        config: &Arc<ClientConfig>,
        port: u16,
        domain: &str,
    ) -> Outcome<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let name = ServerName::try_from(domain.to_owned())
            .map_err(|why| format!("{domain} is no name for TLS: {why}"))?;
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(Arc::clone(config)).connect(name, stream).await
        };
        let stream = within(connecting).await?.map_err(|why| format!("no TLS: {why}"))?;
        let (reader, writer) = tokio::io::split(stream);
        Ok(Self { reader, writer, unread: Vec::new() })
    }

    /// Sends all of it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Outcome<()> {
        write(&mut self.writer, bytes).await
    }

    /// Reads until one of the marks has come; the text up to its end.
    pub(crate) async fn until(&mut self, marks: &[&str]) -> Outcome<String> {
        let mut buffer = vec![0_u8; READ_BYTES];
        loop {
            let end = marks
                .iter()
                .filter_map(|mark| find(&self.unread, mark.as_bytes()).map(|at| at + mark.len()))
                .min();
            if let Some(end) = end {
                let rest = self.unread.split_off(end);
                let text = std::mem::replace(&mut self.unread, rest);
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
            let count = within(self.reader.read(&mut buffer))
                .await
                .map_err(|_| format!("no {marks:?} came, but {:?}", self.shown()))?
                .map_err(|why| format!("reading failed: {why}"))?;
            if count == 0 || self.unread.len() > ANSWER_BYTES_MAX {
                return Err(format!("waited for {marks:?}, got {:?}", self.shown()));
            }
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    /// Says goodbye and waits until the other side has gone too.
    pub(crate) async fn close(mut self, goodbye: &[u8]) {
        let ending = async {
            self.writer.write_all(goodbye).await?;
            self.writer.shutdown().await?;
            let mut buffer = vec![0_u8; READ_BYTES];
            while self.reader.read(&mut buffer).await? > 0 {}
            Ok::<(), std::io::Error>(())
        };
        let _gone = tokio::time::timeout(Duration::from_secs(2), ending).await;
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.unread).chars().take(600).collect()
    }
}

/// Sends all of it.
pub(crate) async fn write(writer: &mut Writer, bytes: &[u8]) -> Outcome<()> {
    let sending = async {
        writer.write_all(bytes).await?;
        writer.flush().await
    };
    within(sending).await?.map_err(|why| format!("writing failed: {why}"))
}

/// Where the needle begins.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = hay.get(from..)?.iter().position(|byte| *byte == first) {
        if hay[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

async fn within<T>(doing: impl Future<Output = T>) -> Outcome<T> {
    tokio::time::timeout(Duration::from_secs(ANSWER_SECS_MAX), doing)
        .await
        .map_err(|_| format!("no answer in {ANSWER_SECS_MAX} s"))
}

/// Takes any certificate, since the servers were started here; the handshake's signature is still
/// checked, so that nothing is left out that a client does.
#[derive(Debug)]
struct Unquestioning {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Unquestioning {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
