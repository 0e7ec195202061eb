//! `signerctl ca-pool prune`.

use ca_pool::{CaPool, Phase, RotationError};
use clap::{ArgGroup, Args};
use jiff::Timestamp;

use crate::{
    commands::replacement::Before,
    report::outlook::{Outlook, name},
    report::page::{schedule, standing},
    store::cluster::ClusterArguments,
    store::edit::{edit, edit_once},
    store::place::{Label, Place, PlaceArguments},
    text::shell::quote,
    text::times::{minute, minute_from_now},
    text::wrap::wrap_behind,
};
use crate::{
    error::Error,
    terminal::{Look, Tone, confirm},
};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["name"]).multiple(true)))]
#[command(
    override_usage = "signerctl ca-pool prune (--file <PATH> | --namespace <NAMESPACE> --name <NAME>) [--ca-id <ID> [--force [--yes]]]"
)]
pub(crate) struct Prune {
    #[command(flatten)]
    place: PlaceArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// Remove this CA. Default: all that may go.
    #[arg(long, value_name = "ID")]
    ca_id: Option<String>,
    /// Remove it though it is still needed. Tells what breaks, and asks.
    #[arg(long, requires = "ca_id")]
    force: bool,
    /// Don't ask.
    #[arg(long, requires = "force")]
    yes: bool,
}

impl Prune {
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let place = self.place.place(self.cluster)?;
        match self.ca_id {
            None => prune_all(&place, look, now),
            Some(id) if self.force => prune_regardless(&place, &id, self.yes, look, now),
            Some(id) => edit(&place, now, |pool| {
                let changed = pool.without(&[&id], now).map_err(|error| refused(error, now))?;
                let report = removed(&place.label(), &changed, &[&id], look, now);
                Ok((changed, report))
            }),
        }
    }
}

fn prune_all(place: &Place, look: Look, now: Timestamp) -> Result<String, Error> {
    edit(place, now, |pool| {
        let ids: Vec<String> = pool.removable(now).into_iter().map(str::to_owned).collect();
        if ids.is_empty() {
            return Err(Error::NothingToPrune { when: first_to_go(&pool, now) });
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let changed = pool.without(&ids, now)?;
        let report = removed(&place.label(), &changed, &ids, look, now);
        Ok((changed, report))
    })
}

fn first_to_go(pool: &CaPool, now: Timestamp) -> String {
    let outlook = Outlook::new(pool, None, now);
    let next = outlook.all().filter_map(|index| Some((outlook.removable_at(index)?, index))).min();
    match next {
        Some((at, index)) => format!("{} can go from {} on", outlook.name(index), minute_from_now(at, now)),
        None => {
            "each CA of the pool is needed until it has a successor, which `signerctl ca-pool rotate` adds"
                .to_owned()
        }
    }
}

fn refused(error: RotationError, now: Timestamp) -> Error {
    match error {
        RotationError::StillNeeded { id, until, why } => Error::StillNeeded {
            until: until.map_or_else(
                || "it has a successor that signs".to_owned(),
                |until| minute_from_now(until, now),
            ),
            id,
            why,
        },
        other => other.into(),
    }
}

fn prune_regardless(
    place: &Place,
    id: &str,
    has_said_yes: bool,
    look: Look,
    now: Timestamp,
) -> Result<String, Error> {
    edit_once(place, now, |pool| {
        if pool.authorities().all(|authority| authority.id() == id) {
            return Err(Error::LastOne { place: place.to_string() });
        }
        let (changed, consequences) = preview(&place.label(), pool, id, look, now)?;
        confirm(&consequences, has_said_yes)?;
        let report = removed(&place.label(), &changed, &[id], look, now);
        Ok((changed, report))
    })
}

/// The pool without the CA, and what breaks until when.
pub(crate) fn preview(
    label: &Label,
    pool: CaPool,
    id: &str,
    look: Look,
    now: Timestamp,
) -> Result<(CaPool, String), Error> {
    let index = pool.position(id)?;
    let before = Before::of(&pool, now);
    let consequences = consequences(&Outlook::new(&pool, None, now), index);
    let signed = Outlook::new(&pool, None, now).phases[index] == Phase::Active;
    let changed = pool.without_regardless(&[id], now)?;
    let mut text = format!(
        "{}\n{}",
        label.headline(
            look,
            Tone::Bad,
            &format!("{} will leave {} now, though that is too early.", name(id), label.pool)
        ),
        wrap_behind("", &consequences, look.width)
    );
    if signed {
        text += &wrap_behind("", &before.followed_by(&changed).text, look.width);
    }
    Ok((changed, text))
}

fn consequences(outlook: &Outlook<'_>, index: usize) -> String {
    let (pool, id) = (outlook.pool, outlook.pool.authority(index).id());
    let root = pool.authority(index).root();
    let others = pool.authorities().filter(|other| other.id() != id && other.root() == root);
    let sharing: Vec<String> = others.map(|other| name(other.id())).collect();
    let end = outlook.last_leaf_ends(index);
    let refused = if sharing.is_empty() {
        format!(
            "Pods refuse its certificates as soon as they have the new trust bundle. The last of them would have expired at {}.",
            minute(end)
        )
    } else {
        format!(
            "Its root stays in the trust bundle, as {} is under it too, so its certificates are accepted as long as they live. If its key has leaked, that is too \
             long: use `signerctl ca-pool rotate --emergency --compromised {}`.",
            sharing.join(" and "),
            quote(id)
        )
    };
    match outlook.phases[index] {
        Phase::Removable => "Nothing breaks: no certificate of it lives any more.".to_owned(),
        Phase::Retiring(_) => refused,
        Phase::Active => format!("It is the one that signs. {refused}"),
        Phase::Prepared(None) => format!("It doesn't sign, but pods trust its root. {refused}"),
        Phase::Prepared(Some(from)) => format!(
            "It never signs then. Nothing breaks, unless it becomes active ({}) before all replicas of the signer know of this change, which takes them some minutes.",
            minute_from_now(from, outlook.now)
        ),
    }
}

fn removed(label: &Label, pool: &CaPool, ids: &[&str], look: Look, now: Timestamp) -> String {
    let outlook = Outlook::new(pool, Some(label.arguments.clone()), now);
    let names = ids.iter().map(|id| name(id)).collect::<Vec<_>>().join(" and ");
    let verb = if ids.len() == 1 { "has" } else { "have" };
    let head = format!("{names} {verb} left {}", label.pool);
    format!(
        "{}\n{}{}",
        label.headline(look, Tone::Heading, &head),
        standing(&outlook, look),
        schedule(&outlook, look)
    )
}
