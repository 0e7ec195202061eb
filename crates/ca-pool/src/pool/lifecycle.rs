//! The life of the CAs in a pool: trusted first, then signing, then retiring while their leaves still live, then gone.
//!
//! Everything here follows from times that are stored in the pool and from the clock, so replicas come to the same answer without talking to each
//! other. What is published decides too who may sign: `choice` has that.

use std::time::Duration;

use jiff::Timestamp;

/// How long a root must have been published before its CA signs. A pod sees a new root after kubelet's cache of bundles (5 minutes) and its next
/// sync (a minute or two); the rest is for replicas that get a changed pool late and for clocks that differ.
pub const PROPAGATION: Duration = Duration::from_secs(15 * 60);

/// How long after its successor's turn has come a CA may still sign, because the successor's root isn't known everywhere yet: whoever publishes it was away
/// for that long, or the clock on which the turn was computed was that wrong.
pub const LEEWAY: Duration = Duration::from_secs(24 * 3600);

/// The longest lifetime that the API lets any certificate have (91 days): what a CA whose limit isn't recorded may have given.
pub const LONGEST_LEAF: Duration = Duration::from_secs(7_862_400);

/// The shortest lifetime that the API lets a certificate have. A CA with less than that left can't sign.
pub(super) const SHORTEST_LEAF: Duration = Duration::from_secs(3600);

/// Times that people write have no seconds, and are rounded up.
const MINUTE: Duration = Duration::from_secs(60);

/// What a pool records of one CA's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// From when on it signs. Without it: since ever, if it is the first such CA of its pool, and never otherwise.
    pub signs_from: Option<Timestamp>,
    /// The longest lifetime that it has given or may give a leaf. Without it: whatever the API allows.
    pub longest_leaf: Option<Duration>,
    /// From when on its certificate and those above it are valid.
    pub not_before: Timestamp,
    /// When its certificate, or one above it, expires.
    pub not_after: Timestamp,
}

impl Tenure {
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
pub fn phases(tenures: &[Tenure], now: Timestamp) -> Vec<Phase> {
    (0..tenures.len()).map(|index| phase(tenures, index, now)).collect()
}

fn phase(tenures: &[Tenure], index: usize, now: Timestamp) -> Phase {
    let has_expired = tenures[index].not_after < now;
    let is_superseded = superseded_at(tenures, index).is_some_and(|at| at <= now);
    match removable_at(tenures, index).filter(|_| is_superseded) {
        Some(removable) if removable <= now => Phase::Gone,
        Some(removable) => Phase::Retiring(removable),
        _ if has_expired => Phase::Gone,
        _ if has_had_its_turn(tenures, index, now) => Phase::Active,
        _ => Phase::Trusted(tenures[index].signs_from),
    }
}

/// Whether it has signed, or may sign now.
pub(super) fn has_had_its_turn(tenures: &[Tenure], index: usize, now: Timestamp) -> bool {
    match tenures[index].signs_from {
        Some(from) => from <= now,
        None => is_first_without_times(tenures, index),
    }
}

fn is_first_without_times(tenures: &[Tenure], index: usize) -> bool {
    tenures[index].signs_from.is_none() && tenures[..index].iter().all(|earlier| earlier.signs_from.is_some())
}

/// The CA whose turn came last. It signs, if it still can.
pub(super) fn latest(tenures: &[Tenure], now: Timestamp) -> Option<usize> {
    let turns = (0..tenures.len()).filter(|index| has_had_its_turn(tenures, *index, now));
    turns.max_by_key(|index| (tenures[*index].signs_from, *index))
}

/// When the turn of the next CA has to come at the latest, so that there always is one that signs: while the CA whose turn came last still can. Where it can't for long enough, a
/// successor may take the time that pods need to know it.
pub(super) fn latest_turn(tenures: &[Tenure], now: Timestamp) -> Timestamp {
    let end = latest(tenures, now).map(|index| tenures[index].can_sign_until());
    end.unwrap_or(now).max(near(now))
}

/// Until when a time to come is only waited for: no longer than pods need to know a root.
#[must_use]
pub fn near(now: Timestamp) -> Timestamp {
    later(now, PROPAGATION + MINUTE)
}

/// When the next CA's turn comes, if one is known. Of two whose turns come at once, the later one of the pool signs.
#[must_use]
pub fn superseded_at(tenures: &[Tenure], index: usize) -> Option<Timestamp> {
    tenures[successor(tenures, index)?].signs_from
}

/// The CA whose turn comes next.
pub(super) fn successor(tenures: &[Tenure], index: usize) -> Option<usize> {
    let own = (tenures[index].signs_from, index);
    let turn = |other: &usize| (tenures[*other].signs_from, *other);
    let turns = (0..tenures.len()).filter(|other| tenures[*other].signs_from.is_some());
    turns.filter(|other| turn(other) > own).min_by_key(turn)
}

/// When the last leaf of a CA whose successor is known has expired. It signs nothing that lives longer.
#[must_use]
pub fn last_leaf_ends(tenures: &[Tenure], index: usize) -> Option<Timestamp> {
    Some(last_leaf_after(&tenures[index], superseded_at(tenures, index)?))
}

/// When the last leaf of a CA has expired from which another has taken over then.
pub(super) fn last_leaf_after(tenure: &Tenure, takeover: Timestamp) -> Timestamp {
    let signs_until = later(takeover, LEEWAY);
    later(signs_until, tenure.longest_leaf.unwrap_or(LONGEST_LEAF)).min(tenure.not_after)
}

/// From when on a CA whose successor is known may be removed: no leaf of it lives then, whatever the clock of whoever verifies it.
#[must_use]
pub fn removable_at(tenures: &[Tenure], index: usize) -> Option<Timestamp> {
    last_leaf_ends(tenures, index).map(|end| later(end, PROPAGATION))
}

pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    const QUARTER: i64 = 15 * 60;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn tenure(signs_from: Option<i64>) -> Tenure {
        Tenure {
            signs_from: signs_from.map(at),
            longest_leaf: Some(Duration::from_secs(24 * 3600)),
            not_before: at(-DAY),
            not_after: at(3650 * DAY),
        }
    }

