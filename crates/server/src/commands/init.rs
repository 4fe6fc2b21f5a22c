//! `init`: makes a new installation. `demo` uses the same.

use std::{
    fs,
    path::{Path, PathBuf},
};

use archive::{ArchivePrivateKey, KeyFault, Log, PASSPHRASE_BYTES_MIN, SigningKey};
use clap::Args;
use directory::{Author, Directory};
use hub::clock;
use model::{Address, Secret};
use serde_json::json;

use super::{Scene, Signature};
use crate::{
    certificate,
    fault::Fault,
    files::{self, hex},
    place::{CONFIG_FILE, bad_key, is_empty},
    random, reference, screen,
};

/// Makes a new installation in an empty folder.
///
/// Use it once for a domain. It writes the annotated configuration, a certificate of an authority
/// of its own, the server's keys, an empty directory of accounts, and the key pair of the archive.
/// The archive's private key lies in DIR/custodian under a passphrase: take it away from the
/// server before anybody writes the first message.
#[derive(Args, Debug)]
#[command(after_help = concat!("Examples:\n  \
chancery init /srv/chancery --domain bank.example\n  \
chancery init ./test --domain bank.example --passphrase-file phrase.txt\n\n"))]
pub(crate) struct Init {
    /// The folder: empty, or not there yet
    dir: PathBuf,
    /// The domain that is to be served
    #[arg(long)]
    domain: String,
    /// A file whose first line is the passphrase of the archive's private key; asked for otherwise
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    signature: Signature,
}

/// What a new installation is made from.
pub(crate) struct Plan<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) domain: &'a str,
    pub(crate) passphrase: &'a Secret,
    pub(crate) author: &'a str,
    /// Further names of the certificate.
    pub(crate) names: &'a [&'a str],
    /// Keys of the configuration that are set, by full name.
    pub(crate) settings: &'a [(&'a str, String)],
}

pub(crate) fn run(scene: &Scene, init: &Init) -> Result<(), Fault> {
    let domain = prepare_domain(&init.domain)?;
    if !is_empty(&init.dir)? {
        return Err(Fault::Refused(format!(
            "{} is not empty; name an empty or a new folder",
            init.dir.display()
        )));
    }
    let what = "passphrase of the archive's key";
    let passphrase = screen::secret(init.passphrase_file.as_deref(), what, true)?;
    let plan = Plan {
        dir: &init.dir,
        domain: &domain,
        passphrase: &passphrase,
        author: &init.signature.name(),
        names: &[],
        settings: &[],
    };
    make(&plan).inspect_err(|_| clear(&init.dir))?;
    let dir = init.dir.display();
    scene.show(
        || {
            format!(
                "{domain} is ready in {dir}\n\
                 1. Move {dir}/custodian off this machine, and keep its passphrase elsewhere.\n\
                 2. chancery --config {dir} account add ana@{domain} --generate\n\
                 3. chancery --config {dir} serve"
            )
        },
        || json!({ "domain": domain, "config": init.dir.join(CONFIG_FILE) }),
    );
    Ok(())
}

/// Leaves a folder as empty as it was, so that a second try need not clean up after the first. What
/// cannot be removed is named by that try.
fn clear(dir: &Path) {
    for folder in FOLDERS {
        let _ = fs::remove_dir_all(dir.join(folder));
    }
}

fn prepare_domain(given: &str) -> Result<String, Fault> {
    match Address::domain_only(given) {
        Ok(domain) => Ok(domain.as_str().to_owned()),
        Err(why) => Err(Fault::Usage(format!("--domain {given:?} is not a domain: {why}"))),
    }
}

/// The folders of a new installation.
const FOLDERS: [&str; 3] = ["data", "keys", "custodian"];

/// Where the directory lies in a new installation.
pub(crate) const DIRECTORY_FILE: &str = "data/directory";

/// Writes everything, the configuration last: where it stands the rest is complete.
fn make(plan: &Plan<'_>) -> Result<(), Fault> {
    make_before_config(plan)?;
    write_config(plan)
}

