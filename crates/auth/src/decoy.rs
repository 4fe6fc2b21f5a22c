//! Makes a login that does not exist answer like one that does, with the same work (DIR-26).
//! Does not know which logins exist.

use model::Secret;

use crate::{
    hash::Hash,
    login::Login,
    verifier::{ITERATIONS_DEFAULT, SALT_BYTES, Verifier},
};

/// Bytes of the secret that decoys follow from.
pub const DECOY_SECRET_BYTES: usize = 32;

/// A secret from which fake salts come: the same for one login each time, on every node and after
/// every restart that has the same secret, and different for each login.
///
/// The secret must be kept and shared like a key. Whoever knows it can tell decoys from accounts.
#[derive(Clone)]
pub struct Decoy {
    secret: Secret,
    iterations: u32,
}

impl Decoy {
    /// Decoys with [`ITERATIONS_DEFAULT`].
    #[must_use]
    pub fn new(secret: [u8; DECOY_SECRET_BYTES]) -> Self {
        Self::with_iterations(secret, ITERATIONS_DEFAULT)
    }

    /// Decoys with the iterations that most accounts of the house have: an account whose count is
    /// another one can be told from a decoy until its password is next set.
    #[must_use]
    pub fn with_iterations(secret: [u8; DECOY_SECRET_BYTES], iterations: u32) -> Self {
        Self { secret: Secret::new(secret.to_vec()), iterations }
    }

    /// The fake verifier of a login. Its keys follow from the secret and from no password.
    pub(crate) fn verifier(&self, hash: Hash, login: &Login) -> Verifier {
        let mut salt = self.derive(Hash::Sha256, b"salt", hash, login);
        salt.truncate(SALT_BYTES);
        let stored_key = Secret::new(self.derive(hash, b"stored key", hash, login));
        let server_key = Secret::new(self.derive(hash, b"server key", hash, login));
        Verifier::fake(hash, salt, self.iterations, stored_key, server_key)
    }

    fn derive(&self, by: Hash, label: &[u8], hash: Hash, login: &Login) -> Vec<u8> {
        // Labels and names of hashes hold no zero byte, so the parts cannot run into each other.
        let parts: [&[u8]; 5] =
            [label, &[0], hash.scram_name().as_bytes(), &[0], login.as_str().as_bytes()];
        by.hmac(self.secret.expose(), &parts)
    }
}
