//! The signer itself.

use signer_core::{
    BoxError, CommonName, Decision, Denial, ExtendedKeyUsage, Grounds, Leaf, Request, Signer, SignerName,
    ca_pool::{KeyUsage, MAX_NAMES, names::is_dashed_address},
    cluster::{Pod, Services},
};

use crate::{
    annotations::Annotations,
    config::{AnnotationSignerConfig, CommonNameDefault, ConfigError},
    examples::examples,
    keys::{Item, Keys},
    ownership::{Ownership, own_common_name},
    permission::Permission,
    placeholders::Placeholders,
    quoted::Quoted,
    requested::Requested,
    usage::Usage,
};

/// Issues what a pod's annotations ask for, as far as the pod may have it. What it decides follows from its
/// configuration and the request alone.
///
/// The [crate's documentation](crate) has the rules.
#[derive(Clone, Debug)]
pub struct AnnotationSigner {
    config: AnnotationSignerConfig,
    keys: Keys,
}

impl AnnotationSigner {
    /// Makes a signer of a configuration.
    ///
    /// # Errors
    /// If the parts of the configuration don't fit together.
    pub fn new(config: AnnotationSignerConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let keys = Keys::new(&config.name, &config.other_signers);
        Ok(Self { config, keys })
    }

    /// The leaf, or why there is none.
    fn leaf(&self, request: &Request, services: &Services) -> Result<Leaf, Decision> {
        let AnnotationSignerConfig { cluster_domain, trust_domain, grants, .. } = &self.config;
        let (pod, trust_domain) = (request.pod(), trust_domain.as_ref());
        let pod_service_names = self.config.pod_service_names;
        let own = Ownership { pod, services, cluster_domain, pod_service_names, trust_domain };

        let annotations = self.keys.read(request, self.config.annotations_from)?;
        let requested = Requested::read(&annotations, Placeholders { pod, cluster_domain }, request)?;
        let mut leaf = fill(&requested, &own, &self.config);
        check_count(&leaf, &requested, &annotations, pod)?;
        let permission = Permission::new(own, grants, request);
        permission.check(&requested)?;
        leaf.absent_services =
            permission.absent_services(leaf.dns_names.iter().chain(requested.common_dns_name()));
        Ok(leaf)
    }
}

impl Signer for AnnotationSigner {
    fn name(&self) -> &SignerName {
        &self.config.name
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        let services = request.services()?;
        Ok(self.leaf(request, services).map_or_else(|other| other, Decision::issue))
    }

    fn reads_namespaces(&self) -> bool {
        self.config.grants.iter().any(|grant| grant.workloads.namespace_selector().is_some())
    }

    fn reads_services(&self) -> bool {
        true
    }

    fn examples(&self) -> Vec<Leaf> {
        examples(&self.config)
    }
}

/// What is asked for, and defaults for the rest.
fn fill(requested: &Requested<'_>, own: &Ownership<'_>, config: &AnnotationSignerConfig) -> Leaf {
    let Requested { common_name: wanted_common_name, dns_names, uris, ip_addresses, usages, validity } =
        requested;
    let mut leaf = Leaf::new([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]);
    if let Some(usages) = usages {
        leaf.extended_key_usages.clear();
        usages.wanted.iter().for_each(|usage| add_usage(&mut leaf, *usage));
    }
    leaf.common_name = match wanted_common_name {
        Some(wish) => Some(wish.wanted.common_name().clone()),
        None => default_common_name(own.pod, config.common_name),
    };
    leaf.dns_names = dns_names.as_ref().map_or_else(|| own.default_dns_names(), |wish| wish.wanted.clone());
    leaf.uris = uris.as_ref().map(|wish| wish.wanted.clone()).unwrap_or_default();
    leaf.ip_addresses = ip_addresses.as_ref().map(|wish| wish.wanted.clone()).unwrap_or_default();
    leaf.lifetime = Some(validity.lifetime);
    leaf.refresh = validity.refresh;
    leaf.default_refresh = Some(config.refresh.unwrap_or_else(|| validity.default_refresh()));
    leaf
}

fn default_common_name(pod: &Pod, default: CommonNameDefault) -> Option<CommonName> {
    match default {
        CommonNameDefault::PodName => own_common_name(pod)?.parse().ok(),
        CommonNameDefault::None => None,
    }
}

fn add_usage(leaf: &mut Leaf, usage: Usage) {
    match usage {
        // issuance sets these itself
        Usage::DigitalSignature | Usage::Key(KeyUsage::KeyEncipherment) => {}
        Usage::Key(usage) => drop(leaf.further_key_usages.insert(usage)),
        Usage::Extended(usage) => drop(leaf.extended_key_usages.insert(usage)),
    }
}

/// A leaf carries from one to a hundred names. Defaults come and go with Services and configuration, so what
/// breaks that with them alone may be mended.
fn check_count(
    leaf: &Leaf,
    requested: &Requested<'_>,
    annotations: &Annotations<'_>,
    pod: &Pod,
) -> Result<(), Denial> {
    if leaf.names() == 0 {
        let cause = if pod.name.contains('.') {
            "has several labels".to_owned()
        } else if is_dashed_address(&pod.name) {
            "reads as an IP address".to_owned()
        } else {
            format!("has {} characters", pod.name.len())
        };
        let rule = format_args!(
            "the pod's name {} makes no default name, since it {cause}, and a certificate has one name at least; set it to a name of a Service that \
             selects the pod (<service>.{}.svc) or a granted one, or rename the pod",
            Quoted(&pod.name),
            pod.namespace
        );
        return Err(annotations.missing(Item::DnsNames, rule));
    }
    if leaf.names() > MAX_NAMES {
        let rule = format!(
            "the certificate would carry {} names, defaults included; {MAX_NAMES} are the most",
            leaf.names()
        );
        let denial = annotations.malformed(rule);
        let grounds = if requested.names() > MAX_NAMES { denial.grounds } else { Grounds::Changeable };
        return Err(Denial { grounds, ..denial });
    }
    Ok(())
}
