//! buildah, which makes images without a daemon: <https://github.com/containers/buildah/tree/main/docs>.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, program};

/// What an image is made of.
pub(crate) struct Contents<'a> {
    /// The directory that becomes the image's root.
    pub(crate) root: &'a Path,
    /// Name and tag.
    pub(crate) name: &'a str,
    /// `uid:gid`.
    pub(crate) user: &'a str,
    /// What runs if nobody says what; a pod's container says it.
    pub(crate) command: Option<&'a str>,
}

/// Writes an image as an archive in Docker's format, which every engine loads. The same contents make the
/// same image.
///
/// # Errors
/// [`Error::Program`], [`Error::Io`]
pub(crate) fn write_archive(contents: &Contents<'_>, archive: &Path) -> Result<(), Error> {
    if let Some(dir) = archive.parent() {
        fs::create_dir_all(dir).map_err(Error::io("creating", dir))?;
    }
    let storage = Storage::new(archive)?;
    let container = storage.run(["from", "scratch"])?;
    let container = container.trim();
    storage.run([
        OsStr::new("copy"),
        "--quiet".as_ref(),
        container.as_ref(),
        contents.root.as_ref(),
        "/".as_ref(),
    ])?;
    storage.run(["config", "--user", contents.user, container])?;
    if let Some(command) = contents.command {
        storage.run(["config", "--cmd", command, container])?;
    }
    // Under another name until it is whole. buildah doesn't write over an archive.
    let unfinished = archive.with_extension("unfinished");
    let _ = fs::remove_file(&unfinished);
    let target = format!("docker-archive:{}:{}", unfinished.display(), contents.name);
    storage.run(["commit", "--quiet", "--timestamp", "0", container, &target])?;
    fs::rename(&unfinished, archive).map_err(Error::io("renaming", &unfinished))
}

/// A storage of its own for one build, beside the archive: the machine's is left alone, and nothing stays
/// behind.
struct Storage(tempfile::TempDir);

impl Storage {
    fn new(archive: &Path) -> Result<Self, Error> {
        let beside = archive.parent().map_or_else(PathBuf::new, Path::to_owned);
        let dir = tempfile::Builder::new().prefix("buildah-").tempdir_in(&beside);
        Ok(Self(dir.map_err(Error::io("creating a directory in", beside))?))
    }

    /// Runs one of buildah's commands. Its vfs driver needs nothing of the kernel.
    fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<String, Error> {
        let mut buildah = Command::new("buildah");
        buildah.args(["--storage-driver", "vfs", "--root"]).arg(self.0.path().join("storage"));
        buildah.arg("--runroot").arg(self.0.path().join("run")).args(arguments);
        program::output(&mut buildah)
    }
}
