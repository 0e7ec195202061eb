//! What can end a request's wait.

use super::pending::WakeKey;
use crate::{
    api::PodCertificateRequest,
    cluster::pod_cache::PodKey,
    decision::{Wait, WakeOn},
};

fn pod_key(request: &PodCertificateRequest) -> PodKey {
    PodKey {
        namespace: request.metadata.namespace.clone().unwrap_or_default(),
        name: request.spec.pod_name.clone(),
    }
}

/// Before it is known what it waits for, if for anything.
pub(crate) fn could_wait_for(request: &PodCertificateRequest) -> Vec<WakeKey> {
    let pod = pod_key(request);
    vec![
        WakeKey::Services(pod.namespace.clone()),
        WakeKey::Pod(pod),
        WakeKey::Authority,
        WakeKey::DenyRules,
        WakeKey::Signer,
    ]
}

/// What can end a wait.
pub(crate) fn waits_for(request: &PodCertificateRequest, wait: &Wait) -> Vec<WakeKey> {
    let pod = pod_key(request);
    let key = |wake: &WakeOn| match wake {
        WakeOn::Services => WakeKey::Services(pod.namespace.clone()),
        WakeOn::Pod => WakeKey::Pod(pod.clone()),
        WakeOn::Authority => WakeKey::Authority,
        WakeOn::DenyRules => WakeKey::DenyRules,
    };
    wait.until.iter().map(key).chain([WakeKey::Signer]).collect()
}
