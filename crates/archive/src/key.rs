//! The keys of the archive as text: the custodians' public keys, their private keys under a
//! passphrase, and the key that signs checkpoints. It opens and closes no files.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    pbkdf2,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::Signer as _;
use hpke::{Deserializable as _, Kem as _, Serializable as _, kem::XWing};
use model::Secret;
use zeroize::Zeroizing;

use crate::merkle::{Digest, sha256};

pub(crate) type PublicKey = <XWing as hpke::Kem>::PublicKey;
pub(crate) type PrivateKey = <XWing as hpke::Kem>::PrivateKey;

/// The public half of a custodian's key (X-Wing: ML-KEM-768 with X25519). All that a server needs.
#[derive(Clone)]
pub struct ArchivePublicKey {
    key: PublicKey,
    id: KeyId,
}

/// The name of a custodian's key: the first bytes of the SHA-256 of its public half.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 16]);

/// The private half, which is never on a server. No `Debug`, wiped when dropped.
pub struct ArchivePrivateKey {
    key: PrivateKey,
    id: KeyId,
}

/// The key that signs the checkpoints of one log. It lies on the server: who steals it can sign,
/// but cannot make a changed log consistent with checkpoints that others keep.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// The public half of a [`SigningKey`], to be published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

/// Why a text is not a key, or a key cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyFault {
    /// Not a key file of this kind, or cut off.
    Malformed,
    /// A version of the file that this program does not know.
    Version,
    /// The passphrase is wrong, or the file was changed.
    Passphrase,
    /// A new passphrase is shorter than [`PASSPHRASE_BYTES_MIN`].
    Weak,
    /// The system gives no randomness.
    Randomness,
}

/// Rounds of PBKDF2-HMAC-SHA-256 between a passphrase and the key of a key file.
pub const PASSPHRASE_ROUNDS: u32 = 1_000_000;

/// The greatest number of rounds that a key file may ask for, so that a hostile file cannot keep
/// the machine busy for hours.
pub const PASSPHRASE_ROUNDS_MAX: u32 = 50_000_000;

/// Bytes that a passphrase must have at least.
pub const PASSPHRASE_BYTES_MIN: usize = 8;

const PUBLIC_HEAD: &str = "chancery-archive-public-v1";
const PRIVATE_HEAD: &str = "chancery-archive-private-v1";
const SIGNING_HEAD: &str = "chancery-log-signing-v1";
const VERIFYING_HEAD: &str = "chancery-log-verifying-v1";
const KEY_ID_LABEL: &[u8] = b"chancery archive key id v1\0";

/// Fresh random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyFault> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyFault::Randomness)?;
    Ok(bytes)
}

impl ArchivePublicKey {
    fn new(key: PublicKey) -> Self {
        let digest = sha256(&[KEY_ID_LABEL, &key.to_bytes()]);
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self { key, id: KeyId(id) }
    }

    /// One line: the form's name, a blank, base64.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PUBLIC_HEAD} {}", BASE64.encode(self.key.to_bytes()))
    }

    /// Reads the line.
    pub fn from_text(text: &str) -> Result<Self, KeyFault> {
        let octets = armoured(text, PUBLIC_HEAD)?;
        PublicKey::from_bytes(&octets).map(Self::new).map_err(|_| KeyFault::Malformed)
    }

    /// The key's name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }
}

impl ArchivePrivateKey {
    /// A new key of the system's randomness.
    pub fn generate() -> Result<Self, KeyFault> {
        let seed = Zeroizing::new(random::<32>()?);
        Self::from_seed(seed.as_ref())
    }

    fn from_seed(seed: &[u8]) -> Result<Self, KeyFault> {
        let key = PrivateKey::from_bytes(seed).map_err(|_| KeyFault::Malformed)?;
        let id = ArchivePublicKey::new(XWing::sk_to_pk(&key)).id;
        Ok(Self { key, id })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> ArchivePublicKey {
        ArchivePublicKey::new(XWing::sk_to_pk(&self.key))
    }

    /// The key's name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The key file: four lines, the last one encrypted under the passphrase. Takes about a third
    /// of a second of a processor.
    pub fn to_file(&self, passphrase: &Secret) -> Result<String, KeyFault> {
        self.to_file_with(passphrase, PASSPHRASE_ROUNDS)
    }

    pub(crate) fn to_file_with(
        &self,
        passphrase: &Secret,
        rounds: u32,
    ) -> Result<String, KeyFault> {
        if passphrase.expose().len() < PASSPHRASE_BYTES_MIN {
            return Err(KeyFault::Weak);
        }
        let salt = random::<16>()?;
        let nonce = random::<12>()?;
        let head = format!(
            "{PRIVATE_HEAD}\nkey {}\nkdf pbkdf2-hmac-sha256 {rounds} {}\n",
            self.id,
            BASE64.encode(salt)
        );
        let key = passphrase_key(passphrase, &salt, rounds)?;
        let mut sealed = Zeroizing::new(self.key.to_bytes().to_vec());
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(head.as_bytes()),
            &mut *sealed,
        )
        .map_err(|_| KeyFault::Malformed)?;
        let mut octets = nonce.to_vec();
        octets.extend_from_slice(&sealed);
        Ok(format!("{head}aes-256-gcm {}\n", BASE64.encode(octets)))
    }

