//! How a new CA takes over: what `rotate` and `import` have in common.

use std::time::Duration;

use clap::Args;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use signer_core::{
    CaPool, CertificateAuthority, PROPAGATION, Phase, RotationError, Succession, Terms, format_duration,
    phases,
};

use super::{
    arguments::{Place, ca_id, duration, leaf_lifetime},
    edit::edit,
    emergency,
    outlook::{Outlook, name},
    shown::{limits, schedule},
    timeline,
    times::{later, minute, minute_from_now},
};
use crate::{
    error::Error,
    terminal::{Look, Tone},
};

#[derive(Args, Clone)]
pub(super) struct TakeoverArguments {
    /// The new CA's ID within the pool. Default: the next number.
    #[arg(long, value_name = "ID", value_parser = ca_id)]
    pub(super) ca_id: Option<String>,
    /// How long until the new CA signs. Pods need that time to get its root. Default: 15m, or 0s if no CA of the pool can sign any more.
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "emergency")]
    after: Option<Duration>,
    /// Take less than 15m for --after. The signer waits all the same until the new root has been published for that long; others that use the pool may not.
    #[arg(long, requires = "after")]
    force: bool,
    /// The longest lifetime that the new CA may give a certificate: the signer's maxLifetime. Default: that of the CA before it.
    #[arg(long, value_name = "DURATION", value_parser = leaf_lifetime)]
    max_lifetime: Option<Duration>,
    /// The longest lifetime that CAs which have signed so far can have given, where the pool doesn't record it: the largest maxLifetime that the signer has had in the
    /// last 91 days. They leave that much earlier than after 91 days.
    #[arg(long, value_name = "DURATION", value_parser = leaf_lifetime)]
    predecessor_max_lifetime: Option<Duration>,
    /// A key has leaked: its CA leaves the pool now, and the new one signs at once. Tells what breaks, and asks.
    #[arg(long)]
    pub(super) emergency: bool,
    /// Whose key has leaked. Default: that of the CA that signs.
    #[arg(long, value_name = "ID", requires = "emergency")]
    compromised: Option<String>,
    /// Don't ask.
    #[arg(long)]
    yes: bool,
}

/// Makes the CA that takes over, with this ID, in place of the one that signed last.
pub(super) type Make<'a> = &'a dyn Fn(String, &CaPool) -> Result<CertificateAuthority, Error>;

impl TakeoverArguments {
    /// Adds the new CA to the pool, and tells what happens when.
    pub(super) fn carry_out(
        self,
        place: &Place,
        make: Make<'_>,
        look: Look,
        now: Timestamp,
    ) -> Result<String, Error> {
        if self.emergency {
            let id = |pool: &CaPool| self.ca_id.clone().unwrap_or_else(|| pool.next_id());
            let replace = |pool: &CaPool| Ok((make(id(pool), pool)?, self.longest_leaf(pool, now)));
            return emergency::carry_out(place, self.compromised.as_deref(), self.yes, &replace, look, now);
        }
        edit(place, |pool| {
            // before a key is made, which takes a while for RSA
            pool.check_none_waits(now).map_err(|error| explain(error, place, now))?;
            let succession = self.succession(&pool, now)?;
            let id = self.ca_id.clone().unwrap_or_else(|| pool.next_id());
            let successor = make(id.clone(), &pool)?;
            check_validity(&successor, succession.signs_from, now)?;
            let changed = pool.with_successor(successor, succession, now)?;
            let report = added(place, &changed, &id, look, now);
            Ok((changed, report))
        })
    }

    fn succession(&self, pool: &CaPool, now: Timestamp) -> Result<Succession, Error> {
        let one_signs = phases(&pool.tenures(), now).contains(&Phase::Active);
        let needed = if one_signs { PROPAGATION } else { Duration::ZERO };
        let after = self.after.unwrap_or(needed);
        if after < needed && !self.force {
            return Err(Error::TooSoon { after: format_duration(after), least: format_duration(needed) });
        }
        Ok(Succession {
            signs_from: next_minute(later(now, after)),
            longest_leaf: self.longest_leaf(pool, now),
            predecessors_longest_leaf: self.predecessor_max_lifetime,
        })
    }

    /// As it is asked for, or as it was.
    fn longest_leaf(&self, pool: &CaPool, now: Timestamp) -> Option<Duration> {
        let last = Outlook::new(pool, None, now).last();
        let recorded = last.and_then(|last| pool.tenures()[last].longest_leaf);
        self.max_lifetime.or(recorded).or(self.predecessor_max_lifetime)
    }
}

fn explain(error: RotationError, place: &Place, now: Timestamp) -> Error {
    match error {
        RotationError::UnderWay { id, signs_from } => {
            Error::UnderWay { turn: minute_from_now(signs_from, now), arguments: place.arguments(), id }
        }
        other => other.into(),
    }
}

