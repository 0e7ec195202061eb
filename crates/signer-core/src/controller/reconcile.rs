//! One evaluation of one request, and what is written of it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource as _;
use tokio::time::Instant;

use super::{
    audit::Records,
    backoff::{LONGEST, LONGEST_AFTER_ERROR, retry_delay},
    cause::{ErrorContext, for_author, for_operator, is_refusal},
    cause_log::CauseLog,
    decision_log::DecisionLog,
    evaluator::{Evaluator, LookError, Outcome},
    pending::{Pending, RequestKey},
    waits::{could_wait_for, waits_for},
};
use crate::{
    api::read::Got,
    decision::{Denial, Grounds, Wait},
    handle::SignerHandle,
    health::SignerHealth,
    metrics::{SignerMetrics, WatchMetrics},
    reason::Reason,
    reasons,
    request::ClaimsError,
    request_source::{Conclusion, RequestSource, SignerRequest, Written},
    retry_after::RetryAfter,
    signer::Signer,
    status::events::Events,
};
use ca_pool::names::SignerName;

/// All that an evaluation needs.
pub(crate) struct Context<S, R> {
    pub(crate) signer_name: SignerName,
    pub(crate) source: R,
    pub(crate) evaluator: Evaluator<S>,
    pub(crate) pending: Arc<Pending>,
    pub(crate) events: Events,
    pub(crate) health: SignerHealth,
    pub(crate) metrics: SignerMetrics,
    pub(crate) logged: CauseLog,
    pub(crate) handle: SignerHandle,
    pub(crate) retry_after: RetryAfter,
    pub(crate) watch_metrics: WatchMetrics,
    pub(crate) decisions: DecisionLog,
}

