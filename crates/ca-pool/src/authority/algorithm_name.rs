//! Names of algorithms and curves that no CA has here, so that messages say more than a number.

use const_oid::{ObjectIdentifier, db::rfc5912};

/// The kind of key or signature that an OID stands for: `Ed448`, or `of the algorithm 1.2.3.4`.
pub(super) fn algorithm_name(oid: ObjectIdentifier) -> String {
    let known = ALGORITHMS.iter().find(|(known, _)| oid.to_string() == *known);
    known.map_or_else(|| format!("of the algorithm {oid}"), |(_, name)| format!("{name} ({oid})"))
}

/// A curve by its number, and its name where that is known.
pub(super) fn curve_name(oid: ObjectIdentifier) -> String {
    let known = CURVES.iter().find(|(known, _)| oid.to_string() == *known);
    known.map_or_else(|| oid.to_string(), |(_, name)| format!("{oid} ({name})"))
}

/// An elliptic curve that is described instead of named (RFC 5480 §2.1.1 forbids that).
pub(super) const UNNAMED_CURVE: &str = "ECDSA on an unnamed curve, whose parameters are written out (RFC 5480 §2.1.1 demands a name; openssl's is `-param_enc named_curve`)";

const ALGORITHMS: &[(&str, &str)] = &[
    ("1.3.101.110", "X25519, which can't sign"),
    ("1.3.101.111", "X448, which can't sign"),
    ("1.3.101.113", "Ed448"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.10046.2.1", "Diffie-Hellman, which can't sign"),
    ("1.2.840.113549.1.1.4", "MD5 with RSA"),
    ("1.2.840.113549.1.1.5", "SHA-1 with RSA"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.113549.1.1.14", "SHA-224 with RSA"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    ("1.2.840.10045.4.3.1", "ECDSA with SHA-224"),
    ("1.2.156.10197.1.501", "SM2 with SM3"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

const CURVES: &[(&str, &str)] = &[
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.132.0.33", "P-224"),
    ("1.2.840.10045.3.1.1", "P-192"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.2.156.10197.1.301", "SM2"),
];

/// What a signature algorithm is called that the issuer's key doesn't make, or verifiers don't take.
pub(super) fn signature_name(oid: ObjectIdentifier) -> String {
    match oid {
        rfc5912::ID_RSASSA_PSS => {
            "RSA-PSS with other parameters than SHA-256, SHA-384 or SHA-512 with a salt as long as the hash"
                .to_owned()
        }
        other => algorithm_name(other),
    }
}

#[cfg(test)]
mod tests;
