//! A denied pod, as its author sees it.

use std::time::Duration;

use super::super::{
    kubectl::{Kubectl, Seen, until},
    node,
};
use crate::{error::Error, terminal::Progress};

/// The kubelet repeats a failed mount with growing pauses.
const TOLD: Duration = Duration::from_secs(300);

/// Creates a pod that asks for another's name, and waits until `kubectl describe` tells why it doesn't run.
pub(super) async fn is_told(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    let manifest = node::write("denied.yaml", include_str!("../config/denied.yaml"))?;
    kubectl.run(&format!("apply -f {}", manifest.display())).await?;
    until(
        TOLD,
        |missing| progress.tell(missing),
        async || {
            let described = kubectl.run("describe pod impostor --namespace denied").await?;
            let events = described.split_once("Events:").map_or("", |(_, events)| events);
            let told = |by: &str| {
                let words = [by, "IdentityNotGranted", "www.example.com"];
                events.lines().any(|line| words.iter().all(|word| line.contains(word)))
            };
            Ok(if told("pod-certificate-signer") && told("FailedMount") {
                let short = "IdentityNotGranted, told by an event of the controller's and by kubelet's";
                Seen::Done(format!("{short}\nEvents:{events}"))
            } else {
                Seen::Missing("kubectl describe doesn't tell yet".into())
            })
        },
    )
    .await
}
