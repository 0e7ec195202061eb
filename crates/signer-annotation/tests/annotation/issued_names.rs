//! No certificate carries a name that is neither the pod's own nor granted: a second opinion, which lists all own names beforehand and looks
//! at grants letter by letter.

use std::{collections::BTreeSet, net::IpAddr};

use proptest::prelude::*;
use signer_annotation::{AnnotationSignerConfig, Grant};
use signer_core::{Decision, Leaf, Service};

use crate::scenario::{SIGNER, config, decide, grant, request};

#[derive(Clone, Debug)]
struct World {
    pod: String,
    is_member: bool,
    /// name, whether it selects the pod, whether it is headless
    services: Vec<(String, bool, bool)>,
    dns_grants: Vec<String>,
    wildcards: bool,
    uri_grants: Vec<String>,
    ip_grants: Vec<String>,
    trust_domain: bool,
}

fn world() -> impl Strategy<Value = World> {
    let pod = proptest::sample::select(vec!["web-0", "a", "a.b", "a.b.c"]);
    let service = (proptest::sample::select(vec!["web-0", "a", "b", "c"]), any::<bool>(), any::<bool>());
    let services = proptest::collection::btree_map("web-0|a|b|c", service, 0..4);
    let dns_grants = proptest::collection::vec("\\*|(\\*\\.)?(x|y|shop\\.svc|a\\.shop\\.svc|x\\.y)", 0..3);
    let uri_grants =
        proptest::collection::vec("\\*|https://x(/[ab*]){0,2}(/\\*\\*)?|spiffe://t/ns/shop/sa/other", 0..3);
    let ip_grants = proptest::collection::vec("192\\.0\\.2\\.0/2[4-9]|192\\.0\\.2\\.1|\\*", 0..3);
    let lists = (services, dns_grants, uri_grants, ip_grants);
    (pod, any::<bool>(), lists, any::<bool>(), any::<bool>()).prop_map(
        |(pod, is_member, lists, wildcards, trust_domain)| {
            let (services, dns_grants, uri_grants, ip_grants) = lists;
            let services = services
                .into_iter()
                .map(|(name, (_, selects, headless))| (name, selects, headless))
                .collect();
            World {
                pod: pod.into(),
                is_member,
                services,
                dns_grants,
                wildcards,
                uri_grants,
                ip_grants,
                trust_domain,
            }
        },
    )
}

const DNS_NAME: &str = "(\\*\\.)?((web-0|a|b|c|x)\\.){0,3}(shop|web)\\.(svc|pod)(\\.cluster\\.local)?|(\\*\\.)?(x\\.|y\\.){0,2}(x|y)|${pod.name}.${pod.namespace}.svc.${cluster.domain}";
const URI: &str =
    "https://x(:1)?(/[ab%*]{0,2}){0,3}|https://x\\.y/a|spiffe://[tu]/ns/(shop|web)/sa/(server|other)";
const IP: &str = "192\\.0\\.2\\.[0-9]{1,2}|2001:db8::1";

/// The patterns hold `${…}`, which a regular expression would read as an anchor.
fn escaped(pattern: &str) -> String {
    pattern
        .replace("${", "\\$\\{")
        .replace('}', "\\}")
        .replace("{0,3\\}", "{0,3}")
        .replace("{0,2\\}", "{0,2}")
}

impl World {
    fn config(&self) -> AnnotationSignerConfig {
        let uris = self.uri_grants.iter().filter_map(|pattern| pattern.parse().ok()).collect();
        let mine = Grant {
            dns_names: self.dns_grants.iter().map(|pattern| pattern.parse().unwrap()).collect(),
            uris,
            ips: self.ip_grants.iter().filter_map(|range| range.parse().ok()).collect(),
            wildcards: self.wildcards,
            ..grant()
        };
        let trust_domain = self.trust_domain.then(|| "t".parse().unwrap());
        AnnotationSignerConfig { grants: vec![mine], trust_domain, ..config() }
    }

    fn services(&self) -> Vec<Service> {
        let service = |(name, selects, headless): &(String, bool, bool)| {
            let service = Service::new(name, [("app", if *selects { "web" } else { "other" })]);
            if *headless { service.headless() } else { service }
        };
        self.services.iter().map(service).collect()
    }

