//! rustls-webpki: what rustls does to a peer's chain.

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{ServerName, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{Chain, Purpose, Refusal};

pub(super) const NAME: &str = "rustls-webpki";

/// Verifies the chain at the present time.
///
/// # Errors
/// webpki's refusal.
pub fn verify(chain: &Chain, purpose: Purpose<'_>) -> Result<(), Refusal> {
    verify_at(chain, purpose, Timestamp::now())
}

/// Verifies the chain at another time: for tests whose clock moves.
///
/// # Errors
/// webpki's refusal.
pub fn verify_at(chain: &Chain, purpose: Purpose<'_>, at: Timestamp) -> Result<(), Refusal> {
    let refused = |why: String| Refusal { verifier: NAME, why };
    let said = |error: webpki::Error| refused(error.to_string());
    let leaf = EndEntityCert::try_from(chain.leaf.der()).map_err(said)?;
    let anchors: Result<Vec<_>, _> =
        chain.anchors.iter().map(|anchor| anchor_from_trusted_cert(anchor.der())).collect();
    let usage = match purpose {
        Purpose::ServerNamed(_) | Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    };
    let (anchors, intermediates) = (anchors.map_err(said)?, chain.intermediate_ders());
    let time = UnixTime::since_unix_epoch(Duration::from_secs(at.as_second().unsigned_abs()));
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &intermediates, time, usage, None, None)
        .map_err(said)?;
    if let Purpose::ServerNamed(name) = purpose {
        let name = ServerName::try_from(name).map_err(|error| refused(format!("{name:?}: {error}")))?;
        leaf.verify_is_valid_for_subject_name(&name).map_err(said)?;
    }
    Ok(())
}
