//! Reads of pods and Services: from memory where that will do, from the API server where it must be certain.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::StreamExt;
use kube::{Client, api::GetParams, core::Request};
use tokio::time::timeout;

use super::{
    Namespace, Pod, PodPhase, Services,
    pod_cache::{PENDING_PODS, PodCache, PodKey},
    service_index::{ListedServices, ServiceIndex},
    service_reads::ServiceReads,
};
use crate::{
    api::{
        answer::{MemoryPermit, call_unread},
        error::is_status,
        read::{Collection, ReadFrom, get},
        timeout::with_timeout,
    },
    health::{Component, SignerHealth},
    metrics::WatchMetrics,
    watching::watch,
};

/// How fresh an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// As it was some moments ago: enough to issue, or to wait.
    Recent,
    /// As it is: nothing is denied or dropped on less.
    Consistent,
}

/// A pod; what is read of a large one keeps its place in memory until this is dropped.
#[derive(Debug)]
pub(crate) struct ReadPod {
    pub(crate) pod: Arc<Pod>,
    _place: Option<MemoryPermit>,
}

/// How long the first lists are waited for. What they would have brought is read from the API server then, by
/// each request for itself.
const FIRST_LISTS: Duration = Duration::from_secs(60);

/// Reads pods and Services.
#[derive(Clone)]
pub(crate) struct ClusterReader {
    client: Client,
    pods: PodCache,
    services: ServiceIndex,
    service_reads: ServiceReads,
}

impl ClusterReader {
    pub(crate) fn new(client: Client, pods: PodCache) -> Self {
        let service_reads = ServiceReads::new(client.clone());
        Self { client, pods, services: ServiceIndex::new(), service_reads }
    }

    pub(crate) fn pods(&self) -> &PodCache {
        &self.pods
    }

    pub(crate) fn services(&self) -> &ServiceIndex {
        &self.services
    }

    /// Waits until pods, and Services if they are wanted, have been listed for the first time, but not for
    /// ever.
    pub(crate) async fn first_lists(&self, with_services: bool) {
        let lists = async {
            self.pods.first_list().await;
            if with_services {
                self.services.first_list().await;
            }
        };
        if timeout(FIRST_LISTS, lists).await.is_err() {
            tracing::warn!(
                "pods or Services couldn't be listed for {} s; requests are answered with reads of their own until they can",
                FIRST_LISTS.as_secs()
            );
        }
    }

    /// The pod of this name; with `Recent`, a cached one only if it has this UID.
    pub(crate) async fn pod(
        &self,
        key: &PodKey,
        uid: &str,
        freshness: Freshness,
    ) -> kube::Result<Option<ReadPod>> {
        if freshness == Freshness::Recent
            && let Some(pod) =
                self.pods.get(key).filter(|pod| pod.uid == uid && pod.phase == PodPhase::Pending)
        {
            return Ok(Some(ReadPod { pod, _place: None }));
        }
        let from = match freshness {
            Freshness::Recent => ReadFrom::Cache,
            Freshness::Consistent => ReadFrom::Quorum,
        };
        let pods = self.collection(&format!("/api/v1/namespaces/{}/pods", key.namespace));
        let pod = get::<Pod>(&pods, &key.name, from).await?;
        Ok(pod.map(|got| ReadPod { pod: Arc::new(got.object), _place: got.place }))
    }

    /// The Services of a namespace.
    ///
    /// # Errors
    /// If they can't be read, or one of them can't: then it isn't known which of them select a pod.
    pub(crate) async fn services_of(&self, namespace: &str, freshness: Freshness) -> kube::Result<Services> {
        if freshness == Freshness::Recent
            && let Some(services) = self.services.namespace(namespace)
        {
            return Ok(services?);
        }
        self.service_reads.of(namespace).await
    }

    /// A namespace, as it is now. No cache will do: one that is behind shows the UID of a namespace of the same
    /// name that is gone, and so the identity of whoever had that.
    pub(crate) async fn namespace(&self, name: &str) -> kube::Result<Option<Namespace>> {
        let got = get::<Namespace>(&self.collection("/api/v1/namespaces"), name, ReadFrom::Quorum).await?;
        Ok(got.map(|got| got.object))
    }

    /// Whether the API server has a Service of this name, now. One that can't be read exists too, so nothing
    /// of it is parsed.
    pub(crate) async fn service_exists(&self, namespace: &str, name: &str) -> kube::Result<bool> {
        let requests = Request::new(format!("/api/v1/namespaces/{namespace}/services"));
        let get = requests.get_metadata(name, &GetParams::default()).map_err(kube::Error::BuildRequest)?;
        match with_timeout(call_unread(&self.client, get)).await {
            Ok(()) => Ok(true),
            Err(error) if is_status(&error, 404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Keeps the cache of starting pods. Never ends.
    pub(crate) async fn keep_pods(self, health: Vec<SignerHealth>, metrics: WatchMetrics) {
        let pods =
            Collection { field_selector: Some(PENDING_PODS.to_owned()), ..self.collection("/api/v1/pods") };
        let mut events = Box::pin(watch(pods, Component::Pods, health, metrics));
        let mut listed = HashMap::new();
        while let Some(watched) = events.next().await {
            self.pods.take(watched, &mut listed);
        }
    }

    /// Keeps the index of Services. Never ends.
    pub(crate) async fn keep_services(self, health: Vec<SignerHealth>, metrics: WatchMetrics) {
        let services = self.collection("/api/v1/services");
        let mut events = Box::pin(watch(services, Component::Services, health, metrics));
        let mut listed = ListedServices::default();
        while let Some(watched) = events.next().await {
            self.services.take(watched, &mut listed);
        }
    }

    fn collection(&self, path: &str) -> Collection {
        Collection { client: self.client.clone(), path: path.to_owned(), field_selector: None }
    }
}

#[cfg(test)]
mod tests;
