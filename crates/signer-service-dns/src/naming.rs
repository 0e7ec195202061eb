//! How the names in a certificate are made.

use std::collections::BTreeSet;

use signer_core::{DnsName, ca_pool::DnsNameError};

use crate::DnsSuffix;

/// Which names stand for a Service and a pod. Always such that no name means two of them.
///
/// ```
/// use signer_service_dns::Naming;
///
/// let naming = Naming::new(["svc".parse()?, "svc.cluster.local".parse()?], false)?;
/// assert_eq!(naming.suffixes().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    suffixes: Vec<DnsSuffix>,
    pod_names: bool,
}

/// Why suffixes don't go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// Without a suffix there are no names.
    #[error("there is no suffix, so there would be no names; leave the list out for svc alone")]
    NoSuffix,
    /// A suffix stands there twice.
    #[error("{0} is there twice; write each suffix once")]
    Duplicate(DnsSuffix),
    /// A pod's name under one suffix reads as a Service's name under the other.
    #[error(
        "a pod's name under {shorter} can be the name of another namespace's Service under {longer}, which is {shorter} with one label \
         more; with pod names, leave one of the two out"
    )]
    Ambiguous {
        /// The suffix of the pod's name.
        shorter: DnsSuffix,
        /// The suffix of the Service's name.
        longer: DnsSuffix,
    },
}

impl Naming {
    /// Names Services, and also single pods if `pod_names` says so, under each of these suffixes.
    ///
    /// # Errors
    /// If there is no suffix, one is there twice, or a pod could get a name that is another namespace's
    /// Service under another suffix: with `example.com` and `svc.example.com`, the pod `a.b.svc.example.com`
    /// of a namespace `svc` has the name of the Service `a` of the namespace `b`.
    pub fn new(suffixes: impl IntoIterator<Item = DnsSuffix>, pod_names: bool) -> Result<Self, NamingError> {
        let suffixes: Vec<_> = suffixes.into_iter().collect();
        if suffixes.is_empty() {
            return Err(NamingError::NoSuffix);
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = suffixes.iter().find(|suffix| !seen.insert(*suffix)) {
            return Err(NamingError::Duplicate(twice.clone()));
        }
        if pod_names {
            for longer in &suffixes {
                let without_label = longer.as_str().split_once('.').map(|(_, rest)| rest);
                if let Some(shorter) = suffixes.iter().find(|shorter| Some(shorter.as_str()) == without_label)
                {
                    return Err(NamingError::Ambiguous { shorter: shorter.clone(), longer: longer.clone() });
                }
            }
        }
        Ok(Self { suffixes, pod_names })
    }

    /// The suffixes, in the order in which they were given.
    #[must_use]
    pub fn suffixes(&self) -> &[DnsSuffix] {
        &self.suffixes
    }

    /// Whether single pods get names too.
    #[must_use]
    pub fn pod_names(&self) -> bool {
        self.pod_names
    }

    /// The names of these Services of a namespace, and of the pod if it has a stable name; sorted, and none
    /// twice. A pod's name that is longer than DNS allows is left out: nobody could look it up.
    pub(crate) fn names<'a>(
        &self,
        namespace: &str,
        services: impl Iterator<Item = &'a str> + Clone,
        stable_name: Option<&str>,
    ) -> Result<BTreeSet<DnsName>, DnsNameError> {
        let mut names = BTreeSet::new();
        for suffix in &self.suffixes {
            for service in services.clone() {
                names.insert(format!("{service}.{namespace}.{suffix}").parse()?);
            }
            let pod = stable_name.filter(|_| self.pod_names).map(|name| format!("{name}.{suffix}"));
            names.extend(pod.and_then(|name| name.parse().ok()));
        }
        Ok(names)
    }
}

impl Default for Naming {
    /// Services alone, under `svc`.
    fn default() -> Self {
        Self { suffixes: vec![DnsSuffix::default()], pod_names: false }
    }
}

#[cfg(test)]
mod tests;
