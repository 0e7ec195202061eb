//! What a service-dns signer has.

use signer_core::SignerName;
use signer_service_dns::{DnsSuffix, Naming, NoServices, ServiceDnsConfig};

use super::{
    error::Problems,
    field::{Field, Mapping},
};

pub(super) const FIELDS: [&str; 3] = ["dnsSuffixes", "noServices", "podNames"];

/// The fields of a service-dns signer.
pub(super) fn service_dns(
    name: Option<SignerName>,
    signer: &Mapping<'_>,
    problems: &mut Problems,
) -> Option<ServiceDnsConfig> {
    let pod_names = problems.or_default(signer.read("podNames", Field::flag), false);
    let choices = [("wait", NoServices::Wait), ("deny", NoServices::Deny)];
    let no_services = signer.read("noServices", |field| field.choice(&choices));
    let no_services = problems.or_default(no_services, NoServices::default());
    let naming = match signer.get("dnsSuffixes") {
        Some(field) => naming(&field, pod_names, problems),
        None => Naming::new([DnsSuffix::default()], pod_names).ok(),
    };
    Some(ServiceDnsConfig { naming: naming?, no_services, ..ServiceDnsConfig::new(name?) })
}

fn naming(field: &Field<'_>, pod_names: bool, problems: &mut Problems) -> Option<Naming> {
    let accepted = "a list such as [svc, svc.cluster.local]";
    let suffixes: Vec<DnsSuffix> = field.list(accepted, problems, |item, problems| {
        problems.ok(item.parse("svc, or a domain of two labels at least, such as svc.cluster.local"))
    });
    if suffixes.is_empty() && !field.is_empty_list() {
        return None; // each of them was refused already
    }
    problems.ok(Naming::new(suffixes, pod_names).map_err(|error| field.error(error.to_string())))
}
