//! The proof that a rotation is safe: whole lives of pools, with a clock of their own, under the rules as
//! they are, and under rules that must not hold.
//!
//! What decides is the code that runs in the controller: pools, their changes, the bundle and its repair, and
//! the choice of who signs. Replicas, kubelets and people are modelled, at their worst: a pod has any of the
//! bundles that were published within kubelet's longest delay, and there is a leaf of the longest lifetime
//! from each moment at which a replica would sign one.

mod certificates;
mod deleted;
mod outright;
mod replica;
mod rules;
mod scenarios;
mod schedule;
mod world;
mod wrong_clock;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::{rules::Rules, schedule::schedules};

/// Looks for a schedule under which a live leaf meets a pod that doesn't know its root.
fn find_violation(rules: Rules, config: Config, seed: u8) -> Option<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..config }, rng);
    let lived = runner.run(&schedules(), |schedule| {
        schedule.run(rules).map_err(|violation| TestCaseError::fail(violation.0))
    });
    lived.err().map(|error| error.to_string())
}

/// `PROPTEST_CASES` makes it more than 256.
#[test]
fn under_no_schedule_does_a_live_leaf_meet_a_pod_that_does_not_know_its_root() {
    assert_eq!(find_violation(Rules::Real, Config::default(), seed_of_today()), None);
}

/// Another one each day, the same one for whoever looks into a failure.
fn seed_of_today() -> u8 {
    let day = jiff::Timestamp::now().as_second() / 86_400;
    u8::try_from(day % 256).unwrap()
}

#[test]
fn the_same_schedules_find_what_is_wrong_with_other_rules() {
    let config = Config { cases: 2000, max_shrink_iters: 0, ..Config::default() };
    for rules in [
        Rules::SignEarly,
        Rules::PruneEarly,
        Rules::ForgetRetirement,
        Rules::ForgetBundle,
        Rules::NoGenerations,
        Rules::SignByTheTurn,
        Rules::RemoveByTheTurn,
        Rules::OwnClock,
    ] {
        assert!(find_violation(rules, config.clone(), 1).is_some(), "{rules:?} should break something");
    }
}
