//! A segment: one short-lived key, sealed to each custodian, from which the key of each record is
//! derived. The server forgets the key when the segment ends.

use std::{convert::Infallible, fmt};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
};
use hpke::{
    Deserializable as _, OpModeR, OpModeS, Serializable as _,
    aead::AesGcm256,
    kdf::HkdfSha256,
    kem::XWing,
    rand_core::{TryCryptoRng, TryRng},
    single_shot_open, single_shot_seal_with_rng,
};
use model::Timestamp;
use zeroize::Zeroizing;

use crate::{
    entry::{BOUND_BYTES, Entry, Kind, NO_SALT, Record, SALT_BYTES, SegmentId, salt_commitment},
    field::{Fields, Writer},
    key::{ArchivePrivateKey, ArchivePublicKey, KeyFault, KeyId, random},
    merkle::{Digest, sha256},
};

const OPENING_VERSION: u8 = 1;
const SUITE: &str = "hpke 0x647a 0x0001 0x0002"; // X-Wing, HKDF-SHA256, AES-256-GCM
const CAPSULE_LABEL: &[u8] = b"chancery archive segment v1\0";
const COMMITMENT_LABEL: &[u8] = b"chancery archive segment key v1\0";
const RECORD_LABEL: &[u8] = b"chancery archive record v1\0";

const TAG_SEGMENT: u8 = 1;
const TAG_OPENED: u8 = 2;
const TAG_COMMITMENT: u8 = 3;
const TAG_SUITE: u8 = 4;
const TAG_CAPSULE: u8 = 5;
const TAG_CAPSULE_KEY: u8 = 1;
const TAG_CAPSULE_ENCAPSULATED: u8 = 2;
const TAG_CAPSULE_SEALED: u8 = 3;

/// The key of a segment, ready to derive from. Wiped when dropped.
pub(crate) struct SegmentKey {
    id: SegmentId,
    derive: hmac::Key,
}

/// The first record of a segment, which anybody can read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The segment.
    pub segment: SegmentId,
    /// When the server made it.
    pub opened: Timestamp,
    /// A digest of the segment key, so that all custodians can tell that they got the same one.
    pub commitment: Digest,
    /// The segment key, once for each custodian.
    pub capsules: Vec<Capsule>,
}

/// The segment key sealed to one custodian.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capsule {
    /// Whose key opens it.
    pub key: KeyId,
    encapsulated: Vec<u8>,
    sealed: Vec<u8>,
}

/// Why a body cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenFault {
    /// The segment is not sealed to this custodian.
    NotForThisKey,
    /// The salt was destroyed: nobody can open this record again.
    Destroyed,
    /// Not what was sealed: changed, or of another segment or place.
    Damaged,
    /// A form that this program does not know.
    Unknown,
}

