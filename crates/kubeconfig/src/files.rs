//! Files that a kubeconfig names, read with a bound.

use std::{fs::File, io::Read as _, path::Path};

use zeroize::Zeroizing;

use crate::Error;

/// The most bytes of a kubeconfig, and of a file with keys or certificates: a system's whole bundle of CAs
/// has a quarter of a MiB.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;

/// The most bytes of a token: more than any server takes in a header.
pub(crate) const LARGEST_TOKEN: usize = 64 * 1024;

/// The content of a file; `None` if there is none of that name.
///
/// The buffer gets its length at once, so that what is secret in it leaves no copy behind when it grows.
pub(crate) fn read(path: &Path, largest: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let file = || path.display().to_string();
    let unreadable = |source| Error::Unreadable { file: file(), source };
    let opened = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(unreadable)?,
    };
    let length = opened.metadata().map_err(unreadable)?.len();
    let expected = usize::try_from(length).unwrap_or(usize::MAX).min(largest);
    let mut content = Zeroizing::new(Vec::with_capacity(expected + 1));
    opened.take(largest as u64 + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() > largest {
        return Err(Error::TooLarge { file: file(), largest: largest / 1024 });
    }
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_file_is_read_up_to_a_bound() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        std::fs::write(&path, vec![b'a'; 2049]).unwrap();
        assert_eq!(read(&path, 2049).unwrap().unwrap().len(), 2049);
        let error = read(&path, 2048).unwrap_err().to_string();
        assert!(error.contains("larger than 2 KiB, the most"), "{error}");
        assert!(read(&PathBuf::from("/nonexistent"), 1).unwrap().is_none());
        let error = read(directory.path(), 1).unwrap_err().to_string();
        assert!(error.contains("can't be read"), "{error}");
    }
}
