//! The CA pool that a signer may use, and what is wrong with it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::watch, task::spawn_blocking, time::timeout};

use super::exclusive::{Claim, Claims};
use crate::pool_source::DEFAULT_POLL;
use crate::pool_source::PoolState;
use crate::{
    clock::Clock,
    health::{Component, SignerHealth},
    metrics::SignerMetrics,
    trust_bundle::Published,
};
use ca_pool::names::SignerName;
use ca_pool::{Assessment, AutomaticRotation, CaPool, Fitness, Leaf, NoSigningCa, near};

/// What a signer issues, and what is done about its pool without people.
pub(crate) struct Issued {
    pub(crate) examples: Arc<[Leaf]>,
    pub(crate) max_lifetime: Duration,
    pub(crate) automatic_rotation: Option<AutomaticRotation>,
}

/// Whose pool is guarded, and who hears of it.
pub(crate) struct Guarded {
    pub(crate) signer: SignerName,
    pub(crate) issued: Issued,
    pub(crate) claims: Claims,
    pub(crate) published: watch::Receiver<Option<Published>>,
    pub(crate) clock: Clock,
    pub(crate) health: SignerHealth,
    pub(crate) metrics: SignerMetrics,
}

/// The pools of `pools` that share nothing with another signer's. What is wrong with a pool, for a signer
/// that issues this, becomes a matter of health. The future does the work.
pub(crate) fn pool_guard(
    mut pools: watch::Receiver<PoolState>,
    guarded: Guarded,
) -> (watch::Receiver<PoolState>, impl Future<Output = ()> + Send + 'static) {
    let Guarded { signer, issued, claims, published, clock, health, metrics } = guarded;
    let (send, own) = watch::channel(PoolState::default());
    let check = async move {
        let mut hindrance = None;
        // ends with the last who wants the pool, or with the one who reads it
        while !send.is_closed() {
            let state = accept(pools.borrow_and_update().clone(), &send.borrow(), &signer, &claims);
            let known = send.borrow().clone();
            let Some(state) = examined(state, &known, &issued.examples).await else { return };
            let now = clock.now();
            let before = hindrance.take();
            let seen = published.borrow().clone();
            hindrance = hindrance_of(&state, seen.as_ref(), now);
            // a bundle follows its pool after seconds: whatever is gone at the next look needs no word
            let lasting = hindrance.filter(|_| hindrance == before);
            report(&state, lasting, &issued, seen.as_ref(), now, &health);
            let is_good = state.problem.is_none() && state.pool.is_some();
            let is_known = state.problem.is_some() || state.pool.is_some();
            if send.send_if_modified(|current| replace_if_other(current, state)) && is_known {
                metrics.pool_reloaded(is_good);
            }
            // looked at again after a while: another signer may have given up what both had, and each CA
            // comes to its end
            if let Ok(Err(_)) = timeout(DEFAULT_POLL, pools.changed()).await {
                return;
            }
        }
    };
    (own, check)
}

/// A new pool, unless it is older than the one in use, or another signer has a key or root of it; then the
/// one in use stays.
fn accept(read: PoolState, in_use: &PoolState, signer: &SignerName, claims: &Claims) -> PoolState {
    let Some(pool) = &read.pool else { return read };
    if let Some(newer) = in_use.pool.as_ref().filter(|in_use| pool.yields_to(in_use)) {
        return PoolState { problem: Some(yields(pool, newer)), ..in_use.clone() };
    }
    match claims.claim(signer, Claim::of(pool)) {
        Ok(()) => read,
        Err(other) => PoolState {
            problem: Some(format!(
                "the CA pool shares a key or a root with that of the signer {other}; give each signer a CA of its own (signerctl \
                 ca-pool create makes one), and list its root in no rootFile of another: each would vouch for the other's names"
            )),
            ..in_use.clone()
        },
    }
}

/// The same with what others make of the pool, which is found out once for each: it takes signatures. Nothing
/// where the process ends.
async fn examined(state: PoolState, known: &PoolState, examples: &Arc<[Leaf]>) -> Option<PoolState> {
    let fitness = match (&state.pool, &known.pool) {
        (None, _) => Arc::default(),
        (Some(pool), Some(before)) if Arc::ptr_eq(pool, before) => known.fitness.clone(),
        (Some(pool), _) => {
            let (pool, examples) = (pool.clone(), examples.clone());
            Arc::new(spawn_blocking(move || pool.fitness(&examples)).await.ok()?)
        }
    };
    Some(PoolState { fitness, ..state })
}

