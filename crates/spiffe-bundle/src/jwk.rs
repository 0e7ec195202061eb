//! The element of a bundle for an anchor.

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

/// The `kty` of keys that sign certificates.
pub(crate) const KEY_TYPES: [&str; 3] = ["EC", "RSA", "OKP"];

/// An anchor whose key has no form as a JWK.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a SPIFFE bundle can't have {subject}: its key is {key_type}, for which JSON Web Keys have no form (RFC 7518, RFC 8037)"
)]
pub struct KeyWithoutJwk {
    /// The anchor's subject.
    pub subject: String,
    /// Its key's type.
    pub key_type: String,
}

/// It never has a `kid`; readers take the certificate, and not the parameters of its key.
pub(crate) fn element(anchor: &CaCertificate) -> Result<Value, KeyWithoutJwk> {
    let mut element = key(anchor.spki_der()).ok_or_else(|| KeyWithoutJwk {
        subject: anchor.subject(),
        key_type: anchor.key_type().to_string(),
    })?;
    element["use"] = "x509-svid".into();
    element["x5c"] = json!([STANDARD.encode(anchor.der())]);
    Ok(element)
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
