//! Why key and certificates make no certificate authority.

use super::{CaCertificate, SigningKeyError, SigningKeyType};

/// Why key and certificates make no certificate authority. Each message names the certificate and where it
/// stands, the rule and the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// There is more of it than any certificate needs.
    #[error("{origin} has {length} bytes; a CA certificate may have {most} at most", most = CaCertificate::MAX_DER_BYTES)]
    TooLong {
        /// Where it stands.
        origin: String,
        /// Its length in bytes.
        length: usize,
    },
    /// It is no certificate.
    #[error(
        "{origin} is not a valid DER-encoded X.509 certificate: {source}. Take it from its CA again, or have it issued anew; `openssl x509 -in FILE -text` shows what others read of it"
    )]
    Malformed {
        /// Where it stands.
        origin: String,
        /// What the decoder says.
        source: der::Error,
    },
    /// Its serial number is below zero.
    #[error(
        "the serial number of {origin} is negative (RFC 5280 §4.1.2.2), which the API server refuses, as all programs in Go 1.23 and later do. Issue it anew with a positive one, \
         as `openssl x509` and `openssl req` do without -set_serial"
    )]
    NegativeSerial {
        /// Where it stands.
        origin: String,
    },
    /// The API server would refuse a trust bundle that has it.
    #[error(
        "{certificate} is left out of the trust bundle, which the API server would refuse with it: {rule}"
    )]
    NoAnchor {
        /// The certificate.
        certificate: String,
        /// The rule that it breaks.
        rule: String,
    },
    /// It has an extension twice.
    #[error(
        "{origin} has the extension {oid} more than once (RFC 5280 §4.2), which the API server refuses, as all programs in Go do. Issue it anew with one"
    )]
    DuplicateExtension {
        /// Where it stands.
        origin: String,
        /// The extension.
        oid: String,
    },
    /// Its key can't verify certificates.
    #[error(
        "the public key of {origin} is {found}; a CA's key is ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of \
         2048 to 8192 bits"
    )]
    UnsupportedKey {
        /// Where it stands.
        origin: String,
        /// What its key is.
        found: String,
    },
    /// Its RSA key is too short.
    #[error(
        "{certificate} has an RSA key of {bits} bits; {least} are the least that verifiers accept. Make a new CA",
        least = SigningKeyType::LEAST_RSA_BITS
    )]
    WeakKey {
        /// The certificate.
        certificate: String,
        /// The length of its modulus.
        bits: u16,
    },
    /// Basic constraints are missing or say that it is no CA.
    #[error(
        "{certificate} is not a CA certificate: {found} (RFC 5280 §4.2.1.9). Verifiers would refuse all that it signs; use a \
         certificate with basicConstraints CA:TRUE"
    )]
    NotACa {
        /// The certificate.
        certificate: String,
        /// What its basic constraints are.
        found: &'static str,
    },
    /// Key usage is there, without keyCertSign.
    #[error(
        "{certificate} may not sign certificates: its keyUsage lacks keyCertSign (RFC 5280 §4.2.1.3). Use a certificate \
         with keyUsage keyCertSign, cRLSign"
    )]
    MayNotSign {
        /// The certificate.
        certificate: String,
    },
    /// The subject is empty.
    #[error(
        "{certificate} has an empty subject; what it signs would have no issuer (RFC 5280 §4.1.2.4). Give the CA a subject"
    )]
    NoSubject {
        /// The certificate.
        certificate: String,
    },
    /// The path length constraint of a certificate forbids the CA certificates below it.
    #[error(
        "{certificate} allows {allowed} CA certificate(s) below it (pathLenConstraint), and the chain has {found}. Have the \
         signing certificate issued by a CA with a longer path length, or sign with a CA further up"
    )]
    PathTooLong {
        /// The certificate.
        certificate: String,
        /// What it allows.
        allowed: usize,
        /// How many there are.
        found: usize,
    },
    /// No certificate is the key's.
    #[error(
        "the signing key (type {key_type}) belongs to none of the certificates: {certificates}. Put the certificate that was issued \
         for this key there, or the key of that certificate"
    )]
    KeyIsNobodys {
        /// The key's type.
        key_type: SigningKeyType,
        /// All of them.
        certificates: String,
    },
    /// A certificate between the signing one and the root is missing.
    #[error(
        "the chain from the signing certificate to the root has a gap: {certificate} is issued by {issuer}, whose \
         certificate isn't there. Add it to the intermediates, or correct the root"
    )]
    Gap {
        /// The last certificate that was found.
        certificate: String,
        /// Its issuer.
        issuer: String,
    },
    /// The way up never ends.
    #[error(
        "no way leads from the signing certificate to a root: the certificates issue each other in a circle: {certificates}. Add the root's"
    )]
    Circle {
        /// All of them.
        certificates: String,
    },
    /// The issuer is there, but didn't sign it.
    #[error(
        "{certificate} doesn't verify with the key of {issuer}: {reason}. Issue it anew, or correct the chain"
    )]
    Unverified {
        /// The certificate.
        certificate: String,
        /// Its would-be issuer.
        issuer: String,
        /// What is wrong.
        reason: String,
    },
    /// The root has another issuer.
    #[error(
        "{certificate} is not a root: it is issued by {issuer}. Trust anchors must be self-signed; put the root's certificate \
         there, and this one among the intermediates"
    )]
    NoRoot {
        /// The certificate.
        certificate: String,
        /// Its issuer.
        issuer: String,
    },
    /// A root is there, and isn't one of those that were given as roots.
    #[error(
        "{certificate} is a root, and not one of those that are given as roots. Add it to them, or leave them out"
    )]
    NotListed {
        /// The certificate.
        certificate: String,
    },
    /// There are more certificates between issuer and root than verifiers follow.
    #[error(
        "there are {found} certificates between the signing one and the root; verifiers follow {most} at most"
    )]
    TooDeep {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// To find the way up, more would have to be tried than a verifier tries.
    #[error(
        "there are too many ways from the signing certificate up: {most} {what} weren't enough to try them all. Leave only the certificates there that this CA needs"
    )]
    Tangled {
        /// How much is tried.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// The key of a new CA, or its use, fails.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// A new root can't be made so.
    #[error("a new root can't be made: {0}")]
    NewRoot(String),
}
