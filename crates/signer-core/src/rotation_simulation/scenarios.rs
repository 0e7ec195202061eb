//! Lives that are worth telling one by one.

use std::time::Duration;

use super::{
    replica::Replica,
    rules::Rules,
    world::{HOUR, MINUTE, Violation, World},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Two replicas: one hears of a changed pool at once, the other ten minutes later.
fn world(rules: Rules) -> World {
    World::new(rules, vec![Replica::new(Duration::ZERO, 0), Replica::new(10 * MINUTE, 0)], DAY)
}

fn with_one_cut_off(rules: Rules) -> World {
    let never = Duration::from_secs(1 << 40);
    World::new(rules, vec![Replica::new(Duration::ZERO, 0), Replica::new(never, 0)], DAY)
}

/// Nobody is there from now on.
fn stop(world: &mut World) {
    world.replicas.iter_mut().for_each(|replica| replica.is_up = false);
}

fn start(world: &mut World) {
    let versions = world.versions.clone();
    world.replicas.iter_mut().for_each(|replica| replica.start(&versions));
    world.settle();
}

/// Whether a pod may now have a bundle with this CA's root.
fn is_published(world: &World, id: &str) -> bool {
    let (_, anchors) = world.history.last().unwrap();
    let mut all = world.versions.iter().flat_map(|(_, pool)| pool.authorities());
    anchors.contains(&all.find(|authority| authority.id() == id).unwrap().root().to_pem())
}

#[test]
fn a_rotation_from_the_first_step_to_the_last() -> Result<(), Violation> {
    let mut world = world(Rules::Real);
    world.rotate(15 * MINUTE, DAY);
    world.settle();
    assert!(is_published(&world, "2"));
    world.advance(15 * MINUTE - Duration::from_secs(1))?;
    assert_eq!(world.signing(), [Some("1"), Some("1")]);
    world.advance(Duration::from_secs(1))?;
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    world.advance(2 * DAY)?;
    world.prune();
    assert_eq!(world.versions.len(), 2, "it may still be needed");
    world.advance(15 * MINUTE)?;
    world.prune();
    world.advance(11 * MINUTE)?;
    assert!(!is_published(&world, "1"));
    world.advance(3 * DAY)
}

#[test]
fn a_root_leaves_when_its_time_is_over_though_nobody_prunes_and_no_replica_brings_it_back()
-> Result<(), Violation> {
    let lagging_clock = Replica::new(Duration::ZERO, 0).at_server(-30);
    let mut world = World::new(Rules::Real, vec![Replica::new(Duration::ZERO, 0), lagging_clock], DAY);
    world.rotate(15 * MINUTE, DAY);
    world.advance(2 * DAY + 30 * MINUTE)?;
    assert!(is_published(&world, "1"));
    for _ in 0..4 {
        world.advance(MINUTE)?;
    }
    assert!(!is_published(&world, "1"));
    let bundles = world.history.len();
    world.advance(DAY)?;
    assert_eq!(world.history.len(), bundles);
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    Ok(())
}

#[test]
fn a_successor_that_is_published_late_signs_late_and_its_predecessor_goes_on() -> Result<(), Violation> {
    let lived = |rules| {
        let mut world = world(rules);
        stop(&mut world);
        world.rotate(15 * MINUTE, DAY);
        world.advance(20 * HOUR)?;
        start(&mut world);
        let signing = world.signing().len();
        assert_eq!(signing, 2);
        world.check()?;
        assert_eq!(world.signing(), [Some("1"), Some("1")], "{rules:?}");
        world.advance(15 * MINUTE)?;
        assert_eq!(world.signing(), [Some("2"), Some("2")]);
        world.advance(2 * DAY)
    };
    lived(Rules::Real)?;
    assert!(lived(Rules::SignEarly).unwrap_err().0.contains("a leaf of CA 2"));
    Ok(())
}

#[test]
fn leaves_of_the_shortest_lifetime_rotate_as_safely() -> Result<(), Violation> {
    let mut world = World::new(Rules::Real, vec![Replica::new(Duration::ZERO, 0)], HOUR);
    stop(&mut world);
    world.rotate(15 * MINUTE, HOUR);
    world.advance(20 * HOUR)?;
    start(&mut world);
    assert_eq!(world.signing(), [Some("1")]);
    world.advance(15 * MINUTE)?;
    assert_eq!(world.signing(), [Some("2")]);
    world.advance(DAY)?;
    world.prune();
    world.advance(HOUR)
}

#[test]
fn after_an_outage_in_which_all_leaves_expired_the_successor_waits_until_pods_know_it()
-> Result<(), Violation> {
    let mut world = world(Rules::Real);
    stop(&mut world);
    world.rotate(15 * MINUTE, DAY);
    world.advance(3 * DAY)?;
    start(&mut world);
    assert_eq!(world.signing(), [None, None], "the pool's times alone don't prove that");
    world.advance(15 * MINUTE)?;
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    Ok(())
}

#[test]
fn a_root_that_leaves_too_early_breaks_pods() -> Result<(), Violation> {
    let mut world = world(Rules::PruneEarly);
    world.rotate(15 * MINUTE, DAY);
    world.advance(DAY)?;
    world.prune();
    let violation = world.advance(MINUTE).unwrap_err();
    assert!(violation.0.contains("a leaf of CA 1"), "{violation:?}");
    Ok(())
}

#[test]
fn a_replica_that_is_cut_off_signs_within_the_time_that_a_newer_pool_has_settled() -> Result<(), Violation> {
    let lived = |rules| {
        let mut world = with_one_cut_off(rules);
        world.rotate(15 * MINUTE, DAY);
        world.advance(DAY)?;
        assert_eq!(world.signing(), [Some("2"), Some("1")]);
        world.advance(DAY + 31 * MINUTE)?;
        world.prune();
        world.advance(HOUR)?;
        assert_eq!(world.signing(), [Some("2"), None]);
        Ok(())
    };
    lived(Rules::Real)?;
    let Violation(violation) = lived(Rules::ForgetRetirement).unwrap_err();
    assert!(violation.contains("a leaf of CA 1"), "{violation}");
    Ok(())
}

#[test]
fn a_bundle_deleted_in_the_middle_of_a_takeover_costs_nothing() -> Result<(), Violation> {
    let mut world = world(Rules::Real);
    stop(&mut world);
    world.rotate(15 * MINUTE, DAY);
    world.advance(HOUR)?;
    start(&mut world);
    world.advance(5 * MINUTE)?;
    world.delete_bundle();
    world.settle();
    assert_eq!(world.signing(), [Some("1"), Some("1")]);
    world.advance(15 * MINUTE)?;
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    world.advance(3 * DAY)
}

#[test]
fn a_leaked_root_does_not_come_back() -> Result<(), Violation> {
    let lived = |rules| {
        let mut world = with_one_cut_off(rules);
        world.compromise("1");
        world.settle();
        world.advance(MINUTE).unwrap_or_default();
        (is_published(&world, "1"), world.signing().contains(&Some("1")))
    };
    assert_eq!(lived(Rules::Real), (false, false));
    assert_eq!(lived(Rules::NoGenerations), (true, true));
    Ok(())
}

#[test]
fn a_leaked_root_goes_too_when_the_pool_was_put_back_to_what_it_was_before() -> Result<(), Violation> {
    let mut world = world(Rules::Real);
    world.rotate(15 * MINUTE, DAY);
    world.advance(5 * MINUTE)?;
    let before = world.versions[0].1.clone();
    world.versions.push((world.now, before));
    world.advance(11 * MINUTE)?;
    assert_eq!(world.signing(), [Some("1"), Some("1")]);
    world.compromise("1");
    // the new one signs at once, which some pods refuse for minutes
    world.advance(MINUTE).unwrap_or_default();
    assert!(!is_published(&world, "1"));
    Ok(())
}

#[test]
fn one_that_waits_when_another_leaks_takes_over_at_once_and_nobody_refuses_it() -> Result<(), Violation> {
    let mut world = world(Rules::Real);
    world.rotate(HOUR, DAY);
    world.advance(20 * MINUTE)?;
    world.compromise("1");
    world.advance(MINUTE)?;
    assert_eq!(world.signing(), [Some("2"), Some("2")], "also where the changed pool isn't known yet");
    world.advance(3 * DAY)
}

#[test]
fn one_that_retires_when_another_leaks_goes_on_until_pods_know_the_new_one() -> Result<(), Violation> {
    let mut world = world(Rules::Real);
    world.rotate(15 * MINUTE, DAY);
    world.advance(HOUR)?;
    world.compromise("2");
    world.advance(10 * MINUTE)?;
    assert_eq!(world.signing(), [Some("1"), Some("1")]);
    world.advance(5 * MINUTE)?;
    assert_eq!(world.signing(), [Some("3"), Some("3")]);
    world.advance(3 * DAY)
}

#[test]
fn a_pool_that_people_rotate_by_hand_without_times_trusts_first_too() -> Result<(), Violation> {
    let mut world = world(Rules::Real);
    world.store(|pool, now| {
        let mut document: serde_json::Value = serde_json::from_slice(&pool.to_json().unwrap()).unwrap();
        let new = ca_pool::CaPool::new(vec![super::world::new_ca("2", now)]).unwrap();
        let new: serde_json::Value = serde_json::from_slice(&new.to_json().unwrap()).unwrap();
        document["CAs"].as_array_mut().unwrap().insert(0, new["CAs"][0].clone());
        document["Generation"] = 2.into();
        ca_pool::CaPool::from_json(document.to_string().as_bytes()).unwrap()
    });
    world.advance(14 * MINUTE)?;
    assert_eq!(world.signing(), [Some("1"), Some("1")]);
    world.advance(MINUTE)?;
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    world.advance(DAY)
}
