//! A key has leaked: its CA leaves at once.

use std::time::Duration;

use ca_pool::{CaPool, CertificateAuthority, Phase, ReplacementCa};
use jiff::Timestamp;

use crate::{
    commands::new_authority::leave_taken,
    commands::replacement::Before,
    report::outlook::{Outlook, name},
    report::page::{schedule, standing},
    report::timeline,
    store::edit::edit_once,
    store::place::{Label, Place},
    text::shell::quote,
    text::times::minute_from_now,
    text::wrap::wrap_behind,
};
use crate::{
    error::Error,
    terminal::{Look, Tone, confirm},
};

/// What the operator asks for.
pub(crate) struct Emergency<'a> {
    /// Whose key has leaked; the one that signs, if nobody says.
    pub(crate) compromised: Option<&'a str>,
    /// The options that say which CA, or what kind of CA, is to take its place.
    pub(crate) replacement: &'a [&'static str],
    /// Whether anchors stay in the bundle that no CA of the pool has.
    pub(crate) keeps_unknown_anchors: bool,
    pub(crate) has_said_yes: bool,
}

const UNKNOWN_ANCHORS: &str = "Anchors of the trust bundle that no CA of the pool has leave it too: of CAs that were replaced outright in the last 91 days, or planted by whoever had the key. \
     --keep keeps them.";

/// Makes the CA that takes the place of the compromised one, and tells the longest lifetime of its
/// certificates.
pub(crate) type Replace<'a> = &'a dyn Fn(&CaPool) -> Result<(CertificateAuthority, Option<Duration>), Error>;

/// Tells what breaks, asks, and removes the CA.
pub(crate) fn carry_out(
    place: &Place,
    emergency: &Emergency<'_>,
    replace: Replace<'_>,
    look: Look,
    now: Timestamp,
) -> Result<String, Error> {
    edit_once(place, now, |pool| {
        let id = emergency.compromised.map_or_else(|| active(&pool, now), |id| Ok(id.to_owned()))?;
        let replacement = match pool.next_without(&id, now)? {
            ReplacementCa::None => Some(replace(&pool)?),
            replacement => emergency.check_nothing_is_ignored(&id, &replacement, place).map(|()| None)?,
        };
        let leaving = pool.leave_with(&id)?.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let change = Change { id: &id, replacement, keeps_unknown_anchors: emergency.keeps_unknown_anchors };
        let (changed, consequences) = preview(&place.label(), pool, change, look, now)?;
        confirm(&consequences, emergency.has_said_yes)?;
        let report = removed(&place.label(), &changed, &leaving, look, now);
        Ok((changed, report))
    })
}

impl Emergency<'_> {
    /// Whoever says which CA signs next, or what kind of CA, doesn't want the one that is there.
    fn check_nothing_is_ignored(
        &self,
        id: &str,
        replacement: &ReplacementCa,
        place: &Place,
    ) -> Result<(), Error> {
        let (replacement, stands) = match replacement {
            ReplacementCa::Active(replacement) => (replacement, "signs already"),
            ReplacementCa::Waiting(replacement) => (replacement, "is prepared already"),
            ReplacementCa::None => return Ok(()),
        };
        if self.replacement.is_empty() {
            return Ok(());
        }
        Err(Error::HasReplacement {
            options: self.replacement.join(", "),
            id: quote(id),
            replacement: quote(replacement),
            stands,
            arguments: place.arguments(),
        })
    }
}

fn active(pool: &CaPool, now: Timestamp) -> Result<String, Error> {
    let active = pool.schedule().active(now).map(|active| pool.authority(active).id().to_owned());
    active.ok_or(Error::WhichIsCompromised)
}

/// What becomes of a pool.
pub(crate) struct Change<'a> {
    /// The CA that leaves.
    pub(crate) id: &'a str,
    /// What takes its place, and the longest lifetime of its certificates.
    pub(crate) replacement: Option<(CertificateAuthority, Option<Duration>)>,
    pub(crate) keeps_unknown_anchors: bool,
}

