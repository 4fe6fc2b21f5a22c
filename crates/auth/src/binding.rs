//! Channel bindings: what ties a sign-in to its TLS connection, so that it cannot be passed on
//! through somebody in the middle. Knows which bytes, not how TLS makes them.

use std::fmt;

use crate::hash::{sha256, sha384, sha512};

/// The exporter label of `tls-exporter`, to be used with an empty context (RFC 9266 §4.2).
pub const TLS_EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// Bytes to export for `tls-exporter` (RFC 9266 §4.2).
pub const TLS_EXPORTER_BYTES: usize = 32;

/// A kind of channel binding. `tls-unique` is left out: TLS 1.3 has none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BindingKind {
    /// Keying material of this very connection (RFC 9266). On TLS 1.2 only with the extended
    /// master secret.
    TlsExporter,
    /// The hash of the server's certificate (RFC 5929 §4).
    TlsServerEndPoint,
}

impl BindingKind {
    /// Both kinds, the stronger one first.
    pub const PREFERENCE: [Self; 2] = [Self::TlsExporter, Self::TlsServerEndPoint];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }

    /// The kind of a registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::PREFERENCE.into_iter().find(|kind| kind.name() == name)
    }
}

/// What one connection has to bind to. Both empty: no TLS, or TLS ended elsewhere.
#[derive(Clone, Default)]
pub struct ChannelBindings {
    /// [`TLS_EXPORTER_BYTES`] exported under [`TLS_EXPORTER_LABEL`].
    pub tls_exporter: Option<Vec<u8>>,
    /// The result of [`CertificateHash::end_point`] for the certificate that was shown.
    pub tls_server_end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// A connection without anything to bind to.
    #[must_use]
    pub const fn none() -> Self {
        Self { tls_exporter: None, tls_server_end_point: None }
    }

    /// The bytes of a kind. Empty bytes bind nothing and count as none.
    #[must_use]
    pub fn get(&self, kind: BindingKind) -> Option<&[u8]> {
        let bytes = match kind {
            BindingKind::TlsExporter => &self.tls_exporter,
            BindingKind::TlsServerEndPoint => &self.tls_server_end_point,
        };
        bytes.as_deref().filter(|bytes| !bytes.is_empty())
    }

    /// The kinds that are there, the stronger one first: what XEP-0440 announces.
    pub fn kinds(&self) -> impl Iterator<Item = BindingKind> {
        BindingKind::PREFERENCE.into_iter().filter(|kind| self.get(*kind).is_some())
    }

    /// Whether there is nothing to bind to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds().next().is_none()
    }
}

/// Names the kinds that are there; the bytes stay out of logs.
impl fmt::Debug for ChannelBindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds().map(BindingKind::name)).finish()
    }
}

/// The hash that `tls-server-end-point` takes of a certificate (RFC 5929 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertificateHash {
    /// For certificates signed with SHA-256, and for those signed with MD5 or SHA-1.
    Sha256,
    /// For certificates signed with SHA-384.
    Sha384,
    /// For certificates signed with SHA-512.
    Sha512,
}

impl CertificateHash {
    /// The hash for a certificate's signature algorithm, given as a dotted object identifier.
    ///
    /// None where RFC 5929 defines nothing (Ed25519, Ed448) and for RSASSA-PSS, whose hash stands
    /// in its parameters: the binding is then not offered.
    #[must_use]
    pub fn for_signature(oid: &str) -> Option<Self> {
        match oid {
            // RSA with MD5, SHA-1, SHA-256; ECDSA with SHA-1, SHA-256.
            "1.2.840.113549.1.1.4"
            | "1.2.840.113549.1.1.5"
            | "1.2.840.113549.1.1.11"
            | "1.2.840.10045.4.1"
            | "1.2.840.10045.4.3.2" => Some(Self::Sha256),
            "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(Self::Sha384),
            "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The binding's bytes for a certificate in DER.
    #[must_use]
    pub fn end_point(self, certificate: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha256(certificate),
            Self::Sha384 => sha384(certificate),
            Self::Sha512 => sha512(certificate),
        }
    }
}
