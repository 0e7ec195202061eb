use super::*;

#[test]
fn grows_with_the_age_between_its_bounds() {
    for (age, least, most) in [(0, 400, 600), (10, 4_000, 6_000), (900, 48_000, 72_000)] {
        for spread in [0, 128, 255] {
            let delay = retry_delay(Duration::from_secs(age), spread, LONGEST).as_millis();
            assert!((least..=most).contains(&delay), "age {age}: {delay} ms");
        }
    }
}
