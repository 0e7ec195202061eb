//! A projected volume, as kubelet writes it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;

/// A folder that looks, and changes, like a projected volume: each write makes a new folder, then one rename of the symlink `..data` brings all files at
/// once, then the old folder goes (kubelet's `AtomicWriter`).
#[derive(Debug)]
pub struct Volume {
    dir: TempDir,
    writes: AtomicU32,
}

impl Default for Volume {
    fn default() -> Self {
        Self::new()
    }
}

impl Volume {
    /// An empty volume.
    ///
    /// # Panics
    /// If there is no room for temporary files.
    #[must_use]
    pub fn new() -> Self {
        Self { dir: TempDir::new().expect("a temporary folder"), writes: AtomicU32::new(0) }
    }

    /// Where a file of the volume is.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The volume's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Replaces all files at once.
    ///
    /// # Panics
    /// If they can't be written.
    pub fn write<'a>(&self, files: impl IntoIterator<Item = (&'a str, String)>) {
        self.try_write(files).expect("the volume must be writable");
    }

    fn try_write<'a>(&self, files: impl IntoIterator<Item = (&'a str, String)>) -> std::io::Result<()> {
        let (root, data) = (self.dir.path(), self.dir.path().join("..data"));
        let old = fs::read_link(&data).ok();
        let new = format!("..2026_11_22_05_20_00.{}", self.writes.fetch_add(1, Ordering::Relaxed));
        fs::create_dir(root.join(&new))?;
        for (name, content) in files {
            fs::write(root.join(&new).join(name), content)?;
            if !root.join(name).is_symlink() {
                symlink(Path::new("..data").join(name), root.join(name))?;
            }
        }
        symlink(&new, root.join("..data_tmp"))?;
        fs::rename(root.join("..data_tmp"), data)?;
        old.map_or(Ok(()), |old| fs::remove_dir_all(root.join(old)))
    }
}
