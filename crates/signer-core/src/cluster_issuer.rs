//! Which cluster issued a certificate.

use ca_pool::{LeafExtension, LeafExtensionError, names::Uri};
use der::{Encode as _, asn1::Ia5StringRef};

/// The longest URL: far more than any cluster's, and little beside the rest of a certificate.
const LONGEST: usize = 512;

/// Arcs whose extensions mean something to verifiers: those of X.500 and of RFC 5280.
const STANDARD: [&str; 2] = ["2.5.29.", "1.3.6.1.5.5.7."];

/// The extension by which a certificate says which cluster issued it: `ClusterIssuer ::= IA5String`, the URL of the
/// cluster's OIDC issuer, as its service account tokens have it in `iss`. It isn't critical.
///
/// No standard defines it, so its object identifier is the operator's own.
///
/// ```
/// use signer_core::cluster_issuer::cluster_issuer;
///
/// let url = "https://oidc.example.com/prod".parse()?;
/// assert_eq!(cluster_issuer("1.3.6.1.4.1.32473.1", &url)?.oid(), "1.3.6.1.4.1.32473.1");
/// assert!(cluster_issuer("2.5.29.17", &url).is_err(), "the subject alternative names");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the URL isn't one of an OIDC issuer (OpenID Connect Discovery 1.0 §3: `https`, without query and fragment), is
/// longer than 512 bytes, or if the object identifier isn't one of a private extension.
pub fn cluster_issuer(oid: &str, url: &Uri) -> Result<LeafExtension, ClusterIssuerError> {
    let text = url.as_str();
    if url.scheme() != "https" || text.contains(['?', '#']) || text.len() > LONGEST {
        return Err(ClusterIssuerError::Url);
    }
    if STANDARD.iter().any(|arc| oid.starts_with(arc)) {
        return Err(ClusterIssuerError::StandardOid);
    }
    let value =
        Ia5StringRef::new(text).and_then(|text| text.to_der()).map_err(|_| ClusterIssuerError::Url)?;
    Ok(LeafExtension::new(oid, false, value)?)
}

/// The extension can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterIssuerError {
    /// The URL isn't one of an OIDC issuer.
    #[error("an OIDC issuer's URL begins with https://, has no query and no fragment, and 512 bytes at most")]
    Url,
    /// The object identifier is one of X.500 or RFC 5280.
    #[error(
        "extensions of that arc mean something to verifiers; take one of your own, under 1.3.6.1.4.1.<your number>"
    )]
    StandardOid,
    /// The object identifier isn't valid, or is reserved.
    #[error(transparent)]
    Extension(#[from] LeafExtensionError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_issuer_or_no_private_extension_is_refused() {
        const OID: &str = "1.3.6.1.4.1.32473.1";
        let of = |oid: &str, url: &str| cluster_issuer(oid, &url.parse().unwrap());
        assert!(of(OID, "https://kubernetes.default.svc.cluster.local").is_ok());
        let long = format!("https://example.com/{}", "a".repeat(500));
        for url in [
            "http://example.com",
            "spiffe://example.com",
            "https://example.com/?a",
            "https://example.com/#a",
            &long,
        ] {
            assert_eq!(of(OID, url), Err(ClusterIssuerError::Url), "{url}");
        }
        for oid in ["2.5.29.17", "2.5.29.46", "1.3.6.1.5.5.7.1.1"] {
            assert_eq!(of(oid, "https://example.com"), Err(ClusterIssuerError::StandardOid), "{oid}");
        }
        for oid in ["", "1", "9.9.9", "cluster"] {
            assert!(matches!(of(oid, "https://example.com"), Err(ClusterIssuerError::Extension(_))), "{oid}");
        }
    }
}
