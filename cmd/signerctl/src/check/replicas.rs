//! The controller's replicas.

use std::collections::BTreeSet;

use super::finding::Finding;
use crate::{
    error::Error,
    observed::{Controller, Deployment},
    text::arguments::plural,
};

/// Each should be ready, and of one version.
pub(super) fn check(controller: Controller<'_>) -> Result<Vec<Finding>, Error> {
    let Deployment { replicas, ready, updated, .. } = match controller.deployment() {
        Err(error @ Error::NotThere { .. }) => {
            return Ok(vec![Finding::bad("the controller isn't deployed", error.to_string())]);
        }
        found => found?,
    };
    let namespace = controller.namespace;
    let look = format!(
        "See `kubectl -n {namespace} describe pods -l app.kubernetes.io/name=signer-manager` and their /readyz."
    );
    let ready = match ready {
        0 => Finding::bad("no replica is ready, so nothing is issued", look),
        ready if ready < replicas => {
            Finding::warning(format!("{ready} of {} is ready", plural(replicas as usize, "replica")), look)
        }
        1 => Finding::warning(
            "one replica is ready, and no other is there to take its place",
            format!("Run two: `kubectl -n {namespace} scale deployment signer-manager --replicas 2`."),
        ),
        ready => Finding::good(format!("{} are ready", plural(ready as usize, "replica"))),
    };
    let pods = controller.pods()?;
    let images: BTreeSet<&str> = pods.iter().map(|pod| pod.image.as_str()).collect();
    let images: Vec<&str> = images.into_iter().collect();
    let version = match images[..] {
        [] => return Ok(vec![ready]),
        _ if updated < replicas || images.len() > 1 => Finding::warning(
            format!(
                "a rollout is under way: {updated} of {replicas} are of the new version ({})",
                images.join(", ")
            ),
            format!("`kubectl -n {namespace} rollout status deployment signer-manager` follows it."),
        ),
        [image] => Finding::good(format!("all run {image}; this is signerctl {}", env!("CARGO_PKG_VERSION"))),
        _ => return Ok(vec![ready]),
    };
    Ok(vec![ready, version])
}
