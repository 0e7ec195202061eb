//! Where programs and libraries are looked for.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Programs for root, which `PATH` lacks for other users, and for root too after `su`.
const SYSTEM: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// `PATH` with the folders of root's programs.
pub(crate) fn search_path() -> OsString {
    env::join_paths(folders(env::var_os("PATH").unwrap_or_default())).unwrap_or_default()
}

fn folders(path: OsString) -> Vec<PathBuf> {
    let mut folders: Vec<_> = env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    for folder in SYSTEM.map(PathBuf::from) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The folders that are searched.
pub(super) struct Places {
    folders: Vec<PathBuf>,
}

impl Places {
    pub(super) fn of_this_machine() -> Self {
        Self::new(env::var_os("PATH").unwrap_or_default())
    }

    pub(super) fn new(path: OsString) -> Self {
        Self { folders: folders(path) }
    }

    pub(super) fn have_all(&self, files: &[&str]) -> bool {
        files.iter().all(|file| self.have(file))
    }

    /// Whether there is such a file: a name without a slash is a program in the search path; in a path, `/*/`
    /// is any one folder.
    pub(super) fn have(&self, file: &str) -> bool {
        match file.split_once("/*/") {
            Some((above, below)) => {
                let folders = fs::read_dir(above).into_iter().flatten().map_while(Result::ok);
                folders.map(|folder| folder.path().join(below)).any(|path| path.is_file())
            }
            None if file.contains('/') => Path::new(file).is_file(),
            None => self.folders.iter().any(|folder| is_program(&folder.join(file))),
        }
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
