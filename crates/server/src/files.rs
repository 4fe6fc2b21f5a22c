//! Files that others must not read, and files that must not be read without end.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use model::Secret;

use crate::fault::Fault;

/// Bytes of a key file that are read.
const KEY_BYTES_MAX: u64 = 64 * 1_024;

/// Makes a folder that only its owner may enter.
pub(crate) fn private_folder(path: &Path) -> Result<(), Fault> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|why| Fault::io("make the folder", path, &why))
}

/// Writes a new file that only its owner may read. A file that is there is left alone.
pub(crate) fn write_private(path: &Path, octets: &[u8]) -> Result<(), Fault> {
    write_new(path, octets, 0o600)
}

/// Writes a new file that everybody may read who may enter its folder.
pub(crate) fn write_public(path: &Path, octets: &[u8]) -> Result<(), Fault> {
    write_new(path, octets, 0o644)
}

fn write_new(path: &Path, octets: &[u8], mode: u32) -> Result<(), Fault> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(octets)?;
        file.sync_all()
    };
    write().map_err(|why| Fault::io("write", path, &why))
}

/// A text file, read up to a limit.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> Result<String, Fault> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_string(&mut text));
    read.map_err(|why| Fault::io("read", path, &why))?;
    if text.len() as u64 > bytes_max {
        return Err(Fault::Environment(format!(
            "{} is longer than {bytes_max} bytes, so it is not what it should be",
            path.display()
        )));
    }
    Ok(text)
}

/// A key in text form; a missing one gets a sentence that says what it was for.
pub(crate) fn read_key(path: &Path, purpose: &str) -> Result<String, Fault> {
    match fs::metadata(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Err(Fault::Environment(format!(
            "the key {} is missing, which {purpose}; put it back from a backup",
            path.display()
        ))),
        Ok(_) | Err(_) => read_text(path, KEY_BYTES_MAX),
    }
}

/// 32 secret bytes, written as 64 hexadecimal digits.
pub(crate) fn read_secret_bytes(path: &Path, purpose: &str) -> Result<[u8; 32], Fault> {
    let text = Secret::new(read_key(path, purpose)?.into_bytes());
    let digits = text.expose().trim_ascii();
    let mut bytes = [0; 32];
    let damaged = || {
        Fault::Environment(format!(
            "the key {} is damaged, which {purpose}; put it back from a backup",
            path.display()
        ))
    };
    if digits.len() != 64 {
        return Err(damaged());
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| damaged())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| damaged())?;
    }
    Ok(bytes)
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
