//! When a request that could not be finished is evaluated again.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(500);
/// While a request waits for what changes tell of.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// After an error: no change wakes a request whose evaluation failed for the API server's sake, and a pod can't start meanwhile.
pub(crate) const LONGEST_AFTER_ERROR: Duration = Duration::from_secs(15);

/// Half of the time for which the request has been known, so that delays double without anybody keeping count: half a second at first, `longest` at last. A fifth
/// more or less, as `spread` (0 to 255) says, so that what came together doesn't come back together. No clock of the wall counts here: it may be wrong.
pub(crate) fn retry_delay(age: Duration, spread: u8, longest: Duration) -> Duration {
    (age / 2).clamp(SHORTEST, longest).mul_f64(0.8 + 0.4 * f64::from(spread) / 255.0)
}

#[cfg(test)]
mod tests {
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
}
