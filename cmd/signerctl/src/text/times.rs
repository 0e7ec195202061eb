//! Times as people read them: in UTC, and how far they are away.

use std::time::Duration;

use ca_pool::format_duration;
use jiff::{SignedDuration, Timestamp};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const TWO_HOURS: i64 = 2 * HOUR;
const TWO_DAYS: i64 = 2 * DAY;

/// To the minute, in UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// A span in the largest unit that says enough.
pub(crate) fn span(span: SignedDuration) -> String {
    let seconds = span.abs().as_secs();
    let rounded = |unit: i64| (seconds + unit / 2) / unit;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..TWO_HOURS => format!("{} min", rounded(60)),
        TWO_HOURS..TWO_DAYS => format!("{} h", rounded(HOUR)),
        _ if rounded(DAY) < 365 => format!("{} days", rounded(DAY)),
        _ if rounded(DAY) % 365 == 0 => counted(rounded(DAY) / 365, "year"),
        _ => format!("{}y {}d", rounded(DAY) / 365, rounded(DAY) % 365),
    }
}

/// How far away a time is.
pub(crate) fn from_now(time: Timestamp, now: Timestamp) -> String {
    let distance = time.duration_since(now);
    match distance.as_secs() {
        0 => "now".to_owned(),
        seconds if seconds > 0 => format!("in {}", span(distance)),
        _ => format!("{} ago", span(distance)),
    }
}

/// Both.
pub(crate) fn minute_from_now(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", minute(time), from_now(time, now))
}

pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub(crate) fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// A lifetime as it is configured, or in days where that is clearer.
pub(crate) fn lifetime(lifetime: Duration) -> String {
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    if seconds > 2 * DAY && seconds % DAY == 0 {
        format!("{} days", seconds / DAY)
    } else {
        format_duration(lifetime)
    }
}

fn counted(count: i64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
