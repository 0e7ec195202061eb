//! Who plays in the demo: pods that ask for certificates, and what each is to get.

use test_cluster::{CertificateSource, KeyType, NewPod, NewService};

use super::configuration::{ANNOTATION, GRANTED_NAME, SERVICE_DNS, SPIFFE};

/// The namespaces of the demo.
#[derive(Debug, Clone)]
pub(super) struct Namespaces {
    pub(super) shop: String,
    pub(super) payments: String,
    pub(super) batch: String,
}

/// A pod with its part.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) pod: NewPod,
    /// What each of its sources is to get, in their order.
    pub(super) expected: Vec<Expected>,
    /// The Service that it waits for, which is created once it does.
    pub(super) waits_for: Option<NewService>,
}

/// How a request is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// With exactly these names, for servers.
    Server { dns: Vec<String> },
    /// With exactly these names, for servers and clients.
    Peer { dns: Vec<String>, uris: Vec<String> },
    /// Denied for that reason.
    Denied { reason: &'static str },
}

/// The Services that exist from the beginning.
pub(super) fn services(namespaces: &Namespaces) -> Vec<NewService> {
    let Namespaces { shop, .. } = namespaces;
    vec![
        NewService::new(shop, "web").selects("app", "web"),
        NewService::new(shop, "db").selects("app", "db").headless(),
    ]
}

/// All pods. `user_annotations`: whether the cluster has them; without, pods ask by annotations of their own.
pub(super) fn roles(namespaces: &Namespaces, user_annotations: bool) -> Vec<Role> {
    let Namespaces { shop, payments, batch } = namespaces;
    vec![
        web(shop),
        database(shop),
        cart(shop),
        ledger(payments),
        gateway(payments, user_annotations),
        promo(shop, user_annotations),
        report(batch),
    ]
}

/// Two certificates in one pod: as a server for its clients, and as a workload for its peers.
fn web(shop: &str) -> Role {
    let pod = NewPod::new(shop, "web-6c5f7").label("app", "web").service_account("web");
    let pod = pod.certificate(CertificateSource::new(SERVICE_DNS, KeyType::EcdsaP256));
    let pod = pod.certificate(CertificateSource::new(SPIFFE, KeyType::EcdsaP256));
    let server = Expected::Server { dns: vec![format!("web.{shop}.svc")] };
    Role { pod, expected: vec![server, svid(shop, "web")], waits_for: None }
}

/// As a StatefulSet makes it: with a name of its own under its headless Service.
fn database(shop: &str) -> Role {
    let pod =
        NewPod::new(shop, "db-0").label("app", "db").service_account("db").hostname("db-0").subdomain("db");
    let pod = pod.certificate(CertificateSource::new(SERVICE_DNS, KeyType::EcdsaP384));
    let dns = vec![format!("db-0.db.{shop}.svc"), format!("db.{shop}.svc")];
    Role { pod, expected: vec![Expected::Server { dns }], waits_for: None }
}

/// Started before its Service.
fn cart(shop: &str) -> Role {
    let pod = NewPod::new(shop, "cart-1").label("app", "cart").service_account("cart");
    let pod = pod.certificate(CertificateSource::new(SERVICE_DNS, KeyType::Ed25519));
    let expected = Expected::Server { dns: vec![format!("cart.{shop}.svc")] };
    let service = NewService::new(shop, "cart").selects("app", "cart");
    Role { pod, expected: vec![expected], waits_for: Some(service) }
}

/// Wants a certificate of six hours at most.
fn ledger(payments: &str) -> Role {
    let source = CertificateSource::new(SPIFFE, KeyType::EcdsaP521).max_expiration_seconds(6 * 3600);
    let pod = NewPod::new(payments, "ledger-0").service_account("ledger").certificate(source);
    Role { pod, expected: vec![svid(payments, "ledger")], waits_for: None }
}

/// Asks by annotation for a public name, which the operator has granted to its service account.
fn gateway(payments: &str, user_annotations: bool) -> Role {
    let pod = NewPod::new(payments, "gateway-1").service_account("gateway");
    let asked = [("san", GRANTED_NAME), ("duration", "12h")];
    let pod = annotated(pod, KeyType::Rsa3072, &asked, user_annotations);
    let expected = Expected::Peer { dns: vec![GRANTED_NAME.into()], uris: vec![] };
    Role { pod, expected: vec![expected], waits_for: None }
}

/// Asks for the same name without a grant.
fn promo(shop: &str, user_annotations: bool) -> Role {
    let pod = NewPod::new(shop, "promo-1").service_account("promo");
    let pod = annotated(pod, KeyType::EcdsaP256, &[("san", GRANTED_NAME)], user_annotations);
    Role { pod, expected: vec![Expected::Denied { reason: "IdentityNotGranted" }], waits_for: None }
}

/// Asks for nothing in particular, and gets its own names.
fn report(batch: &str) -> Role {
    let pod = NewPod::new(batch, "report").service_account("report");
    let pod = pod.certificate(CertificateSource::new(ANNOTATION, KeyType::Rsa4096));
    let dns = vec![format!("report.{batch}.pod.cluster.local"), format!("report.{batch}.svc.cluster.local")];
    Role { pod, expected: vec![Expected::Peer { dns, uris: vec![] }], waits_for: None }
}

fn svid(namespace: &str, service_account: &str) -> Expected {
    let uri = format!("spiffe://cluster.local/ns/{namespace}/sa/{service_account}");
    Expected::Peer { dns: vec![], uris: vec![uri] }
}

/// Puts what the pod asks for into the volume source, or into the pod's own annotations.
fn annotated(pod: NewPod, key_type: KeyType, asked: &[(&str, &str)], user_annotations: bool) -> NewPod {
    let source = CertificateSource::new(ANNOTATION, key_type);
    let key = |item: &str| format!("{ANNOTATION}-{item}");
    if user_annotations {
        let source =
            asked.iter().fold(source, |source, (item, value)| source.user_annotation(&key(item), value));
        return pod.certificate(source);
    }
    asked.iter().fold(pod.certificate(source), |pod, (item, value)| pod.annotation(&key(item), value))
}
