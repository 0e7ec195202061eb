//! What can end a request's wait.

use super::pending::WakeKey;
use crate::{
    cluster::pod_cache::PodKey,
    decision::{Wait, WakeOn},
    request_source::SignerRequest,
};

/// Names the pod that a request is for.
pub(crate) fn pod_key(request: &impl SignerRequest) -> PodKey {
    let namespace = request.meta().namespace.clone().unwrap_or_default();
    PodKey { namespace, name: request.requester().pod.to_owned() }
}

/// Before it is known what it waits for, if for anything.
pub(crate) fn could_wait_for(request: &impl SignerRequest) -> Vec<WakeKey> {
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
pub(crate) fn waits_for(request: &impl SignerRequest, wait: &Wait) -> Vec<WakeKey> {
    let pod = pod_key(request);
    let key = |wake: &WakeOn| match wake {
        WakeOn::Services => WakeKey::Services(pod.namespace.clone()),
        WakeOn::Pod => WakeKey::Pod(pod.clone()),
        WakeOn::Authority => WakeKey::Authority,
        WakeOn::DenyRules => WakeKey::DenyRules,
    };
    wait.until.iter().map(key).chain([WakeKey::Signer]).collect()
}
