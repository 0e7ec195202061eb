use std::time::Duration;

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, NameConstraints};

use super::*;
use crate::testing::TestCa;
use crate::{ANY_LABEL, ExtendedKeyUsage, Leaf, pool::RotationPlan};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn spiffe() -> Vec<Leaf> {
    let usages = [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth];
    vec![Leaf::new(usages).uri("spiffe://cluster.local/ns/any/sa/any".parse().unwrap())]
}

fn services() -> Vec<Leaf> {
    let under = |suffix: &str| format!("{ANY_LABEL}.{ANY_LABEL}.{suffix}").parse().unwrap();
    vec![Leaf::server().dns_name(under("svc")).dns_name(under("svc.cluster.local"))]
}

fn constraint_violations(pool: &CaPool, examples: &[Leaf]) -> Vec<ConstraintViolation> {
    pool.constraint_violations(&pool.fitness(examples), now())
}

fn permitting(id: &str, names: &[&str]) -> CertificateAuthority {
    let permitted = names.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect();
    let root = TestCa::root_with("constrained", |params| {
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: vec![] });
    });
    let issuing = root.issue("issuing");
    issuing.authority(&[&issuing], &root).with_id(id)
}

fn for_clients_alone(id: &str) -> CertificateAuthority {
    let root = TestCa::root_with("clients", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    root.authority(&[], &root).with_id(id)
}

fn free(id: &str) -> CertificateAuthority {
    let root = TestCa::root("free");
    root.authority(&[], &root).with_id(id)
}

/// The predecessor has signed; the successor's turn came two days ago.
fn taken_over(predecessor: CertificateAuthority, successor: CertificateAuthority) -> CaPool {
    let past = now() - DAY * 2;
    let rotation_plan = RotationPlan {
        signs_from: past,
        max_leaf_lifetime: Some(DAY),
        predecessor_max_leaf_lifetime: Some(DAY),
    };
    CaPool::new(vec![predecessor]).unwrap().with_successor(successor, rotation_plan, past).unwrap()
}

fn expendable(pool: &CaPool, fitness: &Fitness, at: Timestamp) -> Vec<String> {
    let ids = pool.authorities().map(|authority| authority.id().to_owned());
    let ids = ids.filter(|id| pool.removable(at).contains(&id.as_str())).collect();
    pool.expendable(ids, fitness, at, |_| RootPublication::Since(now() - DAY * 3))
}

/// One whose certificates peers that use rustls refuse, and others accept.
fn refused_by_rustls(id: &str, until: i32) -> CertificateAuthority {
    let root = TestCa::root("root");
    let issuing = root.issue_with("issuing", |params| {
        let any_policy = [0x30, 0x08, 0x30, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x20, 0x00];
        let mut policies = CustomExtension::from_oid_content(&[2, 5, 29, 32], any_policy.to_vec());
        policies.set_criticality(true);
        params.custom_extensions = vec![policies];
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
    });
    issuing.authority(&[&issuing], &root).with_id(id)
}

fn free_until(id: &str, until: i32) -> CertificateAuthority {
    let root = TestCa::root_with("free", |params| params.not_after = rcgen::date_time_ymd(until, 1, 1));
    root.authority(&[], &root).with_id(id)
}

fn chosen(pool: &CaPool, examples: &[Leaf]) -> SigningCa {
    pool.choose_for(&pool.fitness(examples), now(), |_| RootPublication::Since(now() - DAY * 3)).unwrap()
}

#[test]
fn a_successor_that_can_sign_nothing_does_not_take_over() {
    for (successor, examples) in [
        (permitting("2", &["corp.example.com"]), services()),
        (permitting("2", &["svc.cluster.local"]), services()),
        (for_clients_alone("2"), services()),
        (for_clients_alone("2"), spiffe()),
    ] {
        let pool = taken_over(free("1"), successor);
        let choice = chosen(&pool, &examples);
        assert_eq!(choice.index, 0);
        assert_eq!(choice.leaves_end, now() + DAY, "its leaves live as long as ever");
        assert_eq!(chosen(&pool, &[]).index, 1, "a signer of which nothing is known");
        let fitness = pool.fitness(&examples);
        let long_after = now() + DAY * 30;
        assert_eq!(pool.removable(long_after), ["1"]);
        assert_eq!(expendable(&pool, &fitness, long_after), [""; 0], "so it isn't removed");
        assert_eq!(expendable(&pool, &Fitness::default(), long_after), ["1"]);
    }
}

#[test]
fn one_that_can_sign_some_or_all_does() {
    let some = permitting("2", &["svc", "shop.svc.cluster.local"]);
    for (successor, examples) in [(some, services()), (permitting("2", &["corp.example.com"]), spiffe())] {
        assert_eq!(chosen(&taken_over(free("1"), successor), &examples).index, 1);
    }
}

#[test]
fn one_that_rustls_refuses_signs_where_no_other_can_and_never_else() {
    let pool = |fit_until| {
        CaPool::new(vec![free_until("fit", fit_until), refused_by_rustls("refused", 2040)]).unwrap()
    };
    assert_eq!(chosen(&pool(2040), &services()).index, 0);
    assert_eq!(chosen(&pool(2025), &services()).index, 1, "the fit one has expired");
    let taken_over = taken_over(free("1"), refused_by_rustls("2", 2040));
    assert_eq!(chosen(&taken_over, &services()).index, 0);
}

#[test]
fn pods_do_not_get_certificates_of_a_root_that_they_do_not_know_since_rustls_refuses_the_known_one() {
    let pool = CaPool::new(vec![free("new"), refused_by_rustls("old", 2040)]).unwrap();
    let (new, old) = (pool.authority(0).root().clone(), pool.authority(1).root().clone());
    let fitness = pool.fitness(&services());
    let signs = |since: Timestamp| {
        let publication =
            |root: &CaCertificate| RootPublication::Since(if *root == new { since } else { now() - DAY * 3 });
        pool.choose_for(&fitness, now(), publication).unwrap().index
    };
    assert_ne!(new, old);
    assert_eq!(signs(now()), 1);
    assert_eq!(signs(now() - DAY), 0);
}

#[test]
fn the_predecessor_of_one_that_is_not_fit_stays_until_the_next_that_is_fit_has_taken_over() {
    let (first, second) = (free("1"), permitting("2", &["corp.example.com"]));
    let turn = now() + DAY * 10;
    let next =
        RotationPlan { signs_from: turn, max_leaf_lifetime: Some(DAY), predecessor_max_leaf_lifetime: None };
    let pool = taken_over(first, second).with_successor(free("3"), next, now()).unwrap();
    let fitness = pool.fitness(&services());
    let at = |now| {
        pool.choose_for(&fitness, now, |_| RootPublication::Since(self::now() - DAY * 3)).unwrap().index
    };
    assert_eq!((at(turn - DAY), at(turn)), (0, 2));
    assert_eq!(expendable(&pool, &fitness, turn + Duration::from_secs(3600)), [""; 0], "its leaves live");
    assert_eq!(expendable(&pool, &fitness, turn + DAY * 3), ["1", "2"]);
}

#[test]
fn where_none_can_sign_the_one_whose_turn_it_is_is_chosen_and_whoever_issues_says_why() {
    let pool = taken_over(permitting("1", &["a.example.com"]), permitting("2", &["b.example.com"]));
    assert_eq!(chosen(&pool, &services()).index, 1);
    assert_eq!(expendable(&pool, &pool.fitness(&services()), now() + DAY * 30), ["1"]);
}

#[test]
fn a_constraint_violation_names_the_ca_the_constraint_the_name_and_the_remedy() {
    let pool = CaPool::new(vec![permitting("7", &["corp.example.com"])]).unwrap();
    let constraint_violations = constraint_violations(&pool, &services());
    let [ConstraintViolation::Whole { .. }] = &constraint_violations[..] else {
        panic!("{constraint_violations:?}")
    };
    let told = constraint_violations[0].to_string();
    for part in [
        "CA \"7\" (CN=issuing",
        "test (CN=constrained)",
        "DNS:any-example.any-example.svc:",
        "it permits DNS:corp.example.com alone",
        "signerctl ca-pool import",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let pool = CaPool::new(vec![for_clients_alone("7")]).unwrap();
    let told = self::constraint_violations(&pool, &services())[0].to_string();
    assert!(told.contains("ServerAuth: its extendedKeyUsage leaves it out"), "{told}");
}

#[test]
fn a_part_that_is_forbidden_is_told_as_such_and_retired_cas_do_not_matter() {
    let partly = || permitting("1", &["svc", "shop.svc.cluster.local"]);
    let constraint_violations = constraint_violations(&CaPool::new(vec![partly()]).unwrap(), &services());
    assert!(
        matches!(&constraint_violations[..], [ConstraintViolation::Part { .. }]),
        "{constraint_violations:?}"
    );
    assert_eq!(self::constraint_violations(&taken_over(partly(), free("2")), &services()), []);
    assert_eq!(self::constraint_violations(&CaPool::new(vec![free("1")]).unwrap(), &services()), []);
}

#[test]
fn of_several_kinds_of_leaves_one_that_can_be_signed_is_enough() {
    let pool = CaPool::new(vec![permitting("1", &["corp.example.com"])]).unwrap();
    let both = [services(), spiffe()].concat();
    assert!(matches!(&constraint_violations(&pool, &both)[..], [ConstraintViolation::Part { .. }]));
    let alone = Leaf::default().common_name(ANY_LABEL.parse().unwrap());
    assert!(
        matches!(&constraint_violations(&pool, &[alone])[..], [ConstraintViolation::Part { .. }]),
        "a common name as a host"
    );
}
