//! Why a file can't be used.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::certificate::utc;

/// Why a file can't be used. The message names the file, the rule and the remedy, and never holds a part of a
/// key.
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

    /// Whether it says nothing new after `other`: kubelet shuffles a bundle, and so changes positions in it.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        match (&self.problem, &other.problem) {
            (Problem::SkippedCertificates(these), Problem::SkippedCertificates(those)) => {
                self.file == other.file && unordered(these) == unordered(those)
            }
            _ => self == other,
        }
    }

    /// Whether it may be what a reader sees that comes between two steps of a renewal, so that the next
    /// moment shows another picture.
    pub(crate) fn may_pass_at_once(&self) -> bool {
        matches!(self.problem, Problem::Mismatch { .. } | Problem::Missing)
    }
}

/// A certificate of a trust bundle that can't be an anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("certificate {position}{}: {reason}", named(.name))]
pub struct SkippedCertificate {
    /// Which of the file's certificates, from 1.
    pub position: usize,
    /// Its subject, or else its serial number, if it can be read.
    pub name: String,
    /// Why it can't be one.
    pub reason: String,
}

fn unordered(skipped: &[SkippedCertificate]) -> Vec<(&str, &str)> {
    let mut without_position: Vec<_> = skipped.iter().map(|one| (&*one.name, &*one.reason)).collect();
    without_position.sort_unstable();
    without_position
}

fn named(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" ({name})") }
}

/// More than these would make a line that nobody reads.
const LISTED: usize = 5;

fn list(skipped: &[SkippedCertificate]) -> String {
    let mut text: Vec<_> = skipped.iter().take(LISTED).map(ToString::to_string).collect();
    if let more @ 1.. = skipped.len().saturating_sub(LISTED) {
        text.push(format!("and {more} more"));
    }
    text.join("; ")
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
    /// It is a folder that can't be listed.
    #[error(
        "the folder can't be listed: {0}; give the container's user read permission, or check the volume"
    )]
    NotListed(io::ErrorKind),
    /// A folder has credential bundles of both names.
    #[error(
        "it has both credential-bundle.private-key.x509.pem and credential-bundle.pem, and a workload has one; take out the one that isn't meant"
    )]
    SeveralCredentialFiles,
    /// A folder has anchors of more trust domains than are followed.
    #[error(
        "it has trust bundles of more than {most} trust domains, the most that are followed; take some out"
    )]
    TooManyDomains {
        /// The most.
        most: usize,
    },
    /// It is named after no trust domain.
    #[error(
        "its name doesn't begin with a trust domain ({0}), so it is passed over; name it <trust domain>.spiffe-trust-bundle.x509.pem"
    )]
    NoTrustDomain(String),
    /// It isn't a regular file.
    #[error("it is not a regular file; name the file in the volume, not the folder")]
    NotAFile,
    /// It is longer than any such file needs to be.
    #[error("it has more than {most} bytes, the most that is read; is it the right file?")]
    TooLong {
        /// The most that is read.
        most: usize,
    },
    /// It isn't PEM, or ends in the middle of a block.
    #[error(
        "it is no complete PEM: {0}. Was it read while somebody wrote it? It is read again at the next poll"
    )]
    NotPem(String),
    /// It has a block that is neither a certificate nor a private key.
    #[error(
        "line {line}: a block {label:?} begins, and such a file has CERTIFICATE blocks and at most a private key; if it is meant as a certificate, `openssl x509 -in FILE` makes it one, else take it out"
    )]
    OtherBlock {
        /// Its line, from 1.
        line: usize,
        /// What it says that it is.
        label: String,
    },
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
    /// The pod's certificate is one that no peer takes.
    #[error(
        "its first certificate can't be verified by peers: {0}; it must be of X.509 version 3, without critical extensions that nobody knows"
    )]
    UnusableLeaf(String),
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
    /// The certificate isn't valid yet by this machine's clock.
    #[error(
        "its certificate is valid from {} on, and is in use all the same, as peers judge by their own clocks; is this machine's clock slow?", utc(*.0)
    )]
    NotYetValid(SystemTime),
    /// A trust bundle with a private key.
    #[error(
        "it has a private key, and trust bundles have certificates of CAs alone; it looks like a credential bundle. Name the file of the clusterTrustBundle volume"
    )]
    KeyInTrustBundle,
    /// A trust bundle of which no certificate can be an anchor.
    #[error(
        "none of its certificates can be a trust anchor: {}. Name the file of the clusterTrustBundle volume", list(.0)
    )]
    NoAnchor(Vec<SkippedCertificate>),
    /// A trust bundle with certificates that can't be anchors. The others are in use.
    #[error(
        "{} of its certificates can't be trust anchors, and the others are in use: {}. Take them out of the ClusterTrustBundle", .0.len(), list(.0)
    )]
    SkippedCertificates(Vec<SkippedCertificate>),
}
