//! When a request that could not be finished is evaluated again.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(500);
/// While a request waits for what changes tell of.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// After an error: no change wakes a request whose evaluation failed for the API server's sake, and a pod
/// can't start meanwhile.
pub(crate) const LONGEST_AFTER_ERROR: Duration = Duration::from_secs(15);

/// Half of the time for which the request has been known, so that delays double without anybody keeping
/// count: half a second at first, `longest` at last. A fifth more or less, as `spread` (0 to 255) says, so
/// that what came together doesn't come back together. No clock of the wall counts here: it may be wrong.
pub(crate) fn retry_delay(age: Duration, spread: u8, longest: Duration) -> Duration {
    (age / 2).clamp(SHORTEST, longest).mul_f64(0.8 + 0.4 * f64::from(spread) / 255.0)
}

#[cfg(test)]
mod tests;
