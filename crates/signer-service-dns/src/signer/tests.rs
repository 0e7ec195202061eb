//! Each outcome of the signer.

use signer_core::{
    Denial, ExtendedKeyUsage, Grounds, Wait, reasons,
    testing::{RequestBuilder, issue},
};

use super::*;

const NAME: &str = "row-major.net/service-dns";
const PICK: &str = "row-major.net/service-dns-services";

fn config(suffixes: &[&str], pod_names: bool) -> ServiceDnsConfig {
    let naming = Naming::new(suffixes.iter().map(|suffix| suffix.parse().unwrap()), pod_names).unwrap();
    ServiceDnsConfig { naming, ..ServiceDnsConfig::new(NAME.parse().unwrap()) }
}

fn default_config() -> ServiceDnsConfig {
    ServiceDnsConfig::new(NAME.parse().unwrap())
}

/// A pod labelled `app=web` in namespace `shop`.
fn pod() -> RequestBuilder {
    RequestBuilder::new(NAME).label("app", "web")
}

fn web(name: &str) -> Service {
    Service::new(name, [("app", "web")])
}

fn db(name: &str) -> Service {
    Service::new(name, [("app", "db")])
}

async fn decide(config: ServiceDnsConfig, request: RequestBuilder) -> Decision {
    ServiceDnsSigner::new(config).decide(&request.build()).await.unwrap()
}

async fn names(config: ServiceDnsConfig, request: RequestBuilder) -> Vec<String> {
    match decide(config, request).await {
        Decision::Issue(leaf) => leaf.dns_names.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?} issues nothing"),
    }
}

async fn wait(config: ServiceDnsConfig, request: RequestBuilder) -> String {
    match decide(config, request).await {
        Decision::Wait(Wait { reason, message, .. }) => {
            assert_eq!(reason, reasons::WAITING_FOR_SERVICE);
            message
        }
        other => panic!("{other:?} doesn't wait"),
    }
}

async fn denial(config: ServiceDnsConfig, request: RequestBuilder) -> Denial {
    match decide(config, request).await {
        Decision::Deny(denial) => denial,
        other => panic!("{other:?} denies nothing"),
    }
}

#[tokio::test]
async fn the_leaf_holds_dns_names_for_servers_and_nothing_else() {
    let request = pod().services([web("b")]).build();
    issue(&ServiceDnsSigner::new(default_config()), &request).await.unwrap();
    let decision = decide(default_config(), pod().services([web("b"), db("c"), web("a")])).await;
    let expected = Leaf::new([ExtendedKeyUsage::ServerAuth])
        .dns_name("a.shop.svc".parse().unwrap())
        .dns_name("b.shop.svc".parse().unwrap());
    assert_eq!(decision, Decision::issue(expected));
}

#[tokio::test]
async fn each_service_has_a_name_under_each_suffix_sorted() {
    let request = pod().services([web("b"), web("a").headless()]);
    let names = names(config(&["svc.cluster.local", "svc"], false), request).await;
    assert_eq!(names, ["a.shop.svc", "a.shop.svc.cluster.local", "b.shop.svc", "b.shop.svc.cluster.local"]);
}

#[tokio::test]
async fn a_pod_without_services_waits_and_is_told_its_labels() {
    let message = wait(default_config(), pod().label("tier", "front").services([db("db")])).await;
    assert_eq!(
        message,
        "no Service of namespace shop selects this pod (labels: app=web, tier=front); the certificate is issued as soon as one does. Create a Service whose \
         selector fits these labels; to get the names of certain Services only, list them in the user annotation row-major.net/service-dns-services of \
         the volume"
    );
    let message = wait(default_config(), RequestBuilder::new(NAME).services([])).await;
    assert!(message.contains("(labels: none)"), "{message}");
}

#[tokio::test]
async fn a_pod_without_services_is_denied_where_the_operator_says_so() {
    let config = ServiceDnsConfig { no_services: NoServices::Deny, ..default_config() };
    let denial = denial(config, pod().services([db("db")])).await;
    assert_eq!((denial.reason, denial.grounds), (reasons::SERVICE_DOES_NOT_SELECT_POD, Grounds::Changeable));
    assert!(
        denial.message.contains("app=web") && denial.message.contains("noServices: deny"),
        "{}",
        denial.message
    );
}

#[tokio::test]
async fn picked_services_are_the_only_ones() {
    let request = pod().services([web("a"), web("b"), web("c")]).user_annotation(PICK, "c, a");
    assert_eq!(names(default_config(), request).await, ["a.shop.svc", "c.shop.svc"]);
}

