//! A projected volume, as kubelet writes it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

/// A folder that looks, and changes, like a projected volume: each write makes a new folder, then one rename
/// of the symlink `..data` brings all files at once, then the old folder goes (kubelet's `AtomicWriter`).
#[derive(Debug)]
pub struct Volume {
    dir: TempDir,
    writes: AtomicU32,
    access: Mutex<Option<Access>>,
}

/// Who may read the files.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The files' mode, such as `0o640`.
    pub mode: u32,
    /// The owner; kubelet's own user, root, by default.
    pub user: Option<u32>,
    /// The group, likewise.
    pub group: Option<u32>,
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
        let dir = TempDir::new().expect("a temporary folder");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("it is ours");
        Self { dir, writes: AtomicU32::new(0), access: Mutex::new(None) }
    }

    /// Gives the files of all further writes this owner and mode.
    pub fn set_access(&self, access: Access) {
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = Some(access);
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
            self.protect(&root.join(&new).join(name))?;
            if !root.join(name).is_symlink() {
                symlink(Path::new("..data").join(name), root.join(name))?;
            }
        }
        symlink(&new, root.join("..data_tmp"))?;
        fs::rename(root.join("..data_tmp"), data)?;
        old.map_or(Ok(()), |old| fs::remove_dir_all(root.join(old)))
    }

    fn protect(&self, file: &Path) -> std::io::Result<()> {
        let Some(access) = *self.access.lock().unwrap_or_else(PoisonError::into_inner) else { return Ok(()) };
        fs::set_permissions(file, Permissions::from_mode(access.mode))?;
        chown(file, access.user, access.group)
    }
}
