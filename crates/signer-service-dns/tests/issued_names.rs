//! No certificate carries a name that isn't a Service's which selects the pod, or the pod's own as a member
//! of a StatefulSet: a second opinion, which reads names label by label, on pods, Services and annotations
//! that an adversary chooses.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{collections::BTreeMap, net::IpAddr};

use proptest::{collection::btree_map, option, prelude::*, sample::select};
use signer_core::{Decision, ExtendedKeyUsage, Signer, cluster::Service, testing::RequestBuilder};
use signer_service_dns::{Naming, ServiceDnsConfig, ServiceDnsSigner};

const SIGNER: &str = "row-major.net/service-dns";
const LABELS: [&str; 8] = ["web", "web-0", "db", "svc", "10-0-0-5", "010-0-0-5", "fe80--1", "shop"];
const NAMESPACES: [&str; 3] = ["shop", "evil", "svc"];
const SUFFIXES: [&[&str]; 3] = [&["svc"], &["svc", "svc.cluster.local"], &["a.svc"]];

#[derive(Clone, Debug)]
struct World {
    name: String,
    namespace: &'static str,
    hostname: Option<String>,
    subdomain: Option<&'static str>,
    app: &'static str,
    /// By name: which pods it selects, and whether it is headless.
    services: BTreeMap<&'static str, (Option<&'static str>, bool)>,
    suffixes: &'static [&'static str],
    pod_names: bool,
    pick: Option<String>,
    rewritten: String,
}

fn world() -> impl Strategy<Value = World> {
    let label = || select(&LABELS[..]);
    let name = prop_oneof![
        3 => label().prop_map(str::to_owned),
        1 => (label(), label(), select(&NAMESPACES[..])).prop_map(|(a, b, c)| format!("{a}.{b}.{c}.svc")),
    ];
    let hostname =
        prop_oneof![1 => Just(None), 4 => Just(Some(None)), 1 => label().prop_map(|label| Some(Some(label)))];
    let service = (option::weighted(0.9, select(&["web", "other"][..])), any::<bool>());
    let pod = (name, select(&NAMESPACES[..]), hostname, option::of(label()), select(&["web", "other"][..]));
    let pick = option::weighted(
        0.3,
        prop_oneof![
            label().prop_map(str::to_owned),
            (label(), label()).prop_map(|(a, b)| format!("{a}, {b}"))
        ],
    );
    (pod, btree_map(label(), service, 0..6), select(&SUFFIXES[..]), any::<bool>(), pick, label()).prop_map(
        |((name, namespace, hostname, subdomain, app), services, suffixes, pod_names, pick, rewritten)| {
            let own = name.split('.').next().unwrap().to_owned();
            let hostname = hostname.map(|other| other.map_or(own, str::to_owned));
            let rewritten = rewritten.to_owned();
            World {
                name,
                namespace,
                hostname,
                subdomain,
                app,
                services,
                suffixes,
                pod_names,
                pick,
                rewritten,
            }
        },
    )
}

impl World {
    fn decide(&self) -> Decision {
        let naming =
            Naming::new(self.suffixes.iter().map(|suffix| suffix.parse().unwrap()), self.pod_names).unwrap();
        let signer = ServiceDnsSigner::new(ServiceDnsConfig {
            naming,
            ..ServiceDnsConfig::new(SIGNER.parse().unwrap())
        });
        let services = self.services.iter().map(|(name, (app, is_headless))| {
            let service = Service::new(*name, app.iter().map(|app| ("app", *app)));
            if *is_headless { service.headless() } else { service }
        });
        let request =
            RequestBuilder::new(SIGNER).namespace(self.namespace).label("app", self.app).services(services);
        let request = request.annotation(&format!("{SIGNER}-services"), &self.rewritten).pod(|pod| {
            pod.name.clone_from(&self.name);
            pod.hostname.clone_from(&self.hostname);
            pod.subdomain = self.subdomain.map(str::to_owned);
        });
        let request = self
            .pick
            .iter()
            .fold(request, |request, pick| request.user_annotation(&format!("{SIGNER}-services"), pick));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(signer.decide(&request.build())).unwrap()
    }

    fn is_selected_by(&self, service: &str) -> bool {
        self.services.get(service).is_some_and(|(app, _)| *app == Some(self.app))
    }

    fn owns(&self, name: &str) -> bool {
        let hosts = self
            .suffixes
            .iter()
            .filter_map(|suffix| name.strip_suffix(&format!(".{}.{suffix}", self.namespace)));
        hosts.map(|host| host.split('.').collect::<Vec<_>>()).any(|host| match host[..] {
            [service] => self.is_selected_by(service),
            [hostname, service] => {
                self.pod_names
                    && self.is_selected_by(service)
                    && self.services[service].1
                    && hostname == self.name
                    && self.hostname.as_deref() == Some(hostname)
                    && self.subdomain == Some(service)
                    && !reads_as_address(hostname)
            }
            _ => false,
        })
    }
}

/// Whether cluster DNS gives the name of an endpoint to the pod that has this address. Go's older parsers
/// took leading zeros.
fn reads_as_address(label: &str) -> bool {
    let groups = label.split('-').map(|group| match group.trim_start_matches('0') {
        "" if !group.is_empty() => "0",
        digits => digits,
    });
    let groups: Vec<&str> = groups.collect();
    [".", ":"].iter().any(|by| groups.join(by).parse::<IpAddr>().is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn are_those_of_services_that_select_the_pod_or_its_own(world in world()) {
        let selecting = world.services.keys().any(|service| world.is_selected_by(service));
        match world.decide() {
            Decision::Issue(leaf) => {
                for name in &leaf.dns_names {
                    prop_assert!(world.owns(name.as_str()), "{name} for {world:#?}");
                }
                prop_assert!(selecting && !leaf.dns_names.is_empty(), "no name for {world:#?}");
                prop_assert!(leaf.common_name.is_none() && leaf.uris.is_empty() && leaf.ip_addresses.is_empty());
                prop_assert!(leaf.extended_key_usages.into_iter().eq([ExtendedKeyUsage::ServerAuth]));
                prop_assert!(leaf.further_key_usages.is_empty());
            }
            Decision::Deny(_) | Decision::Wait(_) => {
                prop_assert!(!selecting || world.pick.is_some(), "refused: {world:#?}");
            }
        }
    }
}
