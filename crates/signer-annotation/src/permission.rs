//! Whether a pod may have what its author asks for.

use std::{collections::BTreeSet, net::IpAddr};

use signer_core::{Decision, Denial, DnsName, Request, Uri, Wait, cluster::Pod, decision::WakeOn, reasons};

use crate::{
    annotations::Annotation,
    grant::Grant,
    ownership::{Ownership, Standing},
    quoted::{Quoted, QuotedList},
    requested::{Requested, WantedCommonName, Wish},
    usage::Usage,
};

/// What a pod may have: its own names, and what grants give it. A grant is the operator's word, so it counts
/// before anything that Services say.
#[derive(Debug)]
pub(crate) struct Permission<'r> {
    own: Ownership<'r>,
    grants: Vec<&'r Grant>,
}

/// A name that the pod will have when the Service is there.
struct Awaited {
    name: String,
    service: String,
}

impl<'r> Permission<'r> {
    pub(crate) fn new(own: Ownership<'r>, grants: &'r [Grant], request: &Request) -> Self {
        Self { own, grants: grants.iter().filter(|grant| request.is_of(&grant.workloads)).collect() }
    }

    /// Looks whether the pod may have all of it. What it can't have is refused before anything is waited for:
    /// the author shall see it at once.
    ///
    /// # Errors
    /// The refusal, or what has to be waited for.
    pub(crate) fn check(&self, requested: &Requested<'_>) -> Result<(), Decision> {
        let mut awaited = Vec::new();
        if let Some(Wish { annotation, wanted: WantedCommonName::DnsName(_, name) }) = &requested.common_name
        {
            self.dns_names(annotation, std::slice::from_ref(name), &mut awaited)?;
        }
        if let Some(Wish { annotation, wanted }) = &requested.dns_names {
            self.dns_names(annotation, wanted, &mut awaited)?;
        }
        if let Some(Wish { annotation, wanted }) = &requested.uris {
            self.uris(annotation, wanted)?;
        }
        if let Some(Wish { annotation, wanted }) = &requested.ip_addresses {
            self.ip_addresses(annotation, wanted)?;
        }
        if let Some(Wish { annotation, wanted }) = &requested.usages {
            self.usages(annotation, wanted)?;
        }
        if awaited.is_empty() { Ok(()) } else { Err(wait(&awaited, self.own.pod).into()) }
    }

    fn dns_names(
        &self,
        annotation: &Annotation<'_>,
        names: &[DnsName],
        awaited: &mut Vec<Awaited>,
    ) -> Result<(), Denial> {
        let mut foreign = Vec::new();
        for name in names.iter().filter(|name| !self.is_granted(|grant| grant.gives_dns_name(name))) {
            match self.own.standing(name) {
                Standing::Own | Standing::OwnUnlessService(_) => {}
                Standing::MissingService(service) => {
                    awaited.push(Awaited { name: name.to_string(), service })
                }
                Standing::NotSelected(service) => return Err(self.not_selected(annotation, name, &service)),
                Standing::Foreign => foreign.push(name.as_str()),
            }
        }
        let field = match foreign.iter().any(|name| name.starts_with('*')) {
            true => "dnsNames (and `wildcards: true` for wildcards)",
            false => "dnsNames",
        };
        self.refuse(annotation, &foreign, field, || self.own.describe_dns_names())
    }

    fn uris(&self, annotation: &Annotation<'_>, uris: &[Uri]) -> Result<(), Denial> {
        let is_foreign =
            |uri: &&Uri| !self.own.is_own_uri(uri) && !self.is_granted(|grant| grant.gives_uri(uri));
        let foreign: Vec<&str> = uris.iter().filter(is_foreign).map(Uri::as_str).collect();
        let field = match foreign.iter().any(|uri| uri.starts_with("spiffe:")) {
            true => "uris (a spiffe: URI without wildcards)",
            false => "uris",
        };
        self.refuse(annotation, &foreign, field, || self.own.describe_uris())
    }

    fn ip_addresses(&self, annotation: &Annotation<'_>, addresses: &[IpAddr]) -> Result<(), Denial> {
        let is_foreign = |address: &&IpAddr| !self.is_granted(|grant| grant.gives_ip_address(**address));
        let foreign: Vec<String> = addresses.iter().filter(is_foreign).map(IpAddr::to_string).collect();
        let foreign: Vec<&str> = foreign.iter().map(String::as_str).collect();
        self.refuse(annotation, &foreign, "ips", || "no IP address".to_owned())
    }

    fn usages(&self, annotation: &Annotation<'_>, usages: &[Usage]) -> Result<(), Denial> {
        let is_foreign =
            |usage: &&Usage| !usage.is_free() && !self.is_granted(|grant| grant.gives_usage(**usage));
        let foreign: Vec<&str> = usages.iter().filter(is_foreign).map(|usage| usage.name()).collect();
        let own = || "server auth, client auth and digital signature".to_owned();
        self.refuse(annotation, &foreign, "usages", own)
    }

    /// The Services that must not exist for the pod to have these names, which it may have otherwise.
    pub(crate) fn absent_services<'n>(&self, names: impl Iterator<Item = &'n DnsName>) -> BTreeSet<String> {
        let own = names.filter(|name| !self.is_granted(|grant| grant.gives_dns_name(name)));
        let absent = own.filter_map(|name| match self.own.standing(name) {
            Standing::OwnUnlessService(service) => Some(service),
            _ => None,
        });
        absent.collect()
    }

    fn is_granted(&self, gives: impl Fn(&Grant) -> bool) -> bool {
        self.grants.iter().any(|grant| gives(grant))
    }

    /// Refuses what is neither the pod's own nor granted, if there is any.
    fn refuse(
        &self,
        annotation: &Annotation<'_>,
        foreign: &[&str],
        field: &str,
        own: impl FnOnce() -> String,
    ) -> Result<(), Denial> {
        if foreign.is_empty() {
            return Ok(());
        }
        let Pod { namespace, service_account_name, .. } = self.own.pod;
        let rule = format!(
            "{} is not the pod's own and not granted to service account {service_account_name} of namespace {namespace}; \
             without a grant the pod may have {}; for more, the operator of the signer adds a grant with {field}",
            QuotedList(foreign),
            own(),
        );
        Err(annotation.refused(reasons::IDENTITY_NOT_GRANTED, rule))
    }

    fn not_selected(&self, annotation: &Annotation<'_>, name: &DnsName, service: &str) -> Denial {
        let Pod { name: pod, namespace, .. } = self.own.pod;
        let rule = format_args!(
            "{} belongs to the Service {service} of namespace {namespace}, whose selector doesn't select the pod {pod}; give the pod the labels that \
             the Service selects, or leave the name out",
            Quoted(name.as_str())
        );
        annotation.refused(reasons::SERVICE_DOES_NOT_SELECT_POD, rule)
    }
}

fn wait(awaited: &[Awaited], pod: &Pod) -> Wait {
    let names: Vec<&str> = awaited.iter().map(|awaited| awaited.name.as_str()).collect();
    let mut services: Vec<&str> = awaited.iter().map(|awaited| awaited.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    let message = format!(
        "{} waits for Services of namespace {} that don't exist yet: {}; create them with a selector that selects the pod {}, or leave the names out",
        QuotedList(&names),
        pod.namespace,
        QuotedList(&services),
        pod.name
    );
    Wait { reason: reasons::WAITING_FOR_SERVICE, message, until: &[WakeOn::Services, WakeOn::Pod] }
}
