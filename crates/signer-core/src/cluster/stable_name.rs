//! The names that DNS gives to single pods.

use super::{Pod, Services};
use ca_pool::names::is_dashed_address;

impl Pod {
    /// `<hostname>.<subdomain>.<namespace>`, under which DNS finds this very pod, as with the pods of a
    /// StatefulSet. Only where the hostname is the pod's own name, so that no two pods can have it at once,
    /// and where a headless Service of the subdomain's name selects the pod. A hostname that reads as an IP
    /// address ([`is_dashed_address`]) makes none: DNS names the endpoint with that address so.
    #[must_use]
    pub fn stable_name(&self, services: &Services) -> Option<String> {
        let (hostname, subdomain) = (self.hostname.as_deref()?, self.subdomain.as_deref()?);
        let service = services.get(subdomain)?;
        let is_own = hostname == self.name
            && !is_dashed_address(hostname)
            && service.is_headless()
            && service.selects(&self.labels);
        is_own.then(|| format!("{hostname}.{subdomain}.{}", self.namespace))
    }
}

#[cfg(test)]
mod tests;
