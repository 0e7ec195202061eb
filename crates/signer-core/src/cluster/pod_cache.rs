//! The pods that start right now, kept by a watch.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use kube::runtime::watcher::Event;
use tokio::sync::{broadcast, watch};

use super::Pod;
use crate::{
    api::object::{ObjectName, Unreadable},
    watching::Watched,
};
use ca_pool::names::SignerName;

/// The pods that are pending, have a node, and ask one of these signers for a certificate: those whose first
/// certificate is due. A running pod's refresh isn't found here. Cheap to clone: clones see the same pods.
#[derive(Clone, Debug)]
pub(crate) struct PodCache {
    signers: Arc<[SignerName]>,
    pods: Arc<RwLock<PodsByName>>,
    changes: broadcast::Sender<PodKey>,
    is_listed: watch::Sender<bool>,
    is_current: Arc<AtomicBool>,
}

type PodsByName = HashMap<PodKey, Arc<Pod>>;

/// The watch that feeds the cache.
pub(crate) const PENDING_PODS: &str = "status.phase=Pending,spec.nodeName!=";

/// Changes that may be outstanding before a listener has to look at everything again.
const OUTSTANDING_CHANGES: usize = 4096;

/// The largest pod that is kept, by what its author has written into it; a larger one is read when it is
/// needed.
const LARGEST_KEPT: usize = 8 * 1024;

/// Names a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PodKey {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl PodCache {
    pub(crate) fn new(signers: impl IntoIterator<Item = SignerName>) -> Self {
        Self {
            signers: signers.into_iter().collect(),
            pods: Arc::default(),
            changes: broadcast::Sender::new(OUTSTANDING_CHANGES),
            is_listed: watch::Sender::new(false),
            is_current: Arc::default(),
        }
    }

    /// Waits until it has been filled for the first time: before that, each pod would cost a call.
    pub(crate) async fn first_list(&self) {
        // the sender is `self`'s
        let _ = self.is_listed.subscribe().wait_for(|is_listed| *is_listed).await;
    }

    /// The pod as it was some moments ago; none while the watch fails, since nothing tells how old what is
    /// known is.
    pub(crate) fn get(&self, key: &PodKey) -> Option<Arc<Pod>> {
        if !self.is_current.load(Ordering::Relaxed) {
            return None;
        }
        self.pods.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Tells of each pod that appears or changes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<PodKey> {
        self.changes.subscribe()
    }

    /// Takes in what the watch brings. A new list leaves the old pods in place until it has arrived; those it
    /// lacks go then.
    pub(crate) fn take(&self, watched: Watched<Pod>, listed: &mut PodsByName) {
        let event = match watched {
            Watched::Event(event) => event,
            Watched::Unreadable(Unreadable { name: ObjectName { namespace, name }, .. }) => {
                return self.remove(PodKey { namespace, name });
            }
            Watched::Failing | Watched::Gone => return self.is_current.store(false, Ordering::Relaxed),
        };
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(pod) => {
                listed.extend(self.is_kept(&pod).then(|| (PodKey::of(&pod), Arc::new(pod))))
            }
            Event::InitDone => {
                let keys: HashSet<_> = listed.keys().cloned().collect();
                let before = std::mem::replace(&mut *self.write(), std::mem::take(listed));
                self.is_current.store(true, Ordering::Relaxed);
                let gone = before.into_keys().filter(|key| !keys.contains(key)).collect::<Vec<_>>();
                keys.into_iter().chain(gone).for_each(|key| self.tell(key));
                self.is_listed.send_replace(true);
            }
            Event::Apply(pod) if self.is_kept(&pod) => {
                let key = PodKey::of(&pod);
                self.write().insert(key.clone(), Arc::new(pod));
                self.tell(key);
            }
            // what was known of it doesn't hold any more
            Event::Apply(pod) if self.is_ours(&pod) => self.remove(PodKey::of(&pod)),
            Event::Apply(_) => {}
            Event::Delete(pod) => self.remove(PodKey::of(&pod)),
        }
    }

    fn remove(&self, key: PodKey) {
        self.write().remove(&key);
        self.tell(key);
    }

    fn is_ours(&self, pod: &Pod) -> bool {
        self.signers.iter().any(|signer| pod.asks_for(signer.as_str()))
    }

    fn is_kept(&self, pod: &Pod) -> bool {
        self.is_ours(pod) && pod.size() <= LARGEST_KEPT
    }

    fn tell(&self, key: PodKey) {
        // nobody listens: nobody waits
        let _ = self.changes.send(key);
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, PodsByName> {
        self.pods.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PodKey {
    fn of(pod: &Pod) -> Self {
        Self { namespace: pod.namespace.clone(), name: pod.name.clone() }
    }
}

#[cfg(test)]
mod tests;
