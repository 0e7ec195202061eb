//! Writing the outcome of a request.

use kube::{
    Client, Resource,
    api::{ApiResource, ObjectMeta, PostParams},
    core::Request,
};
use serde_json::json;

use super::condition::is_final;
use crate::api::{
    PodCertificateRequest, PodCertificateRequestStatus,
    answer::call_unread,
    error::is_status,
    read::{Collection, Got, ReadFrom, get},
    timeout::with_timeout,
};

/// Writes outcomes.
pub(crate) struct StatusWriter {
    client: Client,
    resource: ApiResource,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The outcome stands.
    Done,
    /// Another replica was faster; its outcome stands.
    ByAnother,
    /// The request is deleted.
    Gone,
}

/// Writes after conflicts; each loses only to a change that somebody made in between.
const MOST_ATTEMPTS: usize = 3;

impl StatusWriter {
    pub(crate) fn new(client: Client, resource: ApiResource) -> Self {
        Self { client, resource }
    }

    /// Writes a final status with one PUT. A conflict is followed by a look, and the write is repeated only
    /// if nobody finished the request.
    pub(crate) async fn write(
        &self,
        request: &PodCertificateRequest,
        status: &PodCertificateRequestStatus,
    ) -> kube::Result<Written> {
        let mut seen = request.metadata.clone();
        for _ in 1..MOST_ATTEMPTS {
            match self.put(&seen, status).await {
                Ok(()) => return Ok(Written::Done),
                Err(error) if is_status(&error, 404) => return Ok(Written::Gone),
                Err(error) if !is_status(&error, 409) => return Err(error),
                Err(_) => {}
            }
            let Some(Got { object: now, .. }) = self.read(request).await? else { return Ok(Written::Gone) };
            if now.metadata.uid != request.metadata.uid {
                return Ok(Written::Gone);
            }
            if is_final(now.status.as_ref()) {
                return Ok(Written::ByAnother);
            }
            seen = now.metadata;
        }
        self.put(&seen, status).await.map(|()| Written::Done)
    }

    /// The request as it is now, and whole.
    pub(crate) async fn read(
        &self,
        request: &PodCertificateRequest,
    ) -> kube::Result<Option<Got<PodCertificateRequest>>> {
        let path = PodCertificateRequest::url_path(&self.resource, request.metadata.namespace.as_deref());
        let requests = Collection { client: self.client.clone(), path, field_selector: None };
        get(&requests, request.metadata.name.as_deref().unwrap_or_default(), ReadFrom::Quorum).await
    }

    /// The API server ignores all but the status here, so nothing else is sent. The UID keeps the write from
    /// hitting a successor of the same name.
    async fn put(&self, meta: &ObjectMeta, status: &PodCertificateRequestStatus) -> kube::Result<()> {
        let body = json!({
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "metadata": {
                "name": meta.name,
                "namespace": meta.namespace,
                "uid": meta.uid,
                "resourceVersion": meta.resource_version,
            },
            "status": status,
        });
        let name = meta.name.as_deref().unwrap_or_default();
        let path = PodCertificateRequest::url_path(&self.resource, meta.namespace.as_deref());
        let bytes = serde_json::to_vec(&body).map_err(kube::Error::SerdeError)?;
        let put = Request::new(path).replace_subresource("status", name, &PostParams::default(), bytes);
        let put = put.map_err(kube::Error::BuildRequest)?;
        with_timeout(call_unread(&self.client, put)).await
    }
}
