//! Events: what somebody must hear about a request that isn't issued.

use aws_lc_rs::digest;
use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, api::PostParams};

use super::condition::truncated;
use crate::{
    api::patience::in_time,
    watching::{describe, is_status},
};

/// Publishes Warning events.
///
/// An event's name follows from what it says of whom, so that the replicas of a controller, and the requests that follow each other while a pod
/// waits, make one event of it: the second one to write it finds it there.
pub(crate) struct Events {
    client: Client,
    instance: String,
}

/// The reporting controller, as `kubectl describe` shows it.
const CONTROLLER: &str = "pod-certificate-signer";
/// What the controller was doing.
const ACTION: &str = "SignCertificate";
/// The API server's bound for an event's note.
const LONGEST_NOTE: usize = 1024;
/// The API server's bound for a name.
const LONGEST_NAME: usize = 253;

impl Events {
    pub(crate) fn new(client: Client, instance: impl Into<String>) -> Self {
        Self { client, instance: instance.into() }
    }

    /// Publishes a warning about an object. A failure is logged: what an event says, the log says too.
    pub(crate) async fn warn(&self, about: ObjectReference, reason: &str, message: &str, now: Timestamp) {
        let namespace = about.namespace.clone().unwrap_or_default();
        let event = warning(about, reason, message, &self.instance, now);
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        match in_time(api.create(&PostParams::default(), &event)).await {
            Ok(_) => {}
            Err(error) if is_status(&error, 409) => {}
            Err(error) => tracing::warn!(namespace, reason, "can't publish an event: {}", describe(&error)),
        }
    }
}

fn warning(about: ObjectReference, reason: &str, message: &str, instance: &str, now: Timestamp) -> Event {
    Event {
        metadata: ObjectMeta {
            name: Some(name(&about, reason, message)),
            namespace: about.namespace.clone(),
            ..Default::default()
        },
        action: Some(ACTION.to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(truncated(message, LONGEST_NOTE)),
        reason: Some(reason.to_owned()),
        regarding: Some(about),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(truncated(instance, 128)),
        type_: Some("Warning".to_owned()),
        ..Default::default()
    }
}

/// `<object>.<hash of UID, reason and message>`, the same in each build: replicas of two versions may run side by side.
fn name(about: &ObjectReference, reason: &str, message: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [about.uid.as_deref().unwrap_or_default(), reason, message] {
        hash.update(part.as_bytes());
        hash.update(&[0xff]);
    }
    let hash: String = hash.finish().as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let object = about.name.as_deref().unwrap_or_default();
    let object = &object[..object.len().min(LONGEST_NAME - 17)];
    format!("{}.{hash}", object.trim_end_matches(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> ObjectReference {
        ObjectReference { name: Some(name.into()), uid: Some("u".into()), ..Default::default() }
    }

    #[test]
    fn the_same_said_of_the_same_is_one_event() {
        assert_eq!(name(&pod("web-0"), "R", "m"), name(&pod("web-0"), "R", "m"));
        let all =
            [name(&pod("web-0"), "R", "m"), name(&pod("web-0"), "R", "n"), name(&pod("web-0"), "Rm", "")];
        assert!(all[0] != all[1] && all[0] != all[2], "{all:?}");
    }

    #[test]
    fn the_name_is_the_same_in_each_build() {
        assert_eq!(name(&pod("web-0"), "R", "m"), "web-0.a42776f9fb5b5467");
    }

    #[test]
    fn bounds_hold_for_the_longest_names_and_messages() {
        let event =
            warning(pod(&"a".repeat(253)), "R", &"ü".repeat(3000), &"i".repeat(300), Timestamp::UNIX_EPOCH);
        assert!(event.metadata.name.unwrap().len() <= 253);
        assert!(event.note.unwrap().len() <= 1024);
        assert!(event.reporting_instance.unwrap().len() <= 128);
    }
}
