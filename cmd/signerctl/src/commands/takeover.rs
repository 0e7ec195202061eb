//! How a new CA takes over: what `rotate` and `import` have in common.

use std::time::Duration;

use ca_pool::{
    BUNDLE_PROPAGATION, CaPool, CertificateAuthority, RotationError, RotationPlan, SigningWindow, Terms,
    format_duration,
};
use clap::Args;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::{
    commands::new_authority::leave_taken,
    commands::revoke::{self, Emergency},
    report::outlook::{Outlook, name},
    report::page::{limits, schedule, standing},
    report::timeline,
    store::edit::edit,
    store::place::{Label, Place},
    text::arguments::{ca_id, duration, leaf_lifetime},
    text::shell::quote,
    text::times::{earlier, later, minute, minute_from_now},
    text::wrap::wrap_behind,
};
use crate::{
    error::Error,
    terminal::{Look, Tone},
};

#[derive(Args, Clone)]
pub(crate) struct TakeoverArguments {
    /// The new CA's ID within the pool. Default: the next number.
    #[arg(long, value_name = "ID", value_parser = ca_id)]
    pub(crate) ca_id: Option<String>,
    /// How long until the new CA signs. Pods need that time to get its root. Default: 15m, or 0s if no CA of
    /// the pool can sign any more.
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "emergency")]
    after: Option<Duration>,
    /// Take less than 15m for --after. The signer waits all the same until the new root has been published
    /// for that long; others that use the pool may not.
    #[arg(long, requires = "after")]
    force: bool,
    /// The longest lifetime that the new CA may give a certificate: the signer's maxLifetime. Default: that
    /// of the CA before it.
    #[arg(long, value_name = "DURATION", value_parser = leaf_lifetime)]
    max_lifetime: Option<Duration>,
    /// The longest lifetime that CAs which have signed so far can have given, where the pool doesn't record
    /// it: the largest maxLifetime that the signer has had in the last 91 days. They leave that much earlier
    /// than after 91 days.
    #[arg(long, value_name = "DURATION", value_parser = leaf_lifetime, conflicts_with = "emergency")]
    predecessor_max_lifetime: Option<Duration>,
    /// A key has leaked: its CA leaves the pool now, and the new one signs at once. Tells what breaks, and
    /// asks.
    #[arg(long)]
    pub(crate) emergency: bool,
    /// Whose key has leaked. Default: that of the CA that signs.
    #[arg(long, value_name = "ID", requires = "emergency")]
    compromised: Option<String>,
    /// Keep the anchors of the trust bundle that no CA of the pool has. In an emergency they leave it, as
    /// whoever had the key may have planted them.
    #[arg(long, requires = "emergency")]
    keep: bool,
    /// Don't ask.
    #[arg(long, requires = "emergency")]
    yes: bool,
}

/// Makes the CA that takes over, with this ID, in place of the one that signed last.
pub(crate) type Make<'a> = &'a dyn Fn(String, &CaPool) -> Result<CertificateAuthority, Error>;

impl TakeoverArguments {
    /// Adds the new CA to the pool, and tells what happens when. `options` are those given that say which CA
    /// it is to be, or of what kind.
    pub(crate) fn carry_out(
        self,
        place: &Place,
        mut options: Vec<&'static str>,
        make: Make<'_>,
        look: Look,
        now: Timestamp,
    ) -> Result<String, Error> {
        if self.emergency {
            let id = |pool: &CaPool| self.ca_id.clone().unwrap_or_else(|| pool.next_id());
            let replace = |pool: &CaPool| Ok((make(id(pool), pool)?, self.max_leaf_lifetime(pool, now)));
            options.extend(self.ca_id.iter().map(|_| "--ca-id"));
            options.extend(self.max_lifetime.iter().map(|_| "--max-lifetime"));
            let emergency = Emergency {
                compromised: self.compromised.as_deref(),
                replacement: &options,
                keeps_unknown_anchors: self.keep,
                has_said_yes: self.yes,
            };
            return revoke::carry_out(place, &emergency, &replace, look, now);
        }
        edit(place, now, |pool| {
            // before a key is made, which takes a while for RSA
            pool.check_none_waits(now).map_err(|error| explain(error, place, now))?;
            let is_recorded = |window: &SigningWindow| window.max_leaf_lifetime.is_some();
            if self.predecessor_max_lifetime.is_some() && pool.schedule().windows().iter().all(is_recorded) {
                return Err(Error::LifetimesRecorded { place: place.to_string() });
            }
            let rotation_plan = self.rotation_plan(&pool, now)?;
            let id = self.ca_id.clone().unwrap_or_else(|| pool.next_id());
            let successor = make(id.clone(), &pool)?;
            check_valid_in_time(&successor, &pool, now)?;
            check_validity(&successor, rotation_plan.signs_from, now)?;
            let changed = pool.with_successor(successor, rotation_plan, now)?;
            let report = added(&place.label(), &changed, &id, look, now);
            Ok((changed, report))
        })
    }

