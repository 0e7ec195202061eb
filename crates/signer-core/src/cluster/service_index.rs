//! The Services of all namespaces, kept by a watch.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use kube::runtime::watcher::Event;
use tokio::sync::{broadcast, watch};

use super::{Service, Services, services::NamespacedService};
use crate::{api::object::Unreadable, watching::Watched};

/// The Services of all namespaces. Cheap to clone: clones see the same Services.
#[derive(Clone, Debug)]
pub(crate) struct ServiceIndex {
    namespaces: Arc<RwLock<HashMap<String, Namespace>>>,
    changes: broadcast::Sender<String>,
    is_listed: watch::Sender<bool>,
    is_current: Arc<AtomicBool>,
}

/// The Services of one namespace, and by name those that exist but can't be read.
#[derive(Debug, Default)]
struct Namespace {
    services: Services,
    unreadable: BTreeMap<String, Unreadable>,
}

/// A list of Services that is still arriving, by namespace.
#[derive(Debug, Default)]
pub(crate) struct ListedServices {
    is_arriving: bool,
    namespaces: HashMap<String, ListedNamespace>,
}

#[derive(Debug, Default)]
struct ListedNamespace {
    services: Vec<Service>,
    unreadable: BTreeMap<String, Unreadable>,
}

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

    /// Waits until it has been filled for the first time: before that, a Service that it lacks may exist all
    /// the same.
    pub(crate) async fn first_list(&self) {
        // the sender is `self`'s
        let _ = self.is_listed.subscribe().wait_for(|is_listed| *is_listed).await;
    }

    /// The Services of a namespace, as they were some moments ago; unknown while the watch fails, since
    /// nothing tells how old what is known is.
    ///
    /// # Errors
    /// If one of them can't be read: whether it selects a pod isn't known then.
    pub(crate) fn namespace(&self, namespace: &str) -> Option<Result<Services, Unreadable>> {
        if !self.is_current.load(Ordering::Relaxed) {
            return None;
        }
        let namespaces = self.namespaces.read().unwrap_or_else(PoisonError::into_inner);
        let Some(namespace) = namespaces.get(namespace) else { return Some(Ok(Services::default())) };
        Some(match namespace.unreadable.values().next() {
            Some(unreadable) => Err(unreadable.clone()),
            None => Ok(namespace.services.clone()),
        })
    }

    /// Tells of each namespace in which a Service changes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<String> {
        self.changes.subscribe()
    }

    /// Takes in what the watch brings. A new list leaves the old Services in place until it has arrived;
    /// those it lacks go then.
    pub(crate) fn take(&self, watched: Watched<NamespacedService>, listed: &mut ListedServices) {
        let event = match watched {
            Watched::Event(event) => event,
            Watched::Unreadable(unreadable) if listed.is_arriving => {
                let (namespace, name) = key(&unreadable);
                listed.namespaces.entry(namespace).or_default().unreadable.insert(name, unreadable);
                return;
            }
            Watched::Unreadable(unreadable) => {
                let (namespace, name) = key(&unreadable);
                return self.change(namespace, |known| {
                    known.services.remove(&name);
                    known.unreadable.insert(name, unreadable);
                });
            }
            Watched::Failing | Watched::Gone => return self.is_current.store(false, Ordering::Relaxed),
        };
        match event {
            Event::Init => *listed = ListedServices { is_arriving: true, ..ListedServices::default() },
            Event::InitApply(NamespacedService { namespace, service }) => {
                listed.namespaces.entry(namespace).or_default().services.push(service);
            }
            Event::InitDone => {
                self.replace(std::mem::take(listed).namespaces);
                self.is_current.store(true, Ordering::Relaxed);
                self.is_listed.send_replace(true);
            }
            Event::Apply(NamespacedService { namespace, service }) => self.change(namespace, |known| {
                known.unreadable.remove(service.name());
                known.services.insert(service);
            }),
            Event::Delete(NamespacedService { namespace, service }) => self.change(namespace, |known| {
                known.unreadable.remove(service.name());
                known.services.remove(service.name());
            }),
        }
    }

    fn replace(&self, listed: HashMap<String, ListedNamespace>) {
        let mut namespaces = self.write();
        namespaces.retain(|namespace, known| {
            let remains = listed.contains_key(namespace);
            if !remains {
                known.services.replace([]);
                self.tell(namespace.clone());
            }
            remains
        });
        for (namespace, ListedNamespace { services, unreadable }) in listed {
            let known = namespaces.entry(namespace.clone()).or_default();
            known.services.replace(services);
            known.unreadable = unreadable;
            self.tell(namespace);
        }
    }

    fn change(&self, namespace: String, change: impl FnOnce(&mut Namespace)) {
        let mut namespaces = self.write();
        let known = namespaces.entry(namespace.clone()).or_default();
        change(known);
        if known.services.is_empty() && known.unreadable.is_empty() {
            namespaces.remove(&namespace);
        }
        drop(namespaces);
        self.tell(namespace);
    }

    fn tell(&self, namespace: String) {
        // nobody listens: nobody waits
        let _ = self.changes.send(namespace);
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Namespace>> {
        self.namespaces.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(unreadable: &Unreadable) -> (String, String) {
    (unreadable.name.namespace.clone(), unreadable.name.name.clone())
}

#[cfg(test)]
mod tests;
