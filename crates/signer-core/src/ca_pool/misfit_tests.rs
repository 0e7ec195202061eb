use std::time::Duration;

use rcgen::{ExtendedKeyUsagePurpose, GeneralSubtree, NameConstraints};

use super::*;
use crate::{ANY_LABEL, ExtendedKeyUsage, Leaf, authority::fixtures::TestCa, ca_pool::Succession};

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

fn misfits(pool: &CaPool, examples: &[Leaf]) -> Vec<Misfit> {
    pool.misfits(&pool.fitness(examples), now())
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
    let succession =
        Succession { signs_from: past, longest_leaf: Some(DAY), predecessors_longest_leaf: Some(DAY) };
    CaPool::new(vec![predecessor]).unwrap().with_successor(successor, succession, past).unwrap()
}

fn chosen(pool: &CaPool, examples: &[Leaf]) -> Choice {
    pool.choose_for(&pool.fitness(examples), now(), |_| Standing::Since(now() - DAY * 3)).unwrap()
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
        assert!(!pool.has_others_that_fit(&["1".into()], &fitness), "so it isn't removed");
        assert!(pool.has_others_that_fit(&["2".into()], &fitness));
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
fn where_none_can_sign_the_one_whose_turn_it_is_is_chosen_and_whoever_issues_says_why() {
    let pool = taken_over(permitting("1", &["a.example.com"]), permitting("2", &["b.example.com"]));
    assert_eq!(chosen(&pool, &services()).index, 1);
    assert!(pool.has_others_that_fit(&["1".into()], &pool.fitness(&services())));
}

#[test]
fn a_misfit_names_the_ca_the_constraint_the_name_and_the_remedy() {
    let pool = CaPool::new(vec![permitting("7", &["corp.example.com"])]).unwrap();
    let misfits = misfits(&pool, &services());
    let [Misfit::Whole { .. }] = &misfits[..] else { panic!("{misfits:?}") };
    let told = misfits[0].to_string();
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
    let told = self::misfits(&pool, &services())[0].to_string();
    assert!(told.contains("ServerAuth: its extendedKeyUsage leaves it out"), "{told}");
}

#[test]
fn a_part_that_is_forbidden_is_told_as_such_and_retired_cas_do_not_matter() {
    let partly = || permitting("1", &["svc", "shop.svc.cluster.local"]);
    let misfits = misfits(&CaPool::new(vec![partly()]).unwrap(), &services());
    assert!(matches!(&misfits[..], [Misfit::Part { .. }]), "{misfits:?}");
    assert_eq!(self::misfits(&taken_over(partly(), free("2")), &services()), []);
    assert_eq!(self::misfits(&CaPool::new(vec![free("1")]).unwrap(), &services()), []);
}

#[test]
fn of_several_kinds_of_leaves_one_that_can_be_signed_is_enough() {
    let pool = CaPool::new(vec![permitting("1", &["corp.example.com"])]).unwrap();
    let both = [services(), spiffe()].concat();
    assert!(matches!(&misfits(&pool, &both)[..], [Misfit::Part { .. }]));
    let alone = Leaf::default().common_name(ANY_LABEL.parse().unwrap());
    assert!(matches!(&misfits(&pool, &[alone])[..], [Misfit::Part { .. }]), "a common name as a host");
}
