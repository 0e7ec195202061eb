//! A person whose clock is wrong adds a CA to a pool that keeps itself.

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
    let life = |rules, days: i64| {
        let late = Replica::new(10 * MINUTE, 0);
        let mut world = World::new(rules, vec![Replica::new(Duration::ZERO, 0), late], DAY);
        world.rotate_by(SignedDuration::from_hours(24 * days), 15 * MINUTE, DAY);
        world.settle();
        world.check()?;
        assert!(!world.signing().contains(&Some("2")));
        world.keep();
        world.advance(15 * MINUTE)?;
        let turn = world.pool().tenures()[1].signs_from.unwrap();
        world.advance(turn.duration_since(world.now).try_into().unwrap_or_default())?;
        assert_eq!(world.signing(), [Some("2"), Some("2")]);
        world.keep();
        world.advance(DAY)?;
        world.keep();
        world.advance(DAY)?;
        assert_eq!(world.pool().authorities().count(), 2, "leaves of CA 1 may live");
        world.advance(15 * MINUTE)?;
        world.keep();
        assert_eq!(world.pool().authorities().count(), 1);
        world.advance(DAY)
    };
    for days in [-300, -3, -2, -1, 1, 3] {
        life(Rules::Real, days)?;
    }
    assert!(life(Rules::SignByTheTurn, -3).unwrap_err().0.contains("a leaf of CA 2"));
    assert!(life(Rules::RemoveByTheTurn, -3).unwrap_err().0.contains("a leaf of CA 1"));
    Ok(())
}