fn yields(pool: &CaPool, newer: &CaPool) -> String {
    format!(
        "the CA pool that is there now (generation {}) is older than the one in use (generation {}), or another one. Put the newer one back: it is lost when \
         this process ends. If the other one is meant, restart the manager (docs/ca-rotation.md, \"A wrong pool\", says what happens then)",
        pool.generation(),
        newer.generation()
    )
}

fn replace_if_other(current: &mut PoolState, state: PoolState) -> bool {
    let pools = (current.pool.as_ref().map(Arc::as_ptr), state.pool.as_ref().map(Arc::as_ptr));
    let is_other = pools.0 != pools.1 || current.problem != state.problem;
    *current = state;
    is_other
}

/// Why none of its CAs may sign, as far as that is known.
fn hindrance_of(state: &PoolState, published: Option<&Published>, now: Timestamp) -> Option<NoSigningCa> {
    published?.choose_for(&state.fitness, state.pool.as_deref()?, now).err()
}

fn report(
    state: &PoolState,
    hindrance: Option<NoSigningCa>,
    issued: &Issued,
    published: Option<&Published>,
    now: Timestamp,
    health: &SignerHealth,
) {
    let component = Component::CertificateAuthority;
    let Some(pool) = &state.pool else {
        return state.problem.iter().for_each(|problem| health.failed(component, problem));
    };
    let broken = hindrance.filter(|hindrance| !passes(hindrance, now)).map(unsigned);
    let fitness = match published {
        Some(published) => state.fitness.beside(pool, published.beside(pool)),
        None => Fitness::clone(&state.fitness),
    };
    let assessment = pool.assess(&fitness, Some(issued.max_lifetime), now);
    let findings = findings_of(&assessment);
    if let Some(problem) = findings.as_ref().filter(|_| assessment.is_outage) {
        return health.failed(component, problem);
    }
    if let Some(problem) = assessment.exhausted.as_ref().map(ToString::to_string).or(broken) {
        return health.failed(component, &problem);
    }
    let kept = state.problem.as_ref().map(|problem| format!("{problem}; the last good pool stays in use"));
    // none of these keeps a rollout from going on
    let passing =
        kept.or_else(|| hindrance.map(unsigned)).or_else(|| warning(pool, &assessment, issued, now));
    // these may stay for long, so they hide nothing else
    let all: Vec<String> = findings.into_iter().chain(passing).collect();
    if all.is_empty() { health.recovered(component) } else { health.degraded(component, &all.join("; ")) }
}

fn unsigned(hindrance: NoSigningCa) -> String {
    format!("no certificates are issued now: {hindrance}")
}

/// Whether a signer only waits, and nobody has to do anything. An activation that is further off than pods need to
/// know a root is somebody's mistake.
fn passes(hindrance: &NoSigningCa, now: Timestamp) -> bool {
    match hindrance {
        NoSigningCa::Spreading { .. } => true,
        NoSigningCa::NotYet { from } => *from <= near(now),
        _ => false,
    }
}

/// What is wrong, or soon will be, with a pool that can sign.
fn warning(pool: &CaPool, assessment: &Assessment, issued: &Issued, now: Timestamp) -> Option<String> {
    let urgent = assessment.warnings.first().map(|(_, warning)| warning.to_string());
    urgent.or_else(|| Some(issued.automatic_rotation.as_ref()?.warning(pool, now)?.to_string()))
}

/// The most findings that are shown at once; `signerctl ca-pool show` has all.
const MOST: usize = 4;

/// What verifiers and the API server refuse of its CAs.
fn findings_of(Assessment { findings, .. }: &Assessment) -> Option<String> {
    let mut texts: Vec<String> = findings.iter().take(MOST).map(ToString::to_string).collect();
    if let Some(more) = findings.len().checked_sub(MOST).filter(|more| *more > 0) {
        texts.push(format!("and {more} more, which `signerctl ca-pool show` lists"));
    }
    (!texts.is_empty()).then(|| texts.join("; "))
}

#[cfg(test)]
mod tests;
