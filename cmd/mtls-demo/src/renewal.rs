//! When a certificate will be renewed, as far as a pod can know.

use std::time::{Duration, SystemTime};

use pod_credentials::Certificate;

use crate::times::{from_now, utc};

/// What can be said of the next renewal. Kubelet renews at a time (`beginRefreshAt`) that the signer sets in the request's status, which a pod doesn't see, plus up to
/// five minutes: so this is an estimate, and says of what.
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
mod tests {
    use super::*;

    #[test]
    fn an_estimate_says_that_it_is_one() {
        let leaf = certificate();
        let half = leaf.not_before + leaf.not_after.duration_since(leaf.not_before).unwrap() / 2;
        let text = expected(&leaf, half - Duration::from_secs(600));
        assert!(text.starts_with(&format!("about {} (in 10m); most signers", utc(half))), "{text}");
        let text = expected(&leaf, half + Duration::from_secs(600));
        assert!(text.starts_with("later than") && text.contains("10m ago), or overdue"), "{text}");
    }

    fn certificate() -> Certificate {
        let volume = test_pod_volume::Volume::new();
        volume.write([("c.pem", test_pod_volume::Ca::new("test").dns("a").bundle())]);
        let files = pod_credentials::CredentialFiles::bundle(volume.path("c.pem"));
        pod_credentials::Credentials::load(&files, SystemTime::now()).unwrap().leaf().clone()
    }
}