/// The pool without the CA, and what breaks until when.
pub(crate) fn preview(
    label: &Label,
    pool: CaPool,
    change: Change<'_>,
    look: Look,
    now: Timestamp,
) -> Result<(CaPool, String), Error> {
    let Change { id, replacement, keeps_unknown_anchors } = change;
    let leaving = pool.leave_with(id)?;
    let names = leaving.iter().map(|id| name(id)).collect::<Vec<_>>().join(" and ");
    let head = format!("EMERGENCY: {names} will leave {} and the trust bundle now.", label.pool);
    let mut text = label.headline(look, Tone::Bad, &head);
    if leaving.len() > 1 {
        let why = format!(
            "They are under the same root as {}. While that is trusted, so is whatever the leaked key signs.",
            name(id)
        );
        text += &wrap_behind("", &why, look.width);
    }
    text += &format!("\n{}\n", look.paint(Tone::Heading, "What breaks, and until when"));
    text += &wrap_behind("  - ", &of_those_that_leave(&pool, &leaving, &names, now), look.width);
    let compromised = pool.authorities().find(|authority| authority.id() == id);
    let leave = compromised.zip(replacement.as_ref()).and_then(|(before, (new, _))| leave_taken(before, new));
    let before = Before::of(&pool, now);
    let changed = pool.without_compromised(id, replacement, now)?;
    let following = before.followed_by(&changed);
    let beginning = if following.breaks { "" } else { "Nothing else: " };
    text += &wrap_behind("  - ", &format!("{beginning}{}", following.text), look.width);
    text.extend(leave.map(|leave| wrap_behind("  - ", &leave, look.width)));
    if keeps_unknown_anchors {
        return Ok((changed.with_unknown_anchors(), text));
    }
    text += &wrap_behind("  - ", UNKNOWN_ANCHORS, look.width);
    Ok((changed, text))
}

fn of_those_that_leave(pool: &CaPool, leaving: &[&str], names: &str, now: Timestamp) -> String {
    let phases = pool.schedule().phases(now);
    let mut of_leaving =
        pool.authorities().zip(phases).filter(|(authority, _)| leaving.contains(&authority.id()));
    if of_leaving.all(|(_, phase)| matches!(phase, Phase::Prepared(Some(_)))) {
        return format!("Nothing of {names}: it hasn't signed yet.");
    }
    let end = last_leaf(pool, leaving, now);
    format!(
        "Certificates of {names} are refused: by each pod as soon as it has the new trust bundle, usually within 7 minutes. That ends for each pod when it gets its \
         next certificate. Kubelet fetches it about halfway through the lifetime of the one it has; the last would have expired at {end}. To end it sooner, restart \
         the pods when the new bundle is everywhere: kubectl rollout restart …"
    )
}

/// When the last certificate would have expired that one of these CAs can have issued.
fn last_leaf(pool: &CaPool, leaving: &[&str], now: Timestamp) -> String {
    let outlook = Outlook::new(pool, None, now);
    let indexes = || outlook.all().filter(|index| leaving.contains(&pool.authority(*index).id()));
    let end = indexes().map(|index| outlook.last_leaf_ends(index)).max().unwrap_or(now);
    let is_known = indexes().all(|index| outlook.windows()[index].max_leaf_lifetime.is_some());
    let hint = if is_known { "" } else { ", or sooner if the signer's maxLifetime is less" };
    format!("{}{hint}", minute_from_now(end, now))
}

fn removed(label: &Label, pool: &CaPool, leaving: &[String], look: Look, now: Timestamp) -> String {
    let names = leaving.iter().map(|id| name(id)).collect::<Vec<_>>().join(" and ");
    let verb = if leaving.len() == 1 { "has" } else { "have" };
    let outlook = Outlook::new(pool, Some(label.arguments.clone()), now);
    format!(
        "{}\n{}\n{}{}",
        label.headline(look, Tone::Heading, &format!("{names} {verb} left {}", label.pool)),
        standing(&outlook, look),
        timeline::draw(&outlook, look),
        schedule(&outlook, look),
    )
}
