use super::*;

#[test]
fn closing_lines_add_up_and_others_do_not_count() {
    let mut tally = Tally::default();
    for line in [
        "running 3 tests",
        "test result: ok. 25 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 1.83s",
        "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        "test a::result ... ok",
    ] {
        tally.read(line);
    }
    assert_eq!(tally, Tally { passed: 27, failed: 1, ignored: 1 });
}
