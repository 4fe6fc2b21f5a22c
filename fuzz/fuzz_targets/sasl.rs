//! Whatever a client sends instead of a proof, nobody is signed in and nothing breaks. The first
//! byte picks the mechanism, the rest is the two messages with a line break between.
#![no_main]

use auth::{ChannelBindings, DECOY_SECRET_BYTES, Decoy, Mechanism, NONCE_BYTES, ScramServer};
use libfuzzer_sys::fuzz_target;

const MECHANISMS: [Mechanism; 4] = [
    Mechanism::ScramSha256Plus,
    Mechanism::ScramSha256,
    Mechanism::ScramSha1Plus,
    Mechanism::ScramSha1,
];

fuzz_target!(|data: &[u8]| {
    let Some((&pick, messages)) = data.split_first() else { return };
    let cut = messages.iter().position(|byte| *byte == b'\n').unwrap_or(messages.len());
    let (first, last) = messages.split_at(cut);
    let mechanism = MECHANISMS[usize::from(pick) % MECHANISMS.len()];
    let offered_plus = pick & 0x80 != 0;
    let bindings = ChannelBindings::default();
    let server = ScramServer::start(mechanism, offered_plus, bindings, [7; NONCE_BYTES]);
    let Ok(account) = server.client_first(first) else { return };
    let (_, proof) = account.challenge(None, &Decoy::new([1; DECOY_SECRET_BYTES]));
    // There is no such account, so no message can be its proof.
    assert!(proof.client_final(last.get(1..).unwrap_or_default()).is_err());
});
