//! TLS for every listener: versions 1.2 and 1.3 only, one certificate, channel bindings.
//!
//! The library knows no SSL 2.0 (RFC 6176 §2), no insecure renegotiation (RFC 5746 §3), and no suite
//! without forward secrecy: those of RFC 8446 §4, RFC 5289 §3 and RFC 7905 §2 are all there is.

use std::{fmt, path::Path, sync::Arc};

use auth::{CertificateHash, ChannelBindings, TLS_EXPORTER_BYTES, TLS_EXPORTER_LABEL};
use rustls::{
    ServerConfig, ServerConnection,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio_rustls::TlsAcceptor;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// The application protocol of direct TLS for clients (XEP-0368 §4).
const ALPN_CLIENT: &[u8] = b"xmpp-client";

/// The server's certificate and what goes with it, ready to accept.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    end_point: Option<Arc<[u8]>>,
}

/// Why a certificate or key cannot be used; one sentence each.
#[derive(Debug)]
pub enum TlsFault {
    /// A file cannot be read or holds nothing usable.
    Unreadable(String),
    /// Certificate and key do not fit each other or are refused by the library.
    Refused(String),
}

impl Tls {
    /// Reads a chain and a key in PEM form.
    pub fn load(chain: &Path, key: &Path) -> Result<Self, TlsFault> {
        let unreadable = |path: &Path, why: &dyn fmt::Display| {
            TlsFault::Unreadable(format!(
                "cannot read {}: {why}; give a PEM file that this user may read",
                path.display()
            ))
        };
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect)
            .map_err(|why| unreadable(chain, &why))?;
        let Some(leaf) = certificates.first() else {
            return Err(unreadable(chain, &"no certificate in it"));
        };
        let end_point = end_point(leaf).map(Arc::from);
        let key = PrivateKeyDer::from_pem_file(key).map_err(|why| unreadable(key, &why))?;
        Self::new(certificates, key, end_point)
            .map_err(|why| TlsFault::Refused(format!("{}: {why}", chain.display())))
    }

    fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        end_point: Option<Arc<[u8]>>,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        config.alpn_protocols = vec![ALPN_CLIENT.to_vec()];
        // RFC 9266 §4.2: with TLS 1.2 the exporter binds only with the extended master secret.
        config.require_ems = true;
        config.send_tls13_tickets = 1;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), end_point })
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// What binds a sign-in to this connection.
    pub(crate) fn bindings(&self, connection: &ServerConnection) -> ChannelBindings {
        let exporter = connection
            .export_keying_material([0_u8; TLS_EXPORTER_BYTES], TLS_EXPORTER_LABEL, Some(&[]))
            .ok()
            .map(|bytes| bytes.to_vec());
        let end_point = self.end_point.as_ref().map(|bytes| bytes.to_vec());
        ChannelBindings { tls_exporter: exporter, tls_server_end_point: end_point }
    }
}

/// The `tls-server-end-point` data of a certificate (RFC 5929 §4.1). None where its signature names
/// no hash.
fn end_point(leaf: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let signature = certificate.signature_algorithm.algorithm.to_id_string();
    CertificateHash::for_signature(&signature).map(|hash| hash.end_point(leaf))
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(sentence) | Self::Refused(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for TlsFault {}
