//! The configuration file: one struct for each section, unknown keys are errors, every value has
//! a limit. `reference` says it in words. Reads no file and knows no path but as text.

use std::{fmt, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Addresses that one way of connecting may listen on.
pub(crate) const LISTENERS_MAX: usize = 16;

/// Custodians that records are sealed to.
pub(crate) const CUSTODIANS_MAX: usize = 16;

/// Bytes of the configuration file.
pub(crate) const CONFIG_BYTES_MAX: u64 = 256 * 1_024;

/// Mebibytes in a page of the database, the wrong way round: pages of 4 KiB in a mebibyte.
const PAGES_PER_MIB: u32 = 256;

/// Everything that the file can say.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) domain: String,
    #[serde(default)]
    pub(crate) listen: Listen,
    #[serde(default)]
    pub(crate) tls: Tls,
    #[serde(default)]
    pub(crate) data: Data,
    #[serde(default)]
    pub(crate) keys: Keys,
    #[serde(default)]
    pub(crate) archive: Archive,
    #[serde(default)]
    pub(crate) session: Session,
    #[serde(default)]
    pub(crate) log: Log,
}

/// `[listen]`.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listen {
    pub(crate) starttls: Vec<SocketAddr>,
    pub(crate) direct_tls: Vec<SocketAddr>,
}

/// `[tls]`.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// `[data]`.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    pub(crate) database: String,
    pub(crate) size_mib_max: u32,
}

/// `[keys]`.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    pub(crate) folder: PathBuf,
}

/// `[archive]`.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Archive {
    pub(crate) enabled: bool,
    pub(crate) custodians: Vec<PathBuf>,
    pub(crate) segment_secs: u32,
    pub(crate) segment_mib: u32,
}

/// `[session]`.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Session {
    pub(crate) stanza_bytes_max: u32,
    pub(crate) sign_in_secs_max: u32,
    pub(crate) write_secs_max: u32,
    pub(crate) idle_secs_max: u32,
    pub(crate) ping_secs_max: u32,
}

/// `[log]`.
#[derive(Clone, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) level: String,
}

impl Default for Listen {
    fn default() -> Self {
        let any = |port| SocketAddr::from(([0_u16; 8], port));
        Self { starttls: vec![any(5222)], direct_tls: vec![any(5223)] }
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self { certificate: "keys/server.pem".into(), key: "keys/server.key".into() }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: "data".into(), database: String::new(), size_mib_max: 0 }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { folder: "keys".into() }
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            enabled: true,
            custodians: vec!["keys/custodian.pub".into()],
            segment_secs: 3_600,
            segment_mib: 16,
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            stanza_bytes_max: 524_288,
            sign_in_secs_max: 60,
            write_secs_max: 60,
            idle_secs_max: 600,
            ping_secs_max: 60,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned() }
    }
}

/// Why a text is no configuration: one sentence, with the line if it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ConfigFault {
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
}

impl Config {
    /// Reads the text, checks every limit, and prepares the domain.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigFault> {
        let mut config: Self = toml::from_str(text).map_err(|fault| {
            let before = fault.span().and_then(|span| text.get(..span.start));
            ConfigFault {
                line: before.map(|before| before.matches('\n').count() + 1),
                what: fault.message().replace('\n', " "),
            }
        })?;
        config.check()?;
        if let Ok(domain) = model::Address::domain_only(&config.domain) {
            domain.as_str().clone_into(&mut config.domain);
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigFault> {
        let fault = |what: String| Err(ConfigFault { line: None, what });
        if let Err(why) = model::Address::domain_only(&self.domain) {
            return fault(format!("domain = {:?} is not a domain: {why}", self.domain));
        }
        let listeners = &self.listen;
        for (key, count) in [
            ("listen.starttls", listeners.starttls.len()),
            ("listen.direct_tls", listeners.direct_tls.len()),
        ] {
            if count > LISTENERS_MAX {
                return fault(format!("{key} may have {LISTENERS_MAX} addresses at most"));
            }
        }
        if listeners.starttls.is_empty() && listeners.direct_tls.is_empty() {
            return fault(
                "nobody could connect: listen.starttls and listen.direct_tls are empty".to_owned(),
            );
        }
        let custodians = self.archive.custodians.len();
        if self.archive.enabled && !(1..=CUSTODIANS_MAX).contains(&custodians) {
            return fault(format!(
                "archive.custodians must name 1 to {CUSTODIANS_MAX} key files while \
                 archive.enabled is true"
            ));
        }
        for (key, value, min, max) in self.numbers() {
            if !(min..=max).contains(&value) {
                return fault(format!("{key} = {value} is not between {min} and {max}"));
            }
        }
        if !crate::logging::is_level(&self.log.level) {
            return fault(format!(
                "log.level = {:?} is not error, warn, info, debug or trace, nor a list such as \
                 \"info,hub=debug\"",
                self.log.level
            ));
        }
        Ok(())
    }

    /// Each number with the least and the most that it can be.
    pub(crate) fn numbers(&self) -> [(&'static str, u32, u32, u32); 8] {
        [
            ("data.size_mib_max", self.data.size_mib_max, 0, u32::MAX / PAGES_PER_MIB),
            ("archive.segment_secs", self.archive.segment_secs, 60, 86_400),
            ("archive.segment_mib", self.archive.segment_mib, 1, 1_024),
            // RFC 6120 §13.12: 10,000 bytes at least.
            ("session.stanza_bytes_max", self.session.stanza_bytes_max, 10_000, 16_777_216),
            ("session.sign_in_secs_max", self.session.sign_in_secs_max, 5, 600),
            ("session.write_secs_max", self.session.write_secs_max, 5, 600),
            ("session.idle_secs_max", self.session.idle_secs_max, 30, 86_400),
            ("session.ping_secs_max", self.session.ping_secs_max, 5, 600),
        ]
    }

    /// The size limit of the embedded database in pages.
    pub(crate) fn pages_max(&self) -> Option<u32> {
        let mib = self.data.size_mib_max;
        (mib > 0).then(|| mib.saturating_mul(PAGES_PER_MIB))
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

#[cfg(test)]
mod tests;
