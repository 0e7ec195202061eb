//! Publishing a signer's trust anchors as a `ClusterTrustBundle`, and keeping them right.

mod anchors;
mod changes;
mod deletion_record;
mod desired;
mod messages;
mod observed;
mod published;
mod replaced;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::StreamExt;
use jiff::Timestamp;
use kube::{
    Client, Resource,
    api::{ApiResource, PostParams},
    core::Request,
};
use tokio::{
    sync::watch,
    time::{self, Instant},
};

pub(crate) use self::{
    deletion_record::DeletionRecord,
    desired::{BundleAction, DesiredBundle},
    published::{Anchors, Published},
};
use self::{
    messages::What,
    observed::{Observed, Seen},
};
use crate::pool_source::PoolState;
use crate::{
    api::{
        ClusterTrustBundle,
        error::{describe, is_status},
        read::{Collection, ReadFrom, get, write},
    },
    clock::Clock,
    health::{Component, SignerHealth},
    metrics::{SignerMetrics, WatchMetrics},
    replicas::{Arrival, Replicas},
    timer::sleep_until,
    watching::{Watched, watch},
};
use ca_pool::CaPool;
use ca_pool::names::SignerName;

/// Between two writes of one bundle. Replicas that see different versions of a pool for a moment don't fight
/// faster than this.
const BETWEEN_WRITES: Duration = Duration::from_secs(5);

/// How often a bundle in order is looked at again: a root that is kept until its leaves have expired leaves
/// it then. (Where the pool tells when, it is looked at then.)
const LOOK_AGAIN: Duration = Duration::from_secs(3600);

/// How long a replica waits for the pool of a bundle that is newer before it says how to do without: kubelet
/// brings a changed Secret within that time.
const POOLS_ARRIVE_WITHIN: Duration = Duration::from_secs(150);

/// Keeps the trust bundle of one signer.
pub(crate) struct Publisher {
    pub(crate) client: Client,
    pub(crate) resource: ApiResource,
    pub(crate) signer_name: SignerName,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) clock: Clock,
    pub(crate) pool: watch::Receiver<PoolState>,
    /// Hears what is published, as the API server tells it.
    pub(crate) published: watch::Sender<Option<Published>>,
    pub(crate) replicas: Replicas,
    pub(crate) health: SignerHealth,
    pub(crate) deletion_record: DeletionRecord,
    pub(crate) metrics: SignerMetrics,
    pub(crate) watch_metrics: WatchMetrics,
}

/// What the comparisons before this one have left.
#[derive(Debug, Default)]
struct Progress {
    /// This replica has written its labels, or found them right.
    has_labelled: bool,
    /// Since when the bundle has to be written.
    due_since: Option<Instant>,
    /// Since when the bundle has been a newer pool's.
    lags_since: Option<Instant>,
    /// The pool and the bundle that were in order last.
    in_order: Option<(Arc<CaPool>, Box<ClusterTrustBundle>)>,
}

/// When the bundle is compared again with what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// When something happens.
    Event,
    /// When something happens, and after this time at the latest.
    Within(Duration),
    /// When something happens, but not before the time between two writes has passed.
    Written,
}

impl Publisher {
    /// Creates the bundle, and repairs it whenever it or the pool changes. Ends when the API server doesn't
    /// serve this version any more.
    pub(crate) async fn run(mut self) {
        let field_selector = Some(format!("metadata.name={}", self.name()));
        let bundles = Collection { field_selector, ..self.bundles() };
        let (health, metrics) = (vec![self.health.clone()], self.watch_metrics.clone());
        let mut events = Box::pin(watch(bundles, Component::ClusterTrustBundles, health, metrics));
        let mut observed = Observed::default();
        let mut progress = Progress::default();
        loop {
            // before a first bundle there is nothing to tell; it is a matter of milliseconds
            if self.pool.borrow().pool.is_none()
                || self.known(&observed).is_none_or(|known| !known.is_first())
            {
                self.notify(&observed);
            }
            // level-triggered: whatever woke the loop, it compares what is with what should be
            let next = self.publish(&mut observed, &mut progress).await;
            self.notify(&observed);
            let wait = match next {
                Next::Event => self.until_a_root_leaves(),
                Next::Within(wait) => wait,
                Next::Written => {
                    time::sleep(BETWEEN_WRITES).await;
                    self.until_a_root_leaves()
                }
            };
            tokio::select! {
                Some(watched) = events.next() => match watched {
                    Watched::Gone => return,
                    Watched::Event(event) => observed.take(event),
                    // what can't be read by the watch can't be repaired, and what is known of it gets old
                    Watched::Unreadable(_) | Watched::Failing => observed.take_read(self.read().await, Instant::now()),
                },
                Ok(()) = self.pool.changed() => {}
                () = sleep_until(observed.counts_until().filter(|_| self.published.borrow().is_some())) => {}
                () = time::sleep(wait) => {}
            }
        }
    }

