//! Pools in files.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use ca_pool::{CaPool, PemNames, PoolBytes, PoolSource, PoolSourceError};

use crate::error::Error;
use crate::{store::place::Place, text::shell::quote};

/// Says early that a file is there already.
pub(crate) fn check_absent(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(exists(path)),
        Err(_) => Ok(()),
    }
}

/// Writes a new file that only its owner can read, never in place of another. It appears whole or not at all,
/// except where the file system has no links: there a failure leaves none.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<(), Error> {
    let draft = draft_beside(path);
    let written = write_draft(&draft, content).and_then(|()| {
        // Unlike a rename, a link fails if there is something.
        match fs::hard_link(&draft, path) {
            Err(error) if has_no_links(&error) => write_in_place(path, content),
            linked => linked,
        }
    });
    let _ = fs::remove_file(&draft);
    written.map_err(|source| explain(path, source))
}

/// FAT and some file systems of networks have no links.
fn has_no_links(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported)
}

/// Never in place of another; a half-written one is removed.
fn write_in_place(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// A file as it was read.
pub(crate) struct Original<'a> {
    path: &'a Path,
    read: PoolBytes,
}

/// Reads the pool in a file, for it to be replaced.
pub(crate) fn open(path: &Path) -> Result<(CaPool, Original<'_>), Error> {
    let source = PoolSource::PoolFile(path.to_owned());
    let read = source.read().map_err(|error| unreadable(error, no_pool))?;
    let pool = read
        .parse()
        .map_err(|source| Error::Pool { place: path.display().to_string(), source: source.into() })?;
    Ok((pool, Original { path, read }))
}

/// Reads a CA in PEM files.
pub(crate) fn load_pem(cert: PathBuf, key: PathBuf, root: Option<PathBuf>) -> Result<CaPool, Error> {
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
    /// Writes over the file, if it still is what was read; owner and mode stay. It changes at once and as a
    /// whole.
    pub(crate) fn replace(self, content: &[u8]) -> Result<bool, Error> {
        let Self { path, read } = self;
        let failed = |source| explain(path, source);
        // what a link leads to is replaced, not the link
        let path = fs::canonicalize(path).map_err(failed)?;
        // held until it is closed
        let Some(_lock) = lock(&path)? else { return Ok(false) };
        if PoolSource::PoolFile(path.clone()).read().map_err(|error| unreadable(error, no_pool))? != read {
            return Ok(false);
        }
        let draft = draft_beside(&path);
        let written = write_draft_like(&fs::metadata(&path).map_err(failed)?, &draft, content)
            .and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written.map_err(failed)?;
        sync_directory(&path);
        Ok(true)
    }
}

/// Locks the file itself: NFS locks only what is open for writing, and a directory never is. `None`: another
/// has taken its place meanwhile.
fn lock(path: &Path) -> Result<Option<File>, Error> {
    let failed = |source| explain(path, source);
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        // who may write into the directory may replace it all the same
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        opened => opened,
    };
    let file = file.map_err(failed)?;
    file.lock().map_err(|source| Error::NoLock { path: path.display().to_string(), source })?;
    let (locked, there) = (file.metadata().map_err(failed)?, fs::metadata(path).map_err(failed)?);
    Ok(((locked.dev(), locked.ino()) == (there.dev(), there.ino())).then_some(file))
}

/// So that a rename outlives a crash of the machine. Not all file systems can do that for a directory, and
/// the pool has been replaced all the same.
fn sync_directory(path: &Path) {
    let _ = path.parent().map(File::open).and_then(Result::ok).map(|directory| directory.sync_all());
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
