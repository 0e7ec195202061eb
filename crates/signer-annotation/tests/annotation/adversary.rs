//! What an adversary may choose: pods and their names, labels, hostnames and Services in namespaces of
//! theirs, annotations of the volume, and the pod's annotations, which its node rewrites too. And what an
//! operator may have configured meanwhile.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, sample::select};
use signer_annotation::{AnnotationSignerConfig, AnnotationsFrom, CommonNameDefault, Grant};
use signer_core::{
    DnsName,
    cluster::{Service, WorkloadSelector},
    testing::RequestBuilder,
};

use crate::scenario::{SIGNER, config};

/// A pod that asks, and all that the answer may depend on.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) pod: PodFacts,
    pub(crate) services: BTreeMap<String, ServiceFacts>,
    pub(crate) settings: Settings,
    pub(crate) grants: Vec<GrantFacts>,
    pub(crate) volume: Annotations,
    pub(crate) rewritten: Annotations,
}

#[derive(Clone, Debug)]
pub(crate) struct PodFacts {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) account: String,
    pub(crate) hostname: Option<String>,
    pub(crate) subdomain: Option<String>,
    pub(crate) app: String,
}

/// Of a Service of the pod's namespace.
#[derive(Clone, Debug)]
pub(crate) struct ServiceFacts {
    pub(crate) app: Option<String>,
    pub(crate) is_headless: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) cluster_domain: String,
    pub(crate) common_name: CommonNameDefault,
    pub(crate) pod_service_names: bool,
    pub(crate) annotations_from: AnnotationsFrom,
    pub(crate) trust_domain: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct GrantFacts {
    pub(crate) namespace: String,
    pub(crate) account: String,
    pub(crate) dns_names: Vec<String>,
    pub(crate) uris: Vec<String>,
    pub(crate) ips: Vec<String>,
    pub(crate) usages: Vec<String>,
    pub(crate) wildcards: bool,
}

/// Item to value.
pub(crate) type Annotations = BTreeMap<&'static str, String>;

const LABELS: [&str; 12] = [
    "web",
    "web-0",
    "db",
    "a",
    "shop",
    "evil",
    "svc",
    "pod",
    "10-0-0-5",
    "010-0-0-5",
    "fe80--1",
    "2001-db8--1",
];
const NAMESPACES: [&str; 4] = ["shop", "evil", "svc", "pod"];
const DOMAINS: [&str; 4] = ["cluster.local", "example.com", "web.svc", "pod"];

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(texts).prop_map(str::to_owned)
}

fn labels(most: usize) -> impl Strategy<Value = String> + Clone {
    vec(select(&LABELS[..]), 1..=most).prop_map(|labels| labels.join("."))
}

/// Names of victims, in whole or in front of more.
fn name_of_a_victim() -> impl Strategy<Value = String> + Clone {
    let kind = select(&["pod", "svc"][..]);
    let parts = (labels(2), one_of(&NAMESPACES), kind, one_of(&DOMAINS));
    let full =
        parts.prop_map(|(host, namespace, kind, domain)| format!("{host}.{namespace}.{kind}.{domain}"));
    let short =
        (labels(2), one_of(&NAMESPACES)).prop_map(|(host, namespace)| format!("{host}.{namespace}.svc"));
    prop_oneof![3 => full, 2 => short, 1 => one_of(&["www.example.com", "example.com", "localhost", "*.example.com"])]
}

fn pod() -> impl Strategy<Value = PodFacts> {
    let name = prop_oneof![3 => labels(1), 1 => labels(3), 2 => name_of_a_victim().prop_filter("pods have no wildcards", |name| !name.contains('*'))];
    let hostname = prop_oneof![2 => Just(None), 3 => Just(Some(None)), 1 => labels(1).prop_map(|label| Some(Some(label)))];
    let facts = (
        name,
        one_of(&NAMESPACES),
        one_of(&["web", "server"]),
        hostname,
        option::of(labels(1)),
        one_of(&["web", "other"]),
    );
    facts.prop_map(|(name, namespace, account, hostname, subdomain, app)| {
        // a hostname is a label: mostly the pod's own name, where that is one
        let own = name.split('.').next().unwrap_or_default().to_owned();
        PodFacts {
            hostname: hostname.map(|other| other.unwrap_or(own)),
            name,
            namespace,
            account,
            subdomain,
            app,
        }
    })
}

