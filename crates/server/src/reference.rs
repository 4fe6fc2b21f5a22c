//! Every key of the configuration with what it does, its default and its limit: the text of the
//! annotated file that `init` writes, and of `docs/configuration.md`.

use std::fmt::Write as _;

/// One key.
pub(crate) struct Key {
    /// Its section; none for the keys at the top.
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// In the form of the file; none where there is no default.
    pub(crate) default: Option<&'static str>,
    pub(crate) limit: &'static str,
}

/// All keys, in the order of the file.
pub(crate) const KEYS: &[Key] = &[
    Key {
        section: "",
        name: "domain",
        doc: "The domain that is served. The data folder belongs to it: it cannot be changed later.",
        default: None,
        limit: "a domain of at most 253 bytes",
    },
    Key {
        section: "listen",
        name: "starttls",
        doc: "Where clients connect in the clear and change to TLS by STARTTLS.",
        default: Some("[\"[::]:5222\"]"),
        limit: "at most 16 addresses with ports; [] for none",
    },
    Key {
        section: "listen",
        name: "direct_tls",
        doc: "Where clients connect with TLS from the first byte.",
        default: Some("[\"[::]:5223\"]"),
        limit: "at most 16 addresses with ports; [] for none",
    },
    Key {
        section: "tls",
        name: "certificate",
        doc: "The certificate for the domain in PEM form, with the chain to its issuer behind it. \
              Read at the start.",
        default: Some("\"keys/server.pem\""),
        limit: "a path, relative to this file",
    },
    Key {
        section: "tls",
        name: "key",
        doc: "The private key of the certificate in PEM form.",
        default: Some("\"keys/server.key\""),
        limit: "a path, relative to this file",
    },
    Key {
        section: "data",
        name: "folder",
        doc: "Where the server keeps everything: accounts and policies, messages, the archive's \
              log, and the control socket.",
        default: Some("\"data\""),
        limit: "a path, relative to this file; at most about 90 bytes in full, for the socket's \
                sake",
    },
    Key {
        section: "data",
        name: "database",
        doc: "A PostgreSQL database for the messages, as postgres://user@host/name. Empty keeps \
              them in an embedded database in the folder.",
        default: Some("\"\""),
        limit: "a URL; without TLS, so loopback or a network that is otherwise secured",
    },
    Key {
        section: "data",
        name: "size_mib_max",
        doc: "Size of the embedded database in MiB. When it is reached, sending is refused until \
              there is room. 0 leaves it to the disk.",
        default: Some("0"),
        limit: "0 to 16777215",
    },
    Key {
        section: "keys",
        name: "folder",
        doc: "Where the server's keys are: vault.key (messages at rest), log.key (signs the \
              archive's log), log.pub (its public half), decoy.key (hides which sign-in names \
              exist). Keep a backup apart from that of the data.",
        default: Some("\"keys\""),
        limit: "a path, relative to this file; only its owner may read the keys",
    },
    Key {
        section: "archive",
        name: "enabled",
        doc: "Whether messages are sealed into the archive.",
        default: Some("true"),
        limit: "true or false",
    },
    Key {
        section: "archive",
        name: "custodians",
        doc: "The public keys of the archive's custodians. Each of them alone can open what is \
              sealed; the server cannot.",
        default: Some("[\"keys/custodian.pub\"]"),
        limit: "1 to 16 paths, relative to this file",
    },
    Key {
        section: "archive",
        name: "segment_secs",
        doc: "Seconds after which the server forgets the key it seals with and takes a new one.",
        default: Some("3600"),
        limit: "60 to 86400",
    },
    Key {
        section: "archive",
        name: "segment_mib",
        doc: "MiB of sealed messages after which it does so too.",
        default: Some("16"),
        limit: "1 to 1024",
    },
    Key {
        section: "session",
        name: "stanza_bytes_max",
        doc: "Bytes of one stanza that a signed-in client may send. Policy limits messages \
              further, by message.max_bytes.",
        default: Some("524288"),
        limit: "10000 to 16777216",
    },
    Key {
        section: "session",
        name: "sign_in_secs_max",
        doc: "Seconds that a client has from connecting to being signed in.",
        default: Some("60"),
        limit: "5 to 600",
    },
    Key {
        section: "session",
        name: "write_secs_max",
        doc: "Seconds that a client may take to read what it is sent. A slower one is \
              disconnected, and its messages wait.",
        default: Some("60"),
        limit: "5 to 600",
    },
    Key {
        section: "session",
        name: "idle_secs_max",
        doc: "Seconds of silence after which a client is asked whether it is still there.",
        default: Some("600"),
        limit: "30 to 86400",
    },
    Key {
        section: "session",
        name: "ping_secs_max",
        doc: "Seconds that it has to answer before it is disconnected.",
        default: Some("60"),
        limit: "5 to 600",
    },
    Key {
        section: "log",
        name: "level",
        doc: "How much is logged, to standard error. The command line's --log goes before it.",
        default: Some("\"info\""),
        limit: "error, warn, info, debug, trace, or a list such as \"info,hub=debug\"",
    },
];

