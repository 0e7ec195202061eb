//! Times and durations, for people.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, Unit};

/// `2026-11-22T05:20:00Z`.
pub(crate) fn utc(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .and_then(|time| time.round(Unit::Second))
        .map_or("?".into(), |time| time.to_string())
}

/// The two largest units: `23h 10m`, `2d 4h`, `45s`.
pub(crate) fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let units = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds % 60, "s")];
    let first = units.iter().position(|(number, _)| *number > 0).unwrap_or(units.len() - 1);
    let shown = units[first..].iter().take(2).filter(|(number, _)| *number > 0);
    let text: Vec<_> = shown.map(|(number, unit)| format!("{number}{unit}")).collect();
    if text.is_empty() { "0s".into() } else { text.join(" ") }
}

/// How long until `time`, or how long ago.
pub(crate) fn from_now(time: SystemTime, now: SystemTime) -> String {
    match time.duration_since(now) {
        Ok(ahead) => format!("in {}", rough(ahead)),
        Err(ago) => format!("{} ago", rough(ago.duration())),
    }
}

#[cfg(test)]
mod tests;
