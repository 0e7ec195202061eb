//! Pools in files.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use signer_core::{PoolBytes, PoolSource};

use super::edit::{Opened, Version};
use crate::error::Error;

/// Says early that a file is there already.
pub(super) fn check_absent(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Error::FileExists { path: path.display().to_string() }),
        Err(_) => Ok(()),
    }
}

/// Writes a new file that only its owner can read. It appears whole or not at all, and never in place of another.
pub(super) fn create(path: &Path, content: &[u8]) -> Result<(), Error> {
    let draft = draft_beside(path);
    let written = write_draft(&draft, content).and_then(|()| {
        // Unlike a rename, a link fails if there is something.
        fs::hard_link(&draft, path)
    });
    let _ = fs::remove_file(&draft);
    written.map_err(|source| explain(path, source))
}

/// Reads the pool in a file.
pub(super) fn open(path: &Path) -> Result<Opened, Error> {
    let source = PoolSource::PoolFile(path.to_owned());
    let bytes = source.read()?;
    Ok(Opened { pool: Some(source.parse(&bytes)?), version: Version::File(bytes) })
}

/// Writes over a file, if it still is what was read; owner and mode stay. It changes at once and as a whole.
pub(super) fn replace(path: &Path, read: &PoolBytes, content: &[u8]) -> Result<bool, Error> {
    let failed = |source| explain(path, source);
    // what a link leads to is replaced, not the link
    let path = fs::canonicalize(path).map_err(failed)?;
    let directory = File::open(path.parent().unwrap_or(&path)).map_err(failed)?;
    // released when the directory is closed
    directory.lock().map_err(failed)?;
    if PoolSource::PoolFile(path.clone()).read()? != *read {
        return Ok(false);
    }
    let draft = draft_beside(&path);
    let written = write_draft_like(&fs::metadata(&path).map_err(failed)?, &draft, content)
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| directory.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map_err(failed)?;
    Ok(true)
}

fn write_draft_like(model: &Metadata, draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
        fchown(&file, Some(model.uid()), Some(model.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(model.mode() & 0o777))?;
    file.write_all(content)?;
    file.sync_all()
}

fn explain(path: &Path, source: io::Error) -> Error {
    let shown = path.display().to_string();
    match source.kind() {
        io::ErrorKind::AlreadyExists => Error::FileExists { path: shown },
        io::ErrorKind::NotFound => {
            let directory = path.parent().unwrap_or(path).display().to_string();
            Error::NoDirectory { path: shown, directory }
        }
        io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly { path: shown },
        _ => Error::Write { path: shown, source },
    }
}

fn write_draft(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A name in the same directory, since links don't cross file systems.
fn draft_beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.draft", std::process::id()));
    path.with_file_name(name)
}
