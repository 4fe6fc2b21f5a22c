//! `check-config`: says whether the configuration can be used.

use clap::Args;
use edge::tls::Tls;
use serde_json::json;

use super::Scene;
use crate::{fault::Fault, reference, screen};

/// Checks the configuration and everything that it names.
///
/// Use it before a start or after a change of the file: it reads the keys and the certificate as
/// `serve` would, opens no port and no database, and changes nothing.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  chancery check-config --config /srv/chancery\n  \
                        chancery check-config --reference > docs/configuration.md\n")]
pub(crate) struct Check {
    /// Print what every key means, as Markdown, and check nothing
    #[arg(long)]
    reference: bool,
}

pub(crate) fn run(scene: &Scene, check: &Check) -> Result<(), Fault> {
    if check.reference {
        screen::print(reference::page().trim_end());
        return Ok(());
    }
    let place = scene.place()?;
    let config = &place.config;
    Tls::load(&place.path(&config.tls.certificate), &place.path(&config.tls.key))
        .map_err(|fault| Fault::Environment(fault.to_string()))?;
    let directory = place.directory()?;
    place.decoy()?;
    place.check_vault_key()?;
    if config.archive.enabled {
        place.custodians()?;
        let agree = place.log_key()?.verifying() == place.log_public()?;
        if !agree {
            return Err(Fault::Environment(
                "log.pub is not the public half of log.key; put the pair back from a backup"
                    .to_owned(),
            ));
        }
    }
    let accounts = directory.snapshot().accounts().len();
    scene.show(
        || {
            format!(
                "{} is good: {} with {accounts} accounts, archive {}",
                place.file.display(),
                config.domain,
                if config.archive.enabled { "on" } else { "off" }
            )
        },
        || {
            json!({ "config": place.file, "domain": config.domain, "accounts": accounts,
                    "archive": config.archive.enabled })
        },
    );
    Ok(())
}
