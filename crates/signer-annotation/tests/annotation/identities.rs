//! Which names are a pod's own.

use signer_annotation::{AnnotationSignerConfig, CommonNameDefault};
use signer_core::{
    Grounds, Leaf,
    cluster::{Pod, Service},
    reasons,
    testing::RequestBuilder,
};

use crate::scenario::{
    SIGNER, asking, assert_denied, config, denied, granting, issued, not_selecting, request, selecting,
    texts, waiting,
};

const NOT_GRANTED: (signer_core::Reason, Grounds) = (reasons::IDENTITY_NOT_GRANTED, Grounds::Changeable);
const NOT_SELECTED: (signer_core::Reason, Grounds) =
    (reasons::SERVICE_DOES_NOT_SELECT_POD, Grounds::Changeable);

fn member(request: RequestBuilder) -> RequestBuilder {
    request.pod(|pod| {
        pod.hostname = Some("web-0".into());
        pod.subdomain = Some("db".into());
    })
}

#[test]
fn the_names_of_the_pods_name_are_its_own() {
    for name in ["web-0.shop.pod.cluster.local", "web-0.shop.svc.cluster.local"] {
        assert_eq!(texts(&issued(&config(), asking("san", name)).dns_names), [name]);
        assert_eq!(issued(&config(), asking("cn", name)).common_name.unwrap().as_str(), name);
    }
}

#[test]
fn the_names_of_services_that_select_the_pod_are_its_own() {
    for name in ["api.shop.svc", "api.shop.svc.cluster.local"] {
        let services = [selecting("api"), not_selecting("other")];
        assert_eq!(
            texts(&issued(&config(), asking("san", name).services(services.clone())).dns_names),
            [name]
        );
        assert_eq!(
            issued(&config(), asking("cn", name).services(services)).common_name.unwrap().as_str(),
            name
        );
    }
}

#[test]
fn a_service_that_does_not_select_the_pod_keeps_its_names() {
    for (item, name, service) in [
        ("san", "api.shop.svc", "api"),
        ("san", "api.shop.svc.cluster.local", "api"),
        ("cn", "api.shop.svc", "api"),
        ("san", "web-0.shop.svc.cluster.local", "web-0"),
    ] {
        let texts = [
            &format!("foo-{item}"),
            name,
            &format!("Service {service} of namespace shop"),
            "give the pod the labels",
        ];
        assert_denied(&config(), asking(item, name).services([not_selecting(service)]), NOT_SELECTED, &texts);
    }
}

#[test]
fn a_service_that_does_not_exist_yet_is_waited_for() {
    for (item, name) in [
        ("san", "api.shop.svc"),
        ("san", "api.shop.svc.cluster.local"),
        ("cn", "api.shop.svc"),
        ("san", "web-0.shop.svc"),
    ] {
        let wait = waiting(&config(), asking(item, name));
        assert_eq!(wait.reason, reasons::WAITING_FOR_SERVICE);
        assert!(
            wait.message.contains(name) && wait.message.contains("selector that selects the pod web-0"),
            "{}",
            wait.message
        );
    }
    let wait = waiting(&config(), asking("san", "b.shop.svc, a.shop.svc, b.shop.svc.cluster.local"));
    assert!(wait.message.contains("don't exist yet: \"a\", \"b\";"), "{}", wait.message);
}

#[test]
fn what_can_only_be_refused_is_not_waited_for() {
    let later = asking("san", "api.shop.svc, example.com");
    assert_denied(&config(), later, NOT_GRANTED, &["\"example.com\" is not the pod's own"]);
    let malformed =
        asking("san", "api.shop.svc").user_annotation("coolcert.example.com/foo-duration", "soon");
    assert_eq!(denied(&config(), malformed).reason, reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS);
}

#[test]
fn names_of_other_namespaces_clusters_and_shapes_are_foreign() {
    for name in [
        "api.web.svc",
        "api.web.svc.cluster.local",
        "web-0.web.pod.cluster.local",
        "web-1.shop.pod.cluster.local",
        "api.shop.pod.cluster.local",
        "web-0.shop.pod",
        "api.shop.svc.example.com",
        "api.shop.svc.cluster",
        "api.shop",
        "web-0",
        "shop.svc",
        "xshop.svc",
        "a.api.shop.svc",
        "a.api.shop.svc.cluster.local",
        "*.shop.svc",
        "*.shop.svc.cluster.local",
        "*.api.shop.svc",
        "kubernetes.default.svc",
        "cluster.local",
        "localhost",
    ] {
        let request = asking("san", name).services([selecting("api")]);
        let texts = [
            "foo-san",
            &format!("{name:?} is not the pod's own"),
            "service account server of namespace shop",
            "adds a grant with dnsNames",
        ];
        assert_denied(&config(), request, NOT_GRANTED, &texts);
    }
}

