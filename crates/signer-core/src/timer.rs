//! A time that may never come.

use tokio::time::{self, Instant};

/// Waits until then; without a time, for ever.
pub(crate) async fn sleep_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