fn services() -> impl Strategy<Value = BTreeMap<String, ServiceFacts>> {
    let service = (option::weighted(0.9, one_of(&["web", "other"])), any::<bool>());
    let service = service.prop_map(|(app, is_headless)| ServiceFacts { app, is_headless });
    proptest::collection::btree_map(labels(1), service, 0..5)
}

fn settings() -> impl Strategy<Value = Settings> {
    let from = select(&[AnnotationsFrom::Volume, AnnotationsFrom::Pod, AnnotationsFrom::Either][..]);
    let common_name = select(&[CommonNameDefault::PodName, CommonNameDefault::None][..]);
    (one_of(&DOMAINS), common_name, any::<bool>(), from, option::of(Just("t".to_owned()))).prop_map(
        |(cluster_domain, common_name, pod_service_names, annotations_from, trust_domain)| Settings {
            cluster_domain,
            common_name,
            pod_service_names,
            annotations_from,
            trust_domain,
        },
    )
}

fn grant() -> impl Strategy<Value = GrantFacts> {
    let dns = prop_oneof![1 => Just("*".to_owned()), 8 => ("(\\*\\.)?", name_of_a_victim()).prop_map(|(star, name)| format!("{star}{}", name.trim_start_matches("*.")))];
    let uri = "\\*|https://x(/[ab*]){0,2}(/\\*\\*)?|spiffe://t/ns/(shop|evil)/sa/(web|server)";
    let lists = (
        vec(dns, 0..3),
        vec(uri, 0..2),
        vec("192\\.0\\.2\\.0/2[4-9]|192\\.0\\.2\\.1|\\*", 0..2),
        vec(one_of(&["code signing", "key agreement", "*"]), 0..2),
    );
    (one_of(&["*", "shop", "evil"]), one_of(&["*", "web"]), lists, any::<bool>()).prop_map(
        |(namespace, account, (dns_names, uris, ips, usages), wildcards)| GrantFacts {
            namespace,
            account,
            dns_names,
            uris,
            ips,
            usages,
            wildcards,
        },
    )
}

/// Stands in a wish for the pod's subdomain, for which there is no placeholder.
const SUBDOMAIN: &str = "SUBDOMAIN";

/// A name, with placeholders here and there.
fn wish() -> impl Strategy<Value = String> {
    let member = Just(format!("${{pod.hostname}}.{SUBDOMAIN}"));
    let host = prop_oneof![
        2 => Just("${pod.name}".to_owned()),
        1 => Just("${pod.hostname}".to_owned()),
        1 => Just("${pod.serviceAccountName}".to_owned()),
        2 => labels(2),
        4 => member
    ];
    let namespace = prop_oneof![2 => Just("${pod.namespace}".to_owned()), 1 => one_of(&NAMESPACES)];
    let domain = prop_oneof![
        Just(".${cluster.domain}".to_owned()),
        one_of(&DOMAINS).prop_map(|domain| format!(".{domain}")),
        Just(String::new())
    ];
    let parts =
        (option::weighted(0.1, Just("*.")), host.clone(), namespace, select(&["pod", "svc"][..]), domain);
    let built = parts.prop_map(|(star, host, namespace, kind, domain)| {
        format!("{}{host}.{namespace}.{kind}{domain}", star.unwrap_or_default())
    });
    prop_oneof![4 => built, 2 => name_of_a_victim(), 2 => host]
}

const URI: &str = "https://x(:1)?(/[ab%*]{0,2}){0,3}|spiffe://[tu]/ns/(shop|evil|\\$\\{pod\\.namespace\\})/sa/(web|\\$\\{pod\\.serviceAccountName\\})";
const IP: &str = "192\\.0\\.2\\.[0-9]{1,2}|2001:db8::1|10\\.0\\.0\\.5";
const USAGES: &[&str] =
    &["server auth", "client auth", "code signing", "key agreement", "cert sign", "any", "digital signature"];

