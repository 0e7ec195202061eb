//! Publishing a signer's trust anchors as a `ClusterTrustBundle`, and keeping them right.

mod desired;
mod labels;
mod memory;
mod published;
mod replaced;
mod sight;
mod told;

use std::{collections::BTreeMap, time::Duration};

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
    desired::{DesiredBundle, Repair},
    memory::Memory,
    published::Published,
};
use self::{
    labels::Dispute,
    sight::{Seen, Sight},
};
use crate::{
    api::{
        ClusterTrustBundle,
        read::{Collection, ReadFrom, get, write},
    },
    ca_pool::{CaPool, PoolState},
    clock::Clock,
    health::{Component, SignerHealth},
    signer_name::SignerName,
    watching::{Watched, describe, is_status, watch},
};

/// Between two writes of one bundle. Replicas that see different versions of a pool for a moment don't fight faster than this.
const BETWEEN_WRITES: Duration = Duration::from_secs(5);

/// How often a bundle in order is looked at again: a root that is kept until its leaves have expired leaves it then.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);

/// Keeps the trust bundle of one signer.
pub(crate) struct BundleKeeper {
    pub(crate) client: Client,
    pub(crate) resource: ApiResource,
    pub(crate) signer_name: SignerName,
    pub(crate) labels: BTreeMap<String, String>,
    /// Since when this process runs: of replicas that want other labels, the one that started last has the newer configuration.
    pub(crate) started: Timestamp,
    pub(crate) clock: Clock,
    pub(crate) pool: watch::Receiver<PoolState>,
    /// Hears what is published, as the API server tells it.
    pub(crate) published: watch::Sender<Option<Published>>,
    pub(crate) health: SignerHealth,
    pub(crate) memory: Memory,
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

impl BundleKeeper {
    /// Creates the bundle, and repairs it whenever it or the pool changes. Ends when the API server doesn't serve this version any more.
    pub(crate) async fn keep(mut self) {
        let field_selector = Some(format!("metadata.name={}", self.name()));
        let bundles = Collection { field_selector, ..self.bundles() };
        let mut events = Box::pin(watch(bundles, Component::ClusterTrustBundles, vec![self.health.clone()]));
        let mut sight = Sight::default();
        let mut dispute = Dispute::default();
        loop {
            self.tell(&sight);
            // level-triggered: whatever woke the loop, it compares what is with what should be
            let next = self.publish(&mut sight, &mut dispute).await;
            self.tell(&sight);
            let wait = match next {
                Next::Event => LOOK_AGAIN,
                Next::Within(wait) => wait,
                Next::Written => {
                    time::sleep(BETWEEN_WRITES).await;
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                Some(watched) = events.next() => match watched {
                    Watched::Gone => return,
                    Watched::Event(event) => sight.take(event),
                    // what can't be read by the watch can't be repaired, and what is known of it gets old
                    Watched::Unreadable(_) | Watched::Failing => sight.take_read(self.read().await, Instant::now()),
                },
                Ok(()) = self.pool.changed() => {}
                () = until(sight.counts_until().filter(|_| self.published.borrow().is_some())) => {}
                () = time::sleep(wait) => {}
            }
        }
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
                tracing::info!(signer = %self.signer_name, "the trust bundle can't be read either: {why}");
                None
            }
        }
    }

    /// Whether somebody else has to make the bundle anew. What it was holds until then.
    fn holds_back(&self) -> bool {
        let pool = self.pool.borrow().pool.clone();
        pool.is_some_and(|pool| self.memory.holds_back(&pool, self.clock.now()))
    }

    /// Remembers what is published, and tells the controller. What isn't known yet isn't told; what doesn't count any more is taken back.
    fn tell(&mut self, sight: &Sight) {
        let published = match &sight.seen {
            Seen::Nothing => None,
            Seen::Absent => Some(Published::default()),
            Seen::Present(bundle) => Some(Published::of(bundle, &self.signer_name)),
        };
        if let Some(published) = &published {
            let bundle = matches!(sight.seen, Seen::Present(_)).then_some(published);
            self.memory.note(bundle, self.clock.now());
        }
        let is_left_to_others = matches!(sight.seen, Seen::Absent) && self.holds_back();
        let counts = sight.counts(Instant::now());
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
    async fn publish(&self, sight: &mut Sight, dispute: &mut Dispute) -> Next {
        let Some(pool) = self.pool.borrow().pool.clone() else { return Next::Event };
        let desired = || DesiredBundle::new(&self.signer_name, &self.labels, &pool).of_replica(self.started);
        // since when a root is published is written down for all replicas, and what isn't certain mustn't be
        let Some(now) = self.clock.certain() else { return Next::Within(BETWEEN_WRITES) };
        let current = match &sight.seen {
            Seen::Nothing => return Next::Event,
            Seen::Absent if self.holds_back() => {
                self.health.warned(Component::TrustBundle, &self.left_to_others(pool.generation()));
                return Next::Within(BETWEEN_WRITES);
            }
            Seen::Absent => {
                let created = desired().created(&self.resource, now);
                return self.settle(self.create(&created).await, sight);
            }
            Seen::Present(current) => current,
        };
        let repair = match desired().repair(current, now) {
            Repair::OthersLabels if dispute.is_over(now) => {
                desired().with_labels_of_its_own().repair(current, now)
            }
            repair => repair,
        };
        match repair {
            Repair::InOrder | Repair::Settling => {
                self.health.mended(Component::TrustBundle);
                dispute.settle();
                if matches!(repair, Repair::InOrder) { Next::Event } else { Next::Within(BETWEEN_WRITES) }
            }
            Repair::OthersLabels => {
                self.health.warned(Component::TrustBundle, &self.labelled_by_another());
                Next::Within(dispute.left(now))
            }
            Repair::ForeignOwner(owner) => {
                self.health.broken(Component::TrustBundle, &self.owned_by(&owner));
                Next::Event
            }
            Repair::Newer(generation) => {
                self.lag(current, &pool, generation);
                Next::Event
            }
            Repair::Write(repaired) => self.settle(self.replace(&repaired).await, sight),
        }
    }

    /// Says that the pool is older than the one of the bundle, or another one.
    fn lag(&self, current: &ClusterTrustBundle, pool: &CaPool, generation: u64) {
        let has_none = Published::of(current, &self.signer_name).has_none_of(pool);
        let problem = self.lags_behind(pool.generation(), generation, has_none);
        if has_none {
            self.health.broken(Component::TrustBundle, &problem);
        } else {
            self.health.warned(Component::TrustBundle, &problem);
        }
    }

    fn settle(&self, written: kube::Result<ClusterTrustBundle>, sight: &mut Sight) -> Next {
        match written {
            Ok(bundle) => {
                tracing::info!(signer = %self.signer_name, bundle = self.name(), "trust bundle written");
                sight.seen = Seen::Present(Box::new(bundle));
                self.health.mended(Component::TrustBundle);
                Next::Written
            }
            // somebody was faster; the watch brings what they wrote
            Err(error) if is_status(&error, 409) || is_status(&error, 404) => {
                sight.seen = Seen::Nothing;
                Next::Event
            }
            Err(error) => {
                self.health.broken(Component::TrustBundle, &self.refused(&error));
                Next::Within(BETWEEN_WRITES)
            }
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod desired_tests;
