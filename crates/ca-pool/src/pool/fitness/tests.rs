use super::*;
use crate::testing::TestCa;

#[test]
fn the_example_key_is_a_key() {
    assert!(PublicKey::from_pkix(&EXAMPLE_P256_SPKI).is_ok());
}

#[test]
fn usual_leaves_are_of_both_kinds_of_names_for_both_ends() {
    let kinds: Vec<_> = usual_leaves().iter().map(|leaf| (leaf.dns_names.len(), leaf.uris.len())).collect();
    assert_eq!(kinds, [(1, 0), (1, 0), (0, 1), (0, 1)]);
}

#[test]
fn a_ca_whose_time_has_passed_or_has_not_come_is_as_fit_as_ever() {
    for (from, until) in [(1999, 2000), (2200, 2300)] {
        let root = TestCa::root_with("root", |params| {
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
        });
        let pool = CaPool::new(vec![root.authority(&[], &root)]).unwrap();
        let fitness = pool.fitness(&[Leaf::server().dns_name("web.shop.svc".parse().unwrap())]);
        assert_eq!(fitness.verdicts[0].answers, [Answer::Accepted]);
    }
}

#[test]
fn an_example_that_can_not_be_issued_by_any_ca_says_nothing_of_this_one() {
    let root = TestCa::root("root");
    let pool = CaPool::new(vec![root.authority(&[], &root)]).unwrap();
    assert!(pool.fitness(&[Leaf::server()]).is_fit(0), "without names");
    assert!(Fitness::default().is_fit(7), "not known");
}
