//! What can end a request's wait.

use super::pending::WakeKey;
use crate::{api::PodCertificateRequest, cluster::pod_cache::PodKey, decision::Wait, reasons};

fn pod_key(request: &PodCertificateRequest) -> PodKey {
    PodKey {
        namespace: request.metadata.namespace.clone().unwrap_or_default(),
        name: request.spec.pod_name.clone(),
    }
}

/// Before it is known what it waits for, if for anything.
pub(crate) fn could_wait_for(request: &PodCertificateRequest) -> Vec<WakeKey> {
    let pod = pod_key(request);
    vec![WakeKey::Services(pod.namespace.clone()), WakeKey::Pod(pod), WakeKey::Authority, WakeKey::DenyRules]
}

/// What can end a wait. Signers may wait for what only they know; a change of the pod or of a Service is worth another look.
pub(crate) fn waits_for(request: &PodCertificateRequest, wait: &Wait) -> Vec<WakeKey> {
    let pod = pod_key(request);
    match &wait.reason {
        reason if *reason == reasons::CERTIFICATE_AUTHORITY_UNAVAILABLE => vec![WakeKey::Authority],
        reason if *reason == reasons::POD_NOT_FOUND => vec![WakeKey::Pod(pod)],
        reason if *reason == reasons::BLOCKED_BY_DENY_RULE || *reason == reasons::DENY_RULES_UNAVAILABLE => {
            vec![WakeKey::DenyRules, WakeKey::Pod(pod)]
        }
        // whatever it is that withholds it
        reason if *reason == reasons::REFRESH_WITHHELD => {
            vec![WakeKey::Services(pod.namespace.clone()), WakeKey::Pod(pod), WakeKey::DenyRules]
        }
        reason if *reason == reasons::PUBLIC_KEY_MISSING => vec![],
        reason if *reason == reasons::LEAF_REFUSED => {
            vec![WakeKey::Services(pod.namespace.clone()), WakeKey::Pod(pod), WakeKey::Authority]
        }
        _ => vec![WakeKey::Services(pod.namespace.clone()), WakeKey::Pod(pod)],
    }
}
