//! Whether the nodes' kubelets know podCertificate volumes.

use std::collections::BTreeMap;

use api_client::{
    answer::SizeClass,
    object::{ApiObject, Identity},
};
use serde::Deserialize;

use super::finding::Finding;
use crate::{error::Error, store::cluster::Cluster, text::arguments::plural};

/// The first minor release of Kubernetes that asks for pods' certificates (KEP-4317).
const FIRST: u32 = 34;

pub(super) fn check(cluster: &Cluster) -> Result<Vec<Finding>, Error> {
    Ok(vec![found(&cluster.list::<Node>("/api/v1/nodes", None)?.objects)])
}

fn found(nodes: &[Node]) -> Finding {
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for node in nodes {
        *versions.entry(&node.kubelet).or_default() += 1;
    }
    let versions: Vec<String> =
        versions.iter().map(|(version, count)| format!("{version} ({count})")).collect();
    let text = format!("{} with kubelet {}", plural(nodes.len(), "node"), versions.join(", "));
    let old = nodes.iter().filter(|node| node.minor().is_some_and(|minor| minor < FIRST));
    let old: Vec<&str> = old.map(|node| node.name.as_str()).collect();
    match old.as_slice() {
        _ if nodes.is_empty() => Finding::warning("there is no node, so no pod runs", ""),
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

struct Node {
    name: String,
    kubelet: String,
}

impl Node {
    /// That of `v1.37.1` is 37; of what isn't such a version nothing is known.
    fn minor(&self) -> Option<u32> {
        self.kubelet.strip_prefix("v1.")?.split('.').next()?.parse().ok()
    }
}

#[derive(Deserialize)]
struct NodeWire {
    metadata: Identity,
    #[serde(default)]
    status: StatusWire,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusWire {
    node_info: NodeInfoWire,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeInfoWire {
    kubelet_version: String,
}

impl ApiObject for Node {
    type Wire = NodeWire;
    const KIND: &'static str = "Node";
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(NodeWire { metadata, status }: NodeWire) -> Result<Self, String> {
        let kubelet = bounded_text::truncated(&bounded_text::one_line(&status.node_info.kubelet_version), 64);
        Ok(Self { kubelet, ..Self::gone(metadata) })
    }

    fn gone(identity: Identity) -> Self {
        Self { name: identity.name.unwrap_or_default(), kubelet: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Standing, *};

    fn standing(versions: &[&str]) -> Standing {
        let nodes: Vec<Node> =
            versions.iter().map(|version| Node { name: "n".into(), kubelet: (*version).into() }).collect();
        found(&nodes).standing
    }

    #[test]
    fn kubelets_before_1_34_are_told() {
        assert_eq!(standing(&["v1.37.1", "v1.34.0+k3s1"]), Standing::Good);
        assert_eq!(standing(&["v1.37.1", "v1.33.9"]), Standing::Warning);
        assert_eq!(standing(&["", "of another kind"]), Standing::Good, "nothing is known of these");
        assert_eq!(standing(&[]), Standing::Warning);
    }
}
