//! Placeholders in names.

use signer_core::{DnsName, cluster::Pod};

use crate::{ownership::single_label, quoted::Quoted};

/// Facts that `${…}` stands for in an annotation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placeholders<'r> {
    pub(crate) pod: &'r Pod,
    pub(crate) cluster_domain: &'r DnsName,
}

/// The one placeholder whose value doesn't come from the pod, and changes with the signer's configuration.
pub(crate) const CLUSTER_DOMAIN: &str = "${cluster.domain}";

const NAMES: &str = "${pod.name}, ${pod.namespace}, ${pod.uid}, ${pod.hostname}, ${pod.serviceAccountName}, ${node.name} and ${cluster.domain}";

/// The longest name that a certificate carries: a URI.
const LONGEST: usize = 2048;

/// Why placeholders can't be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceholderError {
    #[error("{0} has a ${{ without its }}; the placeholders are {NAMES}")]
    Unterminated(String),
    #[error("{0} is not a placeholder; the placeholders are {NAMES}")]
    Unknown(String),
    /// Of pod-certificate-signer 2, whose other placeholders are ours (its `docs/configuration.md`).
    #[error("${{cluster.fqdn}} is not a placeholder; write {CLUSTER_DOMAIN}")]
    ClusterFqdn,
    #[error(
        "${{pod.hostname}} has no value: the pod {0} has no spec.hostname, and its name isn't a single label of 63 characters at most; \
         set spec.hostname, or use ${{pod.name}}"
    )]
    NoHostname(String),
    #[error("{0} is too long: {LONGEST} bytes at most, placeholders replaced")]
    TooLong(String),
}

impl Placeholders<'_> {
    /// The text with placeholders replaced by their values, which aren't looked into again. There is no
    /// escape, as no name may hold `${`.
    ///
    /// # Errors
    /// If a placeholder is unknown, unterminated or has no value, or the text grows beyond what a name may
    /// be.
    pub(crate) fn expand(&self, text: &str) -> Result<String, PlaceholderError> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once("${") {
            let (name, tail) = tail
                .split_once('}')
                .ok_or_else(|| PlaceholderError::Unterminated(Quoted(text).to_string()))?;
            expanded.push_str(literal);
            expanded.push_str(self.value(name)?);
            if expanded.len() > LONGEST {
                break;
            }
            rest = tail;
        }
        expanded.push_str(rest);
        if expanded.len() > LONGEST {
            Err(PlaceholderError::TooLong(Quoted(text).to_string()))
        } else {
            Ok(expanded)
        }
    }

    fn value(&self, name: &str) -> Result<&str, PlaceholderError> {
        let pod = self.pod;
        Ok(match name {
            "pod.name" => &pod.name,
            "pod.namespace" => &pod.namespace,
            "pod.uid" => &pod.uid,
            "pod.hostname" => pod
                .hostname
                .as_deref()
                .or_else(|| single_label(pod))
                .ok_or_else(|| PlaceholderError::NoHostname(Quoted(&pod.name).to_string()))?,
            "pod.serviceAccountName" => &pod.service_account_name,
            "node.name" => &pod.node_name,
            "cluster.domain" => self.cluster_domain.as_str(),
            "cluster.fqdn" => return Err(PlaceholderError::ClusterFqdn),
            _ => return Err(PlaceholderError::Unknown(Quoted(&format!("${{{name}}}")).to_string())),
        })
    }
}

#[cfg(test)]
mod tests;
