//! Opening a store: one server at a time, the right key, the right version, no damage.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::{
    db::{Db, Intent, Postgres, Sqlite, Value, migrate},
    fault::{Result, StoreFault},
    party::Parties,
    reader::Reader,
    vault::{Place, Table, Vault},
    writer::Writer,
};

/// Reading connections at a time; more readers wait.
pub const READERS_MAX: usize = 4;

/// Mailbox rows that wait to be moved to their place together: enough that several go to each page,
/// few enough that the move is no pause.
pub const ARRIVALS_MAX: u32 = 8_192;

/// The database's file in its folder.
const FILE: &str = "store.sqlite";

/// The file that is locked while a server has the folder open.
const LOCK_FILE: &str = "store.lock";

/// What is sealed under the key to know it again.
const CHECK_TEXT: &[u8] = b"the key of this store";

/// Where the store lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Backend {
    /// A folder of its own, made if it is not there, for a database of one server.
    Sqlite {
        /// The folder.
        path: PathBuf,
    },
    /// A PostgreSQL database.
    Postgres {
        /// `postgres://user@host/database`, or the `key=value` form. Without TLS: over a local
        /// socket, loopback, or a network that is otherwise secured.
        url: String,
    },
}

/// Bounds that an operator may set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Size of the SQLite file in pages of 4 KiB. Beyond it the store is full.
    pub pages_max: Option<u32>,
    /// Mailbox rows that wait to be moved to their place together; [`ARRIVALS_MAX`] unless set.
    pub arrivals_max: Option<u32>,
}

/// An open store. Cheap to clone; closed when the last clone, writer and reader are gone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What writer and readers have in common.
pub(crate) struct Shared {
    pub(crate) vault: Vault,
    pub(crate) parties: Parties,
    backend: Backend,
    limits: Limits,
    writing: Mutex<Option<Db>>,
    reading: Mutex<Readers>,
    returned: Condvar,
    /// Held for its lock, and after everything else, since fields are dropped in order.
    _lock: Option<File>,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Db>,
    open: usize,
}

impl Store {
    /// Opens or makes the store: takes its lock, looks for damage, brings it to the newest shape
    /// and tries the key.
    pub fn open(backend: Backend, vault: Vault) -> Result<Self> {
        Self::open_within(backend, vault, Limits::default())
    }

    /// As [`Self::open`], within limits.
    pub fn open_within(backend: Backend, vault: Vault, limits: Limits) -> Result<Self> {
        let (mut db, lock) = match &backend {
            Backend::Sqlite { path } => {
                let lock = lock_folder(path)?;
                let file = path.join(FILE);
                // Made here, so that nobody else can read it from its first moment.
                private_file(&file)?;
                let mut sqlite = Sqlite::open(&file, limits.pages_max)?;
                sqlite.check()?;
                (Db::Sqlite(sqlite), Some(lock))
            }
            Backend::Postgres { url } => (Db::Postgres(Box::new(Postgres::open(url, true)?)), None),
        };
        migrate(&mut db)?;
        try_key(&mut db, &vault)?;
        if let Db::Sqlite(sqlite) = &mut db {
            sqlite.empty_journal()?;
        }
        let shared = Shared {
            vault,
            parties: Parties::default(),
            backend,
            limits,
            writing: Mutex::new(Some(db)),
            reading: Mutex::default(),
            returned: Condvar::new(),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The one writer. There is another when this one is dropped.
    pub fn writer(&self) -> Result<Writer> {
        let db = self.shared.writing().take().ok_or(StoreFault::WriterTaken)?;
        Ok(Writer::new(Arc::clone(&self.shared), db))
    }

    /// A reader; it takes a connection from the pool for each question. Made as often as wanted.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }
}

impl Shared {
    /// Runs `work` in a transaction that only reads and sees one state of everything. Blocks while
    /// [`READERS_MAX`] others read.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&mut Db) -> Result<T>) -> Result<T> {
        let mut lease = Lease { shared: self, db: Some(self.lend()?) };
        match lease.db.as_mut() {
            Some(db) => db.transaction(Intent::Read, work),
            None => Err(StoreFault::Unavailable("no connection".into())),
        }
    }

    /// Mailbox rows that may wait to be moved to their place.
    pub(crate) fn arrivals_max(&self) -> i64 {
        i64::from(self.limits.arrivals_max.unwrap_or(ARRIVALS_MAX))
    }

    /// The writer gives its connection back.
    pub(crate) fn give_back(&self, db: Db) {
        *self.writing() = Some(db);
    }

    fn writing(&self) -> MutexGuard<'_, Option<Db>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading(&self) -> MutexGuard<'_, Readers> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self) -> Result<Db> {
        let mut readers = self.reading();
        loop {
            if let Some(db) = readers.idle.pop() {
                return Ok(db);
            }
            if readers.open < READERS_MAX {
                break;
            }
            readers = self.returned.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
        readers.open += 1;
        drop(readers);
        let opened = match &self.backend {
            Backend::Sqlite { path } => {
                Sqlite::open(&path.join(FILE), self.limits.pages_max).map(Db::Sqlite)
            }
            Backend::Postgres { url } => {
                Postgres::open(url, false).map(|db| Db::Postgres(Box::new(db)))
            }
        };
        if opened.is_err() {
            self.reading().open -= 1;
            self.returned.notify_one();
        }
        opened
    }
}

/// A reading connection on loan; goes back to the pool also when the reader panics.
struct Lease<'a> {
    shared: &'a Shared,
    db: Option<Db>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut readers = self.shared.reading();
        match self.db.take() {
            Some(db) if !std::thread::panicking() => readers.idle.push(db),
            Some(_) | None => readers.open -= 1,
        }
        drop(readers);
        self.shared.returned.notify_one();
    }
}

fn lock_folder(folder: &Path) -> Result<File> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| of_file(folder, &error))?;
    let lock = private_file(&folder.join(LOCK_FILE))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreFault::InUse),
        Err(TryLockError::Error(error)) => Err(of_file(folder, &error)),
    }
}

fn private_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|error| of_file(path, &error))
}

fn of_file(path: &Path, error: &io::Error) -> StoreFault {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        StoreFault::Full
    } else {
        StoreFault::Unavailable(format!("{}: {error}", path.display()))
    }
}

/// A new store remembers its key; an old one is only opened with the same.
fn try_key(db: &mut Db, vault: &Vault) -> Result<()> {
    let place = Place::numbered(Table::Check, 0, 1);
    db.transaction(Intent::Write, |db| {
        match db.query_one("SELECT body FROM seal_check WHERE id = 1", &[])? {
            Some(mut row) => match vault.open(place, &row.blob(0)?) {
                Ok(plain) if plain == CHECK_TEXT => Ok(()),
                Ok(_) | Err(_) => Err(StoreFault::WrongKey),
            },
            None => {
                let body = Value::from(vault.seal(place, 0, CHECK_TEXT)?);
                db.execute("INSERT INTO seal_check (id, body) VALUES (1, ?1)", &[body])?;
                Ok(())
            }
        }
    })
}