    #[test]
    fn without_times_the_first_signs_and_the_others_are_only_trusted() {
        let pool = [tenure(None), tenure(None)];
        assert_eq!(phases(&pool, at(0)), [Phase::Active, Phase::Trusted(None)]);
        assert_eq!(removable_at(&pool, 1), None);
    }

    #[test]
    fn a_successor_is_trusted_then_active_and_its_predecessor_retires_then_goes() {
        let pool = [tenure(None), tenure(Some(HOUR))];
        let gone = HOUR + 2 * DAY + QUARTER;
        for (now, first, second) in [
            (0, Phase::Active, Phase::Trusted(Some(at(HOUR)))),
            (HOUR, Phase::Retiring(at(gone)), Phase::Active),
            (gone - 1, Phase::Retiring(at(gone)), Phase::Active),
            (gone, Phase::Gone, Phase::Active),
        ] {
            assert_eq!(phases(&pool, at(now)), [first, second], "{now}");
        }
    }

    #[test]
    fn one_that_is_only_trusted_may_have_signed_before_times_were_kept_so_it_retires_too() {
        let pool = [tenure(None), tenure(None), tenure(Some(0))];
        let removable = at(2 * DAY + QUARTER);
        assert_eq!(phases(&pool, at(-1))[..2], [Phase::Active, Phase::Trusted(None)]);
        assert_eq!(phases(&pool, at(0))[..2], [Phase::Retiring(removable), Phase::Retiring(removable)]);
    }

    #[test]
    fn three_generations_retire_one_after_the_other() {
        let pool = [tenure(None), tenure(Some(HOUR)), tenure(Some(DAY))];
        let (first, second) = (at(HOUR + 2 * DAY + QUARTER), at(3 * DAY + QUARTER));
        assert_eq!(
            phases(&pool, at(2 * DAY)),
            [Phase::Retiring(first), Phase::Retiring(second), Phase::Active]
        );
        assert_eq!(phases(&pool, at(3 * DAY)), [Phase::Gone, Phase::Retiring(second), Phase::Active]);
    }

    #[test]
    fn of_two_turns_at_once_the_later_ca_of_the_pool_takes_over() {
        let pool = [tenure(None), tenure(Some(0)), tenure(Some(0))];
        let phases = phases(&pool, at(0));
        assert!(matches!(phases[..], [Phase::Retiring(_), Phase::Retiring(_), Phase::Active]), "{phases:?}");
    }

    #[test]
    fn a_ca_that_expires_while_it_retires_stays_until_clocks_that_lag_agree() {
        let pool = [Tenure { not_after: at(DAY), ..tenure(None) }, tenure(Some(0))];
        assert_eq!(last_leaf_ends(&pool, 0), Some(at(DAY)));
        assert_eq!(phases(&pool, at(DAY + QUARTER - 1))[0], Phase::Retiring(at(DAY + QUARTER)));
        assert_eq!(phases(&pool, at(DAY + QUARTER))[0], Phase::Gone);
    }

    #[test]
    fn a_turn_has_to_come_while_the_ca_before_can_sign_or_as_soon_as_pods_can_know_it() {
        let ending = |end: i64| [Tenure { not_after: at(end), ..tenure(None) }, tenure(None)];
        let soonest = at(QUARTER + 60);
        assert_eq!(latest_turn(&ending(DAY), at(0)), at(DAY - HOUR));
        assert_eq!(latest_turn(&ending(HOUR + QUARTER), at(0)), soonest);
        assert_eq!(latest_turn(&ending(-DAY), at(0)), soonest);
        let rotated = [tenure(None), Tenure { not_after: at(9 * DAY), ..tenure(Some(0)) }];
        assert_eq!(latest_turn(&rotated, at(0)), at(9 * DAY - HOUR));
        assert_eq!((latest(&rotated, at(-1)), latest(&rotated, at(0))), (Some(0), Some(1)));
        assert_eq!(latest(&[tenure(Some(1))], at(0)), None);
    }

    #[test]
    fn an_expired_ca_without_a_successor_is_gone() {
        let expired = Tenure { not_after: at(0), ..tenure(None) };
        assert_eq!(phases(&[expired], at(0)), [Phase::Active]);
        assert_eq!(phases(&[expired], at(1)), [Phase::Gone]);
    }

    #[test]
    fn a_ca_without_a_recorded_limit_stays_for_the_longest_that_the_api_allows() {
        let pool = [Tenure { longest_leaf: None, ..tenure(None) }, tenure(Some(0))];
        assert_eq!(removable_at(&pool, 0), Some(at(92 * DAY + QUARTER)));
        assert_eq!(removable_at(&pool, 1), None);
    }
}
