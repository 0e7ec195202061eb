//! Pools in files.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use signer_core::{CaPool, PemNames, PoolBytes, PoolSource, PoolSourceError};

use super::{place::Place, shell::quote};
use crate::error::Error;

/// Says early that a file is there already.
pub(super) fn check_absent(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(exists(path)),
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

/// A file as it was read.
pub(super) struct Original<'a> {
    path: &'a Path,
    read: PoolBytes,
}

/// Reads the pool in a file, for it to be replaced.
pub(super) fn open(path: &Path) -> Result<(CaPool, Original<'_>), Error> {
    let source = PoolSource::PoolFile(path.to_owned());
    let read = source.read().map_err(|error| unreadable(error, no_pool))?;
    let pool = read
        .parse()
        .map_err(|source| Error::Pool { place: path.display().to_string(), source: source.into() })?;
    Ok((pool, Original { path, read }))
}

/// Reads a CA in PEM files.
pub(super) fn load_pem(cert: PathBuf, key: PathBuf, root: Option<PathBuf>) -> Result<CaPool, Error> {
    const OPTIONS: PemNames = PemNames { cert: "--cert-file", key: "--key-file", root: "--root-file" };
    let place = format!("CA of {} and {}", cert.display(), key.display());
    let read = PoolSource::PemFiles { cert, key, root }.read();
    let read = read.map_err(|error| unreadable(error, |path| Error::NoFile { path }))?;
    read.parse_named(OPTIONS).map_err(|source| Error::Pool { place, source: source.into() })
}

/// The core tells the controller's operator what to do, who mounts Secrets. Here somebody has given a path.
fn unreadable(error: PoolSourceError, missing: impl FnOnce(String) -> Error) -> Error {
    match error {
        PoolSourceError::Missing { path, .. } => missing(path),
        PoolSourceError::Unsteady { files } => Error::Unsteady { files },
        other => other.into(),
    }
}

fn no_pool(path: String) -> Error {
    Error::NoPoolFile { arguments: Place::File(PathBuf::from(&path)).arguments(), path }
}

impl Original<'_> {
    /// Writes over the file, if it still is what was read; owner and mode stay. It changes at once and as a whole.
    pub(super) fn replace(self, content: &[u8]) -> Result<bool, Error> {
        let Self { path, read } = self;
        let failed = |source| explain(path, source);
        // what a link leads to is replaced, not the link
        let path = fs::canonicalize(path).map_err(failed)?;
        let directory = File::open(path.parent().unwrap_or(&path)).map_err(failed)?;
        // released when the directory is closed
        directory.lock().map_err(failed)?;
        if PoolSource::PoolFile(path.clone()).read().map_err(|error| unreadable(error, no_pool))? != read {
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
        io::ErrorKind::AlreadyExists => exists(path),
        io::ErrorKind::NotFound => {
            let directory = quote(&path.parent().unwrap_or(path).to_string_lossy());
            Error::NoDirectory { path: shown, directory }
        }
        io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly { path: shown },
        _ => Error::Write { path: shown, source },
    }
}

fn exists(path: &Path) -> Error {
    Error::FileExists {
        path: path.display().to_string(),
        arguments: Place::File(path.to_owned()).arguments(),
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
