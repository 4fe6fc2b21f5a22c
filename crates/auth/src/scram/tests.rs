//! The exchanges of the RFCs byte for byte, and what a hostile other side may send.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use model::{Address, Secret};
use proptest::prelude::*;

use super::{
    message::{ClientFinal, ClientFirst, ServerFirst, ServerLast, escape},
    *,
};
use crate::{
    BindingKind, ChannelBindings, Decoy, Hash, ITERATIONS_MIN, Login, Mechanism, SaslFault,
    Verifier, Verifiers,
    verifier::{Keys, prepare_password},
};

const PASSWORD: &str = "pencil";
const NONCE: [u8; NONCE_BYTES] = [3; NONCE_BYTES];

static VERIFIERS: LazyLock<Verifiers> = LazyLock::new(|| verifiers(PASSWORD));

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn verifiers(password: &str) -> Verifiers {
    Verifiers::derive(&secret(password), [[1; 16], [2; 16]], ITERATIONS_MIN).unwrap()
}

fn address() -> Address {
    Address::parse("ann.smith@bank.example").unwrap()
}

fn decoy() -> Decoy {
    Decoy::new([5; 32])
}

fn bindings() -> ChannelBindings {
    ChannelBindings {
        tls_exporter: Some((0..32).collect()),
        tls_server_end_point: Some(vec![9; 32]),
    }
}

fn used(kind: BindingKind) -> ClientBinding {
    ClientBinding::Used(kind, bindings().get(kind).unwrap().to_vec())
}

fn fitting(mechanism: Mechanism) -> ClientBinding {
    if mechanism.is_plus() { used(BindingKind::TlsExporter) } else { ClientBinding::Unsupported }
}

/// Whole exchange, in memory; gives what the server says of it.
#[allow(clippy::unwrap_in_result, reason = "a client that fails is a broken test")]
fn exchange(
    mechanism: Mechanism,
    binding: &ClientBinding,
    login: &str,
    authzid: Option<&str>,
    password: &str,
    account: Option<Account<'_>>,
) -> Result<ServerFinal, SaslFault> {
    let password = secret(password);
    let (first, client) =
        ScramClient::start(mechanism, login, authzid, &password, binding, [4; NONCE_BYTES])
            .unwrap();
    let server = ScramServer::start(mechanism, true, bindings(), NONCE);
    let (challenge, server) = server.client_first(&first)?.challenge(account, &decoy());
    let (last, client) = client.server_first(&challenge).unwrap();
    let done = server.client_final(&last)?;
    assert_eq!(client.server_final(done.message()), Ok(()));
    Ok(done)
}

/// A verifier with the salt of an RFC's example.
fn example_verifier(hash: Hash, salt: &str) -> Verifier {
    let salt = STANDARD.decode(salt).unwrap();
    let keys = Keys::derive(hash, &prepare_password(&secret(PASSWORD)).unwrap(), &salt, 4_096);
    let stored_key = hash.digest(keys.client_key.expose());
    Verifier::from_parts(hash, salt, 4_096, stored_key, keys.server_key.expose().to_vec()).unwrap()
}

