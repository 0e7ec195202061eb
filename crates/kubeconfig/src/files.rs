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
mod tests;
