//! A SPIFFE bundle: a JWK Set (RFC 7517) with an entry for each anchor (SPIFFE Trust Domain and Bundle §4,
//! X509-SVID §6).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ca_pool::CaCertificate;
use const_oid::db::{rfc5912, rfc8410};
use der::{
    Decode,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef},
};
use serde_json::{Value, json};

use crate::error::Error;

/// `sequence` is greater for each change of the content.
///
/// # Errors
/// An anchor whose key has no JWK.
pub(super) fn bundle(
    anchors: &[CaCertificate],
    sequence: Option<u64>,
    refresh_hint: u32,
) -> Result<Value, Error> {
    let keys: Vec<Value> = anchors.iter().map(entry).collect::<Result<_, _>>()?;
    let mut bundle = json!({"keys": keys, "spiffe_refresh_hint": refresh_hint});
    if let Some(sequence) = sequence {
        bundle["spiffe_sequence"] = sequence.into();
    }
    Ok(bundle)
}

/// An entry never has a `kid`; readers take the certificate, and not the parameters of its key.
fn entry(anchor: &CaCertificate) -> Result<Value, Error> {
    let mut entry = key(anchor.spki_der()).ok_or_else(|| Error::KeyWithoutJwk {
        subject: anchor.subject(),
        key_type: anchor.key_type().to_string(),
    })?;
    entry["use"] = "x509-svid".into();
    entry["x5c"] = json!([STANDARD.encode(anchor.der())]);
    Ok(entry)
}

#[derive(der::Sequence)]
struct Spki<'a> {
    algorithm: Algorithm<'a>,
    key: BitStringRef<'a>,
}

#[derive(der::Sequence)]
struct Algorithm<'a> {
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'a>>,
}

#[derive(der::Sequence)]
struct RsaKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// The parameters of a public key (RFC 7518 §6, RFC 8037 §2).
fn key(spki: &[u8]) -> Option<Value> {
    let Spki { algorithm: Algorithm { oid, parameters }, key } = Spki::from_der(spki).ok()?;
    let (bytes, text) = (key.as_bytes()?, |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes));
    match oid {
        rfc5912::RSA_ENCRYPTION => {
            let RsaKey { modulus, exponent } = RsaKey::from_der(bytes).ok()?;
            Some(json!({"kty": "RSA", "n": text(modulus.as_bytes()), "e": text(exponent.as_bytes())}))
        }
        rfc5912::ID_EC_PUBLIC_KEY => {
            let curve = match parameters?.decode_as::<ObjectIdentifier>().ok()? {
                rfc5912::SECP_256_R_1 => "P-256",
                rfc5912::SECP_384_R_1 => "P-384",
                rfc5912::SECP_521_R_1 => "P-521",
                _ => return None,
            };
            // an uncompressed point (SEC 1 §2.3.3)
            let point = bytes.strip_prefix(&[4])?;
            let (x, y) = point.split_at_checked(point.len() / 2)?;
            Some(json!({"kty": "EC", "crv": curve, "x": text(x), "y": text(y)}))
        }
        rfc8410::ID_ED_25519 => Some(json!({"kty": "OKP", "crv": "Ed25519", "x": text(bytes)})),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
