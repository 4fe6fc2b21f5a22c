//! What tests and measurements need of the machine besides Rust, as data; installs nothing itself.

/// What a thing is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `cargo xtask test`.
    Test,
    /// `cargo xtask bench`: the peers that Chancery is measured beside.
    Bench,
}

/// How to see that a Debian package, or something as good, is there.
pub(crate) enum Proof {
    /// A program in the path, or in one of the folders for administrators.
    Program(&'static str),
    /// A folder with a version in its name: a file below each entry of the folder.
    Below(&'static str, &'static str),
    /// A command that succeeds.
    Runs(&'static str, &'static [&'static str]),
}

/// A Debian package.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) proof: Proof,
    pub(crate) purpose: Purpose,
    pub(crate) why: &'static str,
}

/// Debian packages; their versions are Debian's.
pub(crate) const DEBIAN: &[Package] = &[
    Package {
        name: "g++",
        proof: Proof::Program("c++"),
        purpose: Purpose::Test,
        why: "compiles SQLite, the cryptography library and the fuzzer's loop",
    },
    Package {
        name: "postgresql",
        proof: Proof::Below("/usr/lib/postgresql", "bin/initdb"),
        purpose: Purpose::Test,
        why: "the store's second backend; tests start their own on loopback, in a temporary folder",
    },
    Package {
        name: "profanity",
        proof: Proof::Program("profanity"),
        purpose: Purpose::Test,
        why: "a terminal client (C, libstrophe) that no one here wrote",
    },
    Package {
        name: "tmux",
        proof: Proof::Program("tmux"),
        purpose: Purpose::Test,
        why: "gives profanity a terminal and types into it",
    },
    Package {
        name: "openssl",
        proof: Proof::Program("openssl"),
        purpose: Purpose::Test,
        why: "names a certificate as profanity's folder of trusted ones wants it",
    },
    Package {
        name: "python3-venv",
        proof: Proof::Runs("/usr/bin/python3", &["-c", "import ensurepip, venv"]),
        purpose: Purpose::Test,
        why: "a private place for the Python client",
    },
    Package {
        name: "nodejs",
        proof: Proof::Program("node"),
        purpose: Purpose::Test,
        why: "runs the JavaScript client",
    },
    Package {
        name: "npm",
        proof: Proof::Program("npm"),
        purpose: Purpose::Test,
        why: "installs the JavaScript client",
    },
    Package {
        name: "prosody",
        proof: Proof::Program("prosody"),
        purpose: Purpose::Bench,
        why: "a peer to be measured beside",
    },
    Package {
        name: "ejabberd",
        proof: Proof::Program("ejabberdctl"),
        purpose: Purpose::Bench,
        why: "a peer to be measured beside",
    },
];

/// Why the Python packages are there.
pub(crate) const PYTHON_WHY: &str = "slixmpp, a client library (Python) that no one here wrote";

/// Packages of target/test-clients/venv: slixmpp and all it brings, every version pinned.
pub(crate) const PYTHON: &[&str] = &[
    "slixmpp==1.17.0",
    "aiodns==4.0.4",
    "cffi==2.1.1",
    "pyasn1==0.6.5",
    "pyasn1_modules==0.4.2",
    "pycares==5.2.1",
    "pycparser==3.12",
];

/// Why the JavaScript packages are there.
pub(crate) const NODE_WHY: &str =
    "@xmpp/client, a client library (JavaScript) that no one here wrote";

/// Packages of target/test-clients/node; scripts of packages do not run. `@xmpp/client` speaks
/// STARTTLS and SCRAM-SHA-1 over TCP; strophe.js would need a WebSocket, nbxmpp needs GLib.
pub(crate) const NODE: &[&str] = &["@xmpp/client@0.14.0"];
