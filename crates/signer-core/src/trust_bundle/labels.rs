//! The bundle's labels, where replicas are configured differently: in a rollout, or in one that is stuck.
//!
//! Labels have no generation. The replica that started last has the newest configuration, as far as anyone knows, so its labels hold: whoever writes labels notes them and its own start in
//! an annotation. Labels that are as that note says were written by a replica of another configuration; all others are drift, and repaired at once. A replica that started before
//! the writer leaves its labels, since it would be overwritten at once; but as that one may be gone, after a rollback, it tries again after growing pauses.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use ca_pool::PROPAGATION;

/// The annotation `<path>.<domain>/labels`: the labels as they were written last, and since when the process runs that wrote them.
pub(super) const LABELS: &str = "labels";

/// The labels of one configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Labels {
    /// Since when the process runs that has it.
    since: Timestamp,
    labels: BTreeMap<String, String>,
}

/// What is to be done about the labels that a bundle has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// They are right.
    InOrder,
    /// They are to be written.
    Drifted,
    /// A replica that is configured differently, and started later, has written them.
    OfAnother,
}

impl Labels {
    pub(super) fn new(since: Timestamp, labels: BTreeMap<String, String>) -> Self {
        Self { since, labels }
    }

    pub(super) fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// For the annotation. A map of strings and a time always have a JSON form.
    pub(super) fn to_note(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Compares with what a bundle has, and with the note on it. A time in the future was noted by a clock that was wrong, and would hold until then.
    pub(super) fn find(
        &self,
        current: &BTreeMap<String, String>,
        note: Option<&str>,
        now: Timestamp,
    ) -> Found {
        if self.are_among(current) {
            return Found::InOrder;
        }
        let latest = now.checked_add(PROPAGATION).unwrap_or(Timestamp::MAX);
        let writer = note.and_then(|note| serde_json::from_str::<Self>(note).ok());
        match writer {
            Some(writer)
                if writer.are_among(current)
                    && writer > *self
                    && writer.since <= latest
                    && writer.has_the_common_label_of(self) =>
            {
                Found::OfAnother
            }
            Some(_) | None => Found::Drifted,
        }
    }

    /// Each configuration has the label by which pods select the bundle; a note without it is nobody's.
    fn has_the_common_label_of(&self, other: &Self) -> bool {
        let mut common = other.labels.iter().filter(|(key, _)| key.ends_with("/canarying"));
        common.all(|(key, value)| self.labels.get(key) == Some(value))
    }

    fn are_among(&self, current: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(key, value)| current.get(key) == Some(value))
    }
}

/// When a replica tries again that has left its labels to another one's.
#[derive(Clone, Debug)]
pub(super) struct Dispute {
    next: Option<Timestamp>,
    pause: Duration,
}

impl Dispute {
    const SHORTEST: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(3600);

    /// Notes that the bundle has another one's labels; the pause is over if they are to be overwritten now.
    pub(super) fn is_over(&mut self, now: Timestamp) -> bool {
        let next = *self.next.get_or_insert_with(|| after(now, self.pause));
        if now < next {
            return false;
        }
        self.next = None;
        self.pause = (self.pause * 2).min(Self::LONGEST);
        true
    }

    /// How long it still waits.
    pub(super) fn left(&self, now: Timestamp) -> Duration {
        let left = self.next.map(|next| next.duration_since(now));
        left.and_then(|left| Duration::try_from(left).ok()).unwrap_or(self.pause)
    }

    /// Notes that the bundle has the own labels.
    pub(super) fn settle(&mut self) {
        self.next = None;
    }
}

impl Default for Dispute {
    fn default() -> Self {
        Self { next: None, pause: Self::SHORTEST }
    }
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
