use rcgen::{GeneralSubtree, NameConstraints};

use super::*;
use crate::{
    leaf::{ANY_LABEL, Leaf},
    testing::TestCa,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

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
fn a_ca_that_can_sign_nothing_is_an_outage_unless_another_one_can_sign_in_its_place() {
    let name = format!("{ANY_LABEL}.{ANY_LABEL}.svc.cluster.local").parse().unwrap();
    let examples = [Leaf::server().dns_name(name)];
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let assessed = |authorities: Vec<CertificateAuthority>| {
        let pool = CaPool::new(authorities).unwrap();
        let Assessment { is_outage, findings, .. } = pool.assess(&pool.fitness(&examples), Some(DAY), now);
        (is_outage, findings.is_empty())
    };
    let unfit = || ca("1", 2030, Some("corp.example.com"));
    assert_eq!(assessed(vec![unfit()]), (true, false));
    assert_eq!(assessed(vec![unfit(), ca("2", 2030, None)]), (false, false));
    assert_eq!(assessed(vec![unfit(), ca("2", 2025, None)]), (true, false));
    assert_eq!(assessed(vec![ca("1", 2030, Some("shop.svc.cluster.local"))]), (false, false));
    assert_eq!(assessed(vec![ca("1", 2030, Some("cluster.local"))]), (false, true));
}

fn pool(of_years: &[(i32, i32)]) -> CaPool {
    let authorities = of_years.iter().enumerate().map(|(index, (begin, end))| {
        let root = TestCa::root_with(&format!("root {index}"), |params| {
            params.not_before = rcgen::date_time_ymd(*begin, 1, 1);
            params.not_after = rcgen::date_time_ymd(*end, 1, 1);
        });
        root.authority(&[], &root).with_id(index.to_string())
    });
    CaPool::new(authorities.collect()).unwrap()
}

fn exhausted(pool: &CaPool, fitness: &Fitness, now: &str) -> Option<String> {
    pool.assess(fitness, None, now.parse().unwrap()).exhausted.map(|error| error.to_string())
}

#[test]
fn a_pool_is_exhausted_when_none_of_its_cas_can_sign_the_shortest_leaf() {
    let problem = |pool: &CaPool, now: &str| exhausted(pool, &Fitness::default(), now);
    let two = pool(&[(2020, 2024), (2022, 2026)]);
    assert_eq!(problem(&two, "2025-12-31T23:00:00Z"), None);
    let end = problem(&two, "2025-12-31T23:00:01Z").unwrap();
    assert!(end.contains("can't sign any more") && end.contains("ends at 2026-01-01T00:00:00Z"), "{end}");
    assert_eq!(problem(&two, "2021-12-31T23:59:59Z"), None);
    let beginning = problem(&pool(&[(2022, 2026)]), "2021-12-31T23:59:59Z").unwrap();
    assert!(beginning.contains("is valid from 2022-01-01T00:00:00Z on"), "{beginning}");
}

#[test]
fn one_that_can_sign_nothing_that_is_issued_does_not_count() {
    let unfit = TestCa::root_with("clients", |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let mut authorities = pool(&[(2020, 2024)]).into_authorities();
    authorities.push(unfit.authority(&[], &unfit).with_id("unfit"));
    let pool = CaPool::new(authorities).unwrap();
    let fitness = pool.fitness(&[Leaf::server().dns_name("web.shop.svc".parse().unwrap())]);
    let now = "2025-01-01T00:00:00Z";
    assert_eq!(exhausted(&pool, &Fitness::default(), now), None);
    let told = exhausted(&pool, &fitness, now).unwrap();
    assert!(told.contains("ends at 2024-01-01T00:00:00Z"), "{told}");
}

#[test]
fn without_a_signer_what_the_pool_records_counts_as_right() {
    let pool = CaPool::first(ca("1", 2030, None), DAY / 2).unwrap();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let warnings = |max_lifetime| pool.assess(&Fitness::default(), max_lifetime, now).warnings;
    assert_eq!(warnings(None), []);
    assert!(matches!(warnings(Some(DAY))[..], [(0, PoolWarning::Limited { .. })]));
}
