//! Where things lie: the configuration file, the data folder, the keys.

use std::{
    io,
    path::{Path, PathBuf},
};

use archive::{ArchivePublicKey, KeyFault, SigningKey, VerifyingKey};
use directory::Directory;
use model::Secret;
use store::{Backend, Limits, Store, Vault};

use crate::{
    config::{CONFIG_BYTES_MAX, Config},
    fault::Fault,
    files,
};

/// The name of the configuration file.
pub(crate) const CONFIG_FILE: &str = "chancery.toml";

/// One installation: a configuration and the folder that its paths start from.
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    root: PathBuf,
    pub(crate) config: Config,
}

impl Place {
    /// Reads the configuration: a file, or a folder that holds one.
    pub(crate) fn open(given: &Path) -> Result<Self, Fault> {
        let file = if given.is_dir() { given.join(CONFIG_FILE) } else { given.to_owned() };
        if !file.exists() {
            return Err(Fault::Usage(format!(
                "there is no configuration at {}; name it by --config, or make an installation \
                 by `chancery init DIR`",
                file.display()
            )));
        }
        let text = files::read_text(&file, CONFIG_BYTES_MAX)?;
        let config = Config::parse(&text)
            .map_err(|fault| Fault::Usage(format!("{}: {fault}", file.display())))?;
        let root = file.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { file, root, config })
    }

    /// A path of the configuration.
    pub(crate) fn path(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }

    fn data(&self, name: &str) -> PathBuf {
        self.path(&self.config.data.folder).join(name)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.path(&self.config.keys.folder).join(name)
    }

    pub(crate) fn directory_file(&self) -> PathBuf {
        self.data("directory")
    }

    pub(crate) fn store_folder(&self) -> PathBuf {
        self.data("store")
    }

    pub(crate) fn log_folder(&self) -> PathBuf {
        self.data("log")
    }

    pub(crate) fn control_socket(&self) -> PathBuf {
        self.data("control.sock")
    }

    /// Accounts, groups and policies; they must be of the configuration's domain.
    pub(crate) fn directory(&self) -> Result<Directory, Fault> {
        let file = self.directory_file();
        let directory = Directory::open(&file).map_err(|fault| Fault::directory(&fault, &file))?;
        let snapshot = directory.snapshot();
        if self.config.domain != snapshot.domain() {
            return Err(Fault::Usage(format!(
                "{} says domain = {:?}, but the data in {} is of {}; a data folder keeps its \
                 domain",
                self.file.display(),
                self.config.domain,
                self.path(&self.config.data.folder).display(),
                snapshot.domain()
            )));
        }
        Ok(directory)
    }

    /// Messages and the rest.
    pub(crate) fn store(&self) -> Result<Store, Fault> {
        let key = self.key("vault.key");
        let bytes = self.vault_key()?;
        let folder = self.store_folder();
        let (backend, name) = if self.config.data.database.is_empty() {
            (Backend::Sqlite { path: folder.clone() }, folder.display().to_string())
        } else {
            let url = self.config.data.database.clone();
            (Backend::Postgres { url }, "the PostgreSQL database".to_owned())
        };
        let limits = Limits { pages_max: self.config.pages_max(), ..Limits::default() };
        Vault::new(&Secret::new(bytes.to_vec()))
            .and_then(|vault| Store::open_within(backend, vault, limits))
            .map_err(|fault| Fault::store(&fault, &name, &key))
    }

    fn vault_key(&self) -> Result<[u8; 32], Fault> {
        files::read_secret_bytes(&self.key("vault.key"), "messages at rest are encrypted with")
    }

    /// Whether the key of the messages can be read.
    pub(crate) fn check_vault_key(&self) -> Result<(), Fault> {
        self.vault_key().map(|_| ())
    }

    /// What signs the log.
    pub(crate) fn log_key(&self) -> Result<SigningKey, Fault> {
        let path = self.key("log.key");
        let text = files::read_key(&path, "signs the archive's log")?;
        SigningKey::from_text(text.trim()).map_err(|fault| bad_key(&path, fault))
    }

    /// What verifies the log.
    pub(crate) fn log_public(&self) -> Result<VerifyingKey, Fault> {
        read_log_public(&self.key("log.pub"))
    }

    /// What hides which sign-in names exist.
    pub(crate) fn decoy(&self) -> Result<[u8; 32], Fault> {
        files::read_secret_bytes(&self.key("decoy.key"), "hides which sign-in names exist")
    }

    /// The public keys that records are sealed to.
    pub(crate) fn custodians(&self) -> Result<Vec<ArchivePublicKey>, Fault> {
        let read = |path: &PathBuf| {
            let path = self.path(path);
            let text = files::read_key(&path, "the archive is sealed to")?;
            ArchivePublicKey::from_text(text.trim()).map_err(|fault| bad_key(&path, fault))
        };
        self.config.archive.custodians.iter().map(read).collect()
    }
}

/// A public key of a log in a file.
pub(crate) fn read_log_public(path: &Path) -> Result<VerifyingKey, Fault> {
    let text = files::read_key(path, "verifies the archive's log")?;
    VerifyingKey::from_text(text.trim()).map_err(|fault| bad_key(path, fault))
}

/// A key file that does not hold its key.
pub(crate) fn bad_key(path: &Path, fault: KeyFault) -> Fault {
    Fault::Environment(format!("{}: {fault}; put it back from a backup", path.display()))
}

/// Whether a folder has anything in it.
pub(crate) fn is_empty(path: &Path) -> Result<bool, Fault> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(why) => Err(Fault::io("read the folder", path, &why)),
    }
}