/// Columns of the comments in the file.
const COLUMNS: usize = 78;

/// The annotated file. What `given` names is set, everything else stands as a comment with its
/// default.
pub(crate) fn annotated(given: &[(&str, String)]) -> String {
    let mut text = String::from(
        "# The configuration of Chancery. What is commented out shows its default.\n\
         # `chancery check-config` checks this file; unknown keys are errors.\n",
    );
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            let _ = write!(text, "\n[{section}]\n");
        }
        text.push('\n');
        for line in wrapped(&format!("{} Limit: {}.", key.doc, key.limit)) {
            let _ = writeln!(text, "# {line}");
        }
        let full = key.full_name();
        match given.iter().find(|(name, _)| *name == full) {
            Some((_, value)) => {
                let _ = writeln!(text, "{} = {value}", key.name);
            }
            None => {
                let _ = writeln!(text, "#{} = {}", key.name, key.default.unwrap_or("\"\""));
            }
        }
    }
    text
}

/// The reference page.
pub(crate) fn page() -> String {
    let mut text = String::from(PAGE_HEAD);
    let mut section = None;
    for key in KEYS {
        if section != Some(key.section) {
            section = Some(key.section);
            let title = match key.section {
                "" => "At the top".to_owned(),
                section => format!("`[{section}]`"),
            };
            let _ = write!(text, "\n## {title}\n\n| key | what it does | default | limit |\n");
            text.push_str("| --- | --- | --- | --- |\n");
        }
        let default = key.default.map_or("none".to_owned(), |default| format!("`{default}`"));
        let _ = writeln!(text, "| `{}` | {} | {default} | {} |", key.name, key.doc, key.limit);
    }
    text.push_str(PAGE_FOOT);
    text
}

impl Key {
    /// Section and name.
    pub(crate) fn full_name(&self) -> String {
        if self.section.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.section, self.name)
        }
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| line.len() + 1 + word.len() > COLUMNS - 2);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

const PAGE_HEAD: &str = "# Configuration

Made by `chancery check-config --reference`; a test compares.

The server reads one TOML file, `chancery.toml` in the current folder unless `--config` names
another (or a folder that holds one). `chancery init` writes it with every key and its comment.
Unknown keys are errors. Relative paths start from the file's own folder. The file is read at the
start; accounts, groups and policies are not in it and change at once, by the command line.
";

const PAGE_FOOT: &str = "
## What is not in the file

- **Rules.** `chancery policy settings` lists every setting of the policies with its values and
  default; `chancery policy set`, `access` and `lexicon` change them.
- **Open files.** Each connection takes one file descriptor. The program does not raise the
  system's limit: start it with `ulimit -n 65536`, or `LimitNOFILE=65536` in a systemd unit. When
  none is left, new connections wait until others end; those that are open notice nothing.
- **The environment.** `USER` names the author of a change unless `--by` does. Nothing else is read.
- **Signals.** `SIGTERM` and `SIGINT` end the server cleanly; `SIGHUP` makes it read accounts,
  groups and policies again, which the command line does by itself.

## Files

| path | what it is | who may read it |
| --- | --- | --- |
| `data/directory` | accounts, groups, policies: one line for each change | owner |
| `data/store/` | messages, rosters and the rest, encrypted under `vault.key` | owner |
| `data/log/` | the sealed archive; may be copied to anybody who is to verify it | owner |
| `data/control.sock` | how the command line speaks to the running server | owner |
| `keys/ca.pem` | the certificate authority that `init` made, for clients to trust | everybody |
| `keys/ca.key` | its private key; the server does not need it, so move it away | owner |
| `keys/server.pem`, `keys/server.key` | certificate and key of the domain | owner |
| `keys/vault.key` | what messages at rest are encrypted under; without it they are lost | owner |
| `keys/log.key`, `keys/log.pub` | what signs the archive's log; what verifies it | owner; everybody |
| `keys/decoy.key` | hides which sign-in names exist | owner |
| `keys/custodian.pub` | what the archive is sealed to | everybody |
| `custodian/` | the archive's private key under a passphrase; take it off the server | custodian |
";
