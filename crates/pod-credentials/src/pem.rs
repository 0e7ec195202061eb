//! The blocks of PEM files, within bounds.

use std::{fs::File, io::Read, path::Path};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject, SectionKind},
};
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
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(LoadError::new(file, Problem::NotAFile));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        return Err(LoadError::new(file, Problem::TooLong { most }));
    }
    Ok(bytes)
}

/// What a PEM file holds.
#[derive(Default)]
pub(crate) struct Blocks {
    pub(crate) keys: Vec<PrivateKeyDer<'static>>,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    others: usize,
}

impl Blocks {
    pub(crate) fn parse(file: &Path, bytes: &[u8]) -> Result<Self, LoadError> {
        // PKCS#8's label, and RFC 1421 §4.6.1.1 as OpenSSL's old formats have it
        if holds(bytes, b"BEGIN ENCRYPTED PRIVATE KEY") || holds(bytes, b"Proc-Type: 4,ENCRYPTED") {
            return Err(LoadError::new(file, Problem::EncryptedKey));
        }
        let mut blocks = Self::default();
        for block in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
            let (kind, der) =
                block.map_err(|error| LoadError::new(file, Problem::NotPem(describe(&error))))?;
            match kind {
                SectionKind::Certificate => blocks.certificates.push(der.into()),
                kind => match PrivateKeyDer::from_pem(kind, der) {
                    Some(key) => blocks.keys.push(key),
                    None => blocks.others += 1,
                },
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
        let found: Vec<_> = [
            count(self.keys.len(), "private key"),
            count(self.certificates.len(), "certificate"),
            count(self.others, "other block"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if found.is_empty() { "no PEM block at all".into() } else { found.join(" and ") }
    }
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// The reader's own messages show lines of the file, which may be those of a key.
fn describe(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a block has no end",
        pem::Error::IllegalSectionStart { .. } => "the first line of a block is broken",
        pem::Error::Base64Decode(_) => "a block isn't base64",
        _ => "a block is broken",
    }
    .into()
}
