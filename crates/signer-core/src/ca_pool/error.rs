//! Why some bytes are no CA pool.

use std::fmt;

use super::{CaPool, LONGEST_LEAF, PemNames};
use crate::{
    authority::{AuthorityError, SigningKeyError},
    issue::Terms,
};

/// Why some bytes are no CA pool. Each message names the entry and the field, the rule and the remedy, and none holds a part of
/// a key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// An input is longer than any pool needs.
    #[error("{input} has {length} bytes; {most} are the most", most = CaPool::MAX_INPUT_BYTES)]
    TooLong {
        /// Which input.
        input: &'static str,
        /// Its length.
        length: usize,
    },
    /// It isn't the JSON document that it should be.
    #[error(
        "the pool is no CA pool in JSON: {problem} at line {line}, column {column}; it looks like \
         {{\"CAs\":[{{\"ID\":\"1\",\"SigningKeyPKCS8\":\"<base64>\",\"RootCertificateDER\":\"<base64>\"}}]}}"
    )]
    NotJson {
        /// What is wrong, without the content.
        problem: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It has no entry.
    #[error("the pool holds no CA; make one with `signerctl ca-pool create`")]
    Empty,
    /// It has more entries than [`CaPool::MAX_AUTHORITIES`].
    #[error("the pool holds {found} CAs; {most} are the most. Remove those that are out of use", most = CaPool::MAX_AUTHORITIES)]
    TooManyAuthorities {
        /// How many.
        found: usize,
    },
    /// An ID that isn't fit for messages.
    #[error("CAs[{index}].ID must be {most} printable characters at most", most = CaPool::MAX_ID_CHARACTERS)]
    BadId {
        /// The entry's position, from 0.
        index: usize,
    },
    /// Two entries have one ID.
    #[error("{first} and {second} have the same ID; give each CA an ID of its own")]
    SameId {
        /// The earlier one.
        first: PoolEntry,
        /// The later one.
        second: PoolEntry,
    },
    /// Two entries have one key.
    #[error("{first} and {second} have the same signing key; remove one of them")]
    SameKey {
        /// The earlier one.
        first: PoolEntry,
        /// The later one.
        second: PoolEntry,
    },
    /// A field that must be there isn't.
    #[error("{entry} has no {field}; every CA needs it")]
    Missing {
        /// The entry.
        entry: PoolEntry,
        /// The field.
        field: String,
    },
    /// A field isn't base64.
    #[error("{field} of {entry} is not base64 (the standard alphabet, with padding)")]
    NotBase64 {
        /// The entry.
        entry: PoolEntry,
        /// The field.
        field: String,
    },
    /// A recorded time that is none.
    #[error("SignsFrom of {entry} is no time; write it like \"2026-11-22T10:00:00Z\", or leave it away")]
    BadSignsFrom {
        /// The entry.
        entry: PoolEntry,
    },
    /// The generation of an emergency that is none.
    #[error(
        "{field} isn't a generation; write the one that the emergency made, a whole number, or leave it out"
    )]
    BadRevocation {
        /// The field.
        field: &'static str,
    },
    /// A recorded lifetime that the API doesn't let a certificate have.
    #[error("LongestLeafSeconds of {entry} is {seconds}; the API lets a certificate live for {least} to {most} seconds", least = Terms::LEAST_LIFETIME.as_secs(), most = LONGEST_LEAF.as_secs())]
    BadLongestLeaf {
        /// The entry.
        entry: PoolEntry,
        /// What it says.
        seconds: u64,
    },
    /// There are more certificates than [`CaPool::MAX_CERTIFICATES`].
    #[error("{place} has {found} certificates; {most} are the most", most = CaPool::MAX_CERTIFICATES)]
    TooManyCertificates {
        /// The entry and field, or the file.
        place: String,
        /// How many.
        found: usize,
    },
    /// A key can't be loaded.
    #[error("{place}: {source}")]
    Key {
        /// The entry and field, or the file.
        place: String,
        /// Why.
        source: SigningKeyError,
    },
    /// Key and certificates make no authority.
    #[error("{entry}: {source}")]
    Authority {
        /// The entry.
        entry: PoolEntry,
        /// Why.
        source: AuthorityError,
    },
    /// Key and certificates of PEM files make no authority.
    #[error(transparent)]
    PemAuthority(AuthorityError),
    /// A file isn't PEM.
    #[error("{file} is not PEM: line {line}: {problem}")]
    NotPem {
        /// What messages call the file.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong, without the content.
        problem: &'static str,
    },
    /// A file has no certificate.
    #[error("{file} has no CERTIFICATE block; it has {found}")]
    NoCertificate {
        /// What messages call the file.
        file: &'static str,
        /// The blocks that it has.
        found: String,
    },
    /// The key file has no key, or several.
    #[error(
        "{file} must hold one private key (a PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY block); it has {found}"
    )]
    NotOneKey {
        /// What messages call the file.
        file: &'static str,
        /// The blocks that it has.
        found: String,
    },
    /// The key is encrypted.
    #[error(
        "the private key in {file} is encrypted, and nobody is there to type the password; write it unencrypted, \
         for example with `openssl pkey -in FILE -out tls.key`"
    )]
    EncryptedKey {
        /// What messages call the file.
        file: &'static str,
    },
    /// The chain ends in an intermediate, and no root is given.
    #[error(
        "{cert} doesn't end in a root: {certificate} is issued by {issuer}, whose certificate isn't there. An intermediate \
         is never published as a trust anchor: set {root} to the certificate of the root, or add it to {cert}",
        cert = names.cert, root = names.root
    )]
    NoRoot {
        /// The last certificate.
        certificate: String,
        /// Its issuer.
        issuer: String,
        /// What messages call the files.
        names: PemNames,
    },
}

/// An entry of a pool, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolEntry {
    index: usize,
    id: String,
}

impl PoolEntry {
    pub(super) fn new(index: usize, id: &str) -> Self {
        Self { index, id: id.to_owned() }
    }
}

impl fmt::Display for PoolEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAs[{}] (ID {:?})", self.index, self.id)
    }
}
