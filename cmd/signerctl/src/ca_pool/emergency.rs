//! A key has leaked: its CA leaves at once.

use std::time::Duration;

use jiff::Timestamp;
use signer_core::{CaPool, CertificateAuthority, Heir, PROPAGATION, Phase, phases};

use super::{
    arguments::Place,
    edit::edit_once,
    outlook::{Outlook, name},
    shown::schedule,
    timeline,
    times::{later, minute_from_now},
};
use crate::{
    error::Error,
    terminal::{Look, Tone, confirm},
};

/// Makes the CA that takes the place of the compromised one, and tells the longest lifetime of its certificates.
pub(super) type Replace<'a> = &'a dyn Fn(&CaPool) -> Result<(CertificateAuthority, Option<Duration>), Error>;

/// Tells what breaks, asks, and removes the CA.
pub(super) fn carry_out(
    place: &Place,
    compromised: Option<&str>,
    has_said_yes: bool,
    replace: Replace<'_>,
    look: Look,
    now: Timestamp,
) -> Result<String, Error> {
    edit_once(place, |pool| {
        let id = compromised.map_or_else(|| active(&pool, now), |id| Ok(id.to_owned()))?;
        let heir = pool.heir(&id, now)?;
        let replacement = if heir == Heir::None { Some(replace(&pool)?) } else { None };
        let new = replacement.as_ref().map(|(authority, _)| authority.id().to_owned());
        let consequences = consequences(&pool, &id, &heir, new.as_deref(), look, now)?;
        let changed = pool.without_compromised(&id, replacement, now)?;
        confirm(&consequences, has_said_yes)?;
        let report = removed(place, &changed, &id, look, now);
        Ok((changed, report))
    })
}

fn active(pool: &CaPool, now: Timestamp) -> Result<String, Error> {
    let phases = phases(&pool.tenures(), now);
    let active = pool.authorities().zip(phases).find(|(_, phase)| *phase == Phase::Active);
    active.map(|(authority, _)| authority.id().to_owned()).ok_or(Error::WhichIsCompromised)
}

/// What breaks, and until when.
pub(super) fn consequences(
    pool: &CaPool,
    id: &str,
    heir: &Heir,
    new: Option<&str>,
    look: Look,
    now: Timestamp,
) -> Result<String, Error> {
    let leaving = pool.leave_with(id)?;
    let names = leaving.iter().map(|id| name(id)).collect::<Vec<_>>().join(" and ");
    let mut text = format!(
        "{}\n",
        look.paint(Tone::Bad, format!("EMERGENCY: {names} will leave the pool and the trust bundle now."))
    );
    if leaving.len() > 1 {
        text += &format!(
            "They are under the same root as {}. While that is trusted, so is whatever the leaked key signs.\n",
            name(id)
        );
    }
    text += &format!("\n{}\n", look.paint(Tone::Heading, "What breaks, and until when"));
    text += &of_those_that_leave(pool, &leaving, &names, now);
    text += &of_those_that_follow(pool, &leaving, heir, new, now);
    Ok(text)
}

fn of_those_that_leave(pool: &CaPool, leaving: &[&str], names: &str, now: Timestamp) -> String {
    let phases = phases(&pool.tenures(), now);
    let mut of_leaving =
        pool.authorities().zip(phases).filter(|(authority, _)| leaving.contains(&authority.id()));
    if of_leaving.all(|(_, phase)| matches!(phase, Phase::Trusted(Some(_)))) {
        return format!("  - Nothing of {names}: it hasn't signed yet.\n");
    }
    let end = last_leaf(pool, leaving, now);
    format!(
        "  - Certificates of {names} are refused: by each pod as soon as it has the new trust bundle, usually within 7 minutes.\n    \
         That ends for each pod when it gets its next certificate. Kubelet fetches it about halfway through the lifetime of\n    \
         the one it has; the last would have expired at {end}.\n    \
         To end it sooner, restart the pods when the new bundle is everywhere: kubectl rollout restart …\n"
    )
}

fn of_those_that_follow(
    pool: &CaPool,
    leaving: &[&str],
    heir: &Heir,
    new: Option<&str>,
    now: Timestamp,
) -> String {
    let known = minute_from_now(later(now, PROPAGATION), now);
    let new = new.map_or_else(|| "The new CA".to_owned(), name);
    let phases = phases(&pool.tenures(), now);
    let retires = |(authority, phase): &(&CertificateAuthority, Phase)| {
        matches!(phase, Phase::Retiring(_)) && !leaving.contains(&authority.id())
    };
    let retiring = pool.authorities().zip(phases).filter(retires).last();
    match (heir, retiring) {
        (Heir::Active(heir), _) => format!("  - Nothing else: {} signs already, and goes on.\n", name(heir)),
        (Heir::Waiting(heir), _) => format!(
            "  - {} signs at once. Pods that don't have its root yet refuse its certificates: until {known} at the latest,\n    \
             and not at all where it has been published for 15 minutes.\n",
            name(heir)
        ),
        (Heir::None, Some((retiring, _))) => format!(
            "  - Nothing else: {}, which pods still trust, signs again until they know {new}: until {known} at the latest.\n",
            name(retiring.id())
        ),
        (Heir::None, None) => format!(
            "  - {new} signs at once. Pods that don't have its root yet refuse its certificates: until {known} at the latest.\n"
        ),
    }
}

/// When the last certificate would have expired that one of these CAs can have issued.
fn last_leaf(pool: &CaPool, leaving: &[&str], now: Timestamp) -> String {
    let outlook = Outlook::new(pool, None, now);
    let indexes =
        || (0..outlook.tenures.len()).filter(|index| leaving.contains(&pool.authority(*index).id()));
    let end = indexes().map(|index| outlook.last_leaf_ends(index)).max().unwrap_or(now);
    let is_known = indexes().all(|index| outlook.tenures[index].longest_leaf.is_some());
    let hint = if is_known { "" } else { ", or sooner if the signer's maxLifetime is less" };
    format!("{}{hint}", minute_from_now(end, now))
}

fn removed(place: &Place, pool: &CaPool, id: &str, look: Look, now: Timestamp) -> String {
    let outlook = Outlook::new(pool, Some(place.arguments()), now);
    let (tone, state) = outlook.state();
    format!(
        "{}\n\n  {}\n\n{}{}",
        look.paint(Tone::Heading, format!("{} has left CA pool {place}", name(id))),
        look.paint(tone, state),
        timeline::draw(&outlook, look),
        schedule(&outlook, look),
    )
}