    fn until_a_root_leaves(&self) -> Duration {
        let pool = self.pool.borrow().pool.clone();
        let Some((pool, now)) = pool.zip(self.clock.certain_for_removal()) else { return LOOK_AGAIN };
        let leaves_at = desired::next_to_leave(&pool, now);
        let wait = leaves_at.map_or(LOOK_AGAIN, |at| at.duration_since(now).unsigned_abs());
        wait.clamp(BETWEEN_WRITES, LOOK_AGAIN)
    }

    fn name(&self) -> String {
        self.signer_name.bundle_name()
    }

    fn bundles(&self) -> Collection {
        let path = ClusterTrustBundle::url_path(&self.resource, None);
        Collection { client: self.client.clone(), path, field_selector: None }
    }

    async fn create(&self, bundle: &ClusterTrustBundle) -> kube::Result<ClusterTrustBundle> {
        let body = serde_json::to_vec(bundle).map_err(kube::Error::SerdeError)?;
        let request = Request::new(self.bundles().path).create(&PostParams::default(), body);
        write(&self.client, request.map_err(kube::Error::BuildRequest)?).await
    }

    async fn replace(&self, bundle: &ClusterTrustBundle) -> kube::Result<ClusterTrustBundle> {
        let body = serde_json::to_vec(bundle).map_err(kube::Error::SerdeError)?;
        let request = Request::new(self.bundles().path).replace(&self.name(), &PostParams::default(), body);
        write(&self.client, request.map_err(kube::Error::BuildRequest)?).await
    }

    /// The bundle as it is now, or nothing if the API server doesn't say.
    async fn read(&self) -> Option<Option<ClusterTrustBundle>> {
        match get(&self.bundles(), &self.name(), ReadFrom::Quorum).await {
            Ok(bundle) => Some(bundle.map(|got| got.object)),
            Err(error) => {
                let why = describe(&error);
                // the watch has said what is wrong; this comes again with each of its attempts
                tracing::debug!(signer = %self.signer_name, "reading the trust bundle: {why}");
                None
            }
        }
    }

    /// Whether somebody else has to make the bundle anew. What it was holds until then.
    fn holds_back(&self) -> bool {
        let pool = self.pool.borrow().pool.clone();
        pool.is_some_and(|pool| self.deletion_record.holds_back(&pool, self.clock.now()))
    }

    /// What the bundle says, if anything is known of it.
    fn known(&self, observed: &Observed) -> Option<Published> {
        match &observed.seen {
            Seen::Nothing => None,
            Seen::Absent => Some(self.deletion_record.without_bundle()),
            Seen::Present(bundle) => Some(Published::of(bundle, &self.signer_name)),
        }
    }

    /// Remembers what is published, and tells the controller. What isn't known yet isn't told; what doesn't
    /// count any more is taken back.
    fn notify(&mut self, observed: &Observed) {
        let published = self.known(observed);
        if let Some(published) = &published {
            let bundle = matches!(observed.seen, Seen::Present(_)).then_some(published);
            self.deletion_record.note(bundle, self.clock.now());
        }
        let is_left_to_others = matches!(observed.seen, Seen::Absent) && self.holds_back();
        let counts = observed.counts(Instant::now());
        if counts && (published.is_none() || is_left_to_others) {
            return;
        }
        let published = published.filter(|_| counts);
        self.published.send_if_modified(|before| {
            let is_news = *before != published;
            *before = published;
            is_news
        });
    }

