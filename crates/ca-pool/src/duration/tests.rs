use proptest::prelude::*;

use super::*;

#[test]
fn reads_what_go_reads() {
    for (text, seconds) in
        [("24h", 86_400), ("90m", 5_400), ("1h30m", 5_400), ("1h0m0s", 3_600), ("1.5h", 5_400)]
    {
        assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
    }
    assert_eq!(parse_duration("1500ms"), Ok(Duration::from_millis(1500)));
    for text in [
        "",
        "1",
        "h",
        "1 h",
        "1d",
        "-1h",
        "+1h",
        "1hour",
        "PT1H",
        "1h-5m",
        "1..5h",
        "24H",
        "9999999999999999999h",
    ] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(seconds in 0_u64..100_000_000) {
        let duration = Duration::from_secs(seconds);
        prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
    }
}
