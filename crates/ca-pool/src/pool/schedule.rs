//! When each CA of a pool signs, and until when its root is trusted: computed once from what rotations have
//! decided, and read by everything else.
//!
//! It follows from the pool alone, so replicas come to the same answer without talking to each other. What is
//! published decides too who signs: [`signing_ca`](super::signing_ca) has that.

use std::time::Duration;

use jiff::Timestamp;

/// How long a root must have been published before its CA signs. A pod sees a new root after kubelet's cache
/// of bundles (5 minutes) and its next sync (a minute or two); the rest is for replicas that get a changed
/// pool late and for clocks that differ.
pub const BUNDLE_PROPAGATION: Duration = Duration::from_secs(15 * 60);

/// For how long a CA may go on after its time, because the root of the next one isn't known everywhere yet:
/// whoever publishes it was away for that long, or the clock of whoever rotated was that wrong.
pub const ACTIVATION_GRACE: Duration = Duration::from_secs(24 * 3600);

/// The longest lifetime that the API lets any certificate have (91 days): what a CA whose limit isn't
/// recorded may have given.
pub const MAX_LEAF_LIFETIME: Duration = Duration::from_secs(7_862_400);

/// The shortest lifetime that the API lets a certificate have. A CA with less than that left can't sign.
pub(super) const SHORTEST_LEAF: Duration = Duration::from_secs(3600);

/// Times that people write have no seconds, and are rounded up.
const MINUTE: Duration = Duration::from_secs(60);

/// What a pool records of one CA's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Of the first CA of a pool: from when on it signs. Without it: at once.
    pub(super) signs_from: Option<Timestamp>,
    /// What was decided when another was added.
    pub(super) retirement: Option<Retirement>,
    /// The longest lifetime that it has given or may give a leaf. Without it: whatever the API allows.
    pub(super) max_leaf_lifetime: Option<Duration>,
    /// From when on its certificate and those above it are valid.
    pub(super) not_before: Timestamp,
    /// When its certificate, or one above it, expires.
    pub(super) not_after: Timestamp,
}

/// The end of a CA, as the rotation decided it that added another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retirement {
    /// Until when it signs.
    pub(super) signs_until: Timestamp,
    /// Until when its root is trusted. Its leaves have expired [`BUNDLE_PROPAGATION`] before, for clocks of
    /// verifiers that are behind.
    pub(super) trusted_until: Timestamp,
}

/// The time of one CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningWindow {
    /// From when on it signs; `None`: it can't when those before it cease to.
    pub from: Option<Timestamp>,
    /// Until when it signs, or could: in its last hour a CA can't sign even the shortest leaf.
    pub until: Timestamp,
    /// Until when its root is trusted, where another CA follows: as a rotation has decided it, or else until
    /// its certificate has expired.
    pub trusted_until: Option<Timestamp>,
    /// Whether a rotation has decided that.
    pub is_retired: bool,
    /// Whether it was decided that it signs, by a rotation or as the pool's first: else it does once those
    /// before it have expired.
    pub is_awaited: bool,
    /// The longest lifetime that it has given or may give a leaf. Without it: whatever the API allows.
    pub max_leaf_lifetime: Option<Duration>,
    /// From when on its certificate and those above it are valid.
    pub not_before: Timestamp,
    /// When its certificate, or one above it, expires.
    pub not_after: Timestamp,
}

/// Where in its life a CA is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Published, not signing yet; from when on it will, where that was decided.
    Prepared(Option<Timestamp>),
    /// The one that signs.
    Active,
    /// Published because its leaves still live: until then at the most.
    Retiring(Timestamp),
    /// Nothing needs it any more: it may be removed.
    Removable,
}

/// What comes next in a CA's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// It signs.
    Activate,
    /// It ceases to sign, as another one follows.
    Retire,
    /// Its root leaves the trust bundle.
    Remove,
    /// Its certificate, or one above it, expires.
    Expire,
}

/// The signing windows of a pool's CAs, in the order of the pool, which is the order in which they sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    recorded: Vec<Recorded>,
    windows: Vec<SigningWindow>,
}

impl Recorded {
    /// What a rotation decides on this CA: it signs until then, or for [`ACTIVATION_GRACE`] longer if the
    /// next one's root gets known late, and is trusted until its last leaf has expired on every clock.
    pub(super) fn retiring(&self, signs_until: Timestamp) -> Retirement {
        let last_leaf =
            later(later(signs_until, ACTIVATION_GRACE), self.max_leaf_lifetime.unwrap_or(MAX_LEAF_LIFETIME));
        Retirement { signs_until, trusted_until: later(last_leaf.min(self.not_after), BUNDLE_PROPAGATION) }
    }

    /// The last moment at which it can sign even the shortest leaf.
    fn can_sign_until(&self) -> Timestamp {
        earlier(self.not_after, SHORTEST_LEAF)
    }
}

impl SigningWindow {
    /// When its last leaf has expired, where another CA follows.
    #[must_use]
    pub fn last_leaf_ends(&self) -> Option<Timestamp> {
        self.trusted_until.map(|until| earlier(until, BUNDLE_PROPAGATION))
    }

    /// Whether it has signed by `now`, or may.
    #[must_use]
    pub fn has_begun(&self, now: Timestamp) -> bool {
        self.from.is_some_and(|from| from <= now)
    }

    /// Where in its life it is at `now`.
    #[must_use]
    pub fn phase(&self, now: Timestamp) -> Phase {
        match self.trusted_until {
            Some(until) if until <= now => Phase::Removable,
            Some(until) if self.until <= now => Phase::Retiring(until),
            _ if self.not_after < now => Phase::Removable,
            _ if self.has_begun(now) => Phase::Active,
            _ => Phase::Prepared(self.from.filter(|_| self.is_awaited)),
        }
    }

