//! What stands in a certificate, as an independent parser (x509-cert) reads it.

mod extensions;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use const_oid::{
    ObjectIdentifier,
    db::{DB, rfc5912, rfc8410},
};
use der::{Decode, Encode};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use x509_cert::Certificate as Parsed;

use crate::Error;

/// A parsed certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
    parsed: Parsed,
}

impl Certificate {
    /// Parses the certificates of a PEM text, in their order.
    ///
    /// # Errors
    /// [`Error::Unexpected`] if there is none, or one is malformed.
    pub fn all(pem: &str) -> Result<Vec<Self>, Error> {
        let mut all = Vec::new();
        for der in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            all.push(Self::parse(der.map_err(|error| unreadable(&error))?)?);
        }
        if all.is_empty() {
            return Err(unreadable(&"there is no certificate in it"));
        }
        Ok(all)
    }

    fn parse(der: CertificateDer<'static>) -> Result<Self, Error> {
        let parsed = Parsed::from_der(&der).map_err(|error| unreadable(&error))?;
        Ok(Self { der, parsed })
    }

    /// Its DER encoding.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The subject as RFC 4514 writes it; empty if it has none.
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }

    /// The issuer as RFC 4514 writes it.
    pub fn issuer(&self) -> String {
        self.parsed.tbs_certificate().issuer().to_string()
    }

    /// The subject's DER: equal to [`issuer_der`](Self::issuer_der) of what it has issued, byte for byte.
    pub fn subject_der(&self) -> Vec<u8> {
        self.parsed.tbs_certificate().subject().to_der().unwrap_or_default()
    }

    /// The issuer's DER.
    pub fn issuer_der(&self) -> Vec<u8> {
        self.parsed.tbs_certificate().issuer().to_der().unwrap_or_default()
    }

    /// The SubjectPublicKeyInfo's DER.
    pub fn public_key_der(&self) -> Vec<u8> {
        self.parsed.tbs_certificate().subject_public_key_info().to_der().unwrap_or_default()
    }

    /// The serial number, in hexadecimal.
    pub fn serial(&self) -> String {
        let bytes = self.parsed.tbs_certificate().serial_number().as_bytes();
        // DER puts a zero in front where the number would else be negative.
        hex(bytes.strip_prefix(&[0]).unwrap_or(bytes), "")
    }

    /// SHA-256 over the DER, as browsers and openssl show it.
    pub fn fingerprint(&self) -> String {
        hex(digest::digest(&digest::SHA256, &self.der).as_ref(), ":")
    }

    /// The beginning of its validity.
    pub fn not_before(&self) -> Timestamp {
        timestamp(self.parsed.tbs_certificate().validity().not_before)
    }

    /// The end of its validity.
    pub fn not_after(&self) -> Timestamp {
        timestamp(self.parsed.tbs_certificate().validity().not_after)
    }

    /// The kind of its public key, such as `ECDSA P-256`, `RSA 3072`, `Ed25519`.
    pub fn public_key_type(&self) -> String {
        let key = self.parsed.tbs_certificate().subject_public_key_info();
        let curve =
            key.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
        match (key.algorithm.oid, curve) {
            (rfc5912::RSA_ENCRYPTION, _) => format!("RSA {}", rsa_bits(key.subject_public_key.raw_bytes())),
            (rfc8410::ID_ED_25519, _) => "Ed25519".into(),
            (rfc5912::ID_EC_PUBLIC_KEY, Some(rfc5912::SECP_256_R_1)) => "ECDSA P-256".into(),
            (rfc5912::ID_EC_PUBLIC_KEY, Some(rfc5912::SECP_384_R_1)) => "ECDSA P-384".into(),
            (rfc5912::ID_EC_PUBLIC_KEY, Some(rfc5912::SECP_521_R_1)) => "ECDSA P-521".into(),
            (other, _) => oid_name(other),
        }
    }

    /// How its issuer signed it, such as `ecdsa-with-SHA256`.
    pub fn signature_algorithm(&self) -> String {
        oid_name(self.parsed.signature_algorithm().oid)
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }
}

fn unreadable(why: &dyn std::fmt::Display) -> Error {
    Error::Unexpected { what: "certificate".into(), why: why.to_string() }
}

/// The name that the OID registries have for it, or its digits.
fn oid_name(oid: ObjectIdentifier) -> String {
    DB.by_oid(&oid).map_or_else(|| oid.to_string(), ToOwned::to_owned)
}

/// The modulus's size; RFC 8017 §A.1.1: the first INTEGER of an RSAPublicKey, with a zero in front where its
/// top bit is set.
fn rsa_bits(key: &[u8]) -> usize {
    let modulus = der::asn1::AnyRef::from_der(key).and_then(|key| {
        key.sequence(|key| {
            let modulus = der::asn1::UintRef::decode(key)?;
            der::asn1::UintRef::decode(key)?;
            Ok::<_, der::Error>(modulus.as_bytes().len())
        })
    });
    modulus.unwrap_or_default() * 8
}

fn timestamp(time: x509_cert::time::Time) -> Timestamp {
    // X.509 ends with the year 9999, as jiff does.
    Timestamp::try_from(time.to_system_time()).unwrap_or(Timestamp::MAX)
}

fn hex(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests;