#[tokio::test]
async fn a_picked_service_that_is_missing_is_waited_for_by_name() {
    for no_services in [NoServices::Wait, NoServices::Deny] {
        let request = pod().services([web("a")]).user_annotation(PICK, "a, b, c");
        let config = ServiceDnsConfig { no_services, ..default_config() };
        let message = wait(config, request).await;
        assert!(
            message.contains("don't exist in namespace shop: b, c;") && message.contains(PICK),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_picked_service_of_other_pods_is_denied_even_if_another_is_missing() {
    let request = pod().services([web("a"), db("db")]).user_annotation(PICK, "a, db, missing");
    let denial = denial(default_config(), request).await;
    assert_eq!((denial.reason, denial.grounds), (reasons::SERVICE_DOES_NOT_SELECT_POD, Grounds::Changeable));
    assert_eq!(
        denial.message,
        "user annotation row-major.net/service-dns-services is \"a, db, missing\": the Service db exists in namespace shop but doesn't select this pod \
         (its selector: app=db; the pod's labels: app=web); name only Services that select the pod, or leave the annotation out for all that do"
    );
}

#[tokio::test]
async fn a_picked_service_without_a_selector_is_denied_with_its_reason() {
    let request = pod().services([Service::new("a", [("", ""); 0])]).user_annotation(PICK, "a");
    let denial = denial(default_config(), request).await;
    assert!(denial.message.contains("type ExternalName or has no selector"), "{}", denial.message);
}

#[tokio::test]
async fn a_bad_user_annotation_is_denied_for_good_before_services_are_looked_at() {
    for (key, value) in [(PICK, ""), (PICK, "a,,b"), ("row-major.net/service-dns-foo", "a")] {
        let denial = denial(default_config(), pod().user_annotation(key, value)).await;
        assert_eq!(
            (denial.reason, denial.grounds),
            (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Fixed)
        );
    }
}

fn member_of_stateful_set(services: impl IntoIterator<Item = Service>) -> RequestBuilder {
    let request = pod().pod(|pod| {
        pod.hostname = Some("web-0".into());
        pod.subdomain = Some("web".into());
    });
    request.services(services)
}

#[tokio::test]
async fn pod_names_are_added_where_dns_knows_the_pod_by_one() {
    let request = member_of_stateful_set([web("web").headless(), web("lb")]);
    assert_eq!(names(default_config(), request.clone()).await, ["lb.shop.svc", "web.shop.svc"]);
    let with_pods = names(config(&["svc"], true), request).await;
    assert_eq!(with_pods, ["lb.shop.svc", "web-0.web.shop.svc", "web.shop.svc"]);
    let without_headless = member_of_stateful_set([web("web"), web("lb")]);
    assert_eq!(names(config(&["svc"], true), without_headless).await, ["lb.shop.svc", "web.shop.svc"]);
}

#[tokio::test]
async fn a_hundred_names_are_issued_and_one_more_waits_for_a_pick() {
    let services = |count: usize| (0..count).map(|i| web(&format!("s{i:03}")));
    assert_eq!(names(default_config(), pod().services(services(100))).await.len(), 100);
    let message = wait(default_config(), pod().services(services(101))).await;
    assert!(
        message.contains("that makes 101 names (Services: 101, DNS suffixes: 1)") && message.contains(PICK),
        "{message}"
    );
    let picked = pod().services(services(101)).user_annotation(PICK, "s000, s100");
    assert_eq!(names(default_config(), picked).await, ["s000.shop.svc", "s100.shop.svc"]);
}

#[tokio::test]
async fn a_pick_that_makes_too_many_names_under_the_configured_suffixes_is_denied() {
    let services: Vec<_> = (0..51).map(|i| web(&format!("s{i:03}"))).collect();
    let pick = services.iter().map(Service::name).collect::<Vec<_>>().join(",");
    let request = pod().services(services).user_annotation(PICK, &pick);
    let denial = denial(config(&["svc", "svc.cluster.local"], false), request).await;
    assert_eq!(
        (denial.reason, denial.grounds),
        (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Changeable)
    );
    assert!(
        denial.message.contains("102 names") && denial.message.contains("name fewer"),
        "{}",
        denial.message
    );
}

#[tokio::test]
async fn services_that_nobody_watches_are_an_error_for_the_developer() {
    let error = ServiceDnsSigner::new(default_config()).decide(&pod().build()).await.unwrap_err();
    assert!(error.to_string().contains("reads_services"), "{error}");
}

#[test]
fn what_it_issues_is_known_before_a_pod_asks() {
    let examples = ServiceDnsSigner::new(config(&["svc", "svc.cluster.local"], false)).examples();
    let under = |suffix: &str| format!("any-example.any-example.{suffix}").parse().unwrap();
    assert_eq!(examples, [Leaf::server().dns_name(under("svc")).dns_name(under("svc.cluster.local"))]);
}
