//! Publishing a signer's trust anchors as a `ClusterTrustBundle`, and keeping them right.

mod desired;
mod memory;
mod published;
mod replaced;
mod told;

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use jiff::Timestamp;
use kube::{
    Api, Client,
    api::{ApiResource, PostParams},
    runtime::watcher::{self, Event},
};
use tokio::{sync::watch, time};

pub(crate) use self::{
    desired::{DesiredBundle, Repair},
    memory::Memory,
    published::Published,
};
use crate::{
    api::{ClusterTrustBundle, patience::in_time},
    ca_pool::PoolState,
    health::{Component, SignerHealth},
    signer_name::SignerName,
    watching::{Watched, is_status, watch},
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
    pub(crate) pool: watch::Receiver<PoolState>,
    /// Hears what is published, as the API server tells it.
    pub(crate) published: watch::Sender<Option<Published>>,
    pub(crate) health: SignerHealth,
    pub(crate) memory: Memory,
}

/// What is known of the bundle that the API server holds.
enum Seen {
    /// The watch hasn't told yet.
    Nothing,
    /// There is none.
    Absent,
    /// This one.
    Present(Box<ClusterTrustBundle>),
}

impl BundleKeeper {
    /// Creates the bundle, and repairs it whenever it or the pool changes. Ends when the API server doesn't serve this version any more.
    pub(crate) async fn keep(mut self) {
        let name = self.signer_name.bundle_name();
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let api = Api::all_with(self.client.clone(), &self.resource);
        let mut events =
            Box::pin(watch(api, config, Component::ClusterTrustBundles, vec![self.health.clone()]));
        let mut seen = Seen::Nothing;
        let mut listed = None;
        loop {
            self.remember(&seen);
            self.tell(&seen);
            // level-triggered: whatever woke the loop, it compares what is with what should be
            let is_settled = self.publish(&mut seen).await;
            self.remember(&seen);
            self.tell(&seen);
            tokio::select! {
                Some(watched) = events.next() => match watched {
                    Watched::Gone => return,
                    Watched::Event(event) => take(event, &mut seen, &mut listed),
                    // what can't be read can't be repaired, and what is known is compared when it is written
                    Watched::Unreadable(_) | Watched::Failing => {}
                },
                Ok(()) = self.pool.changed() => {}
                () = time::sleep(if is_settled { LOOK_AGAIN } else { BETWEEN_WRITES }) => {}
            }
        }
    }

    fn remember(&mut self, seen: &Seen) {
        match seen {
            Seen::Nothing => {}
            Seen::Absent => self.memory.note(None, Timestamp::now()),
            Seen::Present(bundle) => {
                self.memory.note(Some(&Published::of(bundle, &self.signer_name)), Timestamp::now());
            }
        }
    }

    /// Whether somebody else has to make the bundle anew. What it was holds until then.
    fn holds_back(&self) -> bool {
        let pool = self.pool.borrow().pool.clone();
        pool.is_some_and(|pool| self.memory.holds_back(&pool, Timestamp::now()))
    }

    /// Tells the controller what is published. What isn't known yet isn't told.
    fn tell(&self, seen: &Seen) {
        let published = match seen {
            Seen::Nothing => return,
            Seen::Absent if self.holds_back() => return,
            Seen::Absent => Published::default(),
            Seen::Present(bundle) => Published::of(bundle, &self.signer_name),
        };
        self.published.send_if_modified(|before| {
            let is_news = before.as_ref() != Some(&published);
            *before = Some(published);
            is_news
        });
    }

    /// Writes the bundle if it differs. False: it has to be tried again.
    async fn publish(&self, seen: &mut Seen) -> bool {
        let Some(pool) = self.pool.borrow().pool.clone() else { return true };
        let desired = DesiredBundle::new(&self.signer_name, &self.labels, &pool);
        let api: Api<ClusterTrustBundle> = Api::all_with(self.client.clone(), &self.resource);
        let now = Timestamp::now();
        let written = match seen {
            Seen::Nothing => return true,
            Seen::Absent if self.holds_back() => {
                self.health.warned(Component::TrustBundle, &self.left_to_others(pool.generation()));
                return false;
            }
            Seen::Absent => {
                in_time(api.create(&PostParams::default(), &desired.created(&self.resource, now))).await
            }
            Seen::Present(current) => match desired.repair(current, now) {
                Repair::InOrder => {
                    self.health.mended(Component::TrustBundle);
                    return true;
                }
                Repair::Settling => {
                    self.health.mended(Component::TrustBundle);
                    return false;
                }
                Repair::ForeignOwner(owner) => {
                    self.health.broken(Component::TrustBundle, &self.owned_by(&owner));
                    return true;
                }
                Repair::Newer(generation) => {
                    let has_none = Published::of(current, &self.signer_name).has_none_of(&pool);
                    let problem = self.lags_behind(pool.generation(), generation, has_none);
                    if has_none {
                        self.health.broken(Component::TrustBundle, &problem);
                    } else {
                        self.health.warned(Component::TrustBundle, &problem);
                    }
                    return true;
                }
                Repair::Write(repaired) => {
                    in_time(api.replace(&self.signer_name.bundle_name(), &PostParams::default(), &repaired))
                        .await
                }
            },
        };
        self.settle(written, seen).await
    }

    async fn settle(&self, written: kube::Result<ClusterTrustBundle>, seen: &mut Seen) -> bool {
        match written {
            Ok(bundle) => {
                tracing::info!(signer = %self.signer_name, bundle = self.signer_name.bundle_name(), "trust bundle written");
                *seen = Seen::Present(Box::new(bundle));
                self.health.mended(Component::TrustBundle);
                self.tell(seen);
                time::sleep(BETWEEN_WRITES).await;
                true
            }
            // somebody was faster; the watch brings what they wrote
            Err(error) if is_status(&error, 409) || is_status(&error, 404) => {
                *seen = Seen::Nothing;
                true
            }
            Err(error) => {
                self.health.broken(Component::TrustBundle, &self.refused(&error));
                false
            }
        }
    }
}

fn take(event: Event<ClusterTrustBundle>, seen: &mut Seen, listed: &mut Option<Box<ClusterTrustBundle>>) {
    match event {
        Event::Init => *listed = None,
        Event::InitApply(bundle) => *listed = Some(Box::new(bundle)),
        Event::InitDone => *seen = listed.take().map_or(Seen::Absent, Seen::Present),
        Event::Apply(bundle) => *seen = Seen::Present(Box::new(bundle)),
        Event::Delete(_) => *seen = Seen::Absent,
    }
}

#[cfg(test)]
mod desired_tests;
