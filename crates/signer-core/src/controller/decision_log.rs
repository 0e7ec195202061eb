//! The last decisions of a signer.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bounded_text::{one_line, truncated};
use jiff::Timestamp;

/// The last things that became of a signer's requests. Cheap to clone: clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct DecisionLog(Arc<Mutex<VecDeque<Recorded>>>);

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) at: Timestamp,
    pub(crate) outcome: String,
    pub(crate) reason: String,
    pub(crate) namespace: String,
    pub(crate) pod: String,
    /// Why, or the names of the certificate.
    pub(crate) message: String,
}

/// As many as fit on a screen.
const MOST: usize = 20;
/// Messages hold what others wrote.
const LONGEST: usize = 500;

impl DecisionLog {
    /// The oldest one gives way.
    pub(crate) fn add(&self, recorded: Recorded) {
        let message = truncated(&one_line(&recorded.message), LONGEST);
        let Self(all) = self;
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.truncate(MOST - 1);
        all.push_front(Recorded { message, ..recorded });
    }

    /// The newest first.
    pub(crate) fn latest(&self) -> Vec<Recorded> {
        let Self(all) = self;
        all.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_messages_are_bounded() {
        let log = DecisionLog::default();
        for i in 0..30 {
            log.add(Recorded {
                at: Timestamp::UNIX_EPOCH,
                outcome: "Issued".into(),
                reason: "Issued".into(),
                namespace: "shop".into(),
                pod: format!("web-{i}"),
                message: format!("a\n{}", "ä".repeat(600)),
            });
        }
        let latest = log.latest();
        assert_eq!((latest.len(), latest[0].pod.as_str(), latest[19].pod.as_str()), (20, "web-29", "web-10"));
        assert!(latest[0].message.starts_with("a ä") && latest[0].message.chars().count() <= 501);
    }
}