/// A CA that can't sign when its turn comes would leave nobody who can.
fn check_validity(
    successor: &CertificateAuthority,
    signs_from: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    if successor.not_before() > signs_from {
        return Err(Error::NotYetValid {
            authority: successor.to_string(),
            not_before: minute(successor.not_before()),
            after: format_duration(
                successor.not_before().duration_since(now).unsigned_abs() + Duration::from_secs(60),
            ),
        });
    }
    if successor.not_after() < later(signs_from, Terms::LEAST_LIFETIME) {
        return Err(Error::Expiring {
            authority: successor.to_string(),
            not_after: minute(successor.not_after()),
        });
    }
    Ok(())
}

pub(super) fn added(place: &Place, pool: &CaPool, id: &str, look: Look, now: Timestamp) -> String {
    let outlook = Outlook::new(pool, Some(place.arguments()), now);
    let head = format!("{} is in CA pool {place}", name(id));
    let (tone, state) = outlook.state();
    let mut text = format!(
        "{}\n\n  {}\n{}\n{}{}",
        look.paint(Tone::Heading, head),
        look.paint(tone, state),
        pool.authorities().find(|authority| authority.id() == id).map(limits).unwrap_or_default(),
        timeline::draw(&outlook, look),
        schedule(&outlook, look),
    );
    if pool.tenures().iter().any(|tenure| tenure.longest_leaf.is_none()) {
        text += "\nThe pool doesn't record how long certificates may live, so 91 days are assumed, the most that Kubernetes allows. Where the signer's \
                 maxLifetime has always been less,\nsay so next time with --predecessor-max-lifetime and --max-lifetime.\n";
    }
    text
}

/// Times that people see without their seconds have none.
fn next_minute(time: Timestamp) -> Timestamp {
    let mode = TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil);
    time.round(mode).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::{
        super::golden::{HOUR, ca, hours, now, rotated},
        *,
    };

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        takeover: TakeoverArguments,
    }

    fn succession(pool: &CaPool, arguments: &[&str]) -> Result<Succession, Error> {
        let line = Line::parse_from([&["signerctl"], arguments].concat());
        line.takeover.succession(pool, now())
    }

    fn without_times() -> CaPool {
        rotated(&[])
    }

    #[test]
    fn the_successor_signs_after_a_quarter_of_an_hour() {
        let succession = succession(&without_times(), &[]).unwrap();
        assert_eq!(succession.signs_from, later(now(), PROPAGATION));
        assert_eq!((succession.longest_leaf, succession.predecessors_longest_leaf), (None, None));
    }

    #[test]
    fn where_no_ca_can_sign_any_more_it_signs_at_once() {
        let expired = CaPool::new(vec![ca(1, hours(-24), 20 * HOUR)]).unwrap();
        assert_eq!(succession(&expired, &[]).unwrap().signs_from, now());
        assert!(succession(&expired, &["--after", "0s"]).is_ok());
    }

    #[test]
    fn less_time_takes_force() {
        let error = succession(&without_times(), &["--after", "14m59s"]).unwrap_err();
        assert!(error.to_string().starts_with("--after 14m59s is less than 15m"), "{error}");
        let forced = succession(&without_times(), &["--after", "1m", "--force"]).unwrap();
        assert_eq!(forced.signs_from, later(now(), Duration::from_secs(60)));
    }

    #[test]
    fn lifetimes_are_as_asked_for_or_as_before() {
        let day = Some(24 * HOUR);
        assert_eq!(succession(&rotated(&[72]), &[]).unwrap().longest_leaf, day);
        assert_eq!(succession(&rotated(&[72]), &["--max-lifetime", "1h"]).unwrap().longest_leaf, Some(HOUR));
        let told = succession(&without_times(), &["--predecessor-max-lifetime", "24h"]).unwrap();
        assert_eq!((told.longest_leaf, told.predecessors_longest_leaf), (day, day));
    }

    #[test]
    fn a_ca_that_is_not_valid_when_its_turn_comes_is_refused_with_the_way_out() {
        let future = ca(9, hours(2), 100 * HOUR);
        let error = check_validity(&future, later(now(), PROPAGATION), now()).unwrap_err();
        assert!(
            error.to_string().ends_with(
                "isn't valid before 2026-11-22 11:55Z, and would have to sign earlier; add --after 1h56m"
            ),
            "{error}"
        );
        let past = ca(9, hours(-24), 24 * HOUR);
        let error = check_validity(&past, later(now(), PROPAGATION), now()).unwrap_err();
        assert!(error.to_string().contains("too early to sign even the shortest certificate"), "{error}");
    }
}
