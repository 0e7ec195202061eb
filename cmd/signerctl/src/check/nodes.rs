//! Whether the nodes' kubelets know podCertificate volumes.

use std::collections::BTreeMap;

use api_client::object::Identity;
use bounded_text::truncated;
use serde::Deserialize;

use super::finding::Finding;
use crate::{
    error::Error,
    observed::shown,
    store::{cluster::Cluster, plain::Plain},
    text::arguments::plural,
};

/// The first minor release of Kubernetes that asks for pods' certificates (KEP-4317).
const FIRST: u32 = 34;

pub(super) fn check(cluster: &Cluster) -> Result<Vec<Finding>, Error> {
    Ok(vec![found(&cluster.list_plain::<Node>("/api/v1/nodes", None)?)])
}

fn found(nodes: &[Node]) -> Finding {
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for node in nodes {
        *versions.entry(node.kubelet()).or_default() += 1;
    }
    let versions: Vec<String> =
        versions.iter().map(|(version, count)| format!("{version} ({count})")).collect();
    let text = format!("{} with kubelet {}", plural(nodes.len(), "node"), versions.join(", "));
    let old = nodes.iter().filter(|node| node.minor().is_some_and(|minor| minor < FIRST));
    let old: Vec<&str> = old.map(|node| node.metadata.name.as_deref().unwrap_or_default()).collect();
    match old.as_slice() {
        _ if nodes.is_empty() => Finding::warning("the cluster has no node, so no pod runs", ""),
        [] => Finding::good(text),
        [first, ..] => Finding::warning(
            text,
            format!(
                "{} older than 1.{FIRST} ({first}, say), whose kubelet asks for no certificate: pods with a podCertificate volume don't start there. \
                 Upgrade, or keep these pods off",
                if old.len() == 1 { "1 node is".to_owned() } else { format!("{} nodes are", old.len()) }
            ),
        ),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    metadata: Identity,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    node_info: NodeInfo,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeInfo {
    kubelet_version: String,
}

impl Plain for Node {
    const KIND: &'static str = "Node";
}

impl Node {
    /// Written by the node, so bounded.
    fn kubelet(&self) -> String {
        truncated(&shown(&self.status.node_info.kubelet_version), 64)
    }

    /// That of `v1.37.1` is 37; of what isn't such a version nothing is known.
    fn minor(&self) -> Option<u32> {
        self.kubelet().strip_prefix("v1.")?.split('.').next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Severity, *};

    fn severity(versions: &[&str]) -> Severity {
        let node = |version: &&str| {
            let node_info = NodeInfo { kubelet_version: (*version).to_owned() };
            Node { status: Status { node_info }, ..Node::default() }
        };
        let nodes: Vec<Node> = versions.iter().map(node).collect();
        found(&nodes).severity
    }

    #[test]
    fn kubelets_before_1_34_are_told() {
        assert_eq!(severity(&["v1.37.1", "v1.34.0+k3s1"]), Severity::Good);
        assert_eq!(severity(&["v1.37.1", "v1.33.9"]), Severity::Warning);
        assert_eq!(severity(&["", "of another kind"]), Severity::Good, "nothing is known of these");
        assert_eq!(severity(&[]), Severity::Warning);
    }
}