    /// Opens a key file.
    pub fn from_file(text: &str, passphrase: &Secret) -> Result<Self, KeyFault> {
        let text = text.trim_end();
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or(KeyFault::Malformed);
        let (version, key, kdf, sealed) = (line()?, line()?, line()?, line()?);
        expect_head(version, PRIVATE_HEAD)?;
        let id = key.strip_prefix("key ").ok_or(KeyFault::Malformed)?;
        let kdf_rest = kdf.strip_prefix("kdf pbkdf2-hmac-sha256 ").ok_or(KeyFault::Version)?;
        let (rounds, salt) = kdf_rest.split_once(' ').ok_or(KeyFault::Malformed)?;
        let rounds: u32 = rounds.parse().map_err(|_| KeyFault::Malformed)?;
        if rounds > PASSPHRASE_ROUNDS_MAX {
            return Err(KeyFault::Malformed);
        }
        let salt = BASE64.decode(salt).map_err(|_| KeyFault::Malformed)?;
        let sealed = sealed.strip_prefix("aes-256-gcm ").ok_or(KeyFault::Version)?;
        let sealed = BASE64.decode(sealed).map_err(|_| KeyFault::Malformed)?;
        let (nonce, sealed) = sealed.split_first_chunk::<12>().ok_or(KeyFault::Malformed)?;
        let head = format!("{version}\n{key}\n{kdf}\n");
        let mut seed = Zeroizing::new(sealed.to_vec());
        let seed = passphrase_key(passphrase, &salt, rounds)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(head.as_bytes()),
                &mut seed,
            )
            .map_err(|_| KeyFault::Passphrase)?;
        let opened = Self::from_seed(seed)?;
        if opened.id.to_string() == id { Ok(opened) } else { Err(KeyFault::Malformed) }
    }
}

fn passphrase_key(passphrase: &Secret, salt: &[u8], rounds: u32) -> Result<LessSafeKey, KeyFault> {
    let rounds = std::num::NonZeroU32::new(rounds).ok_or(KeyFault::Malformed)?;
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, passphrase.expose(), key.as_mut());
    UnboundKey::new(&AES_256_GCM, key.as_ref())
        .map(LessSafeKey::new)
        .map_err(|_| KeyFault::Malformed)
}

impl SigningKey {
    /// A new key of the system's randomness.
    pub fn generate() -> Result<Self, KeyFault> {
        let seed = Zeroizing::new(random::<32>()?);
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// One secret line for a file that only the server may read.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let encoded = Zeroizing::new(BASE64.encode(self.0.as_bytes()));
        Secret::new(format!("{SIGNING_HEAD} {}", *encoded).into_bytes())
    }

    /// Reads the line.
    pub fn from_text(text: &str) -> Result<Self, KeyFault> {
        let octets = Zeroizing::new(armoured(text, SIGNING_HEAD)?);
        let seed: &[u8; 32] = octets.as_slice().try_into().map_err(|_| KeyFault::Malformed)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// The public half.
    #[must_use]
    pub fn verifying(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}

impl VerifyingKey {
    /// One line to be published.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{VERIFYING_HEAD} {}", BASE64.encode(self.0.as_bytes()))
    }

    /// Reads the line.
    pub fn from_text(text: &str) -> Result<Self, KeyFault> {
        let octets = armoured(text, VERIFYING_HEAD)?;
        let octets: &[u8; 32] = octets.as_slice().try_into().map_err(|_| KeyFault::Malformed)?;
        ed25519_dalek::VerifyingKey::from_bytes(octets).map(Self).map_err(|_| KeyFault::Malformed)
    }

    pub(crate) fn octets(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(crate) fn verifies(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(text, &signature).is_ok()
    }
}

/// The base64 behind the form's name.
fn armoured(text: &str, head: &str) -> Result<Vec<u8>, KeyFault> {
    let (name, encoded) = text.trim().split_once(' ').ok_or(KeyFault::Malformed)?;
    expect_head(name, head)?;
    BASE64.decode(encoded).map_err(|_| KeyFault::Malformed)
}

/// Tells a newer version of a form from something else.
fn expect_head(name: &str, head: &str) -> Result<(), KeyFault> {
    let stem = head.trim_end_matches(|c: char| c.is_ascii_digit());
    match name.strip_prefix(stem) {
        Some(_) if name == head => Ok(()),
        Some(_) => Err(KeyFault::Version),
        None => Err(KeyFault::Malformed),
    }
}

/// The four bytes that name a checkpoint key (C2SP signed-note).
pub(crate) fn note_key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let digest: Digest = sha256(&[name.as_bytes(), b"\n\x01", key.octets()]);
    [digest[0], digest[1], digest[2], digest[3]]
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ArchivePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArchivePublicKey({})", self.id)
    }
}

impl PartialEq for ArchivePublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for ArchivePublicKey {}

impl FromStr for ArchivePublicKey {
    type Err = KeyFault;

    fn from_str(text: &str) -> Result<Self, KeyFault> {
        Self::from_text(text)
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "this is not a key of the kind that is needed, or it is cut off",
            Self::Version => "the key file is of a version that this program does not know",
            Self::Passphrase => "the passphrase is wrong, or the key file was changed",
            Self::Weak => "the passphrase is too short",
            Self::Randomness => "the system gives no randomness",
        })
    }
}

impl std::error::Error for KeyFault {}