    /// What comes next in its life after `now`, and when, where that is decided.
    #[must_use]
    pub fn next_step(&self, now: Timestamp) -> Option<(NextStep, Timestamp)> {
        match self.phase(now) {
            Phase::Prepared(from) => from.map(|from| (NextStep::Activate, from)),
            Phase::Active if self.is_retired => Some((NextStep::Retire, self.until)),
            Phase::Active => Some((NextStep::Expire, self.not_after)),
            Phase::Retiring(until) => Some((NextStep::Remove, until)),
            Phase::Removable => None,
        }
    }
}

impl Schedule {
    /// That of the CAs of which this is recorded.
    pub(super) fn of(recorded: Vec<Recorded>) -> Self {
        let mut windows: Vec<SigningWindow> = Vec::new();
        let (mut next, mut is_awaited) = (Timestamp::MIN, true);
        for (index, ca) in recorded.iter().enumerate() {
            // one that nobody follows goes on, whatever was decided when somebody was to
            let follows = |end: &Retirement| {
                recorded[index + 1..].iter().any(|other| end.signs_until < other.can_sign_until())
            };
            let retirement = ca.retirement.filter(follows);
            let until =
                retirement.map_or(ca.can_sign_until(), |end| end.signs_until.min(ca.can_sign_until()));
            let from = match index {
                0 => ca.signs_from.unwrap_or(Timestamp::MIN),
                _ => next.max(ca.not_before),
            };
            windows.push(SigningWindow {
                from: (from < until).then_some(from),
                until,
                trusted_until: retirement
                    .map(|end| end.trusted_until.min(later(ca.not_after, BUNDLE_PROPAGATION))),
                is_retired: retirement.is_some(),
                is_awaited,
                max_leaf_lifetime: ca.max_leaf_lifetime,
                not_before: ca.not_before,
                not_after: ca.not_after,
            });
            (next, is_awaited) = (next.max(until), retirement.is_some());
        }
        let mut is_followed = false;
        for window in windows.iter_mut().rev() {
            if is_followed {
                window.trusted_until.get_or_insert(later(window.not_after, BUNDLE_PROPAGATION));
            }
            is_followed |= window.from.is_some();
        }
        Self { recorded, windows }
    }

    /// That of some of the CAs, as if the pool had these alone: each signs until the next of them does.
    pub(super) fn among(&self, indexes: &[usize]) -> Self {
        let one = |(position, index): (usize, &usize)| {
            let ca = self.recorded[*index];
            let before_next = indexes.get(position + 1).map(|next| self.recorded[*next - 1]);
            let end = before_next.and_then(|before| before.retirement);
            let is_own = ca.retirement.map(|own| own.signs_until) == end.map(|end| end.signs_until);
            let retirement = end.map(|end| ca.retiring(end.signs_until));
            let retirement = if is_own { ca.retirement } else { retirement };
            Recorded { retirement, ..ca }
        };
        Self::of(indexes.iter().enumerate().map(one).collect())
    }

    /// The windows in the order of the pool.
    #[must_use]
    pub fn windows(&self) -> &[SigningWindow] {
        &self.windows
    }

    /// The phase of each CA at `now`.
    #[must_use]
    pub fn phases(&self, now: Timestamp) -> Vec<Phase> {
        self.windows.iter().map(|window| window.phase(now)).collect()
    }

    /// The CA that signs at `now`, as far as the schedule goes; the last one until it has expired.
    #[must_use]
    pub fn active(&self, now: Timestamp) -> Option<usize> {
        self.windows.iter().position(|window| window.phase(now) == Phase::Active)
    }

    /// The CA after which none signs.
    #[must_use]
    pub fn last(&self) -> Option<usize> {
        self.windows.iter().rposition(|window| window.from.is_some())
    }

    /// The CA that follows one.
    #[must_use]
    pub fn successor(&self, index: usize) -> Option<usize> {
        (index + 1..self.windows.len()).find(|later| self.windows[*later].from.is_some())
    }

    /// The CA that a rotation has added and that waits, and until when. One that comes when nobody could sign
    /// any more isn't waited for: another may sign in between.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> Option<(usize, Timestamp)> {
        let retires = self.windows.iter().position(|window| window.is_retired && now < window.until)?;
        let next = self.next_in_time(retires, now)?;
        Some((next, self.windows[next].from?))
    }

    /// The last CA until whose end somebody can sign at any time.
    pub(super) fn signed_up_to(&self, now: Timestamp) -> Option<usize> {
        let mut last = self.active(now)?;
        while let Some(next) = self.next_in_time(last, now) {
            last = next;
        }
        Some(last)
    }

    /// The CA that follows one before nobody can sign.
    fn next_in_time(&self, index: usize, now: Timestamp) -> Option<usize> {
        let latest = self.windows[index].until.max(near(now));
        self.successor(index).filter(|next| self.windows[*next].from.is_some_and(|from| from <= latest))
    }

    /// When the next CA has to sign at the latest, so that there always is one that does: while the one that
    /// signs still can. Where it can't for long enough, the next one may take the time that pods need to know
    /// it.
    #[must_use]
    pub fn latest_activation(&self, now: Timestamp) -> Timestamp {
        let current = self.active(now).or_else(|| self.last());
        let end = current.map(|index| self.recorded[index].can_sign_until());
        end.unwrap_or(now).max(near(now))
    }
}

/// Until when a time to come is only waited for: no longer than pods need to know a root.
#[must_use]
pub fn near(now: Timestamp) -> Timestamp {
    later(now, BUNDLE_PROPAGATION + MINUTE)
}

pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub(super) fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
