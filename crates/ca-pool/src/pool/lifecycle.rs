//! The life of the CAs in a pool: trusted first, then signing, then retiring while their leaves still live,
//! then gone.
//!
//! Everything here follows from times that are stored in the pool and from the clock, so replicas come to the
//! same answer without talking to each other. What is published decides too who may sign: `choice` has that.

use std::time::Duration;

use jiff::Timestamp;

/// How long a root must have been published before its CA signs. A pod sees a new root after kubelet's cache
/// of bundles (5 minutes) and its next sync (a minute or two); the rest is for replicas that get a changed
/// pool late and for clocks that differ.
pub const BUNDLE_PROPAGATION: Duration = Duration::from_secs(15 * 60);

/// How long after its successor's turn has come a CA may still sign, because the successor's root isn't known
/// everywhere yet: whoever publishes it was away for that long, or the clock on which the turn was computed
/// was that wrong.
pub const ACTIVATION_GRACE: Duration = Duration::from_secs(24 * 3600);

/// The longest lifetime that the API lets any certificate have (91 days): what a CA whose limit isn't
/// recorded may have given.
pub const MAX_LEAF_LIFETIME: Duration = Duration::from_secs(7_862_400);

/// The shortest lifetime that the API lets a certificate have. A CA with less than that left can't sign.
pub(super) const SHORTEST_LEAF: Duration = Duration::from_secs(3600);

/// Times that people write have no seconds, and are rounded up.
const MINUTE: Duration = Duration::from_secs(60);

/// What a pool records of one CA's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningWindow {
    /// From when on it signs. Without it: since ever, if it is the first such CA of its pool, and never
    /// otherwise.
    pub signs_from: Option<Timestamp>,
    /// The longest lifetime that it has given or may give a leaf. Without it: whatever the API allows.
    pub max_leaf_lifetime: Option<Duration>,
    /// From when on its certificate and those above it are valid.
    pub not_before: Timestamp,
    /// When its certificate, or one above it, expires.
    pub not_after: Timestamp,
}

impl SigningWindow {
    /// The last moment at which it can sign even the shortest leaf.
    #[must_use]
    pub fn can_sign_until(&self) -> Timestamp {
        self.not_after.checked_sub(SHORTEST_LEAF).unwrap_or(Timestamp::MIN)
    }
}

/// Where in its life a CA is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Published, not signing yet; from when on it will. `None`: it isn't meant to sign.
    Trusted(Option<Timestamp>),
    /// The one that signs.
    Active,
    /// Published because its leaves still live: until then at the most.
    Retiring(Timestamp),
    /// Nothing needs it any more: it may be removed.
    Gone,
}

/// The phase of each CA of a pool at `now`.
#[must_use]
pub fn phases(signing_windows: &[SigningWindow], now: Timestamp) -> Vec<Phase> {
    (0..signing_windows.len()).map(|index| phase(signing_windows, index, now)).collect()
}

fn phase(signing_windows: &[SigningWindow], index: usize, now: Timestamp) -> Phase {
    let has_expired = signing_windows[index].not_after < now;
    let is_superseded = replaced_at(signing_windows, index).is_some_and(|at| at <= now);
    match removable_at(signing_windows, index).filter(|_| is_superseded) {
        Some(removable) if removable <= now => Phase::Gone,
        Some(removable) => Phase::Retiring(removable),
        _ if has_expired => Phase::Gone,
        _ if was_activated(signing_windows, index, now) => Phase::Active,
        _ => Phase::Trusted(signing_windows[index].signs_from),
    }
}

/// Whether it has signed, or may sign now.
pub(super) fn was_activated(signing_windows: &[SigningWindow], index: usize, now: Timestamp) -> bool {
    match signing_windows[index].signs_from {
        Some(from) => from <= now,
        None => is_first_without_times(signing_windows, index),
    }
}

fn is_first_without_times(signing_windows: &[SigningWindow], index: usize) -> bool {
    signing_windows[index].signs_from.is_none()
        && signing_windows[..index].iter().all(|earlier| earlier.signs_from.is_some())
}

/// The CA whose turn came last. It signs, if it still can.
pub(super) fn latest(signing_windows: &[SigningWindow], now: Timestamp) -> Option<usize> {
    let turns = (0..signing_windows.len()).filter(|index| was_activated(signing_windows, *index, now));
    turns.max_by_key(|index| (signing_windows[*index].signs_from, *index))
}

/// When the turn of the next CA has to come at the latest, so that there always is one that signs: while the
/// CA whose turn came last still can. Where it can't for long enough, a successor may take the time that pods
/// need to know it.
pub(super) fn latest_activation(signing_windows: &[SigningWindow], now: Timestamp) -> Timestamp {
    let end = latest(signing_windows, now).map(|index| signing_windows[index].can_sign_until());
    end.unwrap_or(now).max(near(now))
}

/// Until when a time to come is only waited for: no longer than pods need to know a root.
#[must_use]
pub fn near(now: Timestamp) -> Timestamp {
    later(now, BUNDLE_PROPAGATION + MINUTE)
}

/// When the next CA's turn comes, if one is known. Of two whose turns come at once, the later one of the pool
/// signs.
#[must_use]
pub fn replaced_at(signing_windows: &[SigningWindow], index: usize) -> Option<Timestamp> {
    signing_windows[successor(signing_windows, index)?].signs_from
}

/// The CA whose turn comes next.
pub(super) fn successor(signing_windows: &[SigningWindow], index: usize) -> Option<usize> {
    let own = (signing_windows[index].signs_from, index);
    let turn = |other: &usize| (signing_windows[*other].signs_from, *other);
    let turns = (0..signing_windows.len()).filter(|other| signing_windows[*other].signs_from.is_some());
    turns.filter(|other| turn(other) > own).min_by_key(turn)
}

/// When the last leaf of a CA whose successor is known has expired. It signs nothing that lives longer.
#[must_use]
pub fn last_leaf_ends(signing_windows: &[SigningWindow], index: usize) -> Option<Timestamp> {
    Some(last_leaf_after(&signing_windows[index], replaced_at(signing_windows, index)?))
}

/// When the last leaf of a CA has expired from which another has taken over then.
pub(super) fn last_leaf_after(signing_window: &SigningWindow, takeover: Timestamp) -> Timestamp {
    let signs_until = later(takeover, ACTIVATION_GRACE);
    later(signs_until, signing_window.max_leaf_lifetime.unwrap_or(MAX_LEAF_LIFETIME))
        .min(signing_window.not_after)
}

/// From when on a CA whose successor is known may be removed: no leaf of it lives then, whatever the clock of
/// whoever verifies it.
#[must_use]
pub fn removable_at(signing_windows: &[SigningWindow], index: usize) -> Option<Timestamp> {
    last_leaf_ends(signing_windows, index).map(|end| later(end, BUNDLE_PROPAGATION))
}

pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