struct Example {
    mechanism: Mechanism,
    salt: &'static str,
    nonces: [&'static str; 2],
    messages: [&'static str; 4],
}

fn run_example(example: &Example) {
    let Example { mechanism, salt, nonces: [client_nonce, server_nonce], messages } = example;
    let [first, challenge, last, signature] = messages;
    let mut verifiers = VERIFIERS.clone();
    match mechanism.hash() {
        Hash::Sha1 => verifiers.sha1 = example_verifier(Hash::Sha1, salt),
        Hash::Sha256 => verifiers.sha256 = example_verifier(Hash::Sha256, salt),
    }
    let (sent, client) = ScramClient::with_nonce(
        *mechanism,
        "user",
        None,
        &secret(PASSWORD),
        &ClientBinding::Unsupported,
        (*client_nonce).to_owned(),
    )
    .unwrap();
    assert_eq!(sent, first.as_bytes());
    let none = ChannelBindings::none();
    let server = ScramServer::with_nonce(*mechanism, false, none, (*server_nonce).to_owned());
    let server = server.client_first(&sent).unwrap();
    assert_eq!(server.login().as_str(), "user");
    let address = address();
    let account = Account { verifiers: &verifiers, address: &address };
    let (sent, server) = server.challenge(Some(account), &decoy());
    assert_eq!(sent, challenge.as_bytes());
    let (sent, client) = client.server_first(&sent).unwrap();
    assert_eq!(sent, last.as_bytes());
    let done = server.client_final(&sent).unwrap();
    assert_eq!(done.message(), signature.as_bytes());
    assert_eq!((done.login().as_str(), done.address()), ("user", &address));
    assert_eq!(client.server_final(done.message()), Ok(()));
}

/// RFC 5802 §5.
#[test]
fn example_of_rfc_5802() {
    run_example(&Example {
        mechanism: Mechanism::ScramSha1,
        salt: "QSXCR+Q6sek8bf92",
        nonces: ["fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j"],
        messages: [
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ],
    });
}

/// RFC 7677 §3.
#[test]
fn example_of_rfc_7677() {
    run_example(&Example {
        mechanism: Mechanism::ScramSha256,
        salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        nonces: ["rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"],
        messages: [
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ],
    });
}

/// DIR-17: every mechanism, with either channel binding.
#[test]
fn all_mechanisms_succeed() {
    let address = address();
    let account = Account { verifiers: &VERIFIERS, address: &address };
    for mechanism in Mechanism::PREFERENCE {
        let done =
            exchange(mechanism, &fitting(mechanism), "Ann", None, PASSWORD, Some(account)).unwrap();
        assert_eq!((done.login().as_str(), done.address()), ("ann", &address));
    }
    let binding = used(BindingKind::TlsServerEndPoint);
    assert!(
        exchange(Mechanism::ScramSha256Plus, &binding, "ann", None, PASSWORD, Some(account))
            .is_ok()
    );
}

/// DIR-26: a wrong password and a login that does not exist fail alike, and a decoy's challenge is
/// formed like an account's.
#[test]
fn wrong_and_unknown_fail_alike() {
    let address = address();
    let account = Account { verifiers: &VERIFIERS, address: &address };
    for mechanism in Mechanism::PREFERENCE {
        let binding = fitting(mechanism);
        for account in [Some(account), None] {
            let outcome = exchange(mechanism, &binding, "ann", None, "pencil2", account);
            assert_eq!(outcome.err(), Some(SaslFault::NotAuthorized));
            // An identity that may not be taken shows only after a right proof.
            let outcome =
                exchange(mechanism, &binding, "ann", Some("boss@bank.example"), "x", account);
            assert_eq!(outcome.err(), Some(SaslFault::NotAuthorized));
        }
        let outcome = exchange(mechanism, &binding, "ann", None, PASSWORD, None);
        assert_eq!(outcome.err(), Some(SaslFault::NotAuthorized));
    }
    let decoy = Decoy::with_iterations([5; 32], ITERATIONS_MIN);
    let shape = |account| {
        let server = ScramServer::start(Mechanism::ScramSha1, true, bindings(), NONCE);
        let (challenge, _) =
            server.client_first(b"n,,n=ann,r=abc").unwrap().challenge(account, &decoy);
        let text = String::from_utf8(challenge).unwrap();
        text.split(',').map(|part| (part[..2].to_owned(), part.len())).collect::<Vec<_>>()
    };
    assert_eq!(shape(Some(account)), shape(None));
}

/// Verifiers in each other's place open nothing, and look like no account at all.
#[test]
fn swapped_verifiers_are_no_account() {
    let address = address();
    let Verifiers { sha1, sha256 } = VERIFIERS.clone();
    let swapped = Verifiers { sha1: sha256, sha256: sha1 };
    let account = Some(Account { verifiers: &swapped, address: &address });
    for mechanism in Mechanism::PREFERENCE {
        let challenge = |account| {
            ScramServer::start(mechanism, true, bindings(), NONCE)
                .client_first(if mechanism.is_plus() {
                    b"p=tls-exporter,,n=ann,r=abc"
                } else {
                    b"n,,n=ann,r=abc"
                })
                .unwrap()
                .challenge(account, &decoy())
                .0
        };
        assert_eq!(challenge(account), challenge(None));
        let outcome = exchange(mechanism, &fitting(mechanism), "ann", None, PASSWORD, account);
        assert_eq!(outcome.err(), Some(SaslFault::NotAuthorized));
    }
}

/// Nobody signs in as one and acts as another.
#[test]
fn authzid_must_be_ones_own() {
    let address = address();
    let account = Some(Account { verifiers: &VERIFIERS, address: &address });
    let try_as = |authzid: &str| {
        let binding = ClientBinding::Unsupported;
        exchange(Mechanism::ScramSha256, &binding, "ann", Some(authzid), PASSWORD, account)
            .map(|done| done.address().clone())
    };
    for own in ["ann.smith@bank.example", "Ann.Smith@BANK.example", "ann", "ANN"] {
        assert_eq!(try_as(own), Ok(address.clone()), "{own}");
    }
    let others = [
        "boss@bank.example",
        "bank.example",
        "ann.smith",
        "ann@bank.example",
        "ann.smith@other.example",
        "ann.smith@bank.example/phone",
        "ann,smith@bank.example",
        "@",
    ];
    for other in others {
        assert_eq!(try_as(other), Err(SaslFault::InvalidAuthzid), "{other}");
    }
}

/// RFC 5802 §6: the flag must fit the mechanism, and a downgrade is noticed.
#[test]
fn binding_flags_are_checked() {
    let first = |mechanism, offered_plus, message: &str| {
        ScramServer::start(mechanism, offered_plus, bindings(), NONCE)
            .client_first(message.as_bytes())
            .err()
    };
    let (plain, plus) = (Mechanism::ScramSha256, Mechanism::ScramSha256Plus);
    assert_eq!(first(plain, true, "n,,n=ann,r=abc"), None);
    assert_eq!(first(plain, false, "y,,n=ann,r=abc"), None);
    assert_eq!(first(plain, true, "y,,n=ann,r=abc"), Some(SaslFault::NotAuthorized));
    assert_eq!(first(plus, true, "p=tls-exporter,,n=ann,r=abc"), None);
    let malformed = Some(SaslFault::MalformedRequest);
    assert_eq!(first(plain, true, "p=tls-exporter,,n=ann,r=abc"), malformed);
    assert_eq!(first(plus, true, "n,,n=ann,r=abc"), malformed);
    assert_eq!(first(plus, true, "y,,n=ann,r=abc"), malformed);
    assert_eq!(first(plus, true, "p=tls-unique,,n=ann,r=abc"), malformed);
    assert_eq!(first(plus, true, "p=,,n=ann,r=abc"), malformed);
    let none = ScramServer::start(plus, true, ChannelBindings::none(), NONCE);
    assert_eq!(none.client_first(b"p=tls-exporter,,n=ann,r=abc").err(), malformed);
}

/// A sign-in that was taken over from another TLS connection is refused.
#[test]
fn other_connections_do_not_fit() {
    let address = address();
    let account = Some(Account { verifiers: &VERIFIERS, address: &address });
    for kind in BindingKind::PREFERENCE {
        let binding = ClientBinding::Used(kind, vec![0xee; 32]);
        let outcome =
            exchange(Mechanism::ScramSha256Plus, &binding, "ann", None, PASSWORD, account);
        assert_eq!(outcome.err(), Some(SaslFault::NotAuthorized));
    }
}

/// DIR-17, ENC-17: the bytes of one sign-in do not open another one.
#[test]
fn a_replayed_proof_is_refused() {
    let address = address();
    let account = Some(Account { verifiers: &VERIFIERS, address: &address });
    let mechanism = Mechanism::ScramSha256;
    let password = secret(PASSWORD);
    let none = ClientBinding::Unsupported;
    let (first, client) =
        ScramClient::start(mechanism, "ann", None, &password, &none, [4; NONCE_BYTES]).unwrap();
    let server = |nonce| {
        ScramServer::start(mechanism, true, bindings(), nonce)
            .client_first(&first)
            .unwrap()
            .challenge(account, &decoy())
    };
    let (challenge, recorded) = server([1; NONCE_BYTES]);
    let (last, _) = client.server_first(&challenge).unwrap();
    assert!(recorded.client_final(&last).is_ok());
    let (_, replayed) = server([2; NONCE_BYTES]);
    assert_eq!(replayed.client_final(&last).err(), Some(SaslFault::NotAuthorized));
}

/// A proof by the right password over another nonce or another GS2 header is refused as well.
#[test]
fn the_proof_must_be_of_this_exchange() {
    let address = address();
    let account = Some(Account { verifiers: &VERIFIERS, address: &address });
    let hash = Hash::Sha256;
    let verifier = VERIFIERS.of(hash);
    let keys = Keys::derive(hash, &secret(PASSWORD), verifier.salt(), verifier.iterations());
    let nonce = format!("abc{}", STANDARD.encode(NONCE));
    let outcome = |header: &str, nonce: &str| {
        let server = ScramServer::start(Mechanism::ScramSha256, true, bindings(), NONCE);
        let server = server.client_first(b"n,,n=ann,r=abc").unwrap();
        let (challenge, server) = server.challenge(account, &decoy());
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(header));
        let parts: [&[u8]; 4] = [b"n=ann,r=abc,", &challenge, b",", without_proof.as_bytes()];
        let signature = hash.hmac(verifier.stored_key(), &parts);
        let key = keys.client_key.expose();
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        server.client_final(last.as_bytes()).err()
    };
    assert_eq!(outcome("n,,", &nonce), None);
    for other in ["abc", "x", &format!("{nonce}x"), &nonce[1..], &nonce[..nonce.len() - 1]] {
        assert_eq!(outcome("n,,", other), Some(SaslFault::NotAuthorized), "{other}");
    }
    for other in ["y,,", "n,a=ann,", "p=tls-exporter,,", "", "n,,x"] {
        assert_eq!(outcome(other, &nonce), Some(SaslFault::NotAuthorized), "{other}");
    }
}

/// DIR-16: nothing on the wire can be used in the password's place.
#[test]
fn no_password_equivalent_is_sent() {
    let hash = Hash::Sha256;
    let verifier = VERIFIERS.of(hash);
    let prepared = secret(PASSWORD);
    let keys = Keys::derive(hash, &prepared, verifier.salt(), verifier.iterations());
    let salted = hash.stretch(PASSWORD.as_bytes(), verifier.salt(), verifier.iterations());
    let address = address();
    let account = Some(Account { verifiers: &VERIFIERS, address: &address });
    let none = ClientBinding::Unsupported;
    let (first, client) =
        ScramClient::start(Mechanism::ScramSha256, "ann", None, &prepared, &none, NONCE).unwrap();
    let server = ScramServer::start(Mechanism::ScramSha256, true, bindings(), [8; NONCE_BYTES]);
    let (challenge, server) = server.client_first(&first).unwrap().challenge(account, &decoy());
    let (last, _) = client.server_first(&challenge).unwrap();
    let done = server.client_final(&last).unwrap();
    let wire = [&first, &challenge, &last, done.message()].map(String::from_utf8_lossy).concat();
    let secrets = [
        salted.expose(),
        keys.client_key.expose(),
        keys.server_key.expose(),
        verifier.stored_key(),
    ];
    for bytes in secrets {
        assert!(!wire.contains(&STANDARD.encode(bytes)));
    }
    assert!(!wire.contains(PASSWORD));
}

/// A good exchange up to the proof: the last message, and a fresh server that waits for it.
fn waiting(mechanism: Mechanism) -> (Vec<u8>, impl Fn() -> AwaitingProof) {
    let password = secret(PASSWORD);
    let binding = fitting(mechanism);
    let authzid = Some("ann.smith@bank.example");
    let (first, client) =
        ScramClient::start(mechanism, "ann", authzid, &password, &binding, [4; NONCE_BYTES])
            .unwrap();
    let server = move || {
        let address = address();
        let account = Account { verifiers: &VERIFIERS, address: &address };
        ScramServer::start(mechanism, true, bindings(), NONCE)
            .client_first(&first)
            .unwrap()
            .challenge(Some(account), &decoy())
    };
    let (last, _) = client.server_first(&server().0).unwrap();
    (last, move || server().1)
}

/// Every change of one byte of the client's last message makes it fail.
#[test]
fn every_changed_byte_is_noticed() {
    for mechanism in [Mechanism::ScramSha256Plus, Mechanism::ScramSha1] {
        let (good, server) = waiting(mechanism);
        assert!(server().client_final(&good).is_ok());
        for at in 0..good.len() {
            for value in (0..=u8::MAX).filter(|value| *value != good[at]) {
                let mut bad = good.clone();
                bad[at] = value;
                assert!(server().client_final(&bad).is_err(), "{at} {value}");
            }
            assert!(server().client_final(&good[..at]).is_err());
        }
    }
}

/// Extensions are covered by the proof, so none can be added on the way.
#[test]
fn nothing_can_be_added_on_the_way() {
    let (good, server) = waiting(Mechanism::ScramSha256);
    let good = String::from_utf8(good).unwrap();
    for bad in [
        good.replace(",p=", ",x=1,p="),
        format!("{good},x=1"),
        format!("{good},"),
        format!("{good}\n"),
        format!(" {good}"),
        good.replace(",p=", ",,p="),
        good.replace(",p=", ",m=1,p="),
        format!("m=1,{good}"),
    ] {
        assert!(server().client_final(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn first_messages_are_read_strictly() {
    let good = ClientFirst::parse(b"n,a=x=2Cy,n=a=3Db=2C,r=abc,x=1").unwrap();
    assert_eq!((good.username.as_ref(), good.authzid.as_deref()), ("a=b,", Some("x,y")));
    assert_eq!((good.gs2_header, good.bare), ("n,a=x=2Cy,", "n=a=3Db=2C,r=abc,x=1"));
    let bad: &[&[u8]] = &[
        b"",
        b"n",
        b"n,",
        b"n,,",
        b",,n=u,r=a",
        b"N,,n=u,r=a",
        b"F,n,,n=u,r=a",
        b"n,,n=,r=a",
        b"n,,n=u,r=",
        b"n,,r=a,n=u",
        b"n,,m=ext,n=u,r=a",
        b"n,,n=u,r=a,m=ext",
        b"n,,n=u,r=a,n=v",
        b"n,,n=u,r=a,",
        b"n,,n=u,r=a,xy",
        b"n,,n=u,r=a,1=x",
        b"n,,n=u,r=a,x=",
        b"n,a=,n=u,r=a",
        b"n,b=x,n=u,r=a",
        b"n,,n=u=,r=a",
        b"n,,n=u=2,r=a",
        b"n,,n=u=2c,r=a",
        b"n,,n=u=3d,r=a",
        b"n,,n=u=41,r=a",
        b"n,,n=u,r=a b",
        b"n,,n=u,r=a\x7f",
        b"n,,n=u\0,r=a",
        b"n,,n=\xff,r=a",
        b"p=tls_x,,n=u,r=a",
        b"n,,n=u,r=\xc3\xa4",
    ];
    for message in bad {
        assert!(ClientFirst::parse(message).is_err(), "{}", String::from_utf8_lossy(message));
    }
}

/// Every limit holds at its edge.
#[test]
fn limits_hold_at_their_edges() {
    let nonce = |len: usize| format!("n,,n=u,r={}", "a".repeat(len));
    assert!(ClientFirst::parse(nonce(NONCE_BYTES_MAX).as_bytes()).is_ok());
    assert!(ClientFirst::parse(nonce(NONCE_BYTES_MAX + 1).as_bytes()).is_err());
    let long = |len: usize| format!("n,,n=u,r=a,x={}", "a".repeat(len - 13));
    assert!(ClientFirst::parse(long(MESSAGE_BYTES_MAX).as_bytes()).is_ok());
    assert!(ClientFirst::parse(long(MESSAGE_BYTES_MAX + 1).as_bytes()).is_err());
}

/// The client does not let a hostile server lead it.
#[test]
fn the_client_checks_the_server() {
    let password = secret(PASSWORD);
    let start = || {
        let none = ClientBinding::Unsupported;
        ScramClient::start(Mechanism::ScramSha1, "ann", None, &password, &none, NONCE).unwrap().1
    };
    let nonce = STANDARD.encode(NONCE);
    let fault = |message: String| start().server_first(message.as_bytes()).err();
    let salt = "QSXCR+Q6sek8bf92";
    assert_eq!(fault(format!("r={nonce},s={salt},i=4096")), Some(ClientFault::Nonce));
    assert_eq!(fault(format!("r=x{nonce}y,s={salt},i=4096")), Some(ClientFault::Nonce));
    for iterations in ["1", "4095", "1000001", "4294967295"] {
        let message = format!("r={nonce}x,s={salt},i={iterations}");
        assert_eq!(fault(message), Some(ClientFault::Iterations));
    }
    for bad in [
        format!("r={nonce}x,s={salt},i=04096"),
        format!("r={nonce}x,s={salt},i=99999999999"),
        format!("r={nonce}x,s=,i=4096"),
        format!("r={nonce}x,s={salt}=,i=4096"),
        format!("m=1,r={nonce}x,s={salt},i=4096"),
        "e=unknown-user".to_owned(),
    ] {
        assert_eq!(fault(bad.clone()), Some(ClientFault::Malformed), "{bad}");
    }
    let message = format!("r={nonce}x,s={salt},i=4096");
    let waiting = || start().server_first(message.as_bytes()).unwrap().1;
    let refused = Err(ClientFault::Refused("invalid-proof".to_owned()));
    assert_eq!(waiting().server_final(b"e=invalid-proof"), refused);
    assert_eq!(waiting().server_final(b"v=AAAA"), Err(ClientFault::Signature));
    assert_eq!(waiting().server_final(b"v="), Err(ClientFault::Signature));
    assert_eq!(waiting().server_final(b""), Err(ClientFault::Malformed));
}

/// Nothing that helps a guesser is shown by `Debug`.
#[test]
fn debug_shows_no_secret() {
    let (_, server) = waiting(Mechanism::ScramSha256Plus);
    let text = format!("{:?}", server());
    assert_eq!(text, "AwaitingProof { login: ann, .. }");
}

fn name() -> impl Strategy<Value = String> {
    let letters = proptest::sample::select(vec![
        ',', '=', 'a', 'Z', '2', 'C', '3', 'D', '@', '\u{fc}', '\u{436}', '\u{5b57}', '\u{1e9e}',
    ]);
    let made = proptest::collection::vec(letters, 1..16).prop_map(String::from_iter);
    prop_oneof![made, "\\PC{1,12}"]
        .prop_filter("must be a login", |name| Login::parse(name).is_ok())
}

fn password() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{1,40}", "\\PC{1,24}", "[ -~]{65,90}"]
        .prop_filter("must be a password", |text| prepare_password(&secret(text)).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Client and server agree for any login and password, and for no other password.
    #[test]
    fn client_and_server_agree(
        name in name(),
        password in password(),
        other in password(),
        mechanism in proptest::sample::select(Mechanism::PREFERENCE.to_vec()),
    ) {
        let (verifiers, address) = (verifiers(&password), address());
        let account = Some(Account { verifiers: &verifiers, address: &address });
        let binding = fitting(mechanism);
        let done = exchange(mechanism, &binding, &name, Some(&name), &password, account).unwrap();
        prop_assert_eq!(done.login(), &Login::parse(&name).unwrap());
        let prepared = |text: &str| prepare_password(&secret(text)).unwrap().expose().to_vec();
        if prepared(&other) != prepared(&password) {
            let outcome = exchange(mechanism, &binding, &name, None, &other, account);
            prop_assert_eq!(outcome.err(), Some(SaslFault::NotAuthorized));
        }
    }
}

proptest! {
    /// No bytes make a parser or an exchange panic, and no made-up bytes get in.
    #[test]
    fn arbitrary_bytes_are_survived(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "(n|y|p=[a-z-]{0,12}),(a=[a-z=2C3D]{0,6})?,n=[a-z=2C3D]{0,8},r=[!-~]{0,8}(,[a-z]=.{0,3})?"
                .prop_map(String::into_bytes),
            "(c=[A-Za-z0-9+/=]{0,12}|r=[!-~]{0,8}|[a-z]=.{0,6}|[spive]=[A-Z0-9=]{0,8}|,){0,8}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let _ = ClientFirst::parse(&bytes);
        let _ = ServerFirst::parse(&bytes);
        let _ = ClientFinal::parse(&bytes);
        let _ = ServerLast::parse(&bytes);
        for mechanism in Mechanism::PREFERENCE {
            let server = ScramServer::start(mechanism, false, bindings(), NONCE);
            if let Ok(server) = server.client_first(&bytes) {
                let (_, server) = server.challenge(None, &decoy());
                prop_assert!(server.client_final(&bytes).is_err());
            }
        }
    }

    /// Writing a name and reading it back gives the name.
    #[test]
    fn names_survive_escaping(name in "[^\\x00]{1,20}") {
        let message = format!("n,a={0},n={0},r=x", escape(&name));
        let first = ClientFirst::parse(message.as_bytes()).unwrap();
        prop_assert_eq!(first.username.as_ref(), name.as_str());
        prop_assert_eq!(first.authzid.as_deref(), Some(name.as_str()));
    }
}
