//! Why a file can't be used.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::certificate::utc;

/// Why a file can't be used. The message names the file, the rule and the remedy, and never holds a part of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct LoadError {
    file: PathBuf,
    problem: Problem,
}

impl LoadError {
    pub(crate) fn new(file: &Path, problem: Problem) -> Self {
        Self { file: file.to_owned(), problem }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is none.
    #[error(
        "there is no such file; mount the pod's projected volume there, and look at `kubectl describe pod` if kubelet still waits for the certificate"
    )]
    Missing,
    /// It can't be read.
    #[error("it can't be read: {0}; give the container's user read permission, or check the volume")]
    Unreadable(io::ErrorKind),
    /// It isn't a regular file.
    #[error("it is no regular file; name the file in the volume, not the folder")]
    NotAFile,
    /// It is longer than any such file needs to be.
    #[error("it has more than {most} bytes, the most that is read; is it the right file?")]
    TooLong {
        /// The most that is read.
        most: usize,
    },
    /// It isn't PEM, or ends in the middle of a block.
    #[error(
        "it is no complete PEM: {0}; was it read while somebody wrote it? It is read again at the next poll"
    )]
    NotPem(String),
    /// It has no private key.
    #[error(
        "it has no private key (it has {found}); it must be a credential bundle (`credentialBundlePath` of the podCertificate volume), or the file at `keyPath`"
    )]
    NoKey {
        /// What it has.
        found: String,
    },
    /// It has several private keys.
    #[error("it has {0} private keys; exactly one belongs to a certificate")]
    SeveralKeys(usize),
    /// The key is encrypted.
    #[error("its private key is encrypted, and nobody is there to type the password; use one without")]
    EncryptedKey,
    /// The key can't be used.
    #[error("its private key is of no use: {0}; use RSA, ECDSA P-256, P-384 or P-521, or Ed25519")]
    BadKey(String),
    /// It has no certificate.
    #[error("it has no certificate (it has {found}); {remedy}")]
    NoCertificate {
        /// What it has.
        found: String,
        /// What to mount.
        remedy: &'static str,
    },
    /// A certificate can't be read.
    #[error("certificate {position}: {problem}")]
    BadCertificate {
        /// Which, from 1.
        position: usize,
        /// Why.
        problem: String,
    },
    /// Key and certificate don't belong together.
    #[error(
        "the first certificate isn't that of the private key{elsewhere}; separate files may be read in the middle of a renewal, and are read again at the next poll. If it stays so, they belong to different volumes"
    )]
    Mismatch {
        /// Where the key comes from, if from another file.
        elsewhere: String,
    },
    /// The first certificate is a CA's.
    #[error("its first certificate is that of a CA ({subject}); the pod's own comes first, then its issuers")]
    LeafIsCa {
        /// Its subject.
        subject: String,
    },
    /// The certificate has expired.
    #[error(
        "its certificate has expired at {}; kubelet renews in time unless the signer can't: see `kubectl get podcertificaterequests`, and the events of the pod", utc(*.0)
    )]
    Expired(SystemTime),
    /// The certificate isn't valid yet.
    #[error("its certificate is valid from {} on; is this machine's clock slow?", utc(*.0))]
    NotYetValid(SystemTime),
    /// A trust bundle with a private key.
    #[error(
        "it has a private key, and trust bundles have certificates of CAs alone; it looks like a credential bundle. Name the file of the clusterTrustBundle volume"
    )]
    KeyInTrustBundle,
    /// A trust bundle with a certificate that isn't a CA's.
    #[error(
        "certificate {position} ({subject}) isn't that of a CA; whoever has its key could not sign for others. Name the file of the clusterTrustBundle volume"
    )]
    NotACa {
        /// Which, from 1.
        position: usize,
        /// Its subject.
        subject: String,
    },
}
