//! What is kept instead of a password: salted, slow, one-way (RFC 5802 §3). Knows how one is made,
//! written and compared, not where it is kept.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use model::Secret;
use precis_profiles::{OpaqueString, precis_core::profile::Profile};
use subtle::ConstantTimeEq;

use crate::hash::Hash;

/// Iterations of a new verifier. About 6 ms of one core for SHA-256, paid by the client at each
/// sign-in and by the server only when a password is set.
pub const ITERATIONS_DEFAULT: u32 = 10_000;

/// Fewest iterations that are made or accepted (RFC 5802 §5.1, RFC 7677 §4).
pub const ITERATIONS_MIN: u32 = 4_096;

/// Most iterations that are made or accepted, so that a hostile server cannot keep a client busy.
pub const ITERATIONS_MAX: u32 = 1_000_000;

/// Bytes of the salt of a new verifier.
pub const SALT_BYTES: usize = 16;

/// Fewest bytes of salt that are accepted; the example of RFC 5802 §5 has twelve.
const SALT_BYTES_MIN: usize = 8;

/// Most bytes of salt that are accepted.
pub const SALT_BYTES_MAX: usize = 64;

/// Bytes of a password, before and after preparation.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Proof of knowing a password can be checked with it; it cannot be used in a password's place,
/// but it can be guessed against, so it is treated as a secret.
#[derive(Clone)]
pub struct Verifier {
    hash: Hash,
    salt: Vec<u8>,
    iterations: u32,
    stored_key: Secret,
    server_key: Secret,
}

/// The verifiers of one password, one for each hash.
#[derive(Clone)]
pub struct Verifiers {
    /// For SCRAM-SHA-1 and SCRAM-SHA-1-PLUS.
    pub sha1: Verifier,
    /// For SCRAM-SHA-256 and SCRAM-SHA-256-PLUS.
    pub sha256: Verifier,
}

/// Why a password cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordFault {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`PASSWORD_BYTES_MAX`].
    TooLong,
    /// It is not UTF-8, or holds a control character or an unassigned one.
    Forbidden,
}

/// Why a verifier cannot be made or read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerifierFault {
    /// The password cannot be used.
    Password(PasswordFault),
    /// Iterations outside [`ITERATIONS_MIN`] to [`ITERATIONS_MAX`].
    Iterations,
    /// The text is not `SCRAM-SHA-256$10000:salt$stored:server`, or a part has the wrong length.
    Malformed,
}

/// The keys that follow from a password (RFC 5802 §3).
pub(crate) struct Keys {
    pub(crate) client_key: Secret,
    pub(crate) server_key: Secret,
}

impl Keys {
    /// Stretches a prepared password.
    pub(crate) fn derive(hash: Hash, prepared: &Secret, salt: &[u8], iterations: u32) -> Self {
        let salted = hash.stretch(prepared.expose(), salt, iterations);
        Self {
            client_key: Secret::new(hash.hmac(salted.expose(), &[b"Client Key"])),
            server_key: Secret::new(hash.hmac(salted.expose(), &[b"Server Key"])),
        }
    }
}

/// Prepares a password by the OpaqueString profile of RFC 8265 §4.2, which took the place of the
/// SASLprep that RFC 5802 names. They agree on ASCII. They differ where SASLprep folds
/// compatibility forms (NFKC) and drops soft hyphens: those characters are here kept apart.
pub(crate) fn prepare_password(password: &Secret) -> Result<Secret, PasswordFault> {
    let bytes = password.expose();
    if bytes.is_empty() {
        return Err(PasswordFault::Empty);
    }
    if bytes.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordFault::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PasswordFault::Forbidden)?;
    // Printable ASCII is what the profile would give back; it needs no copy outside of `Secret`.
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(password.clone());
    }
    let prepared = OpaqueString::new().enforce(text).map_err(|_| PasswordFault::Forbidden)?;
    let prepared = Secret::new(prepared.into_owned().into_bytes());
    match prepared.expose().len() {
        0 => Err(PasswordFault::Empty),
        len if len > PASSWORD_BYTES_MAX => Err(PasswordFault::TooLong),
        _ => Ok(prepared),
    }
}

impl Verifier {
    /// Makes the verifier of a password. `salt` must be fresh random bytes. Slow by design: not to
    /// be called on a thread that serves others.
    pub fn derive(
        hash: Hash,
        password: &Secret,
        salt: [u8; SALT_BYTES],
        iterations: u32,
    ) -> Result<Self, VerifierFault> {
        let prepared = prepare_password(password).map_err(VerifierFault::Password)?;
        Self::derive_prepared(hash, &prepared, salt.to_vec(), iterations)
    }

    fn derive_prepared(
        hash: Hash,
        prepared: &Secret,
        salt: Vec<u8>,
        iterations: u32,
    ) -> Result<Self, VerifierFault> {
        check_iterations(iterations)?;
        let keys = Keys::derive(hash, prepared, &salt, iterations);
        let stored_key = Secret::new(hash.digest(keys.client_key.expose()));
        Ok(Self { hash, salt, iterations, stored_key, server_key: keys.server_key })
    }

