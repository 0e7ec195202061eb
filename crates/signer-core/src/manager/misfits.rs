//! What is told of CAs whose constraints forbid what their signer issues.

use jiff::Timestamp;

use crate::{
    authority::CertificateAuthority,
    ca_pool::{CaPool, Misfit},
    health::Severity,
    issue::Terms,
    profile::LeafProfile,
};

/// What is wrong with such a CA, if there is one. It is an error only where no other one can sign in its place.
pub(super) fn told(pool: &CaPool, profiles: &[LeafProfile], now: Timestamp) -> Option<(Severity, String)> {
    let gravest = pool.misfits(profiles, now).into_iter().next()?;
    let least = now.checked_add(Terms::LEAST_LIFETIME).unwrap_or(Timestamp::MAX);
    let can_sign =
        |authority: &CertificateAuthority| authority.not_before() <= now && least <= authority.not_after();
    let severity = match gravest {
        Misfit::Whole { .. } if !pool.fit(profiles).any(can_sign) => Severity::Error,
        Misfit::Whole { .. } | Misfit::Part { .. } => Severity::Warning,
    };
    Some((severity, gravest.to_string()))
}

#[cfg(test)]
mod tests {
    use rcgen::{GeneralSubtree, NameConstraints};

    use super::*;
    use crate::{ExtendedKeyUsage, NameScope, authority::fixtures::TestCa};

    fn ca(id: &str, until: i32, permitted: Option<&str>) -> CertificateAuthority {
        let root = TestCa::root_with("root", |params| {
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
            params.name_constraints = permitted.map(|name| NameConstraints {
                permitted_subtrees: vec![GeneralSubtree::DnsName(name.to_owned())],
                excluded_subtrees: vec![],
            });
        });
        root.authority(&[], &root).with_id(id)
    }

    #[test]
    fn a_ca_that_can_sign_nothing_is_an_error_unless_another_one_can_sign_in_its_place() {
        let scope = NameScope::DnsUnder("svc.cluster.local".parse().unwrap());
        let profiles = [LeafProfile::new([ExtendedKeyUsage::ServerAuth]).name(scope)];
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let severity = |authorities: Vec<CertificateAuthority>| {
            told(&CaPool::new(authorities).unwrap(), &profiles, now).map(|(severity, _)| severity)
        };
        let unfit = || ca("1", 2030, Some("corp.example.com"));
        assert_eq!(severity(vec![unfit()]), Some(Severity::Error));
        assert_eq!(severity(vec![unfit(), ca("2", 2030, None)]), Some(Severity::Warning));
        assert_eq!(severity(vec![unfit(), ca("2", 2025, None)]), Some(Severity::Error));
        assert_eq!(severity(vec![ca("1", 2030, Some("shop.svc.cluster.local"))]), Some(Severity::Warning));
        assert_eq!(severity(vec![ca("1", 2030, Some("cluster.local"))]), None);
    }
}
