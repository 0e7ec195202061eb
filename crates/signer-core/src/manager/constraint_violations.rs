//! What is told of CAs that are of no use for what their signer issues, or that some verifiers refuse.

use jiff::Timestamp;

use crate::health::Severity;
use ca_pool::{CaPool, CertificateAuthority, Fitness, Terms};

/// The most findings that are told at once; `signerctl ca-pool show` has all.
const MOST: usize = 4;

/// What is wrong with such CAs, if there are any. It is an error only where nothing that is issued is of use,
/// and no other CA can sign in its place.
pub(super) fn told(pool: &CaPool, fitness: &Fitness, now: Timestamp) -> Option<(Severity, String)> {
    let findings = pool.findings(fitness, now);
    let least = now.checked_add(Terms::LEAST_LIFETIME).unwrap_or(Timestamp::MAX);
    let can_sign =
        |authority: &CertificateAuthority| authority.not_before() <= now && least <= authority.not_after();
    let severity = if findings.first()?.is_outage() && !pool.of_use(fitness).any(can_sign) {
        Severity::Error
    } else {
        Severity::Warning
    };
    let mut told: Vec<String> = findings.iter().take(MOST).map(ToString::to_string).collect();
    if let Some(more) = findings.len().checked_sub(MOST).filter(|more| *more > 0) {
        told.push(format!("and {more} more, which `signerctl ca-pool show` lists"));
    }
    Some((severity, told.join("; ")))
}

#[cfg(test)]
mod tests;
