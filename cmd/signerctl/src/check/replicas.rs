//! The controller's replicas.

use std::collections::BTreeSet;

use super::finding::{Finding, Findings};
use crate::{
    error::Error,
    observed::{Controller, Deployment, ObservedPod},
    text::arguments::plural,
};

/// Each should be ready, and of one version.
pub(super) fn check(controller: &Controller<'_>, findings: &mut Findings) {
    let deployment = match controller.deployment() {
        Err(error @ Error::NotThere { .. }) => {
            let finding = Finding::bad("the controller isn't deployed", error.to_string());
            return findings.add("replicas", Ok(vec![finding]));
        }
        Err(error) => return findings.add("replicas", Err(error)),
        Ok(deployment) => deployment,
    };
    let kubectl = format!("kubectl{} -n {}", controller.cluster.arguments(), controller.namespace);
    findings.add("replicas", Ok(vec![readiness(deployment, &kubectl)]));
    let versions = controller.pods().map(|pods| versions(deployment, &pods, &kubectl).into_iter().collect());
    findings.add("versions", versions);
}

fn readiness(deployment: &Deployment, kubectl: &str) -> Finding {
    let Deployment { replicas, ready, .. } = *deployment;
    let look =
        format!("See `{kubectl} describe pods -l app.kubernetes.io/name=signer-manager` and their /readyz.");
    match ready {
        0 => Finding::bad("no replica is ready, so nothing is issued", look),
        ready if ready < replicas => Finding::warning(
            format!(
                "{ready} of {} {} ready",
                plural(replicas as usize, "replica"),
                if ready == 1 { "is" } else { "are" }
            ),
            look,
        ),
        1 => Finding::warning(
            "one replica is ready, and no other is there to take its place",
            format!("Run two: `{kubectl} scale deployment signer-manager --replicas 2`."),
        ),
        ready => Finding::good(format!("{} are ready", plural(ready as usize, "replica"))),
    }
}

/// Nothing where no pod runs.
fn versions(deployment: &Deployment, pods: &[ObservedPod], kubectl: &str) -> Option<Finding> {
    let Deployment { replicas, updated, .. } = *deployment;
    let images: BTreeSet<&str> = pods.iter().map(|pod| pod.image.as_str()).collect();
    let images: Vec<&str> = images.into_iter().collect();
    Some(match images[..] {
        [] => return None,
        [image] if replicas <= updated => {
            Finding::good(format!("all run {image}; this is signerctl {}", env!("CARGO_PKG_VERSION")))
        }
        _ => Finding::warning(
            format!(
                "a rollout is under way: {updated} of {replicas} are of the new version ({})",
                images.join(", ")
            ),
            format!("`{kubectl} rollout status deployment signer-manager` follows it."),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Severity, *};

    fn deployment(replicas: u32, ready: u32, updated: u32) -> Deployment {
        let mut deployment = Deployment::default();
        (deployment.replicas, deployment.ready, deployment.updated) = (replicas, ready, updated);
        deployment
    }

    fn pod(image: &str) -> ObservedPod {
        let json = serde_json::json!({
            "metadata": {"name": "a", "namespace": "b", "uid": "c"},
            "spec": {"containers": [{"image": image}]},
        });
        api_client::object::read_object(&serde_json::to_vec(&json).unwrap()).unwrap()
    }

    #[test]
    fn two_replicas_that_are_ready_are_good() {
        for (replicas, ready, expected) in [
            (2, 2, Severity::Good),
            (2, 1, Severity::Warning),
            (3, 2, Severity::Warning),
            (1, 1, Severity::Warning),
            (2, 0, Severity::Bad),
        ] {
            assert_eq!(readiness(&deployment(replicas, ready, replicas), "kubectl").severity, expected);
        }
        assert!(readiness(&deployment(3, 2, 3), "kubectl").text.starts_with("2 of 3 replicas are ready"));
    }

    #[test]
    fn several_images_and_old_pods_are_a_rollout() {
        let severity = |updated, images: &[&str]| {
            let pods: Vec<_> = images.iter().map(|image| pod(image)).collect();
            versions(&deployment(2, 2, updated), &pods, "kubectl").map(|finding| finding.severity)
        };
        assert_eq!(severity(2, &["a:1", "a:1"]), Some(Severity::Good));
        assert_eq!(severity(2, &["a:1", "a:2"]), Some(Severity::Warning));
        assert_eq!(severity(1, &["a:1", "a:1"]), Some(Severity::Warning));
        assert_eq!(severity(2, &[]), None);
    }
}
