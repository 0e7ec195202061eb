//! The blocks of PEM files, within bounds.

use std::{
    fs::{File, Metadata},
    io::Read,
    path::Path,
};

use pem_blocks::Block;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::load_error::{LoadError, Problem};

/// A file's bytes, wiped from memory after use as they may hold a key.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

/// Reads at most `most` bytes, and no device or pipe, which might never end.
pub(crate) fn read(file: &Path, most: usize) -> Result<Bytes, LoadError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => LoadError::new(file, Problem::Missing),
        kind => LoadError::new(file, Problem::Unreadable(kind)),
    };
    let regular = |metadata: &Metadata| match metadata.is_file() {
        true => Ok(()),
        false => Err(LoadError::new(file, Problem::NotAFile)),
    };
    // before it is opened, as a pipe would wait for a writer; and what was opened, as it may be another file
    // by then
    regular(&file.metadata().map_err(failed)?)?;
    let opened = File::open(file).map_err(failed)?;
    let metadata = opened.metadata().map_err(failed)?;
    regular(&metadata)?;
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX).min(most);
    let bytes = up_to(length, opened).map_err(failed)?;
    // some file systems don't know a length, and a file may grow meanwhile
    let bytes = match bytes.len() > length {
        true => up_to(most, File::open(file).map_err(failed)?).map_err(failed)?,
        false => bytes,
    };
    if bytes.len() > most {
        return Err(LoadError::new(file, Problem::TooLong { most }));
    }
    Ok(bytes)
}

/// Reads `most` bytes, and one more if there is one. The buffer never moves, so that no copy of a key is left
/// behind.
fn up_to(most: usize, file: File) -> std::io::Result<Bytes> {
    let limit = most.saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.saturating_add(1)));
    file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a PEM file holds.
#[derive(Default)]
pub(crate) struct Blocks<'a> {
    pub(crate) keys: Vec<Block<'a>>,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl<'a> Blocks<'a> {
    /// Reads all blocks. A block of another kind than `CERTIFICATE` or a private key is refused: it may be
    /// meant as one of those, and would be missed when it is too late.
    pub(crate) fn parse(file: &Path, bytes: &'a [u8]) -> Result<Self, LoadError> {
        let refused = |problem| Err(LoadError::new(file, problem));
        let read = match pem_blocks::blocks(bytes) {
            Ok(read) => read,
            Err(bad) => return refused(Problem::NotPem(format!("line {}: {}", bad.line, bad.problem))),
        };
        let mut blocks = Self::default();
        for block in read {
            match block.label {
                "CERTIFICATE" => blocks.certificates.push(block.der.to_vec().into()),
                // PKCS#8's label, and RFC 1421 §4.6.1.1 as OpenSSL's old formats have it
                "ENCRYPTED PRIVATE KEY" => return refused(Problem::EncryptedKey),
                _ if block.encrypted => return refused(Problem::EncryptedKey),
                label if label.ends_with("PRIVATE KEY") => blocks.keys.push(block),
                // `openssl ecparam -genkey` writes them in front of the key, which names its curve again
                "EC PARAMETERS" => {}
                label => {
                    return refused(Problem::OtherBlock { line: block.line, label: label.to_owned() });
                }
            }
        }
        Ok(blocks)
    }

    /// What there is, in words.
    pub(crate) fn found(&self) -> String {
        let count = |number: usize, one: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            many => Some(format!("{many} {one}s")),
        };
        let found: Vec<_> =
            [count(self.keys.len(), "private key"), count(self.certificates.len(), "certificate")]
                .into_iter()
                .flatten()
                .collect();
        if found.is_empty() { "no PEM block at all".into() } else { found.join(" and ") }
    }
}

/// The key in a block, without a copy of it.
pub(crate) fn private_key<'a>(block: &'a Block<'_>) -> Option<PrivateKeyDer<'a>> {
    let der = block.der.as_slice();
    match block.label {
        "PRIVATE KEY" => Some(PrivateKeyDer::Pkcs8(der.into())),
        "EC PRIVATE KEY" => Some(PrivateKeyDer::Sec1(der.into())),
        "RSA PRIVATE KEY" => Some(PrivateKeyDer::Pkcs1(der.into())),
        _ => None,
    }
}