/// Everything but the configuration.
pub(crate) fn make_before_config(plan: &Plan<'_>) -> Result<(), Fault> {
    for name in FOLDERS {
        files::private_folder(&plan.dir.join(name))?;
    }
    make_keys_and_log(plan)?;
    make_certificates(plan)?;
    make_custodian(plan)?;
    let file = plan.dir.join(DIRECTORY_FILE);
    let author = Author::Administrator(plan.author.to_owned());
    Directory::create(&file, plan.domain, &author, clock::now())
        .map(|_| ())
        .map_err(|fault| Fault::directory(&fault, &file))
}

/// The configuration.
pub(crate) fn write_config(plan: &Plan<'_>) -> Result<(), Fault> {
    let mut settings = vec![("domain", format!("{:?}", plan.domain))];
    settings.extend(plan.settings.iter().cloned());
    files::write_private(&plan.dir.join(CONFIG_FILE), reference::annotated(&settings).as_bytes())
}

/// The server's keys, and the log, which is signed from its first moment on.
fn make_keys_and_log(plan: &Plan<'_>) -> Result<(), Fault> {
    let keys = plan.dir.join("keys");
    for name in ["vault.key", "decoy.key"] {
        let text = Secret::new(format!("{}\n", hex(&random::bytes::<32>())).into_bytes());
        files::write_private(&keys.join(name), text.expose())?;
    }
    let path = keys.join("log.key");
    let key = SigningKey::generate().map_err(|fault| bad_key(&path, fault))?;
    files::write_private(&path, key.to_text().expose())?;
    let public = format!("{}\n", key.verifying().to_text());
    files::write_public(&keys.join("log.pub"), public.as_bytes())?;
    files::write_public(&plan.dir.join("custodian/log.pub"), public.as_bytes())?;
    let folder = plan.dir.join("data/log");
    files::private_folder(&folder)?;
    Log::open(&folder, key, plan.domain).map(|_| ()).map_err(|fault| {
        Fault::Environment(format!("cannot make the log in {}: {fault}", folder.display()))
    })
}

fn make_certificates(plan: &Plan<'_>) -> Result<(), Fault> {
    let keys = plan.dir.join("keys");
    let mut names = vec![plan.domain.to_owned()];
    names.extend(plan.names.iter().map(|name| (*name).to_owned()));
    let made = certificate::make(&names, clock::now())?;
    files::write_public(&keys.join("ca.pem"), made.authority.as_bytes())?;
    files::write_private(&keys.join("ca.key"), made.authority_key.as_bytes())?;
    files::write_public(&keys.join("server.pem"), made.chain.as_bytes())?;
    files::write_private(&keys.join("server.key"), made.key.as_bytes())
}

fn make_custodian(plan: &Plan<'_>) -> Result<(), Fault> {
    let folder = plan.dir.join("custodian");
    let path = folder.join("custodian.key");
    let fault = |why: KeyFault| {
        if why == KeyFault::Weak {
            return Fault::Usage(format!(
                "the passphrase of the archive's key needs {PASSPHRASE_BYTES_MIN} bytes or more"
            ));
        }
        bad_key(&path, why)
    };
    let key = ArchivePrivateKey::generate().map_err(fault)?;
    let text = key.to_file(plan.passphrase).map_err(fault)?;
    files::write_private(&path, text.as_bytes())?;
    let public = format!("{}\n", key.public().to_text());
    files::write_public(&plan.dir.join("keys/custodian.pub"), public.as_bytes())?;
    files::write_public(&folder.join("README"), CUSTODIAN_README.as_bytes())
}

const CUSTODIAN_README: &str = "\
This folder must leave the server.

custodian.key opens every message of the archive. It is encrypted under the passphrase that was
given to `chancery init`. The server does not need it and must not have it: move this folder to a
machine or a medium of the custodian's own, keep a second copy in another place, and keep the
passphrase apart from both. If all copies or the passphrase are lost, nobody can read the archive.

log.pub verifies the archive's log. It is no secret.

To read the archive, copy the server's data/log folder to the custodian's machine, then

  chancery archive verify LOGFOLDER --log-key log.pub
  chancery archive search --folder LOGFOLDER --key custodian.key 'from:ana@bank.example merger'
  chancery archive export --folder LOGFOLDER --key custodian.key --out FOLDER 'after:2026-01-01Z'
";
