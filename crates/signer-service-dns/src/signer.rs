//! The signer and its configuration.

use std::sync::Arc;

use signer_core::{
    ANY_LABEL, BoxError, Decision, Leaf, Request, Signer, SignerName,
    ca_pool::MAX_NAMES,
    cluster::{Service, Services},
};

use crate::{
    explain::Explain,
    naming::Naming,
    picked_services::{annotation_key, picked_services},
};

/// How a [`ServiceDnsSigner`] is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDnsConfig {
    /// The name under which pods ask for it.
    pub name: SignerName,
    /// Which names stand for a Service and a pod.
    pub naming: Naming,
    /// What happens to a pod that no Service selects.
    pub no_services: NoServices,
}

/// What happens to a pod that no Service selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoServices {
    /// It waits until one does: Service and pod may come in any order.
    #[default]
    Wait,
    /// It is denied, if it hasn't started yet.
    Deny,
}

impl ServiceDnsConfig {
    /// The defaults: names under `svc`, none for single pods, and a pod without Services waits.
    #[must_use]
    pub fn new(name: SignerName) -> Self {
        Self { name, naming: Naming::default(), no_services: NoServices::default() }
    }
}

/// Issues TLS server certificates with the DNS names of the Services that select the pod.
///
/// ```
/// use signer_core::{Decision, Signer, cluster::Service, testing::RequestBuilder};
/// use signer_service_dns::{ServiceDnsConfig, ServiceDnsSigner};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), signer_core::BoxError> {
/// let signer = ServiceDnsSigner::new(ServiceDnsConfig::new("row-major.net/service-dns".parse()?));
/// let request = RequestBuilder::new("row-major.net/service-dns")
///     .label("app", "web")
///     .services([Service::new("web", [("app", "web")])])
///     .build();
/// let Decision::Issue(leaf) = signer.decide(&request).await? else { panic!("a Service selects the pod") };
/// assert_eq!(leaf.dns_names[0].as_str(), "web.shop.svc");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServiceDnsSigner {
    config: ServiceDnsConfig,
}

impl ServiceDnsSigner {
    /// A signer that is set up like this.
    #[must_use]
    pub fn new(config: ServiceDnsConfig) -> Self {
        Self { config }
    }
}

impl Signer for ServiceDnsSigner {
    fn name(&self) -> &SignerName {
        &self.config.name
    }

    fn reads_services(&self) -> bool {
        true
    }

    /// Each leaf has names under all suffixes.
    fn examples(&self) -> Vec<Leaf> {
        let names = self.config.naming.names(ANY_LABEL, [ANY_LABEL].into_iter(), None).unwrap_or_default();
        if names.is_empty() {
            return Vec::new();
        }
        vec![names.into_iter().fold(Leaf::server(), Leaf::dns_name)]
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        let key = annotation_key(&self.config.name);
        let explain = Explain { annotation: &key, request };
        let picked = match picked_services(&self.config.name, request.user_annotations()) {
            Ok(picked) => picked,
            Err(denial) => return Ok(denial.into()),
        };
        let services = request.services()?;
        let chosen = match &picked {
            Some(names) => pick(services, names, &explain),
            None => self.all(services, &explain),
        };
        match chosen {
            Ok(chosen) => self.certify(&chosen, services, picked.is_some(), &explain),
            Err(decision) => Ok(decision),
        }
    }
}

impl ServiceDnsSigner {
    /// All Services that select the pod.
    fn all(&self, services: &Services, explain: &Explain<'_>) -> Result<Vec<Arc<Service>>, Decision> {
        let selecting = services.selecting(&explain.request.pod().labels);
        match (selecting.is_empty(), self.config.no_services) {
            (false, _) => Ok(selecting),
            (true, NoServices::Wait) => Err(explain.waits_for_any_service()),
            (true, NoServices::Deny) => Err(explain.no_service_selects_the_pod()),
        }
    }

    fn certify(
        &self,
        chosen: &[Arc<Service>],
        services: &Services,
        are_picked: bool,
        explain: &Explain<'_>,
    ) -> Result<Decision, BoxError> {
        let (naming, pod) = (&self.config.naming, explain.request.pod());
        let stable_name = pod.stable_name(services);
        let names = naming.names(
            &pod.namespace,
            chosen.iter().map(|service| service.name()),
            stable_name.as_deref(),
        )?;
        if names.len() > MAX_NAMES {
            return Ok(explain.too_many_names(
                names.len(),
                chosen.len(),
                naming.suffixes().len(),
                are_picked,
            ));
        }
        Ok(Decision::issue(names.into_iter().fold(Leaf::server(), Leaf::dns_name)))
    }
}

/// The Services that the pod's author picked. One that doesn't select the pod is a mistake; one that is
/// missing may still come.
fn pick(services: &Services, names: &[&str], explain: &Explain<'_>) -> Result<Vec<Arc<Service>>, Decision> {
    let found: Vec<_> = names.iter().map(|name| services.get(name)).collect();
    let labels = &explain.request.pod().labels;
    if let Some(service) = found.iter().flatten().find(|service| !service.selects(labels)) {
        return Err(explain.picked_service_does_not_select(service));
    }
    let missing: Vec<_> =
        names.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        return Err(explain.waits_for_picked_services(&missing));
    }
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
