//! What is known of a foreign trust domain, and what of a new bundle is taken over.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use ca_pool::CaCertificate;
use jiff::Timestamp;
use spiffe_bundle::SpiffeBundle;
use spiffe_federation::Endpoint;
use spiffe_id::TrustDomain;

/// A trust domain whose workloads the signer's pods may verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedDomain {
    /// Its name.
    pub trust_domain: TrustDomain,
    /// Where its bundle is fetched; none: it is the file alone.
    pub endpoint: Option<Endpoint>,
    /// Its bundle, or its first one if there is an endpoint: a SPIFFE bundle, or certificates in PEM.
    pub trust_bundle: Option<PathBuf>,
    /// For how long a bundle that can't be fetched anew counts without a warning.
    pub max_stale: Duration,
}

impl FederatedDomain {
    /// A day.
    pub const DEFAULT_MAX_STALE: Duration = Duration::from_secs(24 * 3600);
}

/// The trust domains with which a signer's own is federated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    /// The signer's own.
    pub own: TrustDomain,
    /// The others.
    pub domains: Vec<FederatedDomain>,
}

/// Why a new bundle isn't taken over; the one before stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("its bundle has sequence {new}, and one with {known} is known; nothing goes back")]
    Older { new: u64, known: u64 },
    #[error(
        "its bundle has an anchor of this signer's own pool (SHA-256 {0}), by which it could make workloads of this trust domain"
    )]
    OwnRoot(String),
    #[error(
        "its bundle has an anchor of trust domain {domain} too (SHA-256 {sha256}); one CA may not speak for two"
    )]
    OtherDomain { domain: TrustDomain, sha256: String },
    #[error("its bundle has {0} anchors; {MAX_ANCHORS} are the most")]
    TooMany(usize),
}

/// The most anchors of a domain that pods get.
const MAX_ANCHORS: usize = 100;

/// What must not be in a foreign bundle.
pub(super) struct Others<'a> {
    /// The roots of the signer's own pool.
    pub(super) own: &'a [Vec<u8>],
    /// The anchors of the other foreign domains.
    pub(super) domains: &'a BTreeMap<TrustDomain, Vec<Vec<u8>>>,
}

/// Whether a bundle takes the place of the one before it.
pub(super) fn accept(
    domain: &TrustDomain,
    new: &SpiffeBundle,
    known: Option<&SpiffeBundle>,
    others: &Others<'_>,
) -> Result<(), Refusal> {
    if let (Some(new), Some(known)) = (new.sequence, known.and_then(|known| known.sequence))
        && new < known
    {
        return Err(Refusal::Older { new, known });
    }
    if new.anchors.len() > MAX_ANCHORS {
        return Err(Refusal::TooMany(new.anchors.len()));
    }
    for anchor in &new.anchors {
        if others.own.iter().any(|own| own == anchor.der()) {
            return Err(Refusal::OwnRoot(anchor.fingerprint()));
        }
        let has_it = |(other, anchors): &(&TrustDomain, &Vec<Vec<u8>>)| {
            *other != domain && anchors.iter().any(|other| other == anchor.der())
        };
        if let Some((other, _)) = others.domains.iter().find(has_it) {
            return Err(Refusal::OtherDomain { domain: other.clone(), sha256: anchor.fingerprint() });
        }
    }
    Ok(())
}

/// The anchors that count: those that haven't expired.
pub(super) fn valid(bundle: &SpiffeBundle, now: Timestamp) -> Vec<&CaCertificate> {
    bundle.anchors.iter().filter(|anchor| now <= anchor.not_after()).collect()
}

/// When a bundle is fetched again: after its refresh hint, within bounds (SPIFFE Federation §5.1: 5 minutes without a
/// hint, and no sooner after a failure). While nothing is known of a domain, after a minute: of two clusters that
/// federate with each other, one starts first.
pub(super) fn refresh_after(bundle: Option<&SpiffeBundle>) -> Duration {
    const LEAST: Duration = Duration::from_secs(60);
    const MOST: Duration = Duration::from_secs(24 * 3600);
    const DEFAULT: Duration = Duration::from_secs(300);
    bundle.map_or(LEAST, |bundle| bundle.refresh_hint.unwrap_or(DEFAULT).clamp(LEAST, MOST))
}

/// Reads a file: a SPIFFE bundle, or certificates in PEM.
pub(super) fn from_file(content: &[u8]) -> Result<SpiffeBundle, String> {
    if content.trim_ascii_start().first() == Some(&b'{') {
        return SpiffeBundle::from_json(content).map_err(|error| error.to_string());
    }
    Ok(SpiffeBundle { anchors: from_pem(content)?, ..SpiffeBundle::default() })
}

/// The CAs of a text in PEM.
pub(crate) fn from_pem(content: &[u8]) -> Result<Vec<CaCertificate>, String> {
    let blocks = pem_blocks::blocks(content).map_err(|bad| format!("line {}: {}", bad.line, bad.problem))?;
    let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
    let anchors = certificates.map(|block| {
        let certificate = CaCertificate::from_der(format!("line {}", block.line), &block.der);
        let certificate = certificate.map_err(|error| error.to_string())?;
        if certificate.is_ca() {
            Ok(certificate)
        } else {
            Err(format!("the certificate in line {} isn't a CA's", block.line))
        }
    });
    let anchors = anchors.collect::<Result<Vec<_>, String>>()?;
    if anchors.is_empty() { Err("it has no CERTIFICATE block".to_owned()) } else { Ok(anchors) }
}

#[cfg(test)]
mod tests;
