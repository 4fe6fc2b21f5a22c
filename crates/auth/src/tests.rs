//! What is offered, what is kept instead of a password, and what an unknown login looks like.

use model::Secret;
use proptest::prelude::*;

use super::*;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn bindings() -> ChannelBindings {
    ChannelBindings { tls_exporter: Some(vec![7; 32]), tls_server_end_point: None }
}

/// DIR-17: challenge-response only, the strongest first, channel binding where there is one.
#[test]
fn challenge_response_is_preferred() {
    let names = |bindings| {
        mechanisms_offered(&bindings).into_iter().map(Mechanism::name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(bindings()),
        ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"]
    );
    assert_eq!(names(ChannelBindings::none()), ["SCRAM-SHA-256", "SCRAM-SHA-1"]);
    for mechanism in Mechanism::PREFERENCE {
        assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
    }
    for name in ["PLAIN", "scram-sha-256", "SCRAM-SHA-512", "EXTERNAL", ""] {
        assert_eq!(Mechanism::from_name(name), None);
    }
}

#[test]
fn bindings_are_announced_when_they_are_there() {
    let both = ChannelBindings { tls_server_end_point: Some(vec![1]), ..bindings() };
    let kinds: Vec<_> = both.kinds().map(BindingKind::name).collect();
    assert_eq!(kinds, ["tls-exporter", "tls-server-end-point"]);
    let empty = ChannelBindings { tls_exporter: Some(Vec::new()), tls_server_end_point: None };
    assert!(empty.is_empty());
    assert!(!format!("{both:?}").contains('7'));
    assert_eq!(BindingKind::from_name("tls-unique"), None);
}

/// RFC 5929 §4.1: the hash of the signature, but never less than SHA-256.
#[test]
fn end_point_takes_the_hash_of_the_signature() {
    let len = |oid| CertificateHash::for_signature(oid).map(|hash| hash.end_point(b"x").len());
    assert_eq!(len("1.2.840.113549.1.1.5"), Some(32));
    assert_eq!(len("1.2.840.113549.1.1.11"), Some(32));
    assert_eq!(len("1.2.840.10045.4.3.3"), Some(48));
    assert_eq!(len("1.2.840.113549.1.1.13"), Some(64));
    assert_eq!(len("1.3.101.112"), None);
}

/// DIR-15: equal passwords have different verifiers, and a verifier does not hold the password.
#[test]
fn equal_passwords_differ() {
    let password = secret("correct horse");
    let first = Verifiers::derive(&password, [[1; 16], [2; 16]], ITERATIONS_MIN).unwrap();
    let second = Verifiers::derive(&password, [[3; 16], [4; 16]], ITERATIONS_MIN).unwrap();
    for hash in [Hash::Sha1, Hash::Sha256] {
        let (first, second) = (first.of(hash), second.of(hash));
        assert_ne!(first.stored_key(), second.stored_key());
        assert_ne!(first.server_key(), second.server_key());
        assert!(!first.to_text().contains("horse"));
        assert!(!format!("{first:?}").contains(first.to_text().rsplit(':').next().unwrap()));
    }
    assert!(first.matches(&password) && second.matches(&password));
    assert!(!first.matches(&secret("correct horsf")) && !first.matches(&secret("")));
}

/// The known answer of PostgreSQL and RFC 7677 for `pencil`.
#[test]
fn verifier_text_is_the_known_one() {
    let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==\
                $WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=\
                :wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    let verifier = Verifier::from_text(text).unwrap();
    assert_eq!(verifier.to_text(), text);
    assert!(verifier.matches(&secret("pencil")));
    assert!(!verifier.matches(&secret("Pencil")));
}

#[test]
fn verifier_text_is_read_strictly() {
    let good = Verifier::derive(Hash::Sha1, &secret("p"), [9; 16], ITERATIONS_MIN).unwrap();
    let good = good.to_text();
    assert!(Verifier::from_text(&good).is_ok());
    let bad = [
        String::new(),
        "$".into(),
        "$$::".into(),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}:"),
        good.replace("$4096:", "$04096:"),
        good.replace("$4096:", "$+4096:"),
        good.replace("$4096:", "$4096"),
        good.replace("SHA-1", "SHA-256"),
        good.replace("SHA-1", "sha-1"),
        good.replace('=', ""),
    ];
    for text in bad {
        assert_eq!(Verifier::from_text(&text).err(), Some(VerifierFault::Malformed), "{text:?}");
    }
    for iterations in ["4095", "1000001", "1"] {
        let text = good.replace("$4096:", &format!("${iterations}:"));
        assert_eq!(Verifier::from_text(&text).err(), Some(VerifierFault::Iterations));
    }
}

