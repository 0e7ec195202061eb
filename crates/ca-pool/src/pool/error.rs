//! Why some bytes are no CA pool.

use std::fmt;

use super::{CaPool, MAX_LEAF_LIFETIME, PemNames};
use crate::{
    authority::{AuthorityError, SigningKeyError},
    issuance::Terms,
};

/// Why some bytes are no CA pool. Each message names the entry and the field, the rule and the remedy, and
/// none holds a part of a key.
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
    /// A Secret has what looks like a CA under keys that aren't read.
    #[error(
        "it holds no CA pool that is read here; it has {keys}. A pool is the key `pool` (JSON), or `tls.crt` and `tls.key` (PEM). {remedy}"
    )]
    OtherKeys {
        /// The keys.
        keys: String,
        /// How a pool is made of them.
        remedy: String,
    },
    /// It isn't the JSON document that it should be.
    #[error(
        "the pool is not a CA pool in JSON: {problem} at line {line}, column {column}; it looks like \
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
    /// It is the document of another tool.
    #[error("the pool is not a CA pool in JSON: {problem}")]
    ForeignJson {
        /// What it is, and how a pool is made of it.
        problem: &'static str,
    },
    /// It is JSON, and no object.
    #[error("the pool is not a CA pool in JSON: it is {found}; a pool is an object, {{\"CAs\":[…]}}")]
    NotAnObject {
        /// What it is instead.
        found: &'static str,
    },
    /// A field that isn't known here and would say who signs.
    #[error(
        "{place} has a field {field} that isn't known here, and it may say which CA signs; so nothing is signed by this pool. CAs sign in the order of the list: remove \
         the field, and put the CAs in that order. The name of a note begins with \"x-\""
    )]
    UnknownField {
        /// The pool, or the entry.
        place: String,
        /// The field.
        field: String,
    },
    /// A field that is there twice.
    #[error(
        "{place} has the field {field} more than once, in capitals or not; remove all but one, as programs differ in which they take"
    )]
    DuplicateField {
        /// The pool, or the entry.
        place: String,
        /// The field.
        field: String,
    },
    /// A field of another type.
    #[error("{field} is a value of the wrong type: {found}. It must be {expected}")]
    WrongType {
        /// The field, and where it is.
        field: String,
        /// What it is.
        found: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// It has no entry, and other fields.
    #[error(
        "the pool has no CA in a list \"CAs\", and it isn't empty: it has {fields}. If a pool has been lost, restore it: with a new CA, pods would refuse the certificates that others have. Another format is \
         converted to {{\"CAs\":[{{\"ID\":\"1\",\"SigningKeyPKCS8\":\"<base64>\",\"RootCertificateDER\":\"<base64>\"}}]}}",
        fields = if .fields.is_empty() { "\"Generation\"" } else { .fields }
    )]
    NoList {
        /// The names of the other fields.
        fields: String,
    },
    /// A newer version has written it.
    #[error(
        "the pool has format {format}, and this version reads {newest}: a newer version has written it; use that one",
        newest = CaPool::FORMAT
    )]
    NewerFormat {
        /// Its format.
        format: u64,
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
    #[error(
        "{first} and {second} have the same signing key, and a pool has each key once; remove one of them. A certificate that was renewed with its key takes the place of \
         the old one in RootCertificateDER (base64 of its DER); a new key is made by `signerctl ca-pool rotate`"
    )]
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
    #[error(
        "{field} of {entry} is not a valid time; write it like \"2026-11-22T10:00:00Z\", or leave it away"
    )]
    BadTime {
        /// The entry.
        entry: PoolEntry,
        /// The field.
        field: &'static str,
    },
    /// Until when a CA is trusted, and not until when it signs.
    #[error("{entry} has TrustedUntil and no SignsUntil; write both, or neither")]
    NoSignsUntil {
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
    #[error("LongestLeafSeconds of {entry} is {seconds}; the API lets a certificate live for {least} to {most} seconds", least = Terms::LEAST_LIFETIME.as_secs(), most = MAX_LEAF_LIFETIME.as_secs())]
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
    /// The same, and some certificates couldn't be used.
    #[error("{source}. {left_aside}")]
    PemAuthorityBeside {
        /// Why.
        source: AuthorityError,
        /// What couldn't be used.
        left_aside: String,
    },
    /// A file is what another tool writes.
    #[error("{file} is not PEM: {problem}")]
    Foreign {
        /// What messages call the file.
        file: &'static str,
        /// What it is, and how it is converted.
        problem: &'static str,
    },
    /// The key is one of OpenSSH's.
    #[error(
        "the private key in {file} is in OpenSSH's own form; convert a copy of it with `ssh-keygen -p -m PKCS8 -f FILE`"
    )]
    SshKey {
        /// What messages call the file.
        file: &'static str,
    },
    /// A file's PEM is damaged, or has what isn't taken.
    #[error("{file}, line {line}: {problem}")]
    NotPem {
        /// What messages call the file.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong, without the content.
        problem: &'static str,
    },
    /// A file has a block that may be a certificate.
    #[error(
        "{file} has a block of a kind that isn't known, {label} on line {line}; take it out if it isn't needed, or make it a CERTIFICATE"
    )]
    UnknownBlock {
        /// What messages call the file.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// The kind.
        label: String,
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

impl PoolError {
    /// Why certificates of PEM files make no authority, where some of them couldn't be used.
    pub(super) fn pem_authority(source: AuthorityError, unusable: &[AuthorityError]) -> Self {
        const NAMED: usize = 3;
        if unusable.is_empty() {
            return Self::PemAuthority(source);
        }
        let named: Vec<String> = unusable.iter().take(NAMED).map(ToString::to_string).collect();
        let more = unusable.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        Self::PemAuthorityBeside { source, left_aside: format!("Left aside: {}{more}", named.join("; ")) }
    }
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
