//! Bundles that are deleted while a replica still has an older pool.

use std::time::Duration;

use super::{
    replica::Replica,
    rules::Rules,
    world::{MINUTE, World},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn a_leaked_root_does_not_come_back_with_a_bundle_that_is_made_anew() {
    let lived = |rules| {
        // who hears of it late is the first to see that the bundle is gone
        let mut world =
            World::new(rules, vec![Replica::new(10 * MINUTE, 0), Replica::new(Duration::ZERO, 0)], DAY);
        world.compromise("1");
        world.settle();
        world.delete_bundle();
        let late = world.replicas[0].publish(&world).is_some();
        (late, world.signing()[0].is_some())
    };
    assert_eq!(lived(Rules::Real), (false, false));
    assert_eq!(lived(Rules::ForgetBundle), (true, true));
}

#[test]
fn a_bundle_that_nobody_with_the_newer_pool_makes_anew_is_made_of_the_older_one_in_the_end() {
    let mut world = World::new(Rules::Real, vec![Replica::new(Duration::ZERO, 0), Replica::new(DAY, 0)], DAY);
    world.rotate(15 * MINUTE, DAY);
    world.settle();
    world.replicas[0].is_up = false;
    world.delete_bundle();
    world.advance(15 * MINUTE - Duration::from_secs(1)).unwrap();
    assert!(world.bundle.is_none());
    assert_eq!(world.signing()[1], Some("1"), "pods still have it");
    world.advance(Duration::from_secs(1)).unwrap();
    assert!(world.bundle.is_some());
}