#[test]
fn unusable_passwords_are_refused() {
    let derive = |bytes: &[u8]| {
        Verifiers::derive(&Secret::new(bytes.to_vec()), [[0; 16]; 2], ITERATIONS_MIN).err()
    };
    let fault = |fault| Some(VerifierFault::Password(fault));
    assert_eq!(derive(b""), fault(PasswordFault::Empty));
    assert_eq!(derive(&[b'x'; PASSWORD_BYTES_MAX + 1]), fault(PasswordFault::TooLong));
    assert_eq!(derive(b"a\tb"), fault(PasswordFault::Forbidden));
    assert_eq!(derive(b"a\0b"), fault(PasswordFault::Forbidden));
    assert_eq!(derive(b"\xff"), fault(PasswordFault::Forbidden));
    assert_eq!(
        Verifiers::derive(&secret("x"), [[0; 16]; 2], ITERATIONS_MIN - 1).err(),
        Some(VerifierFault::Iterations)
    );
}

/// Two ways to write one character are one password (RFC 8265 §4.2: NFC, other spaces are spaces).
#[test]
fn spellings_of_a_password_are_one() {
    let verifier =
        Verifier::derive(Hash::Sha256, &secret("\u{fc}ber\u{3000}all"), [1; 16], ITERATIONS_MIN)
            .unwrap();
    assert!(verifier.matches(&secret("u\u{308}ber all")));
    assert!(!verifier.matches(&secret("uber all")));
}

#[test]
fn logins_are_prepared() {
    assert_eq!(Login::parse("Ann.Smith").unwrap().as_str(), "ann.smith");
    assert_eq!(Login::parse("A,b=C@d").unwrap().as_str(), "a,b=c@d");
    assert_eq!(Login::parse("U\u{308}").unwrap().as_str(), "\u{fc}");
    assert_eq!(Login::parse(""), Err(LoginFault::Empty));
    assert_eq!(Login::parse("a b"), Err(LoginFault::Forbidden));
    assert_eq!(Login::parse("a\0"), Err(LoginFault::Forbidden));
    assert_eq!(Login::parse(&"a".repeat(LOGIN_BYTES_MAX + 1)), Err(LoginFault::TooLong));
}

/// DIR-26: a decoy is stable, its own for each login and secret, and formed like an account.
#[test]
fn decoys_look_like_accounts() {
    let (decoy, other) = (Decoy::new([1; 32]), Decoy::new([2; 32]));
    let (ann, bob) = (Login::parse("ann").unwrap(), Login::parse("bob").unwrap());
    let real = Verifiers::derive(&secret("x"), [[1; 16], [2; 16]], ITERATIONS_DEFAULT).unwrap();
    for hash in [Hash::Sha1, Hash::Sha256] {
        let fake = decoy.verifier(hash, &ann);
        assert_eq!(fake.salt(), decoy.verifier(hash, &Login::parse("ANN").unwrap()).salt());
        assert_ne!(fake.salt(), decoy.verifier(hash, &bob).salt());
        assert_ne!(fake.salt(), other.verifier(hash, &ann).salt());
        assert_eq!(fake.salt().len(), real.of(hash).salt().len());
        assert_eq!(fake.iterations(), real.of(hash).iterations());
        assert_eq!(fake.stored_key().len(), hash.output_bytes());
        assert_eq!(fake.server_key().len(), hash.output_bytes());
    }
    let salts = [Hash::Sha1, Hash::Sha256].map(|hash| decoy.verifier(hash, &ann).salt().to_vec());
    assert_ne!(salts[0], salts[1]);
}

/// RFC 2202 and RFC 4231: a key longer than a block is hashed first.
#[test]
fn hmac_gives_the_known_answers() {
    let key = [0xaa; 131];
    let data: &[u8] = b"Test Using Larger Than Block-Size Key - Hash Key First";
    let expected = [0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f];
    assert_eq!(Hash::Sha256.hmac(&key, &[data])[..8], expected);
    let expected = [0xaa, 0x4a, 0xe5, 0xe1, 0x52, 0x72, 0xd0, 0x0e];
    assert_eq!(Hash::Sha1.hmac(&[0xaa; 80], &[data])[..8], expected);
}

#[test]
fn faults_have_their_names() {
    assert_eq!(SaslFault::NotAuthorized.name(), "not-authorized");
    assert_eq!(SaslFault::TemporaryAuthFailure.name(), "temporary-auth-failure");
    assert_eq!(SaslFault::InvalidAuthzid.name(), "invalid-authzid");
}

proptest! {
    #[test]
    fn from_text_never_panics(text in "[A-Z0-9$:=+/-]{0,120}|\\PC{0,60}|SCRAM-SHA-1\\$4096:.{0,80}") {
        if let Ok(verifier) = Verifier::from_text(&text) {
            prop_assert_eq!(verifier.to_text(), text);
        }
    }

    /// A prepared login is prepared: preparing it again changes nothing.
    #[test]
    fn preparing_twice_is_preparing_once(text in "\\PC{1,20}") {
        if let Ok(login) = Login::parse(&text) {
            let again = Login::parse(login.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), login.as_str());
        }
    }
}
