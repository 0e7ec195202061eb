//! Warnings: of signers about requests that wait, of kubelet about pods.

use std::collections::HashMap;

use api_client::{
    answer::SizeClass,
    object::{ApiObject, Identity},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{shown, within};
use crate::{error::Error, store::cluster::Cluster};

/// A warning.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) reason: String,
    pub(crate) message: String,
    namespace: String,
    about: String,
    pub(crate) at: Timestamp,
}

#[cfg(test)]
impl Event {
    pub(crate) fn of_test(reason: &str, message: &str, at: Timestamp) -> Self {
        let (reason, message) = (reason.to_owned(), message.to_owned());
        Self { reason, message, namespace: String::new(), about: String::new(), at }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventWire {
    metadata: Identity,
    involved_object: AboutWire,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    event_time: Option<Timestamp>,
    last_timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct AboutWire {
    #[serde(default)]
    name: String,
}

impl ApiObject for Event {
    type Wire = EventWire;
    const KIND: &'static str = "Event";
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(wire: EventWire) -> Result<Self, String> {
        let at = wire.last_timestamp.or(wire.event_time).or(wire.metadata.creation_timestamp);
        Ok(Self {
            reason: shown(&wire.reason),
            message: shown(&wire.message),
            namespace: wire.metadata.namespace.unwrap_or_default(),
            about: wire.involved_object.name,
            at: at.unwrap_or_default(),
        })
    }

    fn gone(identity: Identity) -> Self {
        Self {
            reason: String::new(),
            message: String::new(),
            namespace: identity.namespace.unwrap_or_default(),
            about: String::new(),
            at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// The last warning about each request of a namespace, or of all, by namespace and name.
pub(crate) fn of_requests(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<HashMap<(String, String), Event>, Error> {
    let events = warnings(cluster, namespace, "involvedObject.kind=PodCertificateRequest")?;
    Ok(events.into_iter().map(|event| ((event.namespace.clone(), event.about.clone()), event)).collect())
}

/// The warnings about a pod, the oldest first.
pub(crate) fn of_pod(cluster: &Cluster, namespace: &str, uid: &str) -> Result<Vec<Event>, Error> {
    warnings(cluster, Some(namespace), &format!("involvedObject.uid={uid}"))
}

/// The oldest first.
fn warnings(cluster: &Cluster, namespace: Option<&str>, about: &str) -> Result<Vec<Event>, Error> {
    let fields = format!("{about},type=Warning");
    let mut events = cluster.list::<Event>(&within("/api/v1", namespace, "events"), Some(&fields))?.objects;
    events.sort_by_key(|event| event.at);
    Ok(events)
}
