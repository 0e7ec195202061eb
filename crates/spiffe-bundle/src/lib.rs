//! SPIFFE bundles: the trust anchors of a trust domain as a JWK Set (RFC 7517; SPIFFE Trust Domain and Bundle §4,
//! X509-SVID §6). The name of the trust domain isn't in it: it comes from wherever the bundle was asked for, and the
//! anchors of two trust domains are never put together.

mod jwk;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ca_pool::{AuthorityError, CaCertificate};
use serde::Deserialize;
use serde_json::{Value, json};

pub use jwk::KeyWithoutJwk;

/// The trust anchors of a trust domain.
///
/// ```
/// use spiffe_bundle::{BundleError, SpiffeBundle};
///
/// // another use, and an element of a kind that nobody knows: both are passed over
/// let json = br#"{"keys": [{"kty": "EC", "use": "jwt-svid", "kid": "a"}, {"kty": "new"}], "spiffe_refresh_hint": 60}"#;
/// let bundle = SpiffeBundle::from_json(json)?;
/// assert!(bundle.anchors.is_empty(), "so no certificate of the trust domain is valid");
/// assert_eq!(bundle.refresh_hint.map(|hint| hint.as_secs()), Some(60));
/// # Ok::<(), BundleError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct SpiffeBundle {
    /// Its X.509 anchors, each once. Without one, no certificate of the trust domain is valid (§4.2.2).
    pub anchors: Vec<CaCertificate>,
    /// Greater for each change, if its author counts.
    pub sequence: Option<u64>,
    /// How soon its author wants it to be fetched again.
    pub refresh_hint: Option<Duration>,
}

/// Why a bundle is refused as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It is longer than any bundle needs to be.
    #[error("the bundle has {0} bytes; {max} are the most", max = SpiffeBundle::MAX_BYTES)]
    TooLong(usize),
    /// It isn't a JWK Set.
    #[error("it isn't a SPIFFE bundle: a JSON object with `keys`, a list (at line {line}, column {column})")]
    NotABundle {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// An element for X.509 has something else in the place of a certificate.
    #[error("element {index} of the bundle has no certificate in DER and base64 in x5c")]
    NotBase64 {
        /// From 0.
        index: usize,
    },
    /// An element for X.509 has a certificate that can't be an anchor.
    #[error("the bundle's {0}")]
    Certificate(#[from] AuthorityError),
    /// An element for X.509 has a certificate that isn't a CA's.
    #[error("element {index} of the bundle has a certificate that isn't a CA's ({subject})")]
    NotACa {
        /// From 0.
        index: usize,
        /// Its subject.
        subject: String,
    },
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
    #[serde(default)]
    spiffe_sequence: Option<u64>,
    #[serde(default)]
    spiffe_refresh_hint: Option<u64>,
}

impl SpiffeBundle {
    /// The most bytes that are read: some hundred anchors.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// Reads a bundle. Elements of another use, without one, or without a certificate are passed over, as the
    /// specification demands.
    ///
    /// # Errors
    /// If it is too long or no bundle, or an element for X.509 has something else than a CA's certificate: such a
    /// bundle is damaged, and whatever was good before is kept.
    pub fn from_json(json: &[u8]) -> Result<Self, BundleError> {
        if json.len() > Self::MAX_BYTES {
            return Err(BundleError::TooLong(json.len()));
        }
        let document: Document = serde_json::from_slice(json)
            .map_err(|error| BundleError::NotABundle { line: error.line(), column: error.column() })?;
        let mut anchors: Vec<CaCertificate> = Vec::new();
        for (index, key) in document.keys.iter().enumerate() {
            let Some(anchor) = anchor(index, key)? else { continue };
            if anchors.iter().all(|known| known.der() != anchor.der()) {
                anchors.push(anchor);
            }
        }
        let refresh_hint = document.spiffe_refresh_hint.map(Duration::from_secs);
        Ok(Self { anchors, sequence: document.spiffe_sequence, refresh_hint })
    }

    /// Writes it.
    ///
    /// # Errors
    /// An anchor whose key has no JWK.
    pub fn to_json(&self) -> Result<Value, KeyWithoutJwk> {
        let keys: Vec<Value> = self.anchors.iter().map(jwk::element).collect::<Result<_, _>>()?;
        let mut bundle = json!({"keys": keys});
        if let Some(sequence) = self.sequence {
            bundle["spiffe_sequence"] = sequence.into();
        }
        if let Some(hint) = self.refresh_hint {
            bundle["spiffe_refresh_hint"] = hint.as_secs().into();
        }
        Ok(bundle)
    }
}

/// The certificate of an element for X.509; of several in x5c, the first.
fn anchor(index: usize, key: &Value) -> Result<Option<CaCertificate>, BundleError> {
    let is_x509 = key.get("use").and_then(Value::as_str) == Some("x509-svid")
        && key.get("kty").and_then(Value::as_str).is_some_and(|kty| jwk::KEY_TYPES.contains(&kty));
    let Some(chain) = key.get("x5c").and_then(Value::as_array).filter(|_| is_x509) else { return Ok(None) };
    let Some(first) = chain.first() else { return Ok(None) };
    let der = first.as_str().and_then(|text| STANDARD.decode(text).ok());
    let der = der.ok_or(BundleError::NotBase64 { index })?;
    let certificate = CaCertificate::from_der(format!("element {index}"), &der)?;
    if !certificate.is_ca() {
        return Err(BundleError::NotACa { index, subject: certificate.subject() });
    }
    Ok(Some(certificate))
}

#[cfg(test)]
mod tests;