    fn own_dns_names(&self) -> BTreeSet<String> {
        let pod = &self.pod;
        let mut own = BTreeSet::from([format!("{pod}.shop.pod.cluster.local")]);
        // `a.b` reads like a member of the Service b
        let service = pod.rsplit('.').next().unwrap();
        let contradicts =
            |(name, selects, _): &(String, bool, bool)| name == service && (!selects || pod.contains('.'));
        if !self.services.iter().any(contradicts) {
            own.insert(format!("{pod}.shop.svc.cluster.local"));
        }
        for (name, _, headless) in self.services.iter().filter(|(_, selects, _)| *selects) {
            own.extend([format!("{name}.shop.svc"), format!("{name}.shop.svc.cluster.local")]);
            if self.is_member && name == "b" && *headless && !pod.contains('.') {
                own.extend([format!("{pod}.b.shop.svc"), format!("{pod}.b.shop.svc.cluster.local")]);
            }
        }
        own
    }

    fn grants_dns_name(&self, name: &str) -> bool {
        (self.wildcards || !name.contains('*'))
            && self.dns_grants.iter().any(|grant| match grant.strip_prefix("*.") {
                _ if grant == "*" => true,
                Some(domain) => name.split_once('.').is_some_and(|(_, rest)| rest == domain),
                None => name == grant,
            })
    }

    /// Whether a URI may be had. Rather than by the pattern's rules: by what it must never be.
    fn may_have_uri(&self, uri: &str) -> bool {
        let covers = |grant: &String| {
            grant == "*"
                || grant == uri
                || (grant.contains('*') && uri.starts_with("https://x/") && !uri.contains(['%', '*', '?']))
        };
        self.uri_grants.iter().any(covers) || (self.trust_domain && uri == "spiffe://t/ns/shop/sa/server")
    }

    fn may_have_ip(&self, address: IpAddr) -> bool {
        let IpAddr::V4(v4) = address else { return self.ip_grants.iter().any(|grant| grant == "*") };
        self.ip_grants.iter().any(|grant| {
            let size = grant
                .strip_prefix("192.0.2.0/")
                .map_or(1, |prefix| 1_u32 << (32 - prefix.parse::<u32>().unwrap()));
            let begin = if size == 1 { 1 } else { 0 };
            grant == "*" || (begin..begin + size).contains(&u32::from(v4.octets()[3]))
        })
    }

    fn check(&self, leaf: &Leaf) -> Result<(), TestCaseError> {
        let own = self.own_dns_names();
        let common_name = leaf.common_name.iter().map(|name| name.as_str()).filter(|name| *name != self.pod);
        for name in leaf.dns_names.iter().map(|name| name.as_str()).chain(common_name) {
            prop_assert!(own.contains(name) || self.grants_dns_name(name), "{name} for {self:?}");
        }
        for uri in &leaf.uris {
            prop_assert!(self.may_have_uri(uri.as_str()), "{uri} for {self:?}");
        }
        for address in &leaf.ip_addresses {
            prop_assert!(self.may_have_ip(*address), "{address} for {self:?}");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn are_own_or_granted(
        world in world(),
        common_name in proptest::option::of(escaped(DNS_NAME).as_str()),
        dns_names in proptest::collection::vec(escaped(DNS_NAME).as_str(), 0..3),
        uris in proptest::collection::vec(URI, 0..2),
        addresses in proptest::collection::vec(IP, 0..2),
        are_users: bool,
    ) {
        let mut builder = request().services(world.services()).pod(|pod| {
            pod.name = world.pod.clone();
            if world.is_member {
                pod.hostname = Some(world.pod.replace('.', "-"));
                pod.subdomain = Some("b".into());
            }
        });
        let items = [("cn", common_name.clone().unwrap_or_default()), ("san", dns_names.join(", ")), ("uris", uris.join(",")), ("ips", addresses.join(","))];
        for (item, value) in items.into_iter().filter(|(_, value)| !value.is_empty()) {
            let key = format!("{SIGNER}-{item}");
            builder = if are_users { builder.user_annotation(&key, &value) } else { builder.annotation(&key, &value) };
        }
        match decide(&world.config(), builder) {
            Decision::Issue(leaf) => world.check(&leaf)?,
            // and the other way round: nothing is refused that is the pod's own or granted
            Decision::Deny(_) | Decision::Wait(_) => {
                let own = world.own_dns_names();
                let is_fine = |name: &String| own.contains(name) || (!name.contains('$') && world.grants_dns_name(name));
                let is_plain = common_name.iter().all(is_fine) && uris.is_empty() && addresses.is_empty();
                prop_assert!(!(is_plain && dns_names.iter().all(is_fine)), "refused {dns_names:?} in {world:?}");
            }
        }
    }
}
