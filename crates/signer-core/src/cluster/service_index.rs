//! The Services of all namespaces, kept by a watch.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use k8s_openapi::api::core::v1 as core;
use kube::runtime::watcher::Event;
use tokio::sync::{broadcast, watch};

use super::{Service, Services};

/// The Services of all namespaces. Cheap to clone: clones see the same Services.
#[derive(Clone, Debug)]
pub(crate) struct ServiceIndex {
    namespaces: Arc<RwLock<HashMap<String, Services>>>,
    changes: broadcast::Sender<String>,
    is_listed: watch::Sender<bool>,
}

/// A list of Services that is still arriving, by namespace.
pub(crate) type ListedServices = HashMap<String, Vec<Service>>;

/// Changes that may be outstanding before a listener has to look at everything again.
const OUTSTANDING_CHANGES: usize = 4096;

impl ServiceIndex {
    pub(crate) fn new() -> Self {
        Self {
            namespaces: Arc::default(),
            changes: broadcast::Sender::new(OUTSTANDING_CHANGES),
            is_listed: watch::Sender::new(false),
        }
    }

    /// Waits until it has been filled for the first time: before that, a Service that it lacks may exist all the same.
    pub(crate) async fn first_list(&self) {
        // the sender is `self`'s
        let _ = self.is_listed.subscribe().wait_for(|is_listed| *is_listed).await;
    }

    /// The Services of a namespace, as they were some moments ago.
    pub(crate) fn namespace(&self, namespace: &str) -> Services {
        let namespaces = self.namespaces.read().unwrap_or_else(PoisonError::into_inner);
        namespaces.get(namespace).cloned().unwrap_or_default()
    }

    /// Tells of each namespace in which a Service changes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<String> {
        self.changes.subscribe()
    }

    /// Takes in an event of the watch. A new list leaves the old Services in place until it has arrived; those it lacks go then.
    pub(crate) fn take(&self, event: Event<core::Service>, listed: &mut ListedServices) {
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(service) => {
                let (namespace, service) = entry(service);
                listed.entry(namespace).or_default().push(service);
            }
            Event::InitDone => {
                self.replace(std::mem::take(listed));
                self.is_listed.send_replace(true);
            }
            Event::Apply(service) => {
                let (namespace, service) = entry(service);
                self.write().entry(namespace.clone()).or_default().insert(service);
                self.tell(namespace);
            }
            Event::Delete(service) => {
                let (namespace, service) = entry(service);
                self.remove(&namespace, service.name());
                self.tell(namespace);
            }
        }
    }

    fn replace(&self, listed: ListedServices) {
        let mut namespaces = self.write();
        namespaces.retain(|namespace, services| {
            let remains = listed.contains_key(namespace);
            if !remains {
                services.replace([]);
            }
            remains
        });
        for (namespace, services) in listed {
            namespaces.entry(namespace.clone()).or_default().replace(services);
            self.tell(namespace);
        }
    }

    fn remove(&self, namespace: &str, name: &str) {
        let mut namespaces = self.write();
        let Some(services) = namespaces.get(namespace) else { return };
        services.remove(name);
        if services.is_empty() {
            namespaces.remove(namespace);
        }
    }

    fn tell(&self, namespace: String) {
        // nobody listens: nobody waits
        let _ = self.changes.send(namespace);
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Services>> {
        self.namespaces.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(service: core::Service) -> (String, Service) {
    (service.metadata.namespace.clone().unwrap_or_default(), service.into())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn what_it_lacks_counts_when_it_has_been_filled() {
        let (index, mut listed) = (ServiceIndex::new(), ListedServices::new());
        for event in [Event::Init, Event::InitApply(core::Service::default()), Event::Init] {
            index.take(event, &mut listed);
            assert!(index.first_list().now_or_never().is_none());
        }
        index.take(Event::InitDone, &mut listed);
        assert!(index.first_list().now_or_never().is_some());
        index.take(Event::Init, &mut listed);
        assert!(index.first_list().now_or_never().is_some());
    }
}