    /// Writes the bundle if it differs.
    async fn publish(&self, observed: &mut Observed, progress: &mut Progress) -> Next {
        let PoolState { pool, fitness, .. } = self.pool.borrow().clone();
        let Some(pool) = pool else { return Next::Event };
        let desired = DesiredBundle::new(&self.signer_name, &self.labels, &pool)
            .without_unneeded(&fitness, self.clock.certain_for_removal());
        let desired = if progress.has_labelled { desired.after_start() } else { desired };
        // since when a root is published is written down for all replicas, and what isn't certain mustn't be
        let (now, is_certain) = (self.clock.now(), self.clock.certain().is_some());
        let current = match &observed.seen {
            Seen::Nothing => return Next::Event,
            Seen::Absent if !is_certain => return Next::Within(BETWEEN_WRITES),
            Seen::Absent => return self.publish_new(&desired, &pool, observed, progress, now).await,
            Seen::Present(current) => current,
        };
        let before = progress.in_order.as_ref().filter(|(before, _)| Arc::ptr_eq(before, &pool));
        let repair = match before {
            Some((_, before)) => desired.repair_after(before, current, now),
            None => desired.repair(current, now),
        };
        if !matches!(repair, BundleAction::Newer(_)) {
            progress.lags_since = None;
        }
        if !matches!(repair, BundleAction::Write(_)) {
            progress.due_since = None;
        }
        match repair {
            BundleAction::InOrder | BundleAction::Settling => {
                self.works(current, &pool, now, None);
                progress.has_labelled = true;
                if matches!(repair, BundleAction::InOrder) {
                    progress.in_order = Some((Arc::clone(&pool), current.clone()));
                    Next::Event
                } else {
                    Next::Within(BETWEEN_WRITES)
                }
            }
            BundleAction::LabelsDiffer => {
                self.works(current, &pool, now, Some(self.labelled_by_another()));
                Next::Event
            }
            BundleAction::TooLarge(size) => {
                let complete = Published::of(current, &self.signer_name).has_all_of(&pool, now);
                self.failed(complete, &self.with_foreign(current, &pool, self.too_large(size)));
                Next::Event
            }
            BundleAction::ForeignOwner(owner) => {
                self.health.failed(Component::TrustBundle, &self.owned_by(&owner));
                Next::Event
            }
            BundleAction::NewerFormat(format) => {
                self.health.failed(Component::TrustBundle, &self.of_newer_format(format));
                Next::Event
            }
            BundleAction::Newer(generation) => self.lag(current, &pool, generation, progress),
            BundleAction::Write(_) if !is_certain => {
                let complete = Published::of(current, &self.signer_name).has_all_of(&pool, now);
                self.failed(complete, &self.waits_for_the_time());
                Next::Within(BETWEEN_WRITES)
            }
            BundleAction::Write(repaired) => {
                if let Some(wait) = self.wait_for_turn(&mut progress.due_since) {
                    return Next::Within(wait);
                }
                let changes = desired.changes(current, &repaired);
                let edits = before.map(|(_, before)| desired.changes(before, current));
                let what = match edits.filter(|edits| !edits.is_empty()) {
                    Some(edits) => What::Edited { edits, changes },
                    None => What::Changed(changes),
                };
                let mut written = self.replace(&repaired).await;
                if written.as_ref().is_err_and(is_too_large) {
                    tracing::warn!(
                        signer = %self.signer_name,
                        bundle = self.name(),
                        "labels and annotations of others fill the trust bundle; they are removed"
                    );
                    written = self.replace(&desired.stripped(&repaired)).await;
                }
                self.settle(written, &what, &pool, observed, progress, now)
            }
        }
    }

    /// Makes the bundle where there is none.
    async fn publish_new(
        &self,
        desired: &DesiredBundle<'_>,
        pool: &Arc<CaPool>,
        observed: &mut Observed,
        progress: &mut Progress,
        now: Timestamp,
    ) -> Next {
        if self.holds_back() {
            self.health.degraded(Component::TrustBundle, &self.left_to_others(pool.generation()));
            return Next::Within(BETWEEN_WRITES);
        }
        if let Some(size) = desired.too_large() {
            self.health.failed(Component::TrustBundle, &self.too_large(size));
            return Next::Event;
        }
        if let Some(wait) = self.wait_for_turn(&mut progress.due_since) {
            return Next::Within(wait);
        }
        let what = if self.deletion_record.was_published() { What::MadeAnew } else { What::First };
        let created = desired.created(&self.resource, now);
        self.settle(self.create(&created).await, &what, pool, observed, progress, now)
    }