impl SegmentKey {
    fn new(id: SegmentId, key: &[u8; 32]) -> Self {
        Self { id, derive: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.id
    }

    /// A fresh segment and its opening record.
    pub(crate) fn open_new(
        custodians: &[ArchivePublicKey],
        now: Timestamp,
    ) -> Result<(Self, Record), KeyFault> {
        let id = SegmentId(random()?);
        let key = Zeroizing::new(random::<32>()?);
        let commitment = commit(id, &key);
        let mut capsules = Vec::with_capacity(custodians.len());
        for custodian in custodians {
            capsules.push(Capsule::seal(custodian, id, &commitment, &key)?);
        }
        let opening = Opening { segment: id, opened: now, commitment, capsules };
        Ok((Self::new(id, &key), opening.to_record()))
    }

    /// The key of one record: HKDF-Expand (RFC 5869 §2.3) of the segment key, one block.
    fn record_key(&self, index: u32, salt: &[u8; SALT_BYTES]) -> Option<LessSafeKey> {
        let mut context = hmac::Context::with_key(&self.derive);
        context.update(RECORD_LABEL);
        context.update(salt);
        context.update(&self.id.0);
        context.update(&index.to_be_bytes());
        context.update(&[1]);
        let key = context.sign();
        UnboundKey::new(&AES_256_GCM, key.as_ref()).ok().map(LessSafeKey::new)
    }

    /// Seals `plain` in place. The salt must never have been used before: it makes the key, and
    /// each key seals once, which is why the nonce may be constant.
    pub(crate) fn seal(
        &self,
        kind: Kind,
        index: u32,
        salt: &[u8; SALT_BYTES],
        mut plain: Vec<u8>,
    ) -> Option<Record> {
        let length = u64::try_from(plain.len() + AES_256_GCM.tag_len()).ok()?;
        let mut entry = Entry {
            kind,
            segment: self.id,
            index,
            length,
            salt: salt_commitment(salt),
            body: [0; 32],
        };
        let head = entry.encode();
        let bound = head.get(..BOUND_BYTES)?;
        self.record_key(index, salt)?
            .seal_in_place_append_tag(nonce(), Aad::from(bound), &mut plain)
            .ok()?;
        entry.body = sha256(&[&plain]);
        Some(Record { entry: entry.encode().to_vec(), salt: *salt, body: plain })
    }

    /// Opens the body of `record`, whose entry is `entry`.
    pub(crate) fn open(
        &self,
        entry: &Entry,
        salt: &[u8; SALT_BYTES],
        mut body: Vec<u8>,
    ) -> Result<Vec<u8>, OpenFault> {
        if *salt == NO_SALT {
            return Err(OpenFault::Destroyed);
        }
        let head = entry.encode();
        let bound = head.get(..BOUND_BYTES).ok_or(OpenFault::Damaged)?;
        let len = self
            .record_key(entry.index, salt)
            .ok_or(OpenFault::Damaged)?
            .open_in_place(nonce(), Aad::from(bound), &mut body)
            .map_err(|_| OpenFault::Damaged)?
            .len();
        body.truncate(len);
        Ok(body)
    }
}

/// The nonce of every record: each key is used once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn commit(id: SegmentId, key: &[u8; 32]) -> Digest {
    sha256(&[COMMITMENT_LABEL, &id.0, key])
}

fn capsule_info(id: SegmentId) -> Vec<u8> {
    [CAPSULE_LABEL, &id.0].concat()
}

impl Capsule {
    fn seal(
        custodian: &ArchivePublicKey,
        id: SegmentId,
        commitment: &Digest,
        key: &[u8; 32],
    ) -> Result<Self, KeyFault> {
        let mut entropy = Entropy { failed: false };
        let (encapsulated, sealed) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
            &OpModeS::Base,
            custodian.key(),
            &capsule_info(id),
            key,
            commitment,
            &mut entropy,
        )
        .map_err(|_| KeyFault::Malformed)?;
        if entropy.failed {
            return Err(KeyFault::Randomness);
        }
        Ok(Self { key: custodian.id(), encapsulated: encapsulated.to_bytes().to_vec(), sealed })
    }
}

impl Opening {
    fn to_record(&self) -> Record {
        let mut out = Writer::new(&[OPENING_VERSION], 128 + 1_280 * self.capsules.len());
        out.bytes(TAG_SEGMENT, &self.segment.0);
        out.signed(TAG_OPENED, self.opened.as_micros());
        out.bytes(TAG_COMMITMENT, &self.commitment);
        out.text(TAG_SUITE, SUITE);
        for capsule in &self.capsules {
            out.nested(TAG_CAPSULE, |out| {
                out.bytes(TAG_CAPSULE_KEY, &capsule.key.0);
                out.bytes(TAG_CAPSULE_ENCAPSULATED, &capsule.encapsulated);
                out.bytes(TAG_CAPSULE_SEALED, &capsule.sealed);
            });
        }
        let body = out.finish();
        let entry = Entry {
            kind: Kind::Opening,
            segment: self.segment,
            index: 0,
            length: u64::try_from(body.len()).unwrap_or(u64::MAX),
            salt: [0; 32],
            body: sha256(&[&body]),
        };
        Record { entry: entry.encode().to_vec(), salt: NO_SALT, body }
    }

