//! What is known of the bundle that the API server holds, and for how long that counts.

use std::time::Duration;

use kube::runtime::watcher::Event;
use tokio::time::Instant;

use crate::api::ClusterTrustBundle;

/// How long what was seen counts while neither the watch nor a read works. A root may have been dropped
/// meanwhile because its key leaked, so it isn't for ever; and it isn't at once, as an API server that is
/// away for a moment would stop everything.
const COUNTS_FOR: Duration = Duration::from_secs(5 * 60);

/// What is known of the bundle.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub(super) seen: Seen,
    /// What a list has brought so far.
    listed: Option<Box<ClusterTrustBundle>>,
    /// Since when nothing has confirmed what was seen.
    doubtful_since: Option<Instant>,
}

/// The bundle.
#[derive(Debug, Default)]
pub(super) enum Seen {
    /// Nobody has told yet.
    #[default]
    Nothing,
    /// There is none.
    Absent,
    /// This one.
    Present(Box<ClusterTrustBundle>),
}

impl Observed {
    /// Takes what the watch brings. The beginning of a list comes before anything is asked, so it confirms
    /// nothing.
    pub(super) fn take(&mut self, event: Event<ClusterTrustBundle>) {
        match event {
            Event::Init => self.listed = None,
            Event::InitApply(bundle) => self.listed = Some(Box::new(bundle)),
            Event::InitDone => {
                let listed = self.listed.take();
                self.confirm(listed);
            }
            Event::Apply(bundle) => self.confirm(Some(Box::new(bundle))),
            Event::Delete(_) => self.confirm(None),
        }
    }

    /// Takes what a read has brought while the watch fails, if it has brought anything.
    pub(super) fn take_read(&mut self, read: Option<Option<ClusterTrustBundle>>, now: Instant) {
        match read {
            Some(bundle) => self.confirm(bundle.map(Box::new)),
            None => {
                self.doubtful_since.get_or_insert(now);
            }
        }
    }

    /// From when on what was seen doesn't count any more, if nothing confirms it.
    pub(super) fn counts_until(&self) -> Option<Instant> {
        self.doubtful_since.map(|since| since + COUNTS_FOR)
    }

    /// Whether it counts.
    pub(super) fn counts(&self, now: Instant) -> bool {
        self.counts_until().is_none_or(|until| now < until)
    }

    fn confirm(&mut self, bundle: Option<Box<ClusterTrustBundle>>) {
        self.seen = bundle.map_or(Seen::Absent, Seen::Present);
        self.doubtful_since = None;
    }
}

#[cfg(test)]
mod tests;