#[test]
fn a_refusal_lists_what_the_pod_may_have() {
    let own = "web-0.shop.pod.cluster.local, web-0.shop.svc.cluster.local, <service>.shop.svc and <service>.shop.svc.cluster.local of Services that select it";
    assert_denied(
        &config(),
        asking("san", "a.example, b.example"),
        NOT_GRANTED,
        &["\"a.example\", \"b.example\"", own],
    );
    assert_denied(&config(), asking("cn", "a.example"), NOT_GRANTED, &["foo-cn", own]);
}

#[test]
fn a_members_stable_name_is_its_own() {
    for name in ["web-0.db.shop.svc", "web-0.db.shop.svc.cluster.local"] {
        let headless = [selecting("db").headless()];
        assert_eq!(
            texts(&issued(&config(), member(asking("san", name)).services(headless)).dns_names),
            [name]
        );
        let not_selected = member(asking("san", name)).services([not_selecting("db").headless()]);
        assert_denied(&config(), not_selected, NOT_SELECTED, &["Service db"]);
        assert_eq!(waiting(&config(), member(asking("san", name))).reason, reasons::WAITING_FOR_SERVICE);
        let with_address = member(asking("san", name)).services([selecting("db")]);
        assert_denied(&config(), with_address, NOT_GRANTED, &[name]);
    }
}

#[test]
fn a_stable_name_that_another_pod_could_have_is_foreign() {
    let headless = || [selecting("db").headless()];
    let foreign_hostname = |pod: &mut Pod| pod.hostname = Some("web-1".into());
    let request = member(asking("san", "web-1.db.shop.svc")).pod(foreign_hostname).services(headless());
    assert_denied(&config(), request, NOT_GRANTED, &["web-1.db.shop.svc"]);
    assert_denied(
        &config(),
        member(asking("san", "web-1.db.shop.svc")).services(headless()),
        NOT_GRANTED,
        &[],
    );
    assert_denied(&config(), member(asking("san", "web-1.db.shop.svc")), NOT_GRANTED, &[]);
    assert_denied(&config(), asking("san", "web-0.db.shop.svc").services(headless()), NOT_GRANTED, &[]);
}

#[test]
fn a_pods_name_is_no_way_to_a_members_stable_name() {
    let named_like_a_member = |services: Vec<Service>| {
        let request = asking("san", "web-0.db.shop.svc.cluster.local").services(services);
        request.pod(|pod| pod.name = "web-0.db".into())
    };
    issued(&config(), named_like_a_member(vec![]));
    for service in [selecting("db").headless(), not_selecting("db").headless(), not_selecting("db")] {
        assert_denied(
            &config(),
            named_like_a_member(vec![service]),
            NOT_GRANTED,
            &["web-0.db.shop.svc.cluster.local"],
        );
    }
}

/// `evil` may create pods, and nothing is granted to it.
fn impostor(name: &str) -> RequestBuilder {
    let name = name.to_owned();
    request().namespace("evil").pod(move |pod| pod.name = name)
}

#[test]
fn a_pod_that_is_named_like_a_dns_name_has_no_claim_to_that_name() {
    for name in
        ["web.shop.pod.cluster.local", "web.shop.svc.cluster.local", "web.shop.svc", "web.shop.example.com"]
    {
        for cn in ["${pod.name}", name, &name.replacen("web", "${pod.serviceAccountName}", 1)] {
            let request = impostor(name).service_account("web").user_annotation(&format!("{SIGNER}-cn"), cn);
            assert_denied(&config(), request, NOT_GRANTED, &["foo-cn", name, "is not the pod's own"]);
        }
        let leaf = issued(&config(), impostor(name));
        assert_eq!(leaf.common_name, None);
        let names = ["pod", "svc"].map(|kind| format!("{name}.evil.{kind}.cluster.local"));
        assert_eq!(texts(&leaf.dns_names), names);
        issued(&granting(&["*"]), impostor(name).user_annotation(&format!("{SIGNER}-cn"), "${pod.name}"));
    }
}

#[test]
fn names_that_dns_reads_as_an_address_are_nobodys() {
    for name in ["10-0-0-5", "2001-db8--1", "010-0-0-5", "x.10-0-0-5", "10-0-0-5.x", "a.b.fe80--1"] {
        for kind in ["pod", "svc"] {
            let name = name.to_owned();
            let text = format!("{name}.shop.{kind}.cluster.local");
            let request = asking("san", &text).pod(move |pod| pod.name = name);
            assert_denied(&config(), request, NOT_GRANTED, &[&text, "reads as the IP address of another"]);
        }
        let without = denied_without_names(name);
        assert!(
            without.contains(if name.contains('.') {
                "has several labels"
            } else {
                "reads as an IP address"
            }),
            "{without}"
        );
    }
    let headless = [selecting("db").headless()];
    let endpoint = member(asking("san", "10-0-0-5.db.shop.svc")).pod(|pod| {
        pod.name = "10-0-0-5".into();
        pod.hostname = Some("10-0-0-5".into());
    });
    assert_denied(&config(), endpoint.services(headless), NOT_GRANTED, &["10-0-0-5.db.shop.svc"]);
}

