//! What is known of each signer at a moment: for metrics, and for people who look.

mod metrics;
mod page;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

pub(crate) use self::page::page;
use crate::{
    clock::Clock,
    controller::{
        decision_log::{DecisionLog, Recorded},
        pending::{Backlog, Pending, WaitingRequest},
    },
    health::{EndedTasks, Health, SignerReport, TaskEnd},
    pool_source::PoolState,
    replicas::{ReplicaName, Replicas},
    trust_bundle::{Anchors, Published},
};
use ca_pool::{NextStep, Phase, names::SignerName};

/// All signers of a process, to be looked at. Cheap to clone: clones look at the same.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    clock: Clock,
    replica: ReplicaName,
    health: Health,
    ended: EndedTasks,
    signers: Arc<Mutex<BTreeMap<SignerName, Sources>>>,
}

/// Where a signer's state is.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) pool: watch::Receiver<PoolState>,
    pub(crate) published: watch::Receiver<Option<Published>>,
    pub(crate) replicas: Replicas,
    pub(crate) decisions: DecisionLog,
    /// Those of the version of the API that is served now; nobody's while it is being discovered.
    pub(crate) pending: Weak<Pending>,
}

/// What a signer does at a moment.
#[derive(Debug)]
pub(crate) struct SignerOverview {
    pub(crate) name: SignerName,
    pub(crate) authorities: Vec<AuthorityOverview>,
    pub(crate) anchors: Anchors,
    pub(crate) backlog: Backlog,
}

/// What the status page shows.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) now: Timestamp,
    pub(crate) machine_ahead: Option<SignedDuration>,
    pub(crate) replica: ReplicaName,
    pub(crate) is_ready: bool,
    pub(crate) ended: Vec<TaskEnd>,
    pub(crate) signers: Vec<SignerStatus>,
}

/// What it shows of one signer.
#[derive(Debug)]
pub(crate) struct SignerStatus {
    pub(crate) report: SignerReport,
    /// None before it runs.
    pub(crate) overview: Option<SignerOverview>,
    pub(crate) others: Vec<ReplicaName>,
    pub(crate) waiting: Vec<WaitingRequest>,
    pub(crate) decisions: Vec<Recorded>,
}

/// A CA of a signer's pool.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AuthorityOverview {
    pub(crate) id: String,
    pub(crate) phase: Phase,
    pub(crate) next: Option<(NextStep, Timestamp)>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) signs_from: Option<Timestamp>,
    pub(crate) signs_until: Timestamp,
    pub(crate) trusted_until: Option<Timestamp>,
}

/// More CAs than any pool needs: what is shown stays bounded.
const MOST_AUTHORITIES: usize = 16;
/// As many waiting requests as somebody reads.
const MOST_WAITING: usize = 50;

impl Overview {
    pub(crate) fn new(clock: Clock, replica: ReplicaName, health: Health, ended: EndedTasks) -> Self {
        Self { clock, replica, health, ended, signers: Arc::default() }
    }

    /// A signer runs.
    pub(crate) fn add(&self, signer: SignerName, sources: Sources) {
        self.lock().insert(signer, sources);
    }

    /// These are the requests that a signer serves from now on.
    pub(crate) fn serves(&self, signer: &SignerName, pending: &Arc<Pending>) {
        if let Some(sources) = self.lock().get_mut(signer) {
            sources.pending = Arc::downgrade(pending);
        }
    }

    /// By how much this machine's clock is ahead of the API server's; nothing while that isn't known.
    pub(crate) fn machine_ahead(&self) -> Option<SignedDuration> {
        self.clock.is_known().then(|| self.clock.machine_ahead())
    }

    /// All that the status page shows.
    pub(crate) fn status(&self) -> Status {
        let (now, report, ended) = (self.clock.now(), self.health.report(), self.ended.list());
        let sources = self.lock();
        let of = |report: SignerReport| {
            let sources = sources.get(&report.name);
            SignerStatus {
                overview: sources.map(|sources| sources.look(&report.name, now)),
                others: sources.map(|sources| sources.replicas.others()).unwrap_or_default(),
                waiting: sources.map(Sources::waiting).unwrap_or_default(),
                decisions: sources.map(|sources| sources.decisions.latest()).unwrap_or_default(),
                report,
            }
        };
        Status {
            now,
            machine_ahead: self.machine_ahead(),
            replica: self.replica.clone(),
            is_ready: report.is_ready_with(&ended),
            ended,
            signers: report.signers.into_iter().map(of).collect(),
        }
    }

    /// All signers that run, by name.
    pub(crate) fn signers(&self) -> Vec<SignerOverview> {
        let now = self.clock.now();
        self.lock().iter().map(|(name, sources)| sources.look(name, now)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SignerName, Sources>> {
        self.signers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sources {
    fn waiting(&self) -> Vec<WaitingRequest> {
        self.pending.upgrade().map(|pending| pending.oldest(MOST_WAITING)).unwrap_or_default()
    }

    fn look(&self, name: &SignerName, now: Timestamp) -> SignerOverview {
        let pool = self.pool.borrow().pool.clone();
        let anchors = match (self.published.borrow().as_ref(), &pool) {
            (Some(published), Some(pool)) => published.count_anchors(pool),
            _ => Anchors::default(),
        };
        let backlog = self.pending.upgrade().map(|pending| pending.backlog()).unwrap_or_default();
        let authorities = pool.map(|pool| authorities(&pool, now)).unwrap_or_default();
        SignerOverview { name: name.clone(), authorities, anchors, backlog }
    }
}

fn authorities(pool: &ca_pool::CaPool, now: Timestamp) -> Vec<AuthorityOverview> {
    let schedule = pool.schedule();
    let both = pool.authorities().zip(schedule.windows()).take(MOST_AUTHORITIES);
    let all = both.map(|(authority, window)| AuthorityOverview {
        id: authority.id().to_string(),
        phase: window.phase(now),
        next: window.next_step(now),
        not_before: window.not_before,
        not_after: window.not_after,
        signs_from: window.from,
        signs_until: window.until,
        trusted_until: window.trusted_until,
    });
    all.collect()
}