/// Why a request is evaluated again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error("evaluating the request")]
    Look(#[from] LookError),
    #[error("reading the request")]
    Read(#[source] kube::Error),
    #[error("writing the outcome")]
    Write(#[source] kube::Error),
    #[error("evaluating the request panicked: a bug; the other requests go on")]
    Panic,
}

/// Evaluates a request and writes its outcome. Returns after what time it is to be evaluated again, if at
/// all. A panic costs this request alone.
pub(crate) async fn evaluate<S: Signer, R: RequestSource>(
    request: Arc<R::Request>,
    context: Arc<Context<S, R>>,
) -> Option<Duration> {
    let began = Instant::now();
    // what a panic may leave half done is this request's own: the tables that requests share are locked for
    // single steps
    let attempt = AssertUnwindSafe(reconcile(&request, &context)).catch_unwind().await;
    match attempt.unwrap_or(Err(ReconcileError::Panic)) {
        Ok(retry) => retry,
        Err(error) => Some(error_policy(&*request, &error, &context, began)),
    }
}

async fn reconcile<S: Signer, R: RequestSource>(
    request: &Arc<R::Request>,
    context: &Context<S, R>,
) -> Result<Option<Duration>, ReconcileError> {
    let key = RequestKey::of(&**request);
    let Some(arrived) = context.pending.begin(&key, uid(&**request), could_wait_for(&**request)) else {
        return Ok(None);
    };
    let Some(whole) = context.whole(request).await? else {
        context.pending.finish(&key, uid(&**request));
        return Ok(None);
    };
    let request = &*whole.object;
    let outcome = match request.claims() {
        Ok(claims) => context.evaluator.evaluate(&Arc::new(claims)).await?,
        Err(error) => unparsable(&error),
    };
    context
        .conclude(&Evaluation { request, key, arrived }, outcome, context.evaluator.issuer.clock.now())
        .await
}

/// When the request is evaluated again. What went wrong is logged here, and nowhere else; where it lasts, the
/// request's author hears of it.
fn error_policy<S: Signer, R: RequestSource>(
    request: &R::Request,
    error: &ReconcileError,
    context: &Context<S, R>,
    began: Instant,
) -> Duration {
    let (key, now) = (RequestKey::of(request), context.evaluator.issuer.clock.now());
    let created = request.meta().creation_timestamp.as_ref().map(|time| time.0);
    let cause = for_operator(error, &ErrorContext { signer: &context.signer_name, created, now });
    context.metrics.retried();
    let failed = context.pending.fail(&key, could_wait_for(request), cause.clone(), began);
    let delay = delay(request, failed.map(|(arrived, _)| arrived), LONGEST_AFTER_ERROR);
    // all come back by and by, not at the moment that the API server names
    let delay = delay + context.retry_after.remaining(Instant::now());
    let (signer, namespace, request_name) = (&context.signer_name, &key.namespace, &key.name);
    if context.logged.is_due(&cause, Instant::now()) {
        tracing::warn!(%signer, namespace, request = request_name, ?delay, "requeued: {cause}");
    } else {
        tracing::debug!(%signer, namespace, request = request_name, ?delay, "requeued: {cause}");
    }
    if let Some((arrived, true)) = failed {
        let evaluation = Evaluation { request, key, arrived };
        context.announce(&evaluation, &reasons::ISSUANCE_FAILING, &for_author(error), now);
    }
    delay
}

/// A request that is being evaluated.
struct Evaluation<'a, K> {
    request: &'a K,
    key: RequestKey,
    arrived: Instant,
}

impl<S: Signer, R: RequestSource> Context<S, R> {
    /// The whole request: of a large one, only the names are kept while it waits. Nothing if it is gone.
    async fn whole(&self, request: &Arc<R::Request>) -> Result<Option<Got<Arc<R::Request>>>, ReconcileError> {
        if !request.is_abridged() {
            return Ok(Some(Got { object: Arc::clone(request), place: None }));
        }
        let got = self.source.read(request).await.map_err(ReconcileError::Read)?;
        let got = got.filter(|got| got.object.meta().uid == request.meta().uid);
        Ok(got.map(|Got { object, place }| Got { object: Arc::new(object), place }))
    }

    async fn conclude(
        &self,
        evaluation: &Evaluation<'_, R::Request>,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Option<Duration>, ReconcileError> {
        let &Evaluation { request, ref key, arrived } = evaluation;
        match outcome {
            Outcome::Issued(certificate) => {
                let written = self.write(evaluation, Conclusion::Issued(&certificate), now).await;
                match &written {
                    Ok(Written::Done) => {
                        let age = age(request, self.evaluator.issuer.clock.now());
                        self.records(request).issued(&certificate, arrived.elapsed(), age);
                    }
                    Ok(Written::ByAnother) => self.metrics.duplicate(),
                    Ok(Written::Gone) => {}
                    Err(ReconcileError::Write(error)) if is_refusal(error) => {}
                    Err(_) => self.records(request).unconfirmed(&certificate),
                }
                written?;
            }
            Outcome::Denied(denial) => {
                let (reason, message) = (denial.reason.as_str(), denial.message.as_str());
                if self.write(evaluation, Conclusion::Denied(&denial), now).await? == Written::Done {
                    self.records(request).recorded("Denied", reason, message);
                    self.events.warn(pod_of(request), reason, message, now);
                }
            }
            Outcome::LeftAlone => {
                self.records(request).recorded("LeftAlone", "", "the pod is terminating or finished");
                self.pending.settle(key, vec![]);
            }
            Outcome::Waiting(wait) => {
                self.announce(evaluation, &wait.reason, &wait.message, now);
                self.pending.settle(key, waits_for(request, &wait));
                return Ok(Some(delay(request, Some(arrived), LONGEST)));
            }
        }
        Ok(None)
    }

    /// Only what was written by us is ours to tell: of two replicas, one serial number counts.
    async fn write(
        &self,
        evaluation: &Evaluation<'_, R::Request>,
        conclusion: Conclusion<'_>,
        now: Timestamp,
    ) -> Result<Written, ReconcileError> {
        let &Evaluation { request, ref key, .. } = evaluation;
        match self.source.write(request, conclusion, now).await {
            Ok(written) => {
                if written != Written::Done {
                    tracing::debug!(signer = %self.signer_name, request = key.name, ?written, "not ours to finish any more");
                }
                self.pending.finish(key, uid(request));
                Ok(written)
            }
            Err(error) => Err(ReconcileError::Write(error)),
        }
    }

    /// Says once, to the request and to its pod, why it isn't finished.
    fn announce(
        &self,
        &Evaluation { request, ref key, .. }: &Evaluation<'_, R::Request>,
        reason: &Reason,
        message: &str,
        now: Timestamp,
    ) {
        let reason = reason.as_str();
        if self.pending.is_news(key, request.requester().pod, reason, message) {
            self.records(request).recorded("Pending", reason, message);
            self.events.warn(self.reference(request), reason, message, now);
            self.events.warn(pod_of(request), reason, message, now);
        }
    }

    fn records<'a>(&'a self, request: &'a R::Request) -> Records<'a, R::Request> {
        let (metrics, signer, decisions) = (&self.metrics, &self.signer_name, &self.decisions);
        Records { metrics, signer, decisions, request, now: self.evaluator.issuer.clock.now() }
    }

    fn reference(&self, request: &R::Request) -> ObjectReference {
        request.object_ref(self.source.resource())
    }
}

impl RequestKey {
    pub(crate) fn of(request: &impl SignerRequest) -> Self {
        let meta = request.meta();
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

pub(crate) fn uid(request: &impl SignerRequest) -> &str {
    request.meta().uid.as_deref().unwrap_or_default()
}

fn unparsable(error: &ClaimsError) -> Outcome {
    let message = error.to_string();
    match error {
        ClaimsError::NoKey | ClaimsError::Abridged => {
            Outcome::Waiting(Wait { reason: reasons::PUBLIC_KEY_MISSING, message, until: &[] })
        }
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

/// How long ago a request was created; the API server tells whole seconds.
fn age(request: &impl SignerRequest, now: Timestamp) -> Option<Duration> {
    let created = request.meta().creation_timestamp.as_ref()?.0;
    Some(Duration::try_from(now.duration_since(created)).unwrap_or_default())
}

fn delay(request: &impl SignerRequest, arrived: Option<Instant>, longest: Duration) -> Duration {
    let spread = uid(request).bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    retry_delay(arrived.map(|arrived| arrived.elapsed()).unwrap_or_default(), spread, longest)
}

fn pod_of(request: &impl SignerRequest) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        name: Some(request.requester().pod.to_owned()),
        namespace: request.meta().namespace.clone(),
        uid: Some(request.requester().pod_uid.to_owned()),
        ..Default::default()
    }
}