/// The refusal of a pod of this name that asks for nothing, where the signer gives no common name.
fn denied_without_names(name: &str) -> String {
    let config = AnnotationSignerConfig { common_name: CommonNameDefault::None, ..config() };
    let name = name.to_owned();
    denied(&config, request().pod(move |pod| pod.name = name)).message
}

#[test]
fn the_name_of_service_form_rests_on_the_absence_of_a_service() {
    let absent = |leaf: Leaf| leaf.absent_services.into_iter().collect::<Vec<_>>();
    assert_eq!(absent(issued(&config(), request())), ["web-0"]);
    assert_eq!(absent(issued(&config(), asking("cn", "web-0.shop.svc.cluster.local"))), ["web-0"]);
    assert_eq!(absent(issued(&config(), request().pod(|pod| pod.name = "web-0.db".into()))), ["db"]);
    for firm in [
        asking("san", "web-0.shop.pod.cluster.local"),
        request().services([selecting("web-0")]),
        request().services([not_selecting("web-0")]),
    ] {
        assert!(absent(issued(&config(), firm)).is_empty());
    }
    let granted = granting(&["web-0.shop.svc.cluster.local"]);
    assert!(absent(issued(&granted, request())).is_empty(), "a grant counts whatever Services say");
}

#[test]
fn without_pod_service_names_only_a_service_gives_the_name() {
    let config = AnnotationSignerConfig { pod_service_names: false, ..config() };
    let leaf = issued(&config, request());
    assert_eq!(texts(&leaf.dns_names), ["web-0.shop.pod.cluster.local"]);
    assert!(leaf.absent_services.is_empty());
    let name = "web-0.shop.svc.cluster.local";
    assert_eq!(waiting(&config, asking("san", name)).reason, reasons::WAITING_FOR_SERVICE);
    assert_denied(&config, asking("san", name).services([not_selecting("web-0")]), NOT_SELECTED, &[name]);
    assert_eq!(texts(&issued(&config, asking("san", name).services([selecting("web-0")])).dns_names), [name]);
    let dotted = asking("san", "web-0.db.shop.svc.cluster.local").pod(|pod| pod.name = "web-0.db".into());
    assert_denied(&config, dotted, NOT_GRANTED, &["web-0.db.shop.svc.cluster.local"]);
}

#[test]
fn the_spiffe_id_of_the_service_account_is_the_pods_own() {
    let with_trust_domain =
        AnnotationSignerConfig { trust_domain: Some("example.org".parse().unwrap()), ..config() };
    let id = "spiffe://example.org/ns/shop/sa/server";
    assert_eq!(issued(&with_trust_domain, asking("uris", id)).uris[0].as_str(), id);
    let by_placeholders = "spiffe://example.org/ns/${pod.namespace}/sa/${pod.serviceAccountName}";
    assert_eq!(issued(&with_trust_domain, asking("uris", by_placeholders)).uris[0].as_str(), id);
    for foreign in [
        "spiffe://example.org/ns/shop/sa/admin",
        "spiffe://example.org/ns/web/sa/server",
        "spiffe://example.com/ns/shop/sa/server",
        "spiffe://example.org/ns/shop/sa/server/",
        "spiffe://example.org:8443/ns/shop/sa/server",
        "https://example.org/ns/shop/sa/server",
    ] {
        let texts = ["foo-uris", foreign, "the pod may have spiffe://example.org/ns/shop/sa/server;"];
        assert_denied(&with_trust_domain, asking("uris", foreign), NOT_GRANTED, &texts);
    }
    assert_denied(&config(), asking("uris", id), NOT_GRANTED, &["the signer has no trustDomain"]);
}

#[test]
fn addresses_are_never_the_pods_own() {
    assert_denied(
        &config(),
        asking("ips", "127.0.0.1, 192.0.2.1"),
        NOT_GRANTED,
        &["foo-ips", "\"127.0.0.1\", \"192.0.2.1\"", "no IP address", "grant with ips"],
    );
}

#[test]
fn a_grant_counts_before_what_services_say() {
    let config = granting(&["*.shop.svc"]);
    issued(&config, asking("san", "api.shop.svc"));
    issued(&config, asking("san", "api.shop.svc").services([not_selecting("api")]));
}
