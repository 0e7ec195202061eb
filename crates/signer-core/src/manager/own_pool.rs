//! The CA pool that a signer may use, and what is wrong with it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::watch, time::timeout};

use super::{
    exclusive::{Roots, fingerprints},
    misfits::told,
};
use crate::{
    authority::CertificateAuthority,
    ca_pool::{CaPool, DEFAULT_POLL, NoChoice, PoolState, Upkeep, near},
    health::{Component, Severity, SignerHealth},
    issue::{IssueError, Terms},
    profile::LeafProfile,
    signer_name::SignerName,
    trust_bundle::Published,
};

/// What a signer issues, and what is done about its pool without people.
pub(crate) struct Issued {
    pub(crate) profiles: Arc<[LeafProfile]>,
    pub(crate) max_lifetime: Duration,
    pub(crate) upkeep: Option<Upkeep>,
}

/// The pools of `pools` whose keys and roots no other signer has. What is wrong with a pool, for a signer that issues this, becomes a matter of health.
pub(crate) fn own_pool(
    mut pools: watch::Receiver<PoolState>,
    signer: SignerName,
    issued: Issued,
    roots: Roots,
    published: watch::Receiver<Option<Published>>,
    health: SignerHealth,
) -> watch::Receiver<PoolState> {
    let (send, own) = watch::channel(PoolState::default());
    tokio::spawn(async move {
        let mut hindrance = None;
        // ends with the last who wants the pool, or with the one who reads it
        while !send.is_closed() {
            let state = accept(pools.borrow_and_update().clone(), &send.borrow(), &signer, &roots);
            let now = Timestamp::now();
            let before = hindrance.take();
            hindrance = hindrance_of(&state, &issued, published.borrow().as_ref(), now);
            // a bundle follows its pool after seconds: whatever is gone at the next look needs no word
            let lasting = hindrance.filter(|_| hindrance == before);
            report(&state, lasting, &issued, now, &health);
            send.send_if_modified(|current| replace_if_other(current, state));
            // looked at again after a while: another signer may have given up what both had, and each CA comes to its end
            if let Ok(Err(_)) = timeout(DEFAULT_POLL, pools.changed()).await {
                return;
            }
        }
    });
    own
}

