//! Placeholders in names.

use signer_core::{DnsName, Pod};

use crate::{own_names::single_label, quoted::Quoted};

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
    #[error("{0} is no placeholder; the placeholders are {NAMES}")]
    Unknown(String),
    /// Of pod-certificate-signer 2, whose other placeholders are ours (its `docs/configuration.md`).
    #[error("${{cluster.fqdn}} is no placeholder; write {CLUSTER_DOMAIN}")]
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
    /// The text with placeholders replaced by their values, which aren't looked into again. There is no escape, as no name may hold `${`.
    ///
    /// # Errors
    /// If a placeholder is unknown, unterminated or has no value, or the text grows beyond what a name may be.
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
mod tests {
    use proptest::prelude::*;
    use signer_core::testing::RequestBuilder;

    use super::*;

    fn expand(text: &str, change: impl FnOnce(&mut Pod)) -> Result<String, PlaceholderError> {
        let (_, pod) = RequestBuilder::new("example.com/a").pod(change).parts();
        Placeholders { pod: &pod, cluster_domain: &"cluster.local".parse().unwrap() }.expand(text)
    }

    #[test]
    fn each_stands_for_a_fact() {
        for (text, expanded) in [
            ("${pod.name}", "web-0"),
            ("${pod.namespace}", "shop"),
            ("${pod.uid}", "8a9ef1a5-6f3c-4c5d-9d07-000000000001"),
            ("${pod.hostname}", "web-0"),
            ("${pod.serviceAccountName}", "server"),
            ("${node.name}", "node-1"),
            ("${cluster.domain}", "cluster.local"),
            ("a-${pod.name}.${pod.namespace}-b", "a-web-0.shop-b"),
            ("$pod.name }{ $", "$pod.name }{ $"),
            ("$${pod.name}}", "$web-0}"),
        ] {
            assert_eq!(expand(text, |_| ()).as_deref(), Ok(expanded), "{text}");
        }
    }

    #[test]
    fn refuses_what_stands_for_nothing() {
        for (text, rule) in [
            ("${pod.ip}", "\"${pod.ip}\" is no placeholder; the placeholders are ${pod.name}"),
            ("a.${cluster.fqdn}", "${cluster.fqdn} is no placeholder; write ${cluster.domain}"),
            ("${}", "\"${}\" is no placeholder"),
            ("${ pod.name }", "is no placeholder"),
            ("${POD.NAME}", "is no placeholder"),
            ("${${pod.name}}", "\"${${pod.name}\" is no placeholder"),
            ("a.${pod.name", "\"a.${pod.name\" has a ${ without its }"),
            ("${pod.name}.${", "without its }"),
        ] {
            let error = expand(text, |_| ()).unwrap_err().to_string();
            assert!(error.contains(rule), "{text}: {error}");
        }
    }

    #[test]
    fn the_hostname_is_the_specs_or_a_name_that_could_be_one() {
        let hostname = |change: fn(&mut Pod)| expand("${pod.hostname}", change);
        assert_eq!(hostname(|pod| pod.hostname = Some("db".into())).as_deref(), Ok("db"));
        assert!(matches!(hostname(|pod| pod.name = "web.0".into()), Err(PlaceholderError::NoHostname(_))));
        assert!(matches!(hostname(|pod| pod.name = "a".repeat(64)), Err(PlaceholderError::NoHostname(_))));
    }

    #[test]
    fn stops_at_what_no_name_can_be() {
        let text = "${pod.uid}".repeat(25_000);
        assert!(matches!(expand(&text, |_| ()), Err(PlaceholderError::TooLong(_))));
        assert!(matches!(expand(&"a".repeat(2049), |_| ()), Err(PlaceholderError::TooLong(_))));
        assert!(expand(&"a".repeat(2048), |_| ()).is_ok());
    }

    proptest! {
        #[test]
        fn values_are_not_looked_into_again(parts in proptest::collection::vec("[a-z.{}]{0,3}", 0..6), hostname in "[${}a-z.]{0,12}") {
            let expanded = expand(&parts.join("${pod.hostname}"), |pod| pod.hostname = Some(hostname.clone()));
            prop_assert_eq!(expanded, Ok(parts.join(&hostname)));
        }

        #[test]
        fn takes_any_text(text in "(\\PC|\\$\\{|\\}|pod\\.name){0,40}") {
            if let Ok(expanded) = expand(&text, |_| ()) {
                prop_assert!(expanded.len() <= LONGEST);
                prop_assert!(!text.contains(CLUSTER_DOMAIN) || expanded.contains("cluster.local"));
            }
        }
    }
}
