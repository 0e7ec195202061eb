//! `kind: service-dns`.

use signer_annotation::ConfigError as AnnotationError;
use signer_core::{Leaf, Signer as _, SignerName};
use signer_service_dns::{DnsSuffix, Naming, NoServices, ServiceDnsConfig, ServiceDnsSigner};

use super::{Entry, Kind};
use crate::config::{error::Problems, field::Field};

impl Kind for ServiceDnsConfig {
    type Signer = ServiceDnsSigner;
    const NAME: &'static str = "service-dns";
    const FIELDS: &'static [&'static str] = &["dnsSuffixes", "noServices", "podNames"];

    fn read(Entry { name, signer, .. }: &Entry<'_>, problems: &mut Problems) -> Option<Self> {
        let pod_names = problems.or_default(signer.read("podNames", Field::flag), false);
        let choices = [("wait", NoServices::Wait), ("deny", NoServices::Deny)];
        let no_services = signer.read("noServices", |field| field.choice(&choices));
        let no_services = problems.or_default(no_services, NoServices::default());
        let naming = match signer.get("dnsSuffixes") {
            Some(field) => naming(&field, pod_names, problems),
            None => Naming::new([DnsSuffix::default()], pod_names).ok(),
        };
        Some(Self { naming: naming?, no_services, ..Self::new(name.clone()?) })
    }

    fn signer_name(&self) -> &SignerName {
        &self.name
    }

    fn examples(&self) -> Vec<Leaf> {
        ServiceDnsSigner::new(self.clone()).examples()
    }

    fn names(&self) -> Vec<String> {
        let suffixes = self.naming.suffixes();
        let mut names: Vec<_> =
            suffixes.iter().map(|suffix| format!("<service>.<namespace>.{suffix}")).collect();
        if self.naming.pod_names() {
            names
                .extend(suffixes.iter().map(|suffix| format!("<hostname>.<subdomain>.<namespace>.{suffix}")));
        }
        names.push(match self.no_services {
            NoServices::Wait => "a pod that no Service selects waits for one".to_owned(),
            NoServices::Deny => "a pod that no Service selects is denied".to_owned(),
        });
        names
    }

    fn signer(&self) -> Result<ServiceDnsSigner, AnnotationError> {
        Ok(ServiceDnsSigner::new(self.clone()))
    }
}

pub(super) fn naming(field: &Field<'_>, pod_names: bool, problems: &mut Problems) -> Option<Naming> {
    let accepted = "a list such as [svc, svc.cluster.local]";
    let suffixes: Vec<DnsSuffix> = field.list(accepted, problems, |item, problems| {
        problems.ok(item.parse("svc, or a domain of two labels at least, such as svc.cluster.local"))
    });
    if suffixes.is_empty() && !field.is_empty_list() {
        return None; // each of them was refused already
    }
    problems.ok(Naming::new(suffixes, pod_names).map_err(|error| field.error(error.to_string())))
}