/// A new pool, unless it is older than the one in use, or another signer has a key or root of it; then the one in use stays.
fn accept(read: PoolState, in_use: &PoolState, signer: &SignerName, roots: &Roots) -> PoolState {
    let Some(pool) = &read.pool else { return read };
    if let Some(newer) = in_use.pool.as_ref().filter(|in_use| pool.yields_to(in_use)) {
        return PoolState { pool: Some(newer.clone()), problem: Some(yields(pool, newer)) };
    }
    match roots.claim(signer, &fingerprints(pool)) {
        Ok(()) => read,
        Err(other) => PoolState {
            pool: in_use.pool.clone(),
            problem: Some(format!(
                "the CA pool shares a key or a root with that of the signer {other}; give each signer a CA of its own \
                 (signerctl ca-pool create makes one)"
            )),
        },
    }
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
fn hindrance_of(
    state: &PoolState,
    issued: &Issued,
    published: Option<&Published>,
    now: Timestamp,
) -> Option<NoChoice> {
    published?.choose_for(&issued.profiles, state.pool.as_deref()?, now).err()
}

fn report(
    state: &PoolState,
    hindrance: Option<NoChoice>,
    issued: &Issued,
    now: Timestamp,
    health: &SignerHealth,
) {
    let component = Component::CertificateAuthority;
    let Some(pool) = &state.pool else {
        return state.problem.iter().for_each(|problem| health.broken(component, problem));
    };
    let broken = hindrance.filter(|hindrance| !passes(hindrance, now)).map(unsigned);
    let misfit = match told(pool, &issued.profiles, now) {
        Some((Severity::Error, problem)) => return health.broken(component, &problem),
        Some((Severity::Warning, warning)) => Some(warning),
        None => None,
    };
    if let Some(problem) = exhausted(pool, now).or(broken) {
        return health.broken(component, &problem);
    }
    let kept = state.problem.as_ref().map(|problem| format!("{problem}; the last good pool stays in use"));
    // none of these keeps a rollout from going on
    let passing = kept.or_else(|| hindrance.map(unsigned)).or_else(|| warning(pool, issued, now));
    // a misfit may stay for long, so it hides nothing else
    let all: Vec<String> = misfit.into_iter().chain(passing).collect();
    if all.is_empty() { health.mended(component) } else { health.warned(component, &all.join("; ")) }
}

fn unsigned(hindrance: NoChoice) -> String {
    format!("no certificates are issued now: {hindrance}")
}

/// Whether a signer only waits, and nobody has to do anything. A turn that is further off than pods need to know a root is somebody's mistake.
fn passes(hindrance: &NoChoice, now: Timestamp) -> bool {
    match hindrance {
        NoChoice::Spreading { .. } => true,
        NoChoice::NotYet { from: Some(from) } | NoChoice::Gap { from } => *from <= near(now),
        _ => false,
    }
}

/// What is wrong, or soon will be, with a pool that can sign.
fn warning(pool: &CaPool, issued: &Issued, now: Timestamp) -> Option<String> {
    let urgent = pool.warnings(now, issued.max_lifetime).into_iter().next();
    let urgent =
        urgent.or_else(|| issued.upkeep.as_ref()?.warning(pool, now)).map(|warning| warning.to_string());
    urgent.or_else(|| pool.authorities().find_map(CertificateAuthority::caveat))
}

/// Why no CA of a pool can sign, if none can.
fn exhausted(pool: &CaPool, now: Timestamp) -> Option<String> {
    let least = now.checked_add(Terms::LEAST_LIFETIME).unwrap_or(Timestamp::MAX);
    if pool.authorities().any(|authority| authority.not_before() <= now && least <= authority.not_after()) {
        return None;
    }
    let last = pool.authorities().max_by_key(|authority| authority.not_after())?;
    let (authority, not_before, not_after) = (last.to_string(), last.not_before(), last.not_after());
    let problem = if now < not_before {
        IssueError::AuthorityNotYetValid { authority, not_before }
    } else {
        IssueError::AuthorityExpiring { authority, not_after }
    };
    Some(problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{authority::fixtures::TestCa, ca_pool::PROPAGATION, health::Health};

    fn issued() -> Issued {
        Issued { profiles: Arc::new([]), max_lifetime: Duration::from_secs(86_400), upkeep: None }
    }

    fn pool(of_years: &[(i32, i32)]) -> CaPool {
        let authorities = of_years.iter().enumerate().map(|(i, (begin, end))| {
            let root = TestCa::root_with(&format!("root {i}"), |params| {
                params.not_before = rcgen::date_time_ymd(*begin, 1, 1);
                params.not_after = rcgen::date_time_ymd(*end, 1, 1);
            });
            let key = root.signing_key();
            crate::CertificateAuthority::new(i.to_string(), key, vec![], vec![root.certificate()]).unwrap()
        });
        CaPool::new(authorities.collect()).unwrap()
    }

    #[test]
    fn a_pool_is_exhausted_when_none_of_its_cas_can_sign_the_shortest_leaf() {
        let problem = |pool: &CaPool, now: &str| exhausted(pool, now.parse().unwrap());
        let pool = pool(&[(2020, 2024), (2022, 2026)]);
        assert_eq!(problem(&pool, "2025-12-31T23:00:00Z"), None);
        let end = problem(&pool, "2025-12-31T23:00:01Z").unwrap();
        assert!(end.contains("can't sign any more") && end.contains("ends at 2026-01-01T00:00:00Z"), "{end}");
        assert_eq!(problem(&pool, "2021-12-31T23:59:59Z"), None);
        let beginning = problem(&self::pool(&[(2022, 2026)]), "2021-12-31T23:59:59Z").unwrap();
        assert!(beginning.contains("is valid from 2022-01-01T00:00:00Z on"), "{beginning}");
    }

    #[test]
    fn a_pool_of_which_none_signs_is_said_and_only_what_does_not_pass_makes_unready() {
        let (all, signer) = (Health::default(), "example.com/a".parse().unwrap());
        let health = all.signer(&signer, &[Component::CertificateAuthority]);
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let state = PoolState { pool: Some(Arc::new(pool(&[(2020, 2030)]))), problem: None };
        let of = |hindrance| {
            report(&state, hindrance, &issued(), now, &health);
            let mut report = all.report();
            let signer = report.signers.remove(0);
            (report.is_ready, signer.problems.concat() + &signer.warnings.concat())
        };
        assert_eq!(of(None), (true, String::new()));
        let (soon, far) = (now + PROPAGATION, now + PROPAGATION * 2);
        for passing in [
            NoChoice::Spreading { known: soon },
            NoChoice::NotYet { from: Some(soon) },
            NoChoice::Gap { from: soon },
        ] {
            let (is_ready, said) = of(Some(passing));
            assert!(is_ready && said.contains("no certificates are issued now"), "{said}");
        }
        for lasting in [
            NoChoice::Unpublished,
            NoChoice::Dropped,
            NoChoice::NotYet { from: Some(far) },
            NoChoice::Gap { from: far },
        ] {
            let (is_ready, said) = of(Some(lasting));
            assert!(!is_ready && said.contains("no certificates are issued now"), "{said}");
        }
        assert_eq!(of(None), (true, String::new()));
    }

    #[test]
    fn a_pool_that_keeps_itself_and_waits_for_people_is_ready_and_says_so() {
        let (all, signer) = (Health::default(), "example.com/a".parse().unwrap());
        let health = all.signer(&signer, &[Component::CertificateAuthority]);
        let (root, day) = (TestCa::root("Corporate Root"), Duration::from_secs(86_400));
        let issuing = root.issue("issuing");
        let pool = CaPool::new(vec![issuing.authority(&[&issuing], &root)]).unwrap();
        let now = pool.signing().not_after() - day * 30;
        let state = PoolState { pool: Some(Arc::new(pool)), problem: None };
        let upkeep = Upkeep {
            signer,
            key_type: crate::SigningKeyType::Ed25519,
            validity: Upkeep::DEFAULT_VALIDITY,
            longest_leaf: day,
            propagation: Upkeep::DEFAULT_PROPAGATION,
        };
        let warnings = |upkeep| {
            report(&state, None, &Issued { max_lifetime: day, upkeep, ..issued() }, now, &health);
            let mut report = all.report();
            (report.is_ready, report.signers.remove(0).warnings.concat())
        };
        assert_eq!(warnings(None), (true, String::new()));
        let (is_ready, warned) = warnings(Some(upkeep));
        assert!(is_ready && warned.contains("an intermediate under CN=Corporate Root"), "{warned}");
    }

    #[test]
    fn nothing_hinders_a_pool_whose_bundle_is_not_there_yet_or_not_known() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let state = PoolState { pool: Some(Arc::new(pool(&[(2020, 2030)]))), problem: None };
        assert_eq!(hindrance_of(&state, &issued(), None, now), None);
        assert_eq!(hindrance_of(&state, &issued(), Some(&Published::default()), now), None);
    }

    #[test]
    fn what_stays_the_same_is_no_news() {
        let pool = Arc::new(pool(&[(2020, 2024)]));
        let state =
            |problem: Option<&str>| PoolState { pool: Some(pool.clone()), problem: problem.map(Into::into) };
        let mut current = PoolState::default();
        assert!(replace_if_other(&mut current, state(None)));
        assert!(!replace_if_other(&mut current, state(None)));
        assert!(replace_if_other(&mut current, state(Some("bad"))));
    }

    #[test]
    fn an_older_pool_does_not_take_the_place_of_a_newer_one() {
        let (roots, signer) = (Roots::default(), "example.com/a".parse().unwrap());
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let read = |pool: &Arc<CaPool>| PoolState { pool: Some(pool.clone()), problem: None };
        let copy = |pool: &CaPool| CaPool::from_json(&pool.to_json().unwrap()).unwrap();
        let (uncounted, other) = (Arc::new(pool(&[(2020, 2030)])), Arc::new(pool(&[(2020, 2030)])));
        let older = Arc::new(copy(&uncounted).with_longest_leaf(Duration::from_secs(7200), now));
        let newer = Arc::new(copy(&older).with_longest_leaf(Duration::from_secs(9000), now));
        for behind in [&uncounted, &other, &older] {
            let kept = accept(read(behind), &read(&newer), &signer, &roots);
            assert!(Arc::ptr_eq(&kept.pool.unwrap(), &newer));
            assert!(kept.problem.unwrap().contains("older than the one in use"));
        }
        for (in_use, follows) in [(&older, &newer), (&newer, &newer), (&uncounted, &other)] {
            let taken = accept(read(follows), &read(in_use), &signer, &roots);
            assert!(Arc::ptr_eq(&taken.pool.unwrap(), follows) && taken.problem.is_none());
        }
    }

    #[test]
    fn a_ca_of_another_signer_is_refused_until_that_one_gives_it_up() {
        let roots = Roots::default();
        let (a, b) = ("example.com/a".parse().unwrap(), "example.com/b".parse().unwrap());
        let read = |pool: &Arc<CaPool>| PoolState { pool: Some(pool.clone()), problem: None };
        let (shared, other) = (Arc::new(pool(&[(2020, 2024)])), Arc::new(pool(&[(2020, 2024)])));
        let unused = PoolState::default();
        assert!(accept(read(&shared), &unused, &a, &roots).pool.is_some());
        let refused = accept(read(&shared), &unused, &b, &roots);
        assert!(
            refused.pool.is_none() && refused.problem.unwrap().contains("that of the signer example.com/a")
        );
        accept(read(&other), &unused, &a, &roots);
        assert!(accept(read(&shared), &unused, &b, &roots).problem.is_none());
    }
}
