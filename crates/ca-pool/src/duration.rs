//! Durations as Go writes them.

use std::time::Duration;

/// A text that is not a valid duration in Go's notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a valid duration; write it as Kubernetes does, for example 24h, 90m or 1h30m")]
pub struct DurationError(String);

/// Parses a duration in Go's notation (`time.ParseDuration`): numbers with the units h, m, s, ms, us and ns.
///
/// ```
/// use std::time::Duration;
/// use ca_pool::parse_duration;
///
/// assert_eq!(parse_duration("1h30m")?, Duration::from_secs(5400));
/// assert!(parse_duration("1 day").is_err());
/// # Ok::<(), ca_pool::DurationError>(())
/// ```
///
/// # Errors
/// Whatever Go refuses, and negative durations.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let error = || DurationError(text.chars().take(64).collect());
    // jiff's friendly format also takes words, spaces and ISO 8601; Go doesn't.
    let plain = text.chars().all(|c| c.is_ascii_digit() || ".hmsuµn".contains(c));
    if !plain || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(error());
    }
    let duration: jiff::SignedDuration = text.parse().map_err(|_| error())?;
    Ok(duration.unsigned_abs())
}

/// Writes a duration in whole seconds as Go would, without the zero units: `24h`, `1h30m`, `45s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
