use super::*;

#[test]
fn lines_fit_and_hang_below_the_first() {
    assert_eq!(wrap("one two three", 9, 2), ["one two", "  three"]);
    assert_eq!(wrap("one", 9, 2), ["one"]);
    assert_eq!(wrap("incompressible text", 5, 2), ["incompressible", "  text"]);
    assert_eq!(wrap_behind("  - ", "one two three", 11), "  - one two\n    three\n");
}

#[test]
fn a_day_and_its_time_stay_together() {
    assert_eq!(wrap("until 2026-11-22 10:00Z.", 18, 0), ["until", "2026-11-22 10:00Z."]);
}

#[test]
fn a_command_at_the_end_stays_in_one_piece() {
    assert_eq!(
        wrap("replace it now: signerctl ca-pool rotate --file p.json", 50, 8),
        ["replace it now:", "        signerctl ca-pool rotate --file p.json"]
    );
    assert_eq!(
        wrap("replace it now: signerctl ca-pool rotate --file p.json", 24, 8),
        ["replace it now:", "    signerctl ca-pool rotate --file p.json"]
    );
}

#[test]
fn a_fingerprint_goes_on_after_a_colon() {
    assert_eq!(break_value("AA:BB:CC", 6), ["AA:BB:", "CC"]);
    assert_eq!(break_value("AA:BB:CC", 8), ["AA:BB:CC"]);
}
