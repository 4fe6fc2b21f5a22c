//! The client's side of a sign-in, for the scripts: real SCRAM with fixed nonces.

use std::sync::OnceLock;

use auth::{
    AwaitingSignature, BindingKind, ChannelBindings, ClientBinding, ITERATIONS_MIN, Mechanism,
    NONCE_BYTES, SALT_BYTES, ScramClient, Verifiers,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::Secret;

pub(crate) const PASSWORD: &str = "r0m30myr0m30";

/// What the server keeps of [`PASSWORD`]. Made once: it is slow by design.
pub(crate) fn verifiers() -> Verifiers {
    static VERIFIERS: OnceLock<Verifiers> = OnceLock::new();
    let make = || {
        let password = Secret::new(PASSWORD.as_bytes().to_vec());
        let salts = [[1; SALT_BYTES], [2; SALT_BYTES]];
        Verifiers::derive(&password, salts, ITERATIONS_MIN).unwrap()
    };
    VERIFIERS.get_or_init(make).clone()
}

/// What the connection of a script has to bind to.
pub(crate) fn bindings() -> ChannelBindings {
    ChannelBindings { tls_exporter: Some(vec![7; 32]), tls_server_end_point: None }
}

/// A client in the middle of signing in.
#[derive(Default)]
pub(crate) struct Client {
    started: Option<ScramClient>,
    awaiting: Option<AwaitingSignature>,
}

/// How a client signs in.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) mechanism: Mechanism,
    pub(crate) login: String,
    pub(crate) password: String,
    pub(crate) authzid: Option<String>,
    pub(crate) binding: ClientBinding,
}

impl Wish {
    /// Reads `mechanism=… login=… password=… authzid=… binding=n|y|exporter|wrong`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut wish = Self {
            mechanism: Mechanism::ScramSha256,
            login: "juliet".to_owned(),
            password: PASSWORD.to_owned(),
            authzid: None,
            binding: ClientBinding::Unsupported,
        };
        for word in text.split_whitespace() {
            match word.split_once('=').unwrap() {
                ("mechanism", name) => wish.mechanism = Mechanism::from_name(name).unwrap(),
                ("login", login) => wish.login = login.to_owned(),
                ("password", password) => wish.password = password.to_owned(),
                ("authzid", authzid) => wish.authzid = Some(authzid.to_owned()),
                ("binding", "n") => wish.binding = ClientBinding::Unsupported,
                ("binding", "y") => wish.binding = ClientBinding::NotOffered,
                ("binding", "exporter") => wish.binding = used(7),
                ("binding", "wrong") => wish.binding = used(8),
                (other, _) => panic!("no wish is called {other}"),
            }
        }
        wish
    }
}

fn used(byte: u8) -> ClientBinding {
    ClientBinding::Used(BindingKind::TlsExporter, vec![byte; 32])
}

impl Client {
    pub(crate) fn first(&mut self, wish: &Wish) -> String {
        let password = Secret::new(wish.password.as_bytes().to_vec());
        let (message, started) = ScramClient::start(
            wish.mechanism,
            &wish.login,
            wish.authzid.as_deref(),
            &password,
            &wish.binding,
            [3; NONCE_BYTES],
        )
        .unwrap();
        self.started = Some(started);
        STANDARD.encode(message)
    }

    pub(crate) fn proof(&mut self, challenge: &str) -> String {
        let challenge = STANDARD.decode(challenge).unwrap();
        let (message, awaiting) = self.started.take().unwrap().server_first(&challenge).unwrap();
        self.awaiting = Some(awaiting);
        STANDARD.encode(message)
    }

    /// The server must prove itself too.
    pub(crate) fn check(&mut self, success: &str) {
        let success = STANDARD.decode(success).unwrap();
        self.awaiting.take().unwrap().server_final(&success).unwrap();
    }
}
