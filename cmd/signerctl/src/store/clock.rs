//! Whether this machine's clock can be right. A pool's times rest on the clock of whoever changes it, so a
//! wrong one would let a CA sign, or go, too early.

use std::time::Duration;

use ca_pool::CaPool;
use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::text::times::{earlier, later, span};

/// By how much clocks may differ. The 15 minutes before a CA signs leave room for that.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// What the API server said of the time, between two looks at the own clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skew {
    pub(crate) asked: Timestamp,
    pub(crate) server: Timestamp,
    pub(crate) answered: Timestamp,
}

impl Skew {
    /// How far the server's clock is ahead of this one, as far as the time that the answer took lets it be known.
    pub(crate) fn ahead(self) -> SignedDuration {
        if self.server < self.asked {
            // the server tells whole seconds
            let second = SignedDuration::from_secs(1);
            self.server
                .duration_since(self.asked)
                .checked_add(second)
                .unwrap_or_default()
                .min(SignedDuration::ZERO)
        } else {
            self.server.duration_since(self.answered).max(SignedDuration::ZERO)
        }
    }

    /// Refuses what is more than the tolerance. How long the answer took (somebody may have had to log in
    /// first) doesn't count.
    pub(crate) fn check(self, cluster: &str) -> Result<(), Error> {
        let (own, verb) = if self.server < earlier(self.asked, TOLERANCE) {
            (self.asked, "ahead of")
        } else if later(self.answered, TOLERANCE) < self.server {
            (self.answered, "behind")
        } else {
            return Ok(());
        };
        Err(Error::ClocksDiffer {
            cluster: cluster.to_owned(),
            own: second(own),
            server: second(self.server),
            by: format!("{} {verb}", span(own.duration_since(self.server))),
        })
    }
}

/// Refuses a time that is before what the pool shows to be past: when it was changed last, and from when on
/// the CAs that sign are valid.
pub(crate) fn check_is_after(pool: &CaPool, place: &str, now: Timestamp) -> Result<(), Error> {
    let changed =
        i64::try_from(pool.generation()).ok().and_then(|second| Timestamp::from_second(second).ok());
    // a CA that waits may have been made for later
    let schedule = pool.schedule();
    let in_use = pool.authorities().zip(schedule.windows()).filter(|(_, window)| window.has_begun(now));
    let begun = in_use
        .map(|(authority, _)| (authority.not_before(), format!("{authority} is valid from then on")))
        .max();
    let evidence =
        changed.map(|changed| (changed, "the pool was changed then".to_owned())).into_iter().chain(begun);
    match evidence.max().filter(|(past, _)| later(now, TOLERANCE) < *past) {
        Some((past, why)) => {
            Err(Error::ClockBehind { place: place.to_owned(), own: second(now), past: second(past), why })
        }
        None => Ok(()),
    }
}

fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
