//! When to look again at a request that could not be finished.

use std::time::Duration;

use jiff::Timestamp;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Half of the request's age, so that delays double without anybody keeping count: half a second at first, a minute at last. A fifth more or less, as
/// `spread` (0 to 255) says, so that what came together doesn't come back together.
pub(crate) fn retry_delay(created: Option<Timestamp>, now: Timestamp, spread: u8) -> Duration {
    let age =
        created.map_or(Duration::ZERO, |created| now.duration_since(created).try_into().unwrap_or_default());
    let delay = (age / 2).clamp(SHORTEST, LONGEST);
    delay.mul_f64(0.8 + 0.4 * f64::from(spread) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_the_age_between_its_bounds() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let created = |age: i64| Timestamp::from_second(1_000_000 - age).ok();
        for (age, least, most) in [(0, 400, 600), (10, 4_000, 6_000), (900, 48_000, 72_000), (-50, 400, 600)]
        {
            for spread in [0, 128, 255] {
                let delay = retry_delay(created(age), now, spread).as_millis();
                assert!((least..=most).contains(&delay), "age {age}: {delay} ms");
            }
        }
        assert!(retry_delay(None, now, 0) >= Duration::from_millis(400));
    }
}
