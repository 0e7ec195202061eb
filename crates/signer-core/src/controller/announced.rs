//! What the author of a request has been told already.

use std::time::Duration;

use tokio::time::Instant;

/// The announcements about one request.
#[derive(Debug, Default)]
pub(crate) struct Announced(Vec<Announcement>);

#[derive(Debug)]
struct Announcement {
    reason: String,
    message: String,
    at: Instant,
}

/// The least time between two announcements of one reason: numbers and lists in a message change all the
/// time, and are no news.
const PAUSE: Duration = Duration::from_secs(30);
/// Reasons that are remembered; there are about a dozen.
const MOST_REASONS: usize = 16;

impl Announced {
    /// The last announcement: reason and message.
    pub(crate) fn last(&self) -> Option<(&str, &str)> {
        let Self(all) = self;
        all.last().map(|last| (last.reason.as_str(), last.message.as_str()))
    }

    /// Whether this is news: a reason that isn't the last one, or another message of it, and no announcement
    /// of this reason a moment ago. If so, it counts as announced from now on.
    pub(crate) fn is_news(&mut self, reason: &str, message: &str, now: Instant) -> bool {
        if self.last() == Some((reason, message)) {
            return false;
        }
        let Self(all) = self;
        let before = all.iter().position(|one| one.reason == reason);
        if let Some(before) = before {
            if now.saturating_duration_since(all[before].at) < PAUSE {
                return false;
            }
            all.remove(before);
        } else if all.len() >= MOST_REASONS {
            all.remove(0);
        }
        all.push(Announcement { reason: reason.to_owned(), message: message.to_owned(), at: now });
        true
    }
}

#[cfg(test)]
mod tests;
