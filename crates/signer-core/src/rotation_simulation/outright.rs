//! Pools that don't count their generations, and are overwritten with another CA from one moment to the next.

use std::time::Duration;

use super::{
    replica::Replica,
    rules::Rules,
    world::{HOUR, MINUTE, Violation, World, new_ca},
};
use ca_pool::CaPool;
use ca_pool::MAX_LEAF_LIFETIME;

fn replaced(replicas: Vec<Replica>) -> World {
    let mut world = World::new(Rules::NoGenerations, replicas, 24 * HOUR);
    world.store(|_, now| CaPool::new(vec![new_ca("2", now)]).unwrap());
    world.settle();
    world
}

#[test]
fn the_new_ca_waits_and_the_old_one_stays_trusted() -> Result<(), Violation> {
    let mut world = replaced(vec![Replica::new(Duration::ZERO, 0)]);
    assert_eq!(world.signing(), [None]);
    world.advance(15 * MINUTE)?;
    assert_eq!(world.signing(), [Some("2")]);
    world.advance(MAX_LEAF_LIFETIME + HOUR)?;
    let (_, anchors) = world.history.last().unwrap();
    assert_eq!(*anchors, world.pool().signing().root().to_pem());
    Ok(())
}

#[test]
fn so_it_is_where_a_replica_learns_of_it_late() -> Result<(), Violation> {
    let mut world = replaced(vec![Replica::new(Duration::ZERO, 0), Replica::new(10 * MINUTE, 0)]);
    each_minute(&mut world, 9)?;
    assert_eq!(world.signing(), [None, Some("1")]);
    each_minute(&mut world, 6)?;
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    assert_eq!(world.history.len(), 2, "the bundle was created, and got the new root");
    world.advance(24 * HOUR)
}

#[test]
fn a_ca_that_is_left_out_goes_once_all_replicas_have_left_it_out() -> Result<(), Violation> {
    let late = Replica::new(9 * MINUTE, 0);
    let mut world = World::new(Rules::NoGenerations, vec![Replica::new(Duration::ZERO, 0), late], HOUR);
    world.store(|pool, now| {
        let mut both = pool.into_authorities();
        both.insert(0, new_ca("2", now));
        CaPool::new(both).unwrap()
    });
    world.advance(24 * HOUR)?;
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    let before = world.history.len();
    world.store(|pool, _| CaPool::new(pool.into_authorities().drain(..1).collect()).unwrap());
    world.settle();
    world.settle();
    assert_eq!(world.history.len(), before + 2, "it goes, and whoever doesn't know yet puts it back");
    for _ in 0..20 {
        world.now = world.now.checked_add(MINUTE).unwrap();
        world.settle();
    }
    assert_eq!(world.history.len(), before + 3);
    assert_eq!(world.history.last().unwrap().1, world.pool().signing().root().to_pem());
    Ok(())
}

/// The CA of a mounted Secret has leaked and is overwritten; the Secret reaches the replica a minute later.
fn leaked() -> World {
    let mut world = World::new(Rules::NoGenerations, vec![Replica::new(MINUTE, 0)], 24 * HOUR);
    world.store(|_, now| CaPool::new(vec![new_ca("2", now)]).unwrap());
    world
}

fn is_trusted(world: &World, version: usize) -> bool {
    let (_, anchors) = world.history.last().unwrap();
    anchors.contains(&world.versions[version].1.signing().root().to_pem())
}

/// As docs/ca-rotation.md has it, "Replacing a CA outright".
#[test]
fn a_leaked_one_goes_with_a_bundle_that_is_deleted_while_nobody_runs() {
    let mut world = leaked();
    world.delete_bundle();
    world.settle();
    world.advance(2 * MINUTE).unwrap();
    assert!(is_trusted(&world, 0), "a replica that runs meanwhile makes the bundle anew of what it has");

    let mut world = leaked();
    world.replicas[0].is_up = false;
    world.delete_bundle();
    world.settle();
    let versions = world.versions.clone();
    world.replicas[0].start(&versions);
    world.settle();
    assert!(!is_trusted(&world, 0) && is_trusted(&world, 1));
    assert_eq!(world.signing(), [Some("2")]);
}

/// As docs/ca-rotation.md has it, "Replacing a CA outright".
#[test]
fn a_leaked_one_goes_when_its_annotation_does_once_all_replicas_have_the_new_one() {
    let mut world = leaked();
    world.advance(MINUTE).unwrap();
    assert!(is_trusted(&world, 0) && is_trusted(&world, 1));
    world.remove_annotation("anchors");
    world.settle();
    assert!(!is_trusted(&world, 0) && is_trusted(&world, 1));
    assert_eq!(world.signing(), [Some("2")]);
}

/// Lets so many minutes pass, and everybody look at what is there after each.
fn each_minute(world: &mut World, minutes: usize) -> Result<(), Violation> {
    (0..minutes).try_for_each(|_| world.advance(MINUTE))
}