    /// Puts the parts together, each checked.
    pub(crate) fn from_parts(
        hash: Hash,
        salt: Vec<u8>,
        iterations: u32,
        stored_key: Vec<u8>,
        server_key: Vec<u8>,
    ) -> Result<Self, VerifierFault> {
        let (stored_key, server_key) = (Secret::new(stored_key), Secret::new(server_key));
        check_iterations(iterations)?;
        let fits = (SALT_BYTES_MIN..=SALT_BYTES_MAX).contains(&salt.len())
            && stored_key.expose().len() == hash.output_bytes()
            && server_key.expose().len() == hash.output_bytes();
        if !fits {
            return Err(VerifierFault::Malformed);
        }
        Ok(Self { hash, salt, iterations, stored_key, server_key })
    }

    /// A verifier that no password fits, for [`crate::Decoy`], whose parts need no check.
    pub(crate) fn fake(
        hash: Hash,
        salt: Vec<u8>,
        iterations: u32,
        stored_key: Secret,
        server_key: Secret,
    ) -> Self {
        Self { hash, salt, iterations, stored_key, server_key }
    }

    /// The hash it is for.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The salt, which the challenge shows to everybody who asks.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The iterations, which the challenge shows to everybody who asks.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    pub(crate) fn stored_key(&self) -> &[u8] {
        self.stored_key.expose()
    }

    pub(crate) fn server_key(&self) -> &[u8] {
        self.server_key.expose()
    }

    /// Whether a password given in clear is the right one, compared in constant time. For the
    /// console and for changing a password; as slow as making a verifier.
    #[must_use]
    pub fn matches(&self, password: &Secret) -> bool {
        let Ok(prepared) = prepare_password(password) else {
            return false;
        };
        let keys = Keys::derive(self.hash, &prepared, &self.salt, self.iterations);
        let stored_key = Secret::new(self.hash.digest(keys.client_key.expose()));
        stored_key.expose().ct_eq(self.stored_key.expose()).into()
    }

    /// One line: `SCRAM-SHA-256$10000:salt$stored:server`, the last three in base64 (the form of
    /// PostgreSQL and of RFC 5803). A secret: for the store, not for logs.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!(
            "{}${}:{}${}:{}",
            self.hash.scram_name(),
            self.iterations,
            STANDARD.encode(&self.salt),
            STANDARD.encode(self.stored_key.expose()),
            STANDARD.encode(self.server_key.expose()),
        )
    }

    /// Reads what [`Self::to_text`] wrote. Only that very form is taken: no blanks, no leading
    /// zeros, no other base64.
    pub fn from_text(text: &str) -> Result<Self, VerifierFault> {
        let malformed = VerifierFault::Malformed;
        let (name, rest) = text.split_once('$').ok_or(malformed)?;
        let (cost, keys) = rest.split_once('$').ok_or(malformed)?;
        let (iterations, salt) = cost.split_once(':').ok_or(malformed)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(malformed)?;
        let hash = [Hash::Sha1, Hash::Sha256]
            .into_iter()
            .find(|hash| hash.scram_name() == name)
            .ok_or(malformed)?;
        let bytes = |part: &str| STANDARD.decode(part).map_err(|_| malformed);
        let iterations = parse_number(iterations).ok_or(malformed)?;
        Self::from_parts(hash, bytes(salt)?, iterations, bytes(stored_key)?, bytes(server_key)?)
    }
}

impl Verifiers {
    /// Makes both verifiers of a password. The salts (for SHA-1, for SHA-256) must be fresh random
    /// bytes. Slow by design: not to be called on a thread that serves others.
    pub fn derive(
        password: &Secret,
        salts: [[u8; SALT_BYTES]; 2],
        iterations: u32,
    ) -> Result<Self, VerifierFault> {
        let prepared = prepare_password(password).map_err(VerifierFault::Password)?;
        let [sha1, sha256] = salts.map(|salt| salt.to_vec());
        Ok(Self {
            sha1: Verifier::derive_prepared(Hash::Sha1, &prepared, sha1, iterations)?,
            sha256: Verifier::derive_prepared(Hash::Sha256, &prepared, sha256, iterations)?,
        })
    }

    /// The verifier of a hash.
    #[must_use]
    pub const fn of(&self, hash: Hash) -> &Verifier {
        match hash {
            Hash::Sha1 => &self.sha1,
            Hash::Sha256 => &self.sha256,
        }
    }

    /// Whether a password given in clear is the right one; see [`Verifier::matches`].
    #[must_use]
    pub fn matches(&self, password: &Secret) -> bool {
        self.sha256.matches(password)
    }
}

/// Reads a number as RFC 5802 §7 writes one: digits, no sign, no leading zero.
pub(crate) fn parse_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

fn check_iterations(iterations: u32) -> Result<(), VerifierFault> {
    if (ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations) {
        Ok(())
    } else {
        Err(VerifierFault::Iterations)
    }
}

/// Hash and iterations only.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}${}", self.hash.scram_name(), self.iterations)
    }
}

/// Hashes and iterations only.
impl fmt::Debug for Verifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entry(&self.sha1).entry(&self.sha256).finish()
    }
}

impl fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the password is empty",
            Self::TooLong => "the password is too long",
            Self::Forbidden => "the password holds a character that may not stand there",
        })
    }
}

impl std::error::Error for PasswordFault {}

impl fmt::Display for VerifierFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(fault) => fault.fmt(f),
            Self::Iterations => {
                write!(f, "the iterations must be {ITERATIONS_MIN} to {ITERATIONS_MAX}")
            }
            Self::Malformed => f.write_str("the verifier is not in its text form"),
        }
    }
}

impl std::error::Error for VerifierFault {}
