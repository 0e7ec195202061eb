//! Which causes of failures are logged: one that thousands of requests share is worth one line a minute.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The causes that were logged lately.
#[derive(Debug, Default)]
pub(crate) struct CauseLog(Mutex<HashMap<String, Instant>>);

/// How long a cause isn't logged again.
const INTERVAL: Duration = Duration::from_secs(60);
/// The most causes that are remembered. With more of them, each is logged.
const MAX_CAUSES: usize = 64;

impl CauseLog {
    /// Whether a cause is worth a line now; it counts as logged then.
    pub(crate) fn is_due(&self, cause: &str, now: Instant) -> bool {
        let Self(logged) = self;
        let mut logged = logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.get(cause).is_some_and(|at| now.saturating_duration_since(*at) < INTERVAL) {
            return false;
        }
        if logged.len() >= MAX_CAUSES {
            logged.retain(|_, at| now.saturating_duration_since(*at) < INTERVAL);
        }
        if logged.len() < MAX_CAUSES {
            logged.insert(cause.to_owned(), now);
        }
        true
    }
}

#[cfg(test)]
mod tests;
