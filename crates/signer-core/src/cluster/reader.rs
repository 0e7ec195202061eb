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

    /// Whether the API server has a Service of this name, now. One that can't be read exists too, so nothing of it is parsed.
    pub(crate) async fn service_exists(&self, namespace: &str, name: &str) -> kube::Result<bool> {
        let requests = Request::new(core::Service::url_path(&(), Some(namespace)));
        let get = requests.get_metadata(name, &GetParams::default()).map_err(kube::Error::BuildRequest)?;
        match in_time(self.client.request_text(get)).await {
            Ok(_) => return Ok(true),
            Err(error) if crate::watching::is_status(&error, 404) => return Ok(false),
            // the watch needs list, and nothing else needs get: a list of that one name says it too
            Err(error) if crate::watching::is_status(&error, 403) => {}
            Err(error) => return Err(error),
        }
        let named = ListParams::default().fields(&format!("metadata.name={name}"));
        let list = requests.list_metadata(&named).map_err(kube::Error::BuildRequest)?;
        let list: AnyItems = in_time(self.client.request(list)).await?;
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Response, StatusCode};
    use kube::client::Body;

    use super::*;

    /// What a reader says of the Service `web` to an API server that answers a GET and a LIST so.
    async fn exists(get: (u16, &'static str), list: (u16, &'static str)) -> kube::Result<bool> {
        let server = tower::service_fn(move |request: http::Request<Body>| async move {
            let uri = request.uri().to_string();
            let (code, body) = match uri.as_str() {
                "/api/v1/namespaces/shop/services/web" => get,
                "/api/v1/namespaces/shop/services?&fieldSelector=metadata.name%3Dweb" => list,
                other => panic!("{other}"),
            };
            let mut response = Response::new(Body::from(body.as_bytes().to_vec()));
            *response.status_mut() = StatusCode::from_u16(code).unwrap();
            Ok::<_, Infallible>(response)
        });
        let reader = ClusterReader::new(Client::new(server, "default"), PodCache::new([]));
        reader.service_exists("shop", "web").await
    }

    #[tokio::test]
    async fn only_what_the_api_server_does_not_have_is_absent() {
        const NEVER: (u16, &str) = (500, "not to be asked");
        assert!(!exists((404, "not found"), NEVER).await.unwrap());
        assert!(exists((200, r#"{"metadata":{"managedFields":"poison"}}"#), NEVER).await.unwrap());
        assert!(exists((200, "what nobody can read"), NEVER).await.unwrap());
        let forbidden = (403, "forbidden");
        assert!(!exists(forbidden, (200, r#"{"items":[]}"#)).await.unwrap());
        assert!(exists(forbidden, (200, r#"{"items":["poison"]}"#)).await.unwrap());
        for (get, list) in
            [((500, ""), NEVER), ((401, ""), NEVER), (forbidden, (403, "")), (forbidden, (200, "{}"))]
        {
            assert!(exists(get, list).await.is_err(), "{get:?} {list:?}");
        }
    }
}
