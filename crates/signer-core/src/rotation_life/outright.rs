//! Pools that don't count their generations, and are overwritten with another CA from one moment to the next.

use std::time::Duration;

use super::{
    replica::Replica,
    rules::Rules,
    world::{HOUR, MINUTE, Violation, World, new_ca},
};
use crate::{LONGEST_LEAF, ca_pool::CaPool};

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
    world.advance(LONGEST_LEAF + HOUR)?;
    let (_, anchors) = world.history.last().unwrap();
    assert_eq!(*anchors, world.pool().signing().root().to_pem());
    Ok(())
}

#[test]
fn so_it_is_where_a_replica_learns_of_it_late() -> Result<(), Violation> {
    let mut world = replaced(vec![Replica::new(Duration::ZERO, 0), Replica::new(10 * MINUTE, 0)]);
    world.advance(9 * MINUTE)?;
    assert_eq!(world.signing(), [None, Some("1")]);
    world.advance(17 * MINUTE)?;
    assert_eq!(world.signing(), [Some("2"), Some("2")]);
    world.advance(24 * HOUR)
}