    /// How long other replicas have for the write, before this one does it.
    fn wait_for_turn(&self, due_since: &mut Option<Instant>) -> Option<Duration> {
        let now = Instant::now();
        let since = *due_since.get_or_insert(now);
        let turn = self.replicas.turn(&self.name(), Arrival::LATEST, since);
        (turn > now).then(|| turn - now)
    }

    /// Says that the pool is older than the one of the bundle, or another one.
    fn lag(
        &self,
        current: &ClusterTrustBundle,
        pool: &CaPool,
        generation: u64,
        progress: &mut Progress,
    ) -> Next {
        let has_none = Published::of(current, &self.signer_name).has_none_of(pool);
        let waits_for = POOLS_ARRIVE_WITHIN
            .saturating_sub(progress.lags_since.get_or_insert_with(Instant::now).elapsed());
        let problem = self.lags_behind(pool.generation(), generation, has_none, waits_for.is_zero());
        self.failed(!has_none, &self.with_foreign(current, pool, problem));
        if waits_for.is_zero() { Next::Event } else { Next::Within(waits_for) }
    }

    /// Notes that the bundle is as it should be, or as far as another replica lets it; and which anchors it
    /// has that no CA of the pool does.
    fn works(&self, bundle: &ClusterTrustBundle, pool: &CaPool, now: Timestamp, warning: Option<String>) {
        let published = Published::of(bundle, &self.signer_name);
        let retained = published.to_keep(pool, now);
        let foreign = published.foreign(pool);
        self.metrics.retained_anchors(foreign.len());
        let anchors = match retained.len() == foreign.len() {
            true => self.retains(&retained),
            false => self.has_foreign(&foreign),
        };
        let warnings: Vec<String> = anchors.into_iter().chain(warning).collect();
        match warnings.as_slice() {
            [] => self.health.recovered(Component::TrustBundle),
            warnings => self.health.degraded(Component::TrustBundle, &warnings.join("; ")),
        }
    }

    /// A problem, and the anchors of the bundle that no CA of the pool has: whoever looks into the one must
    /// see the others.
    fn with_foreign(&self, bundle: &ClusterTrustBundle, pool: &CaPool, problem: String) -> String {
        let foreign = Published::of(bundle, &self.signer_name).foreign(pool);
        self.metrics.retained_anchors(foreign.len());
        match self.has_foreign(&foreign) {
            Some(anchors) => format!("{problem}; {anchors}"),
            None => problem,
        }
    }

    /// Notes what is wrong. A signer serves as long as its CA is published.
    fn failed(&self, serves: bool, problem: &str) {
        if serves {
            self.health.degraded(Component::TrustBundle, problem);
        } else {
            self.health.failed(Component::TrustBundle, problem);
        }
    }

    fn settle(
        &self,
        written: kube::Result<ClusterTrustBundle>,
        what: &What,
        pool: &Arc<CaPool>,
        observed: &mut Observed,
        progress: &mut Progress,
        now: Timestamp,
    ) -> Next {
        match written {
            Ok(bundle) => {
                self.metrics.bundle_written(true);
                self.say_written(what);
                progress.has_labelled = true;
                progress.due_since = None;
                self.works(&bundle, pool, now, None);
                progress.in_order = Some((Arc::clone(pool), Box::new(bundle.clone())));
                observed.seen = Seen::Present(Box::new(bundle));
                Next::Written
            }
            // somebody was faster; the watch brings what they wrote
            Err(error) if is_status(&error, 409) || is_status(&error, 404) => {
                observed.seen = Seen::Nothing;
                Next::Event
            }
            Err(error) => {
                self.metrics.bundle_written(false);
                // as issuing has it: pods go on with what they have
                let serves = self.known(observed).is_some_and(|known| known.choose(pool, now).is_ok());
                self.failed(serves, &self.refused(&error));
                Next::Within(BETWEEN_WRITES)
            }
        }
    }
}

/// Whether the API server refuses an object for its size: too many bytes of annotations, of the request, or
/// for etcd.
fn is_too_large(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let says = |text| status.message.to_lowercase().contains(text);
    status.code == 413 || [422, 500].contains(&status.code) && (says("too long") || says("too large"))
}

#[cfg(test)]
mod tests;
