//! A Secret as kubelet mounts it, and what else can happen to its file.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// A directory in which a file leads, by way of `..data`, into a directory of its version.
pub(crate) struct Mounted {
    dir: PathBuf,
    file: PathBuf,
    version: usize,
}

impl Mounted {
    /// Mounts it: `file` leads to its content.
    pub(crate) fn new(file: &Path, content: &[u8]) -> Self {
        let mut mounted = Self { dir: file.with_extension("mount"), file: file.to_owned(), version: 0 };
        fs::create_dir(&mounted.dir).unwrap();
        mounted.swap(content);
        symlink(mounted.dir.join("..data/pool"), file).unwrap();
        mounted
    }

    /// Swaps the content as kubelet does: a new directory, a new link to it, and the new link in place of the
    /// old one, at once. Then the old directory goes.
    pub(crate) fn swap(&mut self, content: &[u8]) {
        self.version += 1;
        let version = self.dir.join(format!("..{}", self.version));
        fs::create_dir(&version).unwrap();
        fs::write(version.join("pool"), content).unwrap();
        let (data, new) = (self.dir.join("..data"), self.dir.join("..data_tmp"));
        symlink(&version, &new).unwrap();
        let old = fs::read_link(&data);
        fs::rename(new, &data).unwrap();
        if let Ok(old) = old {
            fs::remove_dir_all(old).unwrap();
        }
    }

    /// What kubelet never does: the file gets its content in place, and only a part of it.
    pub(crate) fn write_half(&self, content: &[u8]) {
        fs::write(&self.file, &content[..content.len() / 2]).unwrap();
    }

    /// The file is gone, until the next swap.
    pub(crate) fn remove(&self) {
        fs::remove_file(self.dir.join("..data/pool")).unwrap();
    }

    pub(crate) fn read(&self) -> Vec<u8> {
        fs::read(&self.file).unwrap()
    }
}
