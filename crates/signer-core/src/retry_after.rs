//! When the API server wants to be asked again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, StatusCode, header};
use tokio::time::Instant;

/// What the API server last said about being asked again. Cheap to clone: clones know the same.
///
/// It speaks for all calls: it says so when it is overloaded, or when the controller's share of it is used up
/// (API Priority and Fairness), not for the sake of one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct RetryAfter(Arc<Mutex<Option<Instant>>>);

/// Whatever it says, it is asked again within this time: pods wait.
const LONGEST: Duration = Duration::from_secs(30);

impl RetryAfter {
    /// Takes an answer in. The header's other form, a date, is none of the API server's.
    pub(crate) fn answered(&self, status: StatusCode, headers: &HeaderMap, now: Instant) {
        if ![StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status) {
            return;
        }
        let header = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(seconds) = header {
            let until = now + Duration::from_secs(seconds).min(LONGEST);
            let Self(known) = self;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            *known = (*known).max(Some(until));
        }
    }

    /// How long it is not to be asked again.
    pub(crate) fn remaining(&self, now: Instant) -> Duration {
        let Self(known) = self;
        let known = *known.lock().unwrap_or_else(PoisonError::into_inner);
        known.map(|until| until.saturating_duration_since(now)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(status: u16, value: Option<&str>) -> Duration {
        let (retry_after, mut headers) = (RetryAfter::default(), HeaderMap::new());
        value.map(|value| headers.insert(header::RETRY_AFTER, value.parse().unwrap()));
        let now = Instant::now();
        retry_after.answered(StatusCode::from_u16(status).unwrap(), &headers, now);
        retry_after.remaining(now)
    }

    #[test]
    fn an_overloaded_api_server_says_when_to_come_again() {
        for (status, value, expected) in [
            (429, Some("1"), 1),
            (503, Some("5"), 5),
            (429, Some("86400"), 30),
            (429, Some("18446744073709551615"), 30),
            (429, Some("soon"), 0),
            (429, Some("Fri, 27 Nov 2026 10:00:00 GMT"), 0),
            (429, None, 0),
            (200, Some("5"), 0),
        ] {
            assert_eq!(after(status, value), Duration::from_secs(expected), "{status} {value:?}");
        }
    }

    #[test]
    fn the_latest_time_counts_until_it_has_come() {
        let (retry_after, now) = (RetryAfter::default(), Instant::now());
        for seconds in ["5", "2"] {
            let headers = [(header::RETRY_AFTER, seconds.parse().unwrap())].into_iter().collect();
            retry_after.answered(StatusCode::TOO_MANY_REQUESTS, &headers, now);
        }
        let remaining = |seconds| retry_after.remaining(now + Duration::from_secs(seconds));
        assert_eq!((remaining(4), remaining(8)), (Duration::from_secs(1), Duration::ZERO));
    }
}
