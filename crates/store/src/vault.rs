//! Encryption at rest: AES-256-GCM under subkeys of one key that never lies in the data folder.
//! Knows no database.
//!
//! An envelope is `version (1) ‖ day (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`. The subkey is made
//! by HKDF from the key, the table and the day; the additional data binds table, owner and id, so
//! that an envelope moved to another row does not open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac, rand,
};
use model::{MessageId, Secret};

use crate::fault::{Result, StoreFault, damaged};

/// Bytes of the key that a [`Vault`] is made from.
pub const VAULT_KEY_BYTES: usize = 32;

/// Bytes of a keyed digest by which a row is found.
const DIGEST_BYTES: usize = 16;

/// Form of the envelope; a later form gets the next number.
const ENVELOPE_VERSION: u8 = 1;

/// Bytes before the ciphertext.
const HEADER_BYTES: usize = 1 + 4 + NONCE_LEN;

/// Subkeys kept ready; one per table and day in use.
const SUBKEYS_MAX: usize = 256;

/// Random bytes drawn at a time for nonces.
const RANDOM_BYTES: usize = NONCE_LEN * 64;

/// Seals and opens what the store writes. Cheap to share; has no `Debug`.
pub struct Vault {
    root: hkdf::Prk,
    digests: hmac::Key,
    ready: Mutex<Ready>,
}

/// What a seal needs that is dear to make each time.
struct Ready {
    subkeys: HashMap<(Table, u32), Arc<LessSafeKey>>,
    random: [u8; RANDOM_BYTES],
    random_left: usize,
}

/// Which table an envelope lies in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Table {
    Check,
    Party,
    Message,
    Outbox,
    Held,
    Roster,
    Request,
    Card,
    Private,
    Block,
    LastActivity,
    Conversation,
}

/// Which row an envelope belongs to. Everything here is authenticated.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: Table,
    /// Party id of the person whose row it is; 0 for rows that have no owner.
    pub(crate) owner: i64,
    /// The number of the row; 0 where `name` tells rows apart.
    pub(crate) id: i64,
    /// The digest that tells rows apart; empty where `id` does.
    pub(crate) name: &'a [u8],
}

/// A keyed digest by which a row is found without telling what it is.
pub(crate) type Digest = [u8; DIGEST_BYTES];

impl Table {
    /// The word in keys, additional data and faults. Never changes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Party => "party",
            Self::Message => "message",
            Self::Outbox => "outbox",
            Self::Held => "held",
            Self::Roster => "roster",
            Self::Request => "request",
            Self::Card => "card",
            Self::Private => "private",
            Self::Block => "block",
            Self::LastActivity => "last activity",
            Self::Conversation => "conversation",
        }
    }
}

impl Place<'_> {
    /// A row that is found by its owner and number.
    pub(crate) fn numbered(table: Table, owner: i64, id: i64) -> Self {
        Self { table, owner, id, name: &[] }
    }

    fn additional_data(&self) -> Vec<u8> {
        let name = self.table.name().as_bytes();
        let mut data = Vec::with_capacity(name.len() + 17 + self.name.len());
        data.extend_from_slice(name);
        data.push(0);
        data.extend_from_slice(&self.owner.to_be_bytes());
        data.extend_from_slice(&self.id.to_be_bytes());
        data.extend_from_slice(self.name);
        data
    }
}

impl Vault {
    /// Makes the vault of a key of [`VAULT_KEY_BYTES`] bytes.
    pub fn new(key: &Secret) -> Result<Self> {
        if key.expose().len() != VAULT_KEY_BYTES {
            return Err(StoreFault::WrongKey);
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"chancery store 1").extract(key.expose());
        let digests = hmac::Key::new(hmac::HMAC_SHA256, &expand(&root, &[b"digest"])?);
        let ready = Ready { subkeys: HashMap::new(), random: [0; RANDOM_BYTES], random_left: 0 };
        Ok(Self { root, digests, ready: Mutex::new(ready) })
    }

