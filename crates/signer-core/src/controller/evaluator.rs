//! From a request's claims to its outcome: the pod is looked up and held against them, the signer decides,
//! the certificate is issued.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::time::Instant;

use super::issuer::{IssuanceError, Issuer};
use crate::{
    api::object::Unreadable,
    cluster::{
        Namespace, Pod, PodPhase,
        pod_cache::PodKey,
        reader::{ClusterReader, Freshness, ReadPod},
    },
    decision::{Decision, Denial, Grounds, Wait, WakeOn},
    deny::DenyRulesInForce,
    policy::Policy,
    reasons,
    request::{Claims, Request, Verdict, verify},
    signer::{BoxError, Signer},
};
use ca_pool::{IssueError, IssuedCertificate, Leaf, RefreshSpread, Terms};

/// How a look at a request ends.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Here is its certificate.
    Issued(Box<IssuedCertificate>),
    /// Refused for good.
    Denied(Denial),
    /// Not yet.
    Waiting(Wait),
    /// Its pod needs no certificate any more.
    LeftAlone,
}

/// Why a look has to be repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error("reading the pod")]
    Pod(#[source] kube::Error),
    #[error("reading the pod's namespace")]
    Namespace(#[source] kube::Error),
    #[error("the API server doesn't show namespace {0}, in which the pod is; it is requeued")]
    NoNamespace(String),
    #[error("reading the Services of the pod's namespace")]
    Services(#[source] kube::Error),
    #[error(
        "the Service {0} of the pod's namespace exists, but can't be read or has just come: names that are the pod's own without it aren't issued; \
         it is requeued. If this persists, find what is wrong with the Service (`kubectl get service {0} -o yaml`)"
    )]
    ServicePresent(String),
    #[error("the signer can't decide")]
    Signer(#[source] BoxError),
    #[error("the signer panicked while it decided: a bug of its own; the other requests go on")]
    Panic,
    #[error("the signer hasn't decided within {} s (does its `decide` wait for something without a timeout?)", .0.as_secs())]
    SignerTooSlow(Duration),
    #[error(transparent)]
    Issuance(#[from] IssuanceError),
}

/// Looks at requests on behalf of one signer.
pub(crate) struct Evaluator<S> {
    pub(crate) signer: Arc<S>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) deny: DenyRulesInForce,
    pub(crate) cluster: ClusterReader,
    pub(crate) issuer: Issuer,
}

impl<S: Signer> Evaluator<S> {
    /// Looks at a request. An object that can't be read is as its author left it: that is no failure of the
    /// controller.
    pub(crate) async fn evaluate(&self, claims: &Arc<Claims>) -> Result<Outcome, LookError> {
        let examined = self.examine_readable(claims).await;
        match examined.as_ref().err().and_then(|error| Unreadable::of(error)) {
            Some(unreadable) => Ok(Outcome::Waiting(Wait {
                reason: reasons::OBJECT_UNREADABLE,
                message: format!("{unreadable}; until then it isn't known what the pod may have"),
                until: &[WakeOn::Services, WakeOn::Pod],
            })),
            None => examined,
        }
    }

    /// What is recent suffices to issue and to wait; what would be final is looked at again in what is
    /// certain.
    async fn examine_readable(&self, claims: &Arc<Claims>) -> Result<Outcome, LookError> {
        let mut looked = self.look(claims, Freshness::Recent, Freshness::Recent).await?;
        if looked.is_final() {
            // no Service changes what is wrong with the request or its pod, and reading all of a namespace is
            // work
            let services = if looked.may_change() { Freshness::Consistent } else { Freshness::Recent };
            looked = self.look(claims, Freshness::Consistent, services).await?;
            if services == Freshness::Recent && looked.may_change() {
                looked = self.look(claims, Freshness::Consistent, Freshness::Consistent).await?;
            }
        }
        let decision = match looked {
            Look::Decided(decision) => decision,
            Look::PodNotFound => pod_not_found(claims).into(),
            Look::LeaveAlone => return Ok(Outcome::LeftAlone),
        };
        match self.confirm_absence(claims, decision).await? {
            Decision::Deny(denial) => Ok(Outcome::Denied(denial)),
            Decision::Wait(wait) => Ok(Outcome::Waiting(wait)),
            Decision::Issue(leaf) => self.issue(claims, leaf).await,
        }
    }

    /// A leaf with names that would be a Service's if there were one is issued only if the API server has
    /// none, now. If it has, what is certain decides.
    async fn confirm_absence(&self, claims: &Arc<Claims>, decision: Decision) -> Result<Decision, LookError> {
        let Some(service) = self.present_service(claims, &decision).await? else { return Ok(decision) };
        let decision = match self.look(claims, Freshness::Consistent, Freshness::Consistent).await? {
            Look::Decided(decision) => decision,
            Look::PodNotFound | Look::LeaveAlone => return Err(LookError::ServicePresent(service)),
        };
        // a Service that came or went meanwhile, or one that can't be read
        match self.present_service(claims, &decision).await? {
            None => Ok(decision),
            Some(service) => Err(LookError::ServicePresent(service)),
        }
    }

    /// A Service that exists and mustn't.
    async fn present_service(
        &self,
        claims: &Claims,
        decision: &Decision,
    ) -> Result<Option<String>, LookError> {
        let Decision::Issue(leaf) = decision else { return Ok(None) };
        for name in &leaf.absent_services {
            let exists = self.cluster.service_exists(&claims.namespace, name).await;
            if exists.map_err(LookError::Services)? {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }

    async fn look(
        &self,
        claims: &Arc<Claims>,
        of_pod: Freshness,
        of_services: Freshness,
    ) -> Result<Look, LookError> {
        let key = PodKey { namespace: claims.namespace.clone(), name: claims.pod_name.clone() };
        let read = self.cluster.pod(&key, &claims.pod_uid, of_pod).await.map_err(LookError::Pod)?;
        let Some(ReadPod { pod, .. }) = &read else { return Ok(Look::PodNotFound) };
        let decision = match verify(claims, pod) {
            Verdict::LeaveAlone => return Ok(Look::LeaveAlone),
            Verdict::Other(decision) => decision,
            Verdict::Matches => withheld_if_running(self.decide(claims, pod, of_services).await?, pod),
        };
        Ok(Look::Decided(decision))
    }

    async fn decide(
        &self,
        claims: &Arc<Claims>,
        pod: &Arc<Pod>,
        freshness: Freshness,
    ) -> Result<Decision, LookError> {
        let namespace = self.namespace(claims).await?;
        if let Some(blocked) = self.deny.check(&claims.signer_name, pod, namespace.as_deref(), &claims.uid) {
            return Ok(blocked);
        }
        if let Some(refusal) = self.policy.refuses(pod, namespace.as_deref(), claims.public_key.key_type()) {
            return Ok(refusal);
        }
        let services = if self.signer.reads_services() {
            Some(self.cluster.services_of(&claims.namespace, freshness).await.map_err(LookError::Services)?)
        } else {
            None
        };
        let request = Request {
            claims: Arc::clone(claims),
            pod: Arc::clone(pod),
            services,
            namespace: namespace.filter(|_| self.signer.reads_namespaces()),
            signer_max_lifetime: self.policy.max_lifetime,
        };
        let began = Instant::now();
        let decision = contained(self.signer.decide(&request), DECISION_TIMEOUT).await;
        self.issuer.times.decide.observe(began.elapsed().as_secs_f64());
        decision
    }

    /// The pod's namespace as it is now, if anything depends on it. It is read anew each time: a cache that is behind
    /// would show the labels and the UID of a namespace of that name which is gone.
    async fn namespace(&self, claims: &Claims) -> Result<Option<Arc<Namespace>>, LookError> {
        let is_needed = self.signer.reads_namespaces()
            || self.policy.reads_namespaces()
            || self.deny.reads_namespaces(&claims.signer_name);
        if !is_needed {
            return Ok(None);
        }
        let read = self.cluster.namespace(&claims.namespace).await.map_err(LookError::Namespace)?;
        let read = read.ok_or_else(|| LookError::NoNamespace(claims.namespace.clone()))?;
        Ok(Some(Arc::new(read)))
    }

    async fn issue(&self, claims: &Arc<Claims>, leaf: Box<Leaf>) -> Result<Outcome, LookError> {
        let terms = Terms {
            refresh_spread: RefreshSpread::of_pod(&claims.pod_uid, &claims.signer_name),
            ..self.policy.terms(claims.max_expiration)
        };
        let leaf = Box::new(self.policy.with_extensions(*leaf));
        match self.issuer.issue(leaf, claims.public_key.clone(), terms).await {
            Ok(certificate) => Ok(Outcome::Issued(Box::new(certificate))),
            Err(IssuanceError::Unavailable(problem)) => Ok(unavailable(problem)),
            Err(IssuanceError::Issue(error)) if !matches!(error, IssueError::Encoding(_)) => {
                Ok(Outcome::Waiting(Wait {
                    reason: reasons::LEAF_REFUSED,
                    message: error.to_string(),
                    until: &[WakeOn::Services, WakeOn::Pod, WakeOn::Authority],
                }))
            }
            Err(error) => Err(LookError::Issuance(error)),
        }
    }
}

/// How long a signer may take to decide. It holds one of the slots that all requests share.
const DECISION_TIMEOUT: Duration = Duration::from_secs(10);

/// A signer that panics, or doesn't come to an end, loses this evaluation, not the process in which other
/// signers run.
async fn contained(
    decide: impl Future<Output = Result<Decision, BoxError>>,
    timeout: Duration,
) -> Result<Decision, LookError> {
    // nothing of ours is shared with it
    let decide = AssertUnwindSafe(decide).catch_unwind();
    let decided = tokio::time::timeout(timeout, decide).await;
    decided
        .map_err(|_| LookError::SignerTooSlow(timeout))?
        .map_err(|_| LookError::Panic)?
        .map_err(LookError::Signer)
}

enum Look {
    Decided(Decision),
    PodNotFound,
    LeaveAlone,
}

impl Look {
    /// Whether the request would be finished, or dropped.
    fn is_final(&self) -> bool {
        !matches!(self, Self::Decided(Decision::Issue(_) | Decision::Wait(_)))
    }

    /// Whether it is a denial that rests on what may change.
    fn may_change(&self) -> bool {
        matches!(self, Self::Decided(Decision::Deny(Denial { grounds: Grounds::Changeable, .. })))
    }
}

fn unavailable(message: String) -> Outcome {
    Outcome::Waiting(Wait {
        reason: reasons::CERTIFICATE_AUTHORITY_UNAVAILABLE,
        message,
        until: &[WakeOn::Authority],
    })
}

fn pod_not_found(claims: &Claims) -> Wait {
    let message =
        format!("the API server knows no pod {} in namespace {}", claims.pod_name, claims.namespace);
    Wait { reason: reasons::POD_NOT_FOUND, message, until: &[WakeOn::Pod] }
}

/// A running pod keeps its certificate when something changed under it: kubelet would take it away at a
/// denial, even if it is valid for hours.
fn withheld_if_running(decision: Decision, pod: &Pod) -> Decision {
    let (reason, message, until) = match decision {
        _ if pod.phase != PodPhase::Running => return decision,
        Decision::Deny(Denial { reason, message, grounds: Grounds::Changeable }) => {
            (reason, message, &[WakeOn::Services, WakeOn::Pod, WakeOn::DenyRules][..])
        }
        Decision::Wait(Wait { reason, message, until }) => (reason, message, until),
        other => return other,
    };
    let message = format!(
        "the running pod keeps the certificate that it has until that expires; a new one is withheld ({reason}): {message}"
    );
    Wait { reason: reasons::REFRESH_WITHHELD, message, until }.into()
}

#[cfg(test)]
mod tests;
