//! The Services of all namespaces, kept by a watch.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use k8s_openapi::api::core::v1 as core;
use kube::runtime::watcher::Event;
use tokio::sync::{broadcast, watch};

use super::{Service, Services};
use crate::watching::{ObjectName, Watched};

/// The Services of all namespaces. Cheap to clone: clones see the same Services.
#[derive(Clone, Debug)]
pub(crate) struct ServiceIndex {
    namespaces: Arc<RwLock<HashMap<String, Services>>>,
    changes: broadcast::Sender<String>,
    is_listed: watch::Sender<bool>,
    is_current: Arc<AtomicBool>,
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
            is_current: Arc::default(),
        }
    }

    /// Waits until it has been filled for the first time: before that, a Service that it lacks may exist all the same.
    pub(crate) async fn first_list(&self) {
        // the sender is `self`'s
        let _ = self.is_listed.subscribe().wait_for(|is_listed| *is_listed).await;
    }

    /// The Services of a namespace, as they were some moments ago; unknown while the watch fails, since nothing tells how old what is known is.
    pub(crate) fn namespace(&self, namespace: &str) -> Option<Services> {
        if !self.is_current.load(Ordering::Relaxed) {
            return None;
        }
        let namespaces = self.namespaces.read().unwrap_or_else(PoisonError::into_inner);
        Some(namespaces.get(namespace).cloned().unwrap_or_default())
    }

    /// Tells of each namespace in which a Service changes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<String> {
        self.changes.subscribe()
    }

    /// Takes in what the watch brings. A new list leaves the old Services in place until it has arrived; those it lacks go then.
    pub(crate) fn take(&self, watched: Watched<core::Service>, listed: &mut ListedServices) {
        let event = match watched {
            Watched::Event(event) => event,
            Watched::Unreadable(ObjectName { namespace, name }) => return self.remove(namespace, &name),
            Watched::Failing | Watched::Gone => return self.is_current.store(false, Ordering::Relaxed),
        };
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(service) => {
                let (namespace, service) = entry(service);
                listed.entry(namespace).or_default().push(service);
            }
            Event::InitDone => {
                self.replace(std::mem::take(listed));
                self.is_current.store(true, Ordering::Relaxed);
                self.is_listed.send_replace(true);
            }
            Event::Apply(service) => {
                let (namespace, service) = entry(service);
                self.write().entry(namespace.clone()).or_default().insert(service);
                self.tell(namespace);
            }
            Event::Delete(service) => {
                let (namespace, service) = entry(service);
                self.remove(namespace, service.name());
            }
        }
    }

    fn replace(&self, listed: ListedServices) {
        let mut namespaces = self.write();
        namespaces.retain(|namespace, services| {
            let remains = listed.contains_key(namespace);
            if !remains {
                services.replace([]);
                self.tell(namespace.clone());
            }
            remains
        });
        for (namespace, services) in listed {
            namespaces.entry(namespace.clone()).or_default().replace(services);
            self.tell(namespace);
        }
    }

    fn remove(&self, namespace: String, name: &str) {
        let mut namespaces = self.write();
        let Some(services) = namespaces.get(&namespace) else { return };
        services.remove(name);
        if services.is_empty() {
            namespaces.remove(&namespace);
        }
        drop(namespaces);
        self.tell(namespace);
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

    fn service(namespace: &str, name: &str) -> core::Service {
        serde_json::from_value(serde_json::json!({
            "metadata": {"namespace": namespace, "name": name}, "spec": {"selector": {"app": "web"}},
        }))
        .unwrap()
    }

    fn listed(index: &ServiceIndex, services: impl IntoIterator<Item = core::Service>) {
        let mut listed = ListedServices::new();
        index.take(Watched::Event(Event::Init), &mut listed);
        for service in services {
            index.take(Watched::Event(Event::InitApply(service)), &mut listed);
        }
        index.take(Watched::Event(Event::InitDone), &mut listed);
    }

    fn count(index: &ServiceIndex) -> Option<usize> {
        let labels = [("app".to_owned(), "web".to_owned())].into();
        index.namespace("shop").map(|services| services.selecting(&labels).len())
    }

    #[test]
    fn what_it_lacks_counts_when_it_has_been_filled() {
        let (index, mut listed) = (ServiceIndex::new(), ListedServices::new());
        for event in [Event::Init, Event::InitApply(core::Service::default()), Event::Init] {
            index.take(Watched::Event(event), &mut listed);
            assert!(index.first_list().now_or_never().is_none());
        }
        index.take(Watched::Event(Event::InitDone), &mut listed);
        assert!(index.first_list().now_or_never().is_some());
        index.take(Watched::Event(Event::Init), &mut listed);
        assert!(index.first_list().now_or_never().is_some());
    }

    #[test]
    fn while_the_watch_fails_nothing_is_known() {
        let index = ServiceIndex::new();
        listed(&index, [service("shop", "web")]);
        assert_eq!(count(&index), Some(1));
        index.take(Watched::Failing, &mut ListedServices::new());
        assert_eq!(count(&index), None);
        listed(&index, []);
        assert_eq!(count(&index), Some(0));
    }

    #[test]
    fn what_cannot_be_read_is_not_known_as_it_was() {
        let index = ServiceIndex::new();
        listed(&index, [service("shop", "web"), service("shop", "api")]);
        let name = ObjectName { namespace: "shop".into(), name: "web".into() };
        index.take(Watched::Unreadable(name), &mut ListedServices::new());
        assert_eq!(count(&index), Some(1));
    }

    #[test]
    fn a_namespace_that_a_new_list_lacks_has_changed() {
        let index = ServiceIndex::new();
        listed(&index, [service("shop", "web")]);
        let mut changes = index.changes();
        listed(&index, []);
        assert_eq!(changes.try_recv(), Ok("shop".to_owned()));
    }
}
