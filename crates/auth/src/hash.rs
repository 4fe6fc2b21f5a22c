//! The two hashes of SCRAM, plain, keyed and stretched. The only module that names a hash crate.

use hmac::{Hmac, KeyInit, Mac};
use model::Secret;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Bytes of one block of SHA-1 and of SHA-256, which is the width of an HMAC key.
const BLOCK_BYTES: usize = 64;

/// The hash of a SCRAM family.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Hash {
    /// SHA-1, 20 bytes (RFC 5802). Broken for collisions, not for what SCRAM needs of it; kept for
    /// clients that know nothing else.
    Sha1,
    /// SHA-256, 32 bytes (RFC 7677).
    Sha256,
}

impl Hash {
    /// Bytes of its output.
    #[must_use]
    pub const fn output_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// `SCRAM-SHA-1` or `SCRAM-SHA-256`: the mechanism without channel binding, and the tag of a
    /// verifier's text form.
    #[must_use]
    pub const fn scram_name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    /// `H(data)` of RFC 5802 §2.2.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    /// `HMAC(key, data)` of RFC 5802 §2.2, over the parts one after another.
    pub(crate) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let block = self.key_block(key);
        match self {
            Self::Sha1 => keyed(Hmac::<Sha1>::new((&block).into()), parts),
            Self::Sha256 => keyed(Hmac::<Sha256>::new((&block).into()), parts),
        }
    }

    /// `Hi(password, salt, iterations)` of RFC 5802 §2.2, which is PBKDF2 with one block.
    pub(crate) fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Secret {
        let mut out = vec![0; self.output_bytes()];
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut out),
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut out),
        }
        Secret::new(out)
    }

    /// The key as one block: padded with zeros, or hashed first when it is longer (RFC 2104 §2).
    /// With a whole block the HMAC cannot fail, so there is no error to invent.
    fn key_block(self, key: &[u8]) -> [u8; BLOCK_BYTES] {
        let hashed;
        let key = if key.len() > BLOCK_BYTES {
            hashed = self.digest(key);
            hashed.as_slice()
        } else {
            key
        };
        let mut block = [0; BLOCK_BYTES];
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        block
    }
}

/// SHA-256, SHA-384 and SHA-512 of a certificate, for `tls-server-end-point`.
pub(crate) fn sha256(data: &[u8]) -> Vec<u8> {
    Sha256::digest(data).to_vec()
}

pub(crate) fn sha384(data: &[u8]) -> Vec<u8> {
    Sha384::digest(data).to_vec()
}

pub(crate) fn sha512(data: &[u8]) -> Vec<u8> {
    Sha512::digest(data).to_vec()
}

fn keyed<M: Mac>(mut mac: M, parts: &[&[u8]]) -> Vec<u8> {
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