    /// Reads the body of an opening record.
    pub fn decode(body: &[u8]) -> Result<Self, OpenFault> {
        let (version, fields) = body.split_first().ok_or(OpenFault::Damaged)?;
        if *version != OPENING_VERSION {
            return Err(OpenFault::Unknown);
        }
        let mut opening = Self {
            segment: SegmentId([0; 16]),
            opened: Timestamp::from_micros(0),
            commitment: [0; 32],
            capsules: Vec::new(),
        };
        for field in Fields::new(fields) {
            let field = field.map_err(|()| OpenFault::Damaged)?;
            match field.tag {
                TAG_SEGMENT => {
                    opening.segment =
                        SegmentId(field.value.try_into().map_err(|_| OpenFault::Damaged)?);
                }
                TAG_OPENED => {
                    let opened = field.signed().ok_or(OpenFault::Damaged)?;
                    opening.opened = Timestamp::from_micros(opened);
                }
                TAG_COMMITMENT => {
                    opening.commitment = field.digest().ok_or(OpenFault::Damaged)?;
                }
                TAG_SUITE if field.value != SUITE.as_bytes() => return Err(OpenFault::Unknown),
                TAG_CAPSULE => opening.capsules.push(Capsule::decode(field.value)?),
                _ => {}
            }
        }
        Ok(opening)
    }

    /// The segment key, with the private key of one of the custodians.
    pub(crate) fn unseal(&self, key: &ArchivePrivateKey) -> Result<SegmentKey, OpenFault> {
        let capsule = self
            .capsules
            .iter()
            .find(|capsule| capsule.key == key.id())
            .ok_or(OpenFault::NotForThisKey)?;
        let encapsulated = <XWing as hpke::Kem>::EncappedKey::from_bytes(&capsule.encapsulated)
            .map_err(|_| OpenFault::Damaged)?;
        let opened = single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            key.key(),
            &encapsulated,
            &capsule_info(self.segment),
            &capsule.sealed,
            &self.commitment,
        )
        .map(Zeroizing::new)
        .map_err(|_| OpenFault::Damaged)?;
        let opened: &[u8; 32] = opened.as_slice().try_into().map_err(|_| OpenFault::Damaged)?;
        if commit(self.segment, opened) == self.commitment {
            Ok(SegmentKey::new(self.segment, opened))
        } else {
            Err(OpenFault::Damaged)
        }
    }
}

impl Capsule {
    fn decode(bytes: &[u8]) -> Result<Self, OpenFault> {
        let mut capsule =
            Self { key: KeyId([0; 16]), encapsulated: Vec::new(), sealed: Vec::new() };
        for field in Fields::new(bytes) {
            let field = field.map_err(|()| OpenFault::Damaged)?;
            match field.tag {
                TAG_CAPSULE_KEY => {
                    capsule.key = KeyId(field.value.try_into().map_err(|_| OpenFault::Damaged)?);
                }
                TAG_CAPSULE_ENCAPSULATED => capsule.encapsulated = field.value.to_vec(),
                TAG_CAPSULE_SEALED => capsule.sealed = field.value.to_vec(),
                _ => {}
            }
        }
        Ok(capsule)
    }
}

/// The system's randomness in the form that HPKE asks for. A failure cannot be said there, so it
/// is remembered and asked for afterwards.
struct Entropy {
    failed: bool,
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.failed |= aws_lc_rs::rand::fill(bytes).is_err();
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}

impl fmt::Display for OpenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotForThisKey => "the segment is not sealed to this key",
            Self::Destroyed => "the salt of the record was destroyed; nobody can open it again",
            Self::Damaged => "the record is damaged",
            Self::Unknown => "the record is of a form that this program does not know",
        })
    }
}

impl std::error::Error for OpenFault {}
