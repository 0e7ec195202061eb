//! By how much the API server's clock differs from this process's, as the `Date` headers of its answers show.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// A `Date` header has no fraction: the server's clock showed this second, or up to one more.
const RESOLUTION: SignedDuration = SignedDuration::from_secs(1);

/// Answers that came within this are one piece of evidence, so that a burst doesn't push out what other API
/// servers said.
const ONE_ANSWER: SignedDuration = SignedDuration::from_secs(1);

/// How long an answer counts as evidence beside newer ones.
const WINDOW: SignedDuration = SignedDuration::from_secs(120);

/// With one answer a second kept, the window never holds more. It bounds memory whatever the clocks do.
const MOST_ANSWERS: usize = 128;

/// API servers whose clocks differ by more can't say which of them is right.
const DISPUTE: SignedDuration = SignedDuration::from_secs(60);

/// What is known of the API server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offset {
    /// No answer has carried a time yet.
    Unknown,
    /// The API server's clock is this much ahead of this process's.
    Known(SignedDuration),
    /// API servers contradict each other.
    Disputed {
        /// According to the one that answered last.
        latest: SignedDuration,
        /// By how much they differ at least.
        by: SignedDuration,
    },
}

/// The evidence: for each of the latest answers, the interval in which the offset lies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offsets {
    answers: VecDeque<Answer>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    received: Timestamp,
    least: SignedDuration,
    most: SignedDuration,
}

impl Offsets {
    /// Takes in an answer that says `date`. `sent` and `received` are on this process's clock.
    pub(crate) fn observe(&mut self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        // the server read its clock between the two
        let least = date.duration_since(received);
        let most = date.duration_since(sent).saturating_add(RESOLUTION);
        let answer = Answer { received, least, most };
        self.answers.retain(|earlier| received.duration_since(earlier.received) <= WINDOW);
        match self.answers.back_mut() {
            Some(last)
                if received.duration_since(last.received) < ONE_ANSWER && last.agrees_with(&answer) =>
            {
                last.narrow(&answer);
            }
            _ => self.answers.push_back(answer),
        }
        if self.answers.len() > MOST_ANSWERS {
            self.answers.pop_front();
        }
    }

    /// What the answers say together. The newest count first: a machine that slept has a clock that stood
    /// still.
    pub(crate) fn offset(&self) -> Offset {
        let Some(mut estimate) = self.answers.back().copied() else { return Offset::Unknown };
        for earlier in self.answers.iter().rev().filter(|answer| answer.least <= answer.most) {
            if estimate.agrees_with(earlier) {
                estimate.narrow(earlier);
            }
        }
        let latest = estimate.least.saturating_add(estimate.most.saturating_sub(estimate.least) / 2);
        let least = self.answers.iter().map(|answer| answer.least).max().unwrap_or(latest);
        let most = self.answers.iter().map(|answer| answer.most).min().unwrap_or(latest);
        let by = least.saturating_sub(most);
        if by > DISPUTE { Offset::Disputed { latest, by } } else { Offset::Known(latest) }
    }
}

impl Answer {
    fn agrees_with(&self, other: &Self) -> bool {
        self.least <= other.most && other.least <= self.most
    }

    fn narrow(&mut self, other: &Self) {
        self.least = self.least.max(other.least);
        self.most = self.most.min(other.most);
    }
}

impl Offset {
    /// The API server's time, when this process's clock shows `local`. Without an answer, the latter.
    pub(crate) fn apply(self, local: Timestamp) -> Timestamp {
        let offset = match self {
            Self::Unknown => SignedDuration::ZERO,
            Self::Known(offset) | Self::Disputed { latest: offset, .. } => offset,
        };
        let bound = if offset.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        local.checked_add(offset).unwrap_or(bound)
    }
}

/// A difference of clocks for people: exact while it is small, and steady while it is large.
pub(crate) fn describe(difference: Duration) -> String {
    let seconds = difference.as_secs();
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=7199 => format!("{} min", (seconds + 30) / 60),
        7200..=172_799 => format!("{} h", (seconds + 1800) / 3600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests;
