//! Randomness of the system, for those who get it handed in.

use aws_lc_rs::rand;

/// Letters of generated passwords: none that is easily taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Letters of a generated password, five bits each: 100 bits.
const PASSWORD_LETTERS: usize = 20;

/// Fills a buffer. A system without randomness cannot keep any secret, so the program ends there.
pub(crate) fn fill(buffer: &mut [u8]) {
    if rand::fill(buffer).is_err() {
        tracing::error!("the system gives no randomness");
        std::process::abort();
    }
}

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// A password that nobody can guess, in groups that can be read aloud.
pub(crate) fn password() -> String {
    let mut password = String::new();
    for (place, byte) in bytes::<PASSWORD_LETTERS>().into_iter().enumerate() {
        if place > 0 && place.is_multiple_of(5) {
            password.push('-');
        }
        let letter = LETTERS.get(usize::from(byte % 32)).copied();
        password.push(char::from(letter.unwrap_or(b'x')));
    }
    password
}
