use super::*;

#[test]
fn the_default_propagation_suits_the_shortest_validity() {
    assert!(AutomaticRotation::DEFAULT_PROPAGATION <= AutomaticRotation::longest_propagation(VALIDITY.least));
}
