//! Reads of pods and Services: from memory where that will do, from the API server where it must be certain.

use std::{collections::HashMap, sync::Arc};

use futures::StreamExt;
use k8s_openapi::api::core::v1 as core;
use kube::{
    Api, Client,
    api::{GetParams, ListParams, Resource},
    core::Request,
    runtime::watcher,
};

use super::{
    Pod, PodPhase, Services,
    pod_cache::{PENDING_PODS, PodCache, PodKey},
    service_index::ServiceIndex,
};
use crate::{
    api::patience::in_time,
    health::{Component, SignerHealth},
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

/// A list of whatever.
#[derive(serde::Deserialize)]
struct AnyItems {
    items: Vec<serde::de::IgnoredAny>,
}

/// Reads pods and Services.
#[derive(Clone)]
pub(crate) struct ClusterReader {
    client: Client,
    pods: PodCache,
    services: ServiceIndex,
}

impl ClusterReader {
    pub(crate) fn new(client: Client, pods: PodCache) -> Self {
        Self { client, pods, services: ServiceIndex::new() }
    }

    pub(crate) fn pods(&self) -> &PodCache {
        &self.pods
    }

    pub(crate) fn services(&self) -> &ServiceIndex {
        &self.services
    }

    /// Waits until pods, and Services if they are wanted, have been listed for the first time.
    pub(crate) async fn first_lists(&self, with_services: bool) {
        self.pods.first_list().await;
        if with_services {
            self.services.first_list().await;
        }
    }

    /// The pod of this name; with `Recent`, a cached one only if it has this UID.
    pub(crate) async fn pod(
        &self,
        key: &PodKey,
        uid: &str,
        freshness: Freshness,
    ) -> kube::Result<Option<Arc<Pod>>> {
        if freshness == Freshness::Recent
            && let Some(pod) =
                self.pods.get(key).filter(|pod| pod.uid == uid && pod.phase == PodPhase::Pending)
        {
            return Ok(Some(pod));
        }
        let api: Api<core::Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let params = match freshness {
            Freshness::Recent => GetParams::any(),
            Freshness::Consistent => GetParams::default(),
        };
        match in_time(api.get_with(&key.name, &params)).await {
            Ok(pod) => Ok(Some(Arc::new(pod.into()))),
            Err(error) if crate::watching::is_status(&error, 404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The Services of a namespace.
    pub(crate) async fn services_of(&self, namespace: &str, freshness: Freshness) -> kube::Result<Services> {
        if freshness == Freshness::Recent
            && let Some(services) = self.services.namespace(namespace)
        {
            return Ok(services);
        }
        let api: Api<core::Service> = Api::namespaced(self.client.clone(), namespace);
        let list = in_time(api.list(&ListParams::default())).await?;
        Ok(list.items.into_iter().map(Into::into).collect())
    }

    /// Whether the API server has a Service of this name, now. One that can't be read exists too, so nothing of it is parsed. A list, as that is what the
    /// watch of Services needs permission for, too; of one name, the API server reads one key.
    pub(crate) async fn service_exists(&self, namespace: &str, name: &str) -> kube::Result<bool> {
        let path = core::Service::url_path(&(), Some(namespace));
        let params = ListParams::default().fields(&format!("metadata.name={name}"));
        let request = Request::new(path).list(&params).map_err(kube::Error::BuildRequest)?;
        let list: AnyItems = in_time(self.client.request(request)).await?;
        Ok(!list.items.is_empty())
    }

    /// Keeps the cache of starting pods. Never ends.
    pub(crate) async fn keep_pods(self, health: Vec<SignerHealth>) {
        let config = watcher::Config::default().fields(PENDING_PODS);
        let mut events = Box::pin(watch(Api::all(self.client.clone()), config, Component::Pods, health));
        let mut listed = HashMap::new();
        while let Some(watched) = events.next().await {
            self.pods.take(watched, &mut listed);
        }
    }

    /// Keeps the index of Services. Never ends.
    pub(crate) async fn keep_services(self, health: Vec<SignerHealth>) {
        let config = watcher::Config::default();
        let mut events = Box::pin(watch(Api::all(self.client.clone()), config, Component::Services, health));
        let mut listed = HashMap::new();
        while let Some(watched) = events.next().await {
            self.services.take(watched, &mut listed);
        }
    }
}
