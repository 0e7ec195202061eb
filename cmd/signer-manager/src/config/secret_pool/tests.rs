use super::*;

#[test]
fn the_default_propagation_suits_the_shortest_validity() {
    assert!(Upkeep::DEFAULT_PROPAGATION <= Upkeep::longest_propagation(VALIDITY.least));
}
