//! Clocks that are wrong: of a person who adds a CA to a pool with automatic rotation, and of machines on
//! which replicas run.

use std::time::Duration;

use jiff::SignedDuration;

use super::{
    replica::Replica,
    rules::Rules,
    world::{MINUTE, Violation, World},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn a_person_whose_clock_is_days_behind_or_ahead_breaks_nothing() -> Result<(), Violation> {
    let lived = |rules, days: i64| {
        let late = Replica::new(10 * MINUTE, 0);
        let mut world = World::new(rules, vec![Replica::new(Duration::ZERO, 0), late], DAY);
        world.rotate_by(SignedDuration::from_hours(24 * days), 15 * MINUTE, DAY);
        world.settle();
        world.check()?;
        assert!(!world.signing().contains(&Some("2")));
        world.remove_as_due();
        world.advance(15 * MINUTE)?;
        let turn = world.pool().schedule().windows()[1].from.unwrap();
        world.advance(turn.duration_since(world.now).try_into().unwrap_or_default())?;
        assert_eq!(world.signing(), [Some("2"), Some("2")]);
        world.remove_as_due();
        world.advance(DAY)?;
        world.remove_as_due();
        world.advance(DAY)?;
        assert_eq!(world.pool().authorities().count(), 2, "leaves of CA 1 may live");
        world.advance(15 * MINUTE)?;
        world.remove_as_due();
        assert_eq!(world.pool().authorities().count(), 1);
        world.advance(DAY)
    };
    for days in [-300, -3, -2, -1, 1, 3] {
        lived(Rules::Real, days)?;
    }
    assert!(lived(Rules::SignByTheTurn, -3).unwrap_err().0.contains("a leaf of CA 2"));
    assert!(lived(Rules::RemoveByTheTurn, -3).unwrap_err().0.contains("a leaf of CA 1"));
    Ok(())
}

#[test]
fn a_replica_on_a_machine_whose_clock_is_off_removes_activates_and_publishes_as_all_others() {
    const DAY_SECONDS: i64 = 86_400;
    let lived = |rules, ahead: i64| -> Result<(), Violation> {
        // the wrong one is the first that looks at what is due
        let mut world =
            World::new(rules, vec![Replica::new(Duration::ZERO, ahead), Replica::new(MINUTE, 0)], DAY);
        world.remove_as_due();
        world.advance(DAY)?;
        world.rotate(Duration::ZERO, DAY);
        world.advance(15 * MINUTE - Duration::from_secs(1))?;
        world.check()?;
        if world.signing().contains(&Some("2")) {
            return Err(Violation("CA 2 signs before its root is known".to_owned()));
        }
        world.remove_as_due();
        world.advance(DAY)?;
        world.remove_as_due();
        if world.pool().authorities().count() < 2 {
            return Err(Violation("CA 1 is removed while its leaves live".to_owned()));
        }
        world.advance(2 * DAY)
    };
    for ahead in [-7300, -365, -8, 8, 365, 7300]
        .map(|days| days * DAY_SECONDS)
        .into_iter()
        .chain([-3600, -600, 600, 3600])
    {
        lived(Rules::Real, ahead).unwrap_or_else(|violation| panic!("{ahead} s: {violation:?}"));
    }
    for ahead in [-3600, 8 * DAY_SECONDS, 7300 * DAY_SECONDS] {
        assert!(lived(Rules::OwnClock, ahead).is_err(), "{ahead} s");
    }
}
