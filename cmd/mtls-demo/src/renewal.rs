//! When a certificate will be renewed, as far as a pod can know.

use std::time::{Duration, SystemTime};

use pod_credentials::Certificate;

use crate::times::{from_now, utc};

/// What can be said of the next renewal. Kubelet renews at a time (`beginRefreshAt`) that the signer sets in
/// the request's status, which a pod doesn't see, plus up to five minutes: so this is an estimate, and says
/// of what.
pub(crate) fn expected(certificate: &Certificate, now: SystemTime) -> String {
    let lifetime = certificate.not_after.duration_since(certificate.not_before).unwrap_or(Duration::ZERO);
    let half = certificate.not_before + lifetime / 2;
    let estimate = match half > now {
        true => format!("about {} ({})", utc(half), from_now(half, now)),
        false => format!("later than {} ({}), or overdue", utc(half), from_now(half, now)),
    };
    format!(
        "{estimate}; most signers renew at half of the lifetime, some shortly before its end, and a pod can't see when kubelet will"
    )
}

#[cfg(test)]
mod tests;
