//! `PodCertificateRequest`s, which kubelet makes for pods.

use jiff::Timestamp;
use kube::{
    Client, Resource,
    api::{ApiResource, ObjectMeta, PostParams},
    core::Request,
};
use serde_json::json;

use super::{Conclusion, RequestSource, Requester, SignerRequest, Written};
use crate::{
    api::{
        PodCertificateRequest, PodCertificateRequestStatus,
        answer::call_unread,
        error::is_status,
        read::{Collection, Got, ReadFrom, get},
        timeout::with_timeout,
    },
    health::Component,
    replicas::ReplicaName,
    request::{Claims, ClaimsError},
    status::condition::{self, finished_by, is_final},
};
use ca_pool::{PublicKey, names::SignerName};

/// All of them, in the version that is served.
pub(crate) struct PodCertificateRequests {
    client: Client,
    resource: ApiResource,
    replica: ReplicaName,
}

impl SignerRequest for PodCertificateRequest {
    fn is_finished(&self) -> bool {
        is_final(self.status.as_ref()) || self.metadata.deletion_timestamp.is_some()
    }

    fn finished_by(&self) -> Option<ReplicaName> {
        finished_by(self.status.as_ref())
    }

    fn abridged(mut self) -> Self {
        self.spec = self.spec.abridged();
        self
    }

    fn is_abridged(&self) -> bool {
        self.spec.is_abridged
    }

    fn requester(&self) -> Requester<'_> {
        Requester {
            pod: &self.spec.pod_name,
            pod_uid: &self.spec.pod_uid,
            service_account: &self.spec.service_account_name,
            node: &self.spec.node_name,
        }
    }

    fn public_key(&self) -> Option<PublicKey> {
        let pkcs10 = self.spec.stub_pkcs10_request.as_ref().filter(|der| !der.0.is_empty());
        let pkix = self.spec.pkix_public_key.as_ref().filter(|der| !der.0.is_empty());
        match (pkcs10, pkix) {
            (Some(der), _) => PublicKey::from_pkcs10(&der.0).ok(),
            (None, Some(der)) => PublicKey::from_pkix(&der.0).ok(),
            (None, None) => None,
        }
    }

    fn claims(&self) -> Result<Claims, ClaimsError> {
        Claims::parse(self)
    }
}

/// Writes after conflicts; each loses only to a change that somebody made in between.
const MOST_ATTEMPTS: usize = 3;

impl RequestSource for PodCertificateRequests {
    type Request = PodCertificateRequest;

    const COMPONENT: Component = Component::PodCertificateRequests;

    fn resource(&self) -> &ApiResource {
        &self.resource
    }

    fn addressed_to(&self, signer: &SignerName) -> Collection {
        let path = PodCertificateRequest::url_path(&self.resource, None);
        let field_selector = Some(format!("spec.signerName={signer}"));
        Collection { client: self.client.clone(), path, field_selector }
    }

    async fn read(
        &self,
        request: &PodCertificateRequest,
    ) -> kube::Result<Option<Got<PodCertificateRequest>>> {
        let path = PodCertificateRequest::url_path(&self.resource, request.metadata.namespace.as_deref());
        let requests = Collection { client: self.client.clone(), path, field_selector: None };
        get(&requests, request.metadata.name.as_deref().unwrap_or_default(), ReadFrom::Quorum).await
    }

    /// With one PUT. A conflict is followed by a look, and the write is repeated only if nobody finished the
    /// request.
    async fn write(
        &self,
        request: &PodCertificateRequest,
        conclusion: Conclusion<'_>,
        now: Timestamp,
    ) -> kube::Result<Written> {
        let status = &match conclusion {
            Conclusion::Issued(certificate) => condition::issued(certificate, &self.replica, now),
            Conclusion::Denied(denial) => condition::denied(denial, &self.replica, now),
        };
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
}

impl PodCertificateRequests {
    /// All of them; what is written names this replica.
    pub(crate) fn new(client: Client, resource: ApiResource, replica: ReplicaName) -> Self {
        Self { client, resource, replica }
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