    /// A new pool, of this CA alone.
    pub(crate) fn begin(
        &self,
        place: &Place,
        authority: CertificateAuthority,
        now: Timestamp,
    ) -> Result<CaPool, Error> {
        if self.predecessor_max_lifetime.is_some() {
            return Err(Error::NoPredecessor { place: place.to_string() });
        }
        let signs_from = self.after.map(|after| next_minute(later(now, after)));
        check_validity(&authority, signs_from.unwrap_or(now), now)?;
        CaPool::beginning_with(authority, signs_from, self.max_lifetime)
            .map_err(|source| Error::Pool { place: place.to_string(), source: source.into() })
    }

    fn rotation_plan(&self, pool: &CaPool, now: Timestamp) -> Result<RotationPlan, Error> {
        let one_signs = pool.schedule().active(now).is_some();
        let needed = if one_signs { BUNDLE_PROPAGATION } else { Duration::ZERO };
        let after = self.after.unwrap_or(needed);
        if after < needed && !self.force {
            return Err(Error::TooSoon { after: format_duration(after), least: format_duration(needed) });
        }
        let signs_from = if after.is_zero() { whole_second(now) } else { next_minute(later(now, after)) };
        pool.check_activation(signs_from, now).map_err(|error| self.too_late(error, now))?;
        Ok(RotationPlan {
            signs_from,
            max_leaf_lifetime: self.max_leaf_lifetime(pool, now),
            predecessor_max_leaf_lifetime: self.predecessor_max_lifetime,
        })
    }

    fn too_late(&self, error: RotationError, now: Timestamp) -> Error {
        let RotationError::TooLate { id, not_after, signs_from, latest } = error else { return error.into() };
        let after = self.after.unwrap_or_default();
        Error::TooLate {
            after: format!("--after {}", format_duration(after)),
            end: end(&id, not_after, now),
            activation: minute_from_now(signs_from, now),
            longest: format_duration(latest_after(latest, now)),
        }
    }

    /// As it is asked for, or as it was.
    fn max_leaf_lifetime(&self, pool: &CaPool, now: Timestamp) -> Option<Duration> {
        let outlook = Outlook::new(pool, None, now);
        let recorded = outlook.last().and_then(|last| outlook.windows()[last].max_leaf_lifetime);
        self.max_lifetime.or(recorded).or(self.predecessor_max_lifetime)
    }
}

fn explain(error: RotationError, place: &Place, now: Timestamp) -> Error {
    match error {
        RotationError::UnderWay { id, signs_from } => Error::UnderWay {
            activation: minute_from_now(signs_from, now),
            arguments: place.arguments(),
            id: quote(&id),
        },
        other => other.into(),
    }
}

fn end(id: &str, not_after: Timestamp, now: Timestamp) -> String {
    let last = minute(earlier(not_after, Terms::LEAST_LIFETIME));
    format!("{} ends at {}, and can't sign any more after {last}", name(id), minute_from_now(not_after, now))
}

/// The longest --after in whole minutes with which a CA becomes active by then.
fn latest_after(latest: Timestamp, now: Timestamp) -> Duration {
    let whole = TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Floor);
    let left = latest.round(whole).unwrap_or(latest).duration_since(now);
    Duration::from_secs(left.unsigned_abs().as_secs() / 60 * 60)
}

/// A CA that isn't valid before the one that signs ends can't take over from it, however long one waits.
fn check_valid_in_time(successor: &CertificateAuthority, pool: &CaPool, now: Timestamp) -> Result<(), Error> {
    match pool.check_activation(next_minute(successor.not_before()), now) {
        Err(RotationError::TooLate { id, not_after, .. }) => Err(Error::ValidTooLate {
            authority: successor.to_string(),
            not_before: minute(successor.not_before()),
            end: end(&id, not_after, now),
        }),
        _ => Ok(()),
    }
}

/// A CA that can't sign when it becomes active would leave nobody who can.
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

pub(crate) fn added(label: &Label, pool: &CaPool, id: &str, look: Look, now: Timestamp) -> String {
    let outlook = Outlook::new(pool, Some(label.arguments.clone()), now);
    let head = format!("{} is in {}", name(id), label.pool);
    let new = pool.authorities().find(|authority| authority.id() == id);
    let mut text = format!(
        "{}\n{}{}\n{}{}",
        label.headline(look, Tone::Heading, &head),
        standing(&outlook, look),
        new.map(|new| limits(new, look)).unwrap_or_default(),
        timeline::draw(&outlook, look),
        schedule(&outlook, look),
    );
    text.extend(leave_of_root(pool, id).map(|note| format!("\n{}", wrap_behind("", &note, look.width))));
    if outlook.windows().iter().any(|window| window.max_leaf_lifetime.is_none()) {
        let note = "The pool doesn't record how long certificates may live, so 91 days are assumed, the most that Kubernetes allows. Where the signer's maxLifetime has \
                    always been less, say so next time with --predecessor-max-lifetime and --max-lifetime.";
        text += &format!("\n{}", wrap_behind("", note, look.width));
    }
    text
}

fn leave_of_root(pool: &CaPool, id: &str) -> Option<String> {
    let (position, new) = pool.authorities().enumerate().find(|(_, authority)| authority.id() == id)?;
    leave_taken(pool.authority(position.checked_sub(1)?), new)
}

/// Where nobody signs, the next CA does at once.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Times that people see without their seconds have none.
fn next_minute(time: Timestamp) -> Timestamp {
    let mode = TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil);
    time.round(mode).unwrap_or(time)
}

#[cfg(test)]
mod tests;