    /// The keyed digest of a name within a table.
    pub(crate) fn digest(&self, table: Table, name: &[u8]) -> Digest {
        let mut context = hmac::Context::with_key(&self.digests);
        context.update(table.name().as_bytes());
        context.update(&[0]);
        context.update(name);
        let mut digest = [0; DIGEST_BYTES];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }

    /// Seals `plain` for its place. `day` is the day whose subkey is used, 0 where rows have none.
    pub(crate) fn seal(&self, place: Place<'_>, day: u32, plain: &[u8]) -> Result<Vec<u8>> {
        let (key, nonce) = self.key_and_nonce(place.table, day)?;
        let tag_len = AES_256_GCM.tag_len();
        let mut envelope = Vec::with_capacity(HEADER_BYTES + plain.len() + tag_len);
        envelope.push(ENVELOPE_VERSION);
        envelope.extend_from_slice(&day.to_be_bytes());
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(plain);
        let (_, cipher) = envelope.split_at_mut(HEADER_BYTES);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(place.additional_data());
        let tag = key
            .seal_in_place_separate_tag(nonce, aad, cipher)
            .map_err(|_| StoreFault::Unavailable("encryption failed".into()))?;
        envelope.extend_from_slice(tag.as_ref());
        Ok(envelope)
    }

    /// Opens an envelope of that place; what was changed or moved is [`StoreFault::Damaged`].
    pub(crate) fn open(&self, place: Place<'_>, envelope: &[u8]) -> Result<Vec<u8>> {
        let fault = || damaged(&format!("an entry of table {} does not open", place.table.name()));
        let (version, rest) = envelope.split_first().ok_or_else(fault)?;
        let (day, rest) = rest.split_first_chunk::<4>().ok_or_else(fault)?;
        let (nonce, cipher) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(fault)?;
        if *version != ENVELOPE_VERSION {
            return Err(fault());
        }
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.subkey(&mut ready, place.table, u32::from_be_bytes(*day))?;
        drop(ready);
        let mut plain = cipher.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let aad = Aad::from(place.additional_data());
        let len = key.open_in_place(nonce, aad, &mut plain).map_err(|_| fault())?.len();
        plain.truncate(len);
        Ok(plain)
    }

    fn key_and_nonce(&self, table: Table, day: u32) -> Result<(Arc<LessSafeKey>, [u8; NONCE_LEN])> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.subkey(&mut ready, table, day)?;
        if ready.random_left < NONCE_LEN {
            rand::fill(&mut ready.random)
                .map_err(|_| StoreFault::Unavailable("no random bytes".into()))?;
            ready.random_left = RANDOM_BYTES;
        }
        ready.random_left -= NONCE_LEN;
        let from = ready.random_left;
        let mut nonce = [0; NONCE_LEN];
        for (to, byte) in nonce.iter_mut().zip(ready.random.iter().skip(from)) {
            *to = *byte;
        }
        Ok((key, nonce))
    }

    fn subkey(&self, ready: &mut Ready, table: Table, day: u32) -> Result<Arc<LessSafeKey>> {
        if let Some(key) = ready.subkeys.get(&(table, day)) {
            return Ok(Arc::clone(key));
        }
        let info: [&[u8]; 3] = [table.name().as_bytes(), &[0], &day.to_be_bytes()];
        let bytes = expand(&self.root, &info)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| StoreFault::WrongKey)?;
        let key = Arc::new(LessSafeKey::new(key));
        if ready.subkeys.len() >= SUBKEYS_MAX {
            ready.subkeys.clear();
        }
        ready.subkeys.insert((table, day), Arc::clone(&key));
        Ok(key)
    }
}

fn expand(root: &hkdf::Prk, info: &[&[u8]]) -> Result<[u8; VAULT_KEY_BYTES]> {
    let mut bytes = [0; VAULT_KEY_BYTES];
    root.expand(info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut bytes))
        .map_err(|_| StoreFault::WrongKey)?;
    Ok(bytes)
}

/// The day, counted from 1970, whose subkey seals what belongs to this message.
pub(crate) fn day_of(id: MessageId) -> u32 {
    u32::try_from(id.time().as_secs().div_euclid(86_400)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
