//! Holding a request against the pod that it names.

use std::fmt::Write;

use super::Claims;
use crate::{
    cluster::{CertificateSource, Pod, PodPhase, pod::MIRROR},
    decision::{Decision, Denial, Grounds, Wait, WakeOn},
    reasons,
};
use ca_pool::format_duration;

/// What the comparison of request and pod says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The pod asked for exactly this.
    Matches,
    /// The pod is terminating or finished: whatever is written now helps nobody.
    LeaveAlone,
    /// Not the pod's request, or not yet.
    Other(Decision),
}

/// Holds a request against the pod of the name that it gives. NodeRestriction has compared what a node wrote
/// with the pod's identity, but not with its volumes; of what others wrote, nothing has been checked.
#[must_use]
pub fn verify(claims: &Claims, pod: &Pod) -> Verdict {
    if (&claims.namespace, &claims.pod_name) != (&pod.namespace, &pod.name) {
        let fact = format!("the pod that was read is {} of namespace {}", pod.name, pod.namespace);
        return mismatch("podName", &claims.pod_name, &fact);
    }
    if claims.pod_uid != pod.uid {
        return mismatch("podUID", &claims.pod_uid, &format!("the pod {} has the UID {}", pod.name, pod.uid));
    }
    if pod.is_terminating || pod.phase == PodPhase::Finished {
        return Verdict::LeaveAlone;
    }
    if pod.is_mirror {
        return deny(format!(
            "the pod {} is the mirror of a static pod (annotation {MIRROR}), whose node alone says what it is; run it as an ordinary pod, which may have certificates",
            pod.name
        ));
    }
    if pod.node_name.is_empty() {
        let message = format!(
            "the pod {} isn't bound to a node yet; the request claims {}",
            pod.name, claims.node_name
        );
        return Verdict::Other(
            Wait { reason: reasons::POD_NOT_FOUND, message, until: &[WakeOn::Pod] }.into(),
        );
    }
    if claims.node_name != pod.node_name {
        return mismatch(
            "nodeName",
            &claims.node_name,
            &format!("the pod {} runs on {}", pod.name, pod.node_name),
        );
    }
    if claims.service_account_name != pod.service_account_name {
        let fact = format!("the pod {} runs as {}", pod.name, pod.service_account_name);
        return mismatch("serviceAccountName", &claims.service_account_name, &fact);
    }
    if pod.certificate_sources.iter().any(|source| is_met_by(source, claims)) {
        return Verdict::Matches;
    }
    deny(never_asked(claims, pod))
}

/// Whether a volume source asks for what the request claims. Kubelet copies the source into the request, so
/// all of it must be equal.
fn is_met_by(source: &CertificateSource, claims: &Claims) -> bool {
    source.signer_name == claims.signer_name.as_str()
        && source.key_type == claims.public_key.key_type().as_str()
        && source.max_expiration == claims.max_expiration
        && source.user_annotations == claims.user_annotations
}

fn mismatch(field: &str, value: &str, fact: &str) -> Verdict {
    deny(format!(
        "spec.{field} is {value:?}, but {fact}; a request must repeat what the API server says of its pod"
    ))
}

fn deny(message: String) -> Verdict {
    let denial = Denial { reason: reasons::REQUEST_DOES_NOT_MATCH_POD, message, grounds: Grounds::Fixed };
    Verdict::Other(denial.into())
}

fn never_asked(claims: &Claims, pod: &Pod) -> String {
    let mut message = format!(
        "no podCertificate volume source of the pod {} asks for signerName {}, keyType {}, maxExpirationSeconds {} ({}) and the {} user annotations of \
         the request; the pod asks for ",
        pod.name,
        claims.signer_name,
        claims.public_key.key_type(),
        claims.max_expiration.as_secs(),
        format_duration(claims.max_expiration),
        claims.user_annotations.len(),
    );
    if pod.certificate_sources.is_empty() {
        message.push_str("no certificate at all");
    }
    for (i, source) in pod.certificate_sources.iter().take(MOST_LISTED).enumerate() {
        let separator = if i == 0 { "" } else { "; " };
        // writing to a String can't fail
        let _ = write!(
            message,
            "{separator}{} {} for {} with {} user annotations",
            source.signer_name,
            source.key_type,
            format_duration(source.max_expiration),
            source.user_annotations.len()
        );
    }
    if !pod.asks_for(claims.signer_name.as_str()) {
        message.push_str(NO_VOLUME);
    }
    message
}

/// From Kubernetes 1.37 on, a node may ask for a pod without a volume where a role allows it
/// (`validateNodePodCertificateSigner` of NodeRestriction). Nothing of the pod says then what key, lifetime
/// and annotations were meant, and the signer's promise is that the pod's author has asked.
const NO_VOLUME: &str = ". Only podCertificate volumes are served, not requests that a node's driver makes without one; mount one";

/// Sources that a message lists: enough to see the difference, whatever a pod holds.
const MOST_LISTED: usize = 8;

#[cfg(test)]
mod tests;
