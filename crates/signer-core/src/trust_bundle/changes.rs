//! What makes a bundle another one: the log says what somebody has changed, and what is written over it.

use std::{collections::BTreeMap, fmt};

use kube::ResourceExt;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::api::ClusterTrustBundle;
use ca_pool::fingerprint;
use ca_pool::names::SignerName;

/// The most anchors that are named in one line.
const MOST_NAMED: usize = 4;

/// The differences between two states of a bundle, as far as they are the signer's matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    added: Vec<String>,
    removed: Vec<String>,
    /// The anchors are the same, and their text isn't.
    is_reordered: bool,
    labels: Vec<String>,
    annotations: Vec<String>,
}

impl Changes {
    /// Labels of others don't count, nor do their annotations.
    pub(super) fn between(
        before: &ClusterTrustBundle,
        after: &ClusterTrustBundle,
        signer: &SignerName,
        own_labels: &BTreeMap<String, String>,
    ) -> Self {
        let (old, new) = (fingerprints(before), fingerprints(after));
        let missing_in = |from: &[String], other: &[String]| -> Vec<String> {
            from.iter().filter(|root| !other.contains(root)).cloned().collect()
        };
        let (added, removed) = (missing_in(&new, &old), missing_in(&old, &new));
        let label = |key: &String| {
            let (old, new) = (before.labels().get(key), after.labels().get(key));
            (old != new).then(|| format!("{key} from {} to {}", value(old), value(new)))
        };
        let prefix = signer.label_key("");
        let mut keys: Vec<&String> = before.annotations().keys().chain(after.annotations().keys()).collect();
        keys.sort();
        keys.dedup();
        let differs = |key: &&String| before.annotations().get(*key) != after.annotations().get(*key);
        Self {
            is_reordered: added.is_empty()
                && removed.is_empty()
                && before.spec.trust_bundle != after.spec.trust_bundle,
            added,
            removed,
            labels: own_labels.keys().filter_map(label).collect(),
            annotations: keys
                .into_iter()
                .filter(|key| key.starts_with(&prefix))
                .filter(differs)
                .cloned()
                .collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            named("anchors added", &self.added),
            named("anchors removed", &self.removed),
            self.is_reordered.then(|| "the text of the anchors".to_owned()),
            named("labels changed", &self.labels),
            named("annotations changed", &self.annotations),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&if parts.is_empty() { "nothing of the signer's".to_owned() } else { parts.join("; ") })
    }
}

/// Anchors as messages name them: the first few, and how many more.
pub(super) fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    let first = names.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

fn named(what: &str, names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{what}: {}", listed(names)))
}

fn value(value: Option<&String>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"))
}

/// Of its certificates, in the order of the bundle.
fn fingerprints(bundle: &ClusterTrustBundle) -> Vec<String> {
    let anchors = CertificateDer::pem_slice_iter(bundle.spec.trust_bundle.as_bytes()).flatten();
    anchors.map(|der| fingerprint(&der)).collect()
}

#[cfg(test)]
mod tests;
