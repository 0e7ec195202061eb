//! Consistent reads of a namespace's Services: shared by all who ask at the same time, and few at once,
//! whatever tenants ask for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use kube::Client;
use tokio::{sync::Semaphore, time::timeout};

use super::{Services, services::NamespacedService};
use crate::api::{
    read::{Collection, List, Listed},
    timeout::LIST,
};

/// Lists that are read at once, in the whole process.
const AT_ONCE: usize = 2;

/// The most Services of a namespace that are held against its pods.
const MOST_SERVICES: usize = 50_000;

/// Reads Services. Cheap to clone: clones share their reads.
#[derive(Clone)]
pub(crate) struct ServiceReads {
    client: Client,
    places: Arc<Semaphore>,
    /// By namespace, the read that hasn't begun: it will be fresh enough for all who ask until then.
    next: Arc<Mutex<HashMap<String, WeakShared<Read>>>>,
}

type Read = BoxFuture<'static, Result<Services, Arc<kube::Error>>>;

/// An error of a read that several wait for.
#[derive(Debug, thiserror::Error)]
#[error("a list that others asked for too")]
struct SharedError(#[source] Arc<kube::Error>);

impl ServiceReads {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, places: Arc::new(Semaphore::new(AT_ONCE)), next: Arc::default() }
    }

    /// The Services of a namespace, as they are at some time after this was called.
    pub(crate) async fn of(&self, namespace: &str) -> kube::Result<Services> {
        self.next(namespace).await.map_err(|error| match &*error {
            kube::Error::Api(status) => kube::Error::Api(status.clone()),
            _ => kube::Error::Service(SharedError(error).into()),
        })
    }

    fn next(&self, namespace: &str) -> Shared<Read> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = next.get(namespace).and_then(WeakShared::upgrade) {
            return read;
        }
        // those that everybody gave up
        next.retain(|_, read| read.upgrade().is_some());
        let read = self.clone().read(namespace.to_owned()).boxed().shared();
        next.extend(read.downgrade().map(|weak| (namespace.to_owned(), weak)));
        read
    }

    async fn read(self, namespace: String) -> Result<Services, Arc<kube::Error>> {
        // the semaphore is never closed
        let _place = self.places.acquire().await.ok();
        self.next.lock().unwrap_or_else(PoisonError::into_inner).remove(&namespace);
        let read = timeout(LIST, list(&self.client, &namespace)).await;
        let slow = || {
            let why =
                format!("the Services of namespace {namespace} couldn't be read within {} s", LIST.as_secs());
            Err(kube::Error::Service(why.into()))
        };
        read.unwrap_or_else(|_| slow()).map_err(Arc::new)
    }
}

/// Each Service is reduced to what counts when it arrives. One that can't be read makes the answer
/// incomplete, so it is an error.
async fn list(client: &Client, namespace: &str) -> kube::Result<Services> {
    let path = format!("/api/v1/namespaces/{namespace}/services");
    let mut list: List<NamespacedService> =
        List::new(Collection { client: client.clone(), path, field_selector: None });
    let mut services = Vec::new();
    while let Listed::Items(items) = list.next().await? {
        for item in items {
            services.push(item?.service);
        }
        if services.len() > MOST_SERVICES {
            let why = format!(
                "namespace {namespace} has more than {MOST_SERVICES} Services, and at most that many are read; delete unused ones, or move the pod to another namespace"
            );
            return Err(kube::Error::Service(why.into()));
        }
    }
    Ok(services.into_iter().collect())
}

#[cfg(test)]
mod tests;