fn annotations() -> impl Strategy<Value = Annotations> {
    let lists = (
        option::weighted(0.5, wish()),
        option::weighted(0.5, vec(wish(), 1..3)),
        option::weighted(0.2, vec(URI, 1..3)),
        option::weighted(0.1, vec(IP, 1..3)),
        option::weighted(0.2, vec(one_of(USAGES), 1..3)),
    );
    let items = lists.prop_map(|(cn, san, uris, ips, usages)| {
        let joined = |list: Option<Vec<String>>| list.map(|list| list.join(",\n "));
        let items = [
            ("cn", cn),
            ("san", joined(san)),
            ("uris", joined(uris)),
            ("ips", joined(ips)),
            ("usages", joined(usages)),
        ];
        items.into_iter().filter_map(|(item, value)| Some((item, value?))).collect()
    });
    prop_oneof![1 => Just(Annotations::new()), 2 => items]
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let lists = (vec(grant(), 0..3), annotations(), annotations());
    let mostly = || proptest::bool::weighted(0.65);
    let member = option::weighted(0.8, (mostly(), mostly()));
    (pod(), services(), member, settings(), lists).prop_map(
        |(pod, mut services, member, settings, (grants, mut volume, mut rewritten))| {
            let subdomain = pod.subdomain.as_deref().unwrap_or("db");
            for value in volume.values_mut().chain(rewritten.values_mut()) {
                *value = value.replace(SUBDOMAIN, subdomain);
            }
            // a Service of the subdomain's name that makes it a member of a StatefulSet, as chance rarely
            // does
            if let (Some(subdomain), Some((selects, is_headless))) = (&pod.subdomain, member) {
                let app = if selects { pod.app.clone() } else { "none".to_owned() };
                services.insert(subdomain.clone(), ServiceFacts { app: Some(app), is_headless });
            }
            World { pod, services, settings, grants, volume, rewritten }
        },
    )
}

impl World {
    pub(crate) fn config(&self) -> AnnotationSignerConfig {
        let Settings { cluster_domain, common_name, pod_service_names, annotations_from, trust_domain } =
            &self.settings;
        AnnotationSignerConfig {
            cluster_domain: cluster_domain.parse::<DnsName>().unwrap(),
            common_name: *common_name,
            pod_service_names: *pod_service_names,
            annotations_from: *annotations_from,
            trust_domain: trust_domain.as_ref().map(|domain| domain.parse().unwrap()),
            grants: self.grants.iter().map(GrantFacts::grant).collect(),
            ..config()
        }
    }

    pub(crate) fn request(&self) -> RequestBuilder {
        let PodFacts { name, namespace, account, hostname, subdomain, app } = &self.pod;
        let services = self.services.iter().map(|(name, facts)| {
            let service = Service::new(name, facts.app.iter().map(|app| ("app", app)));
            if facts.is_headless { service.headless() } else { service }
        });
        let request =
            RequestBuilder::new(SIGNER).namespace(namespace).service_account(account).label("app", app);
        let request = request.services(services).pod(|pod| {
            pod.name.clone_from(name);
            pod.hostname.clone_from(hostname);
            pod.subdomain.clone_from(subdomain);
        });
        let request = self.volume.iter().fold(request, |request, (item, value)| {
            request.user_annotation(&format!("{SIGNER}-{item}"), value)
        });
        self.rewritten
            .iter()
            .fold(request, |request, (item, value)| request.annotation(&format!("{SIGNER}-{item}"), value))
    }
}

impl GrantFacts {
    fn grant(&self) -> Grant {
        Grant {
            dns_names: self.dns_names.iter().map(|pattern| pattern.parse().unwrap()).collect(),
            uris: self.uris.iter().filter_map(|pattern| pattern.parse().ok()).collect(),
            ips: self.ips.iter().filter_map(|range| range.parse().ok()).collect(),
            usages: self.usages.iter().map(|usage| usage.parse().unwrap()).collect(),
            wildcards: self.wildcards,
            ..Grant::to(WorkloadSelector::new([&self.namespace], [&self.account]))
        }
    }
}
