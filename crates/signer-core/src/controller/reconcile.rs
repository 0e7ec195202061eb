//! One look at one request, and what is written of it.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{api::ApiResource, core::Status, runtime::controller::Action};

use super::{
    audit,
    outcome::{Examiner, LookError, Outcome},
    pending::{Announcement, Pending, RequestKey},
    retry::retry_delay,
    waits::{could_wait_for, waits_for},
};
use crate::{
    api::{PodCertificateRequest, PodCertificateRequestStatus},
    decision::{Denial, Grounds, Wait},
    health::{Component, SignerHealth},
    request::{Claims, ClaimsError},
    signer::Signer,
    signer_name::SignerName,
    status::{
        condition,
        events::Events,
        reasons,
        writer::{StatusWriter, Written},
    },
    watching::describe,
};

/// All that a look at a request needs.
pub(crate) struct Context<S> {
    pub(crate) signer_name: SignerName,
    pub(crate) resource: ApiResource,
    pub(crate) examiner: Examiner<S>,
    pub(crate) pending: Arc<Pending>,
    pub(crate) writer: StatusWriter,
    pub(crate) events: Events,
    pub(crate) health: SignerHealth,
}

/// Why a request is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error("looking at the request")]
    Look(#[from] LookError),
    #[error("writing the outcome")]
    Write(#[source] kube::Error),
}

/// Looks at a request and writes its outcome.
pub(crate) async fn reconcile<S: Signer>(
    request: Arc<PodCertificateRequest>,
    context: Arc<Context<S>>,
) -> Result<Action, ReconcileError> {
    let key = RequestKey::of(&request);
    if !context.pending.begin(&key, uid(&request), could_wait_for(&request)) {
        return Ok(Action::await_change());
    }
    let outcome = match Claims::parse(&request) {
        Ok(claims) => context.examiner.examine(&Arc::new(claims)).await?,
        Err(error) => unparsable(&error),
    };
    context.conclude(&request, &key, outcome, Timestamp::now()).await
}

/// Tries again later. What went wrong is logged here, and nowhere else.
pub(crate) fn try_again<S>(
    request: Arc<PodCertificateRequest>,
    error: &ReconcileError,
    context: Arc<Context<S>>,
) -> Action {
    let key = RequestKey::of(&request);
    context.pending.settle(&key, could_wait_for(&request));
    let delay = delay(&request);
    tracing::warn!(signer = %context.signer_name, namespace = key.namespace, request = key.name, ?delay, "will try again: {}", describe(error));
    Action::requeue(delay)
}

impl<S: Signer> Context<S> {
    async fn conclude(
        &self,
        request: &PodCertificateRequest,
        key: &RequestKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Action, ReconcileError> {
        match outcome {
            Outcome::Issued(certificate) => {
                let written = self.write(request, key, &condition::issued(&certificate, now)).await;
                match &written {
                    Ok(Written::Done) => audit::issued(&self.signer_name, request, &certificate, "Issued"),
                    Ok(Written::ByAnother | Written::Gone) => {}
                    // the certificate may have arrived all the same, and then the next look finds the request finished
                    Err(ReconcileError::Write(error)) if is_refusal(error) => {}
                    Err(_) => audit::issued(&self.signer_name, request, &certificate, "Unconfirmed"),
                }
                written?;
            }
            Outcome::Denied(denial) => {
                if self.write(request, key, &condition::denied(&denial, now)).await? == Written::Done {
                    self.audit(request, "Denied", denial.reason.as_str(), &denial.message);
                    self.events.warn(pod_of(request), denial.reason.as_str(), &denial.message, now).await;
                }
            }
            Outcome::LeftAlone => {
                self.audit(request, "LeftAlone", "", "the pod is terminating or finished");
                self.pending.settle(key, vec![]);
            }
            Outcome::Waiting(wait) => {
                self.announce(request, key, &wait, now).await;
                self.pending.settle(key, waits_for(request, &wait));
                return Ok(Action::requeue(delay(request)));
            }
        }
        Ok(Action::await_change())
    }

    /// Only what was written by us is ours to tell: of two replicas, one serial number counts.
    async fn write(
        &self,
        request: &PodCertificateRequest,
        key: &RequestKey,
        status: &PodCertificateRequestStatus,
    ) -> Result<Written, ReconcileError> {
        match self.writer.write(request, status).await {
            Ok(written) => {
                self.health.mended(Component::Status);
                if written != Written::Done {
                    tracing::debug!(signer = %self.signer_name, request = key.name, ?written, "not ours to finish any more");
                }
                self.pending.finish(key, uid(request));
                Ok(written)
            }
            Err(error) => {
                self.report_refusal(&error);
                Err(ReconcileError::Write(error))
            }
        }
    }

    /// A missing permission shows as 403, and a missing `sign` as 422: a matter for the operator, never a verdict on the request. What else is refused
    /// is this request's matter alone.
    fn report_refusal(&self, error: &kube::Error) {
        let kube::Error::Api(status) = error else { return };
        if status.code == 403 || lacks_sign(status) {
            let problem = format!(
                "the API server refuses the outcome of requests ({}); the controller needs update on podcertificaterequests/status and the verb sign \
                 on signers {}: {}",
                status.code, self.signer_name, status.message
            );
            self.health.broken(Component::Status, &problem);
        }
    }

    /// Says once, to the request and to its pod, why it waits.
    async fn announce(&self, request: &PodCertificateRequest, key: &RequestKey, wait: &Wait, now: Timestamp) {
        let (reason, message) = (wait.reason.as_str(), wait.message.as_str());
        let announcement = Announcement { reason: reason.to_owned(), message: message.to_owned() };
        if self.pending.is_news(key, announcement) {
            self.audit(request, "Pending", reason, message);
            self.events.warn(self.reference(request), reason, message, now).await;
            self.events.warn(pod_of(request), reason, message, now).await;
        }
    }

    fn audit(&self, request: &PodCertificateRequest, outcome: &str, reason: &str, message: &str) {
        audit::told(&self.signer_name, request, outcome, reason, message);
    }

    fn reference(&self, request: &PodCertificateRequest) -> ObjectReference {
        ObjectReference {
            api_version: Some(self.resource.api_version.clone()),
            kind: Some(self.resource.kind.clone()),
            name: request.metadata.name.clone(),
            namespace: request.metadata.namespace.clone(),
            uid: request.metadata.uid.clone(),
            ..Default::default()
        }
    }
}

impl RequestKey {
    pub(crate) fn of(request: &PodCertificateRequest) -> Self {
        let meta = &request.metadata;
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

pub(crate) fn uid(request: &PodCertificateRequest) -> &str {
    request.metadata.uid.as_deref().unwrap_or_default()
}

/// Whether the API server has answered that it took nothing.
fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if (400..500).contains(&status.code))
}

/// The API server's check of the verb `sign` answers as if the field were invalid.
fn lacks_sign(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 422
        && causes
            .into_iter()
            .any(|cause| cause.field == "spec.signerName" && cause.reason == "FieldValueForbidden")
}

fn unparsable(error: &ClaimsError) -> Outcome {
    let message = error.to_string();
    match error {
        ClaimsError::NoKey => Outcome::Waiting(Wait { reason: reasons::PUBLIC_KEY_MISSING, message }),
        ClaimsError::Key(_) => Outcome::Denied(Denial {
            reason: reasons::UNSUPPORTED_KEY_TYPE,
            message,
            grounds: Grounds::Fixed,
        }),
        ClaimsError::SignerName(_) | ClaimsError::TooManyAnnotations(_) => Outcome::Denied(Denial {
            reason: reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS,
            message,
            grounds: Grounds::Fixed,
        }),
    }
}

fn delay(request: &PodCertificateRequest) -> std::time::Duration {
    let created = request.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let spread = request
        .metadata
        .uid
        .as_deref()
        .unwrap_or_default()
        .bytes()
        .fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    retry_delay(created, Timestamp::now(), spread)
}

fn pod_of(request: &PodCertificateRequest) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        name: Some(request.spec.pod_name.clone()),
        namespace: request.metadata.namespace.clone(),
        uid: Some(request.spec.pod_uid.clone()),
        ..Default::default()
    }
}
