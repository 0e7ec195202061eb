use rcgen::{GeneralSubtree, NameConstraints};

use super::*;
use crate::{ANY_LABEL, Leaf};
use ca_pool::testing::TestCa;

fn ca(id: &str, until: i32, allowed_changes: Option<&str>) -> CertificateAuthority {
    let root = TestCa::root_with("root", |params| {
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        params.name_constraints = allowed_changes.map(|name| NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(name.to_owned())],
            excluded_subtrees: vec![],
        });
    });
    root.authority(&[], &root).with_id(id)
}

#[test]
fn a_ca_that_can_sign_nothing_is_an_error_unless_another_one_can_sign_in_its_place() {
    let name = format!("{ANY_LABEL}.{ANY_LABEL}.svc.cluster.local").parse().unwrap();
    let examples = [Leaf::server().dns_name(name)];
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let severity = |authorities: Vec<CertificateAuthority>| {
        let pool = CaPool::new(authorities).unwrap();
        told(&pool, &pool.fitness(&examples), now).map(|(severity, _)| severity)
    };
    let unfit = || ca("1", 2030, Some("corp.example.com"));
    assert_eq!(severity(vec![unfit()]), Some(Severity::Error));
    assert_eq!(severity(vec![unfit(), ca("2", 2030, None)]), Some(Severity::Warning));
    assert_eq!(severity(vec![unfit(), ca("2", 2025, None)]), Some(Severity::Error));
    assert_eq!(severity(vec![ca("1", 2030, Some("shop.svc.cluster.local"))]), Some(Severity::Warning));
    assert_eq!(severity(vec![ca("1", 2030, Some("cluster.local"))]), None);
}
