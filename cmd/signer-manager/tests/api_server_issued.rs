//! Certificates that are issued: what each signer puts in, and what others' software says of them.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod support;

use std::net::IpAddr;

use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use support::{
    ask,
    ca::{CaKey, PemCa},
    issued::{Issued, issued},
    on_cluster,
    setup::Setup,
};
use test_cluster::{
    CertificateSource, Error, KeyMaterial, KeyType, NewPod, NewService, PodKey, Scope, SentRequest,
    verify::Purpose,
};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

#[tokio::test]
async fn service_dns_certifies_the_services_that_select_the_pod_and_nothing_else() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let manager = Setup::new().signer(&name, "kind: service-dns").start(scope);
        let service = |name: &str| NewService::new(&namespace, name);
        let web = |name: &str| service(name).selects("app", "web");
        scope
            .create_services([
                web("web"),
                web("headless").headless(),
                web("node-port").of_type("NodePort"),
                web("balanced").of_type("LoadBalancer"),
                web("narrower").selects("tier", "front"),
                service("other").selects("app", "other"),
                service("bare"),
                web("alias").external_name("web.example.com"),
            ])
            .await?;
        let foreign = scope.namespace("foreign").await?;
        scope.create_service(NewService::new(&foreign, "web").selects("app", "web")).await?;

        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source);
        let (pod, request) = ask(&kubelet, pod).await?;
        let issued = issued(scope, &request).await?;
        for uid in [&request.uid, &pod.uid] {
            assert_eq!(scope.events(&namespace, uid).await?, [], "nobody has to act");
        }

        let names =
            ["balanced", "headless", "node-port", "web"].map(|service| format!("{service}.{namespace}.svc"));
        assert_eq!(issued.leaf().dns_names(), names);
        assert_eq!(issued.leaf().alternative_name_count(), 4);
        assert_eq!(issued.leaf().subject(), "");
        assert_eq!(issued.leaf().extended_key_usages(), ["serverAuth"]);
        assert_eq!((issued.lifetime_seconds(), issued.refresh_before_end_seconds()), (86_400, 43_200));
        assert!((119..=121).contains(&issued.backdated_seconds(&request).await?));
        for name in &names {
            issued.chain.verify(Purpose::ServerNamed(name)).unwrap();
        }
        issued.chain.verify(Purpose::ServerNamed(&format!("other.{namespace}.svc"))).unwrap_err();
        issued.chain.verify(Purpose::Client).unwrap_err();
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn service_dns_knows_a_stateful_set_s_pod_under_each_suffix() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("db").await?, scope.signer_name("service-dns"));
        let fields = "kind: service-dns, podNames: true, dnsSuffixes: [svc, svc.cluster.local]";
        let manager = Setup::new().signer(&name, fields).start(scope);
        scope.create_service(NewService::new(&namespace, "db").selects("app", "db").headless()).await?;
        let kubelet = scope.kubelet().await?;
        let member = |pod: &str| {
            let source = CertificateSource::new(&name, KeyType::Ed25519);
            NewPod::new(&namespace, pod).label("app", "db").subdomain("db").certificate(source)
        };

        let (_, request) = ask(&kubelet, member("db-0").hostname("db-0")).await?;
        let stable = issued(scope, &request).await?;
        let names = [
            format!("db-0.db.{namespace}.svc"),
            format!("db-0.db.{namespace}.svc.cluster.local"),
            format!("db.{namespace}.svc"),
            format!("db.{namespace}.svc.cluster.local"),
        ];
        assert_eq!(stable.leaf().dns_names(), names);

        // another pod's hostname is no name of one's own
        let (_, request) = ask(&kubelet, member("db-1").hostname("db-0")).await?;
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), names[2..]);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn service_dns_certifies_the_picked_services_alone() -> Result<(), Error> {
    on_cluster(async |scope| {
        if !scope.cluster().served().has_user_annotations() {
            return Ok(());
        }
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let manager = Setup::new().signer(&name, "kind: service-dns").start(scope);
        let services =
            ["a", "b", "c"].map(|service| NewService::new(&namespace, service).selects("app", "web"));
        scope.create_services(services).await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256)
            .user_annotation(&format!("{name}-services"), "c, a");
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source);
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let names = ["a", "c"].map(|service| format!("{service}.{namespace}.svc"));
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), names);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn spiffe_certifies_the_service_account_for_both_ends() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, "kind: spiffe, trustDomain: prod.example.com").start(scope);
        let source = CertificateSource::new(&name, KeyType::EcdsaP256).max_expiration_seconds(7200);
        let pod = NewPod::new(&namespace, "web-0").service_account("server").certificate(source);
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let issued = issued(scope, &request).await?;

        let id = format!("spiffe://prod.example.com/ns/{namespace}/sa/server");
        assert_eq!((issued.leaf().uris(), issued.leaf().alternative_name_count()), (vec![id.clone()], 1));
        assert_eq!(issued.leaf().subject(), "");
        let mut usages = issued.leaf().extended_key_usages();
        usages.sort();
        assert_eq!(usages, ["clientAuth", "serverAuth"]);
        assert_eq!((issued.lifetime_seconds(), issued.refresh_before_end_seconds()), (7200, 3600));
        issued.chain.verify(Purpose::Client).unwrap();
        issued.chain.verify(Purpose::Server).unwrap();
        issued.chain.verify(Purpose::ServerNamed("web-0")).unwrap_err();
        let svid = spiffe::X509Svid::parse_from_der(issued.leaf().der(), &private_key(&request.key)).unwrap();
        assert_eq!(svid.spiffe_id().to_string(), id);
        manager.stop().await;
        Ok(())
    })
    .await
}

fn private_key(key: &PodKey) -> Vec<u8> {
    PrivatePkcs8KeyDer::from_pem_slice(key.private_key_pem().as_bytes()).unwrap().secret_pkcs8_der().to_vec()
}

#[tokio::test]
async fn annotation_certifies_the_pod_s_own_names_by_default() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("foo"));
        let manager = Setup::new().signer(&name, "kind: annotation").start(scope);
        let kubelet = scope.kubelet().await?;
        let pod = |pod: &str, seconds: i32| {
            let source = CertificateSource::new(&name, KeyType::EcdsaP384).max_expiration_seconds(seconds);
            NewPod::new(&namespace, pod).certificate(source)
        };
        let (_, request) = ask(&kubelet, pod("web-0", 864_000)).await?;
        let long = issued(scope, &request).await?;
        assert_eq!(long.leaf().subject(), "CN=web-0");
        let names = ["pod", "svc"].map(|kind| format!("web-0.{namespace}.{kind}.cluster.local"));
        assert_eq!((long.leaf().dns_names(), long.leaf().alternative_name_count()), (names.to_vec(), 2));
        let mut usages = long.leaf().extended_key_usages();
        usages.sort();
        assert_eq!(usages, ["clientAuth", "serverAuth"]);
        assert_eq!((long.lifetime_seconds(), long.refresh_before_end_seconds()), (86_400, 3600));
        long.chain.verify(Purpose::ServerNamed(&names[0])).unwrap();
        long.chain.verify(Purpose::Client).unwrap();

        // the default clamps to the request's maximum, and the refresh to half of that
        let (_, request) = ask(&kubelet, pod("web-1", 3600)).await?;
        let short = issued(scope, &request).await?;
        assert_eq!((short.lifetime_seconds(), short.refresh_before_end_seconds()), (3600, 1800));
        manager.stop().await;
        Ok(())
    })
    .await
}

/// All items, with placeholders, as keys of pod annotations and of user annotations are.
fn all_items() -> [(&'static str, &'static str); 7] {
    [
        ("cn", "${pod.name}.example.com"),
        ("san", "${pod.hostname}.example.com, *.example.com,web.${pod.namespace}.svc"),
        (
            "uris",
            "spiffe://prod.example.com/ns/${pod.namespace}/sa/${pod.serviceAccountName}, https://example.com/a",
        ),
        ("ips", "192.0.2.7, 2001:db8::7"),
        ("usages", "client auth, code signing, key agreement"),
        ("duration", "2h30m"),
        ("refresh", "10m"),
    ]
}

const GRANTS: &str = r#"kind: annotation, trustDomain: prod.example.com, grants: [{namespaces: ["*"], serviceAccounts: [server],
    dnsNames: ["*.example.com"], wildcards: true, uris: ["https://example.com/**"], ips: ["192.0.2.0/24", "2001:db8::/32"],
    usages: [code signing, key agreement]}]"#;

fn assert_has_all_items(issued: &Issued, namespace: &str) {
    let leaf = issued.leaf();
    assert_eq!(leaf.subject(), "CN=web-0.example.com");
    let names =
        ["web-0.example.com", "*.example.com", &format!("web.{namespace}.svc")].map(ToOwned::to_owned);
    assert_eq!(leaf.dns_names(), names);
    assert_eq!(
        leaf.uris(),
        [&format!("spiffe://prod.example.com/ns/{namespace}/sa/server"), "https://example.com/a"]
    );
    assert_eq!(leaf.ip_addresses(), ["192.0.2.7", "2001:db8::7"].map(|ip| ip.parse::<IpAddr>().unwrap()));
    assert_eq!(leaf.key_usages(), ["digitalSignature", "keyAgreement"]);
    let mut usages = leaf.extended_key_usages();
    usages.sort();
    assert_eq!(usages, ["clientAuth", "codeSigning"]);
    assert_eq!((issued.lifetime_seconds(), issued.refresh_before_end_seconds()), (9000, 600));
    issued.chain.verify(Purpose::Client).unwrap();
    issued.chain.verify(Purpose::Server).unwrap_err();
}

#[tokio::test]
async fn annotation_certifies_what_the_pod_s_annotations_ask_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("web").await?, scope.signer_name("foo"));
        let manager = Setup::new().signer(&name, GRANTS).start(scope);
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let pod = NewPod::new(&namespace, "web-0")
            .label("app", "web")
            .service_account("server")
            .certificate(source);
        let pod = all_items()
            .iter()
            .fold(pod, |pod, (item, value)| pod.annotation(&format!("{name}-{item}"), value));
        let (_, request) =
            ask(&scope.kubelet().await?, pod.annotation("example.com/other", "ignored")).await?;
        assert_has_all_items(&issued(scope, &request).await?, &namespace);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn annotation_certifies_what_user_annotations_ask_for_and_then_no_pod_annotation_counts()
-> Result<(), Error> {
    on_cluster(async |scope| {
        if !scope.cluster().served().has_user_annotations() {
            return Ok(());
        }
        let (namespace, name) = (scope.namespace("web").await?, scope.signer_name("foo"));
        let manager = Setup::new().signer(&name, GRANTS).start(scope);
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let source = all_items()
            .iter()
            .fold(source, |source, (item, value)| source.user_annotation(&format!("{name}-{item}"), value));
        let pod = NewPod::new(&namespace, "web-0")
            .label("app", "web")
            .service_account("server")
            .certificate(source);
        let pod = pod.annotation(&format!("{name}-duration"), "no duration at all");
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        assert_has_all_items(&issued(scope, &request).await?, &namespace);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_signer_s_settings_bound_every_certificate() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let fields = format!("{SPIFFE}, maxLifetime: 2h, refreshAt: 30m, clockSkew: 0s, keyTypes: [ED25519]");
        let manager = Setup::new().signer(&name, &fields).start(scope);
        let source = CertificateSource::new(&name, KeyType::Ed25519);
        let (_, request) =
            ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let issued = issued(scope, &request).await?;
        assert_eq!((issued.lifetime_seconds(), issued.refresh_before_end_seconds()), (7200, 1800));
        assert!((-1..=1).contains(&issued.backdated_seconds(&request).await?));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn names_in_a_csr_never_appear() -> Result<(), Error> {
    on_cluster(async |scope| {
        if scope.cluster().served().key_material() == KeyMaterial::PublicKeyAndProof {
            return Ok(()); // there is no CSR in this version's requests
        }
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let pod = kubelet.start_pod(NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let draft = kubelet.draft(&pod, &pod.sources[0]);
        let request = draft.csr_names("admin", &["victim.example", "192.0.2.1"]).send().await?;
        let issued = issued(scope, &request).await?;
        assert_eq!(issued.leaf().subject(), "");
        assert_eq!(issued.leaf().uris(), [format!("spiffe://cluster.local/ns/{namespace}/sa/default")]);
        assert_eq!(issued.leaf().alternative_name_count(), 1);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_kubelet_older_than_the_api_server_is_served() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        // what kubelet 1.35 sends, in the version that the signer prefers as long as it is served
        for (i, key_type) in KeyType::ALL.into_iter().enumerate() {
            let source = CertificateSource::new(&name, key_type);
            let pod =
                kubelet.start_pod(NewPod::new(&namespace, &format!("web-{i}")).certificate(source)).await?;
            let draft = kubelet.draft(&pod, &pod.sources[0]).key_material(KeyMaterial::PublicKeyAndProof);
            issued(scope, &draft.send().await?).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_in_another_served_version_is_answered() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        for version in scope.cluster().served().request_versions.clone() {
            let source = CertificateSource::new(&name, KeyType::EcdsaP256);
            let pod = kubelet.start_pod(NewPod::new(&namespace, version).certificate(source)).await?;
            issued(scope, &kubelet.draft(&pod, &pod.sources[0]).version(version).send().await?).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_pod_may_ask_several_signers() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespace = scope.namespace("shop").await?;
        let (dns, id, foo) =
            (scope.signer_name("service-dns"), scope.signer_name("spiffe"), scope.signer_name("foo"));
        let setup = Setup::new()
            .signer(&dns, "kind: service-dns")
            .signer(&id, SPIFFE)
            .signer(&foo, "kind: annotation");
        let manager = setup.start(scope);
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let kubelet = scope.kubelet().await?;
        let sources = [&dns, &id, &foo].map(|name| CertificateSource::new(name, KeyType::EcdsaP256));
        let pod = NewPod::new(&namespace, "web-0").label("app", "web");
        let pod = kubelet.start_pod(sources.into_iter().fold(pod, NewPod::certificate)).await?;
        let mut all = Vec::new();
        for source in &pod.sources {
            all.push(issued(scope, &kubelet.request(&pod, source).await?).await?);
        }
        assert_eq!(all[0].leaf().dns_names(), [format!("web.{namespace}.svc")]);
        assert_eq!(all[1].leaf().uris(), [format!("spiffe://cluster.local/ns/{namespace}/sa/default")]);
        assert_eq!(all[2].leaf().subject(), "CN=web-0");
        let anchors: std::collections::BTreeSet<_> =
            all.iter().map(|issued| &issued.bundle.anchors_pem).collect();
        assert_eq!(anchors.len(), 3, "each signer has a CA of its own");
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_running_pod_gets_its_next_certificate() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let (pod, request) = ask(&kubelet, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let first = issued(scope, &request).await?;
        kubelet.set_phase(&pod, "Running").await?;
        let next = issued(scope, &kubelet.request(&pod, &pod.sources[0]).await?).await?;
        assert_eq!(next.leaf().uris(), first.leaf().uris());
        assert_ne!(next.leaf().serial(), first.leaf().serial());
        manager.stop().await;
        Ok(())
    })
    .await
}

/// Each key type of pods under each kind of CA, with and without an intermediate: 60 chains.
#[tokio::test]
async fn each_key_type_is_certified_by_each_kind_of_ca() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespace = scope.namespace("keys").await?;
        let mut setup = Setup::new();
        let mut sources = Vec::new();
        for ca_key in CaKey::ALL {
            for (kind, ca) in [("root", PemCa::root(ca_key)), ("intermediate", PemCa::intermediate(ca_key))] {
                let name = scope.signer_name(&format!("{kind}-{}", ca_key.label()));
                setup = setup.signer_of(&name, SPIFFE, &ca);
                sources.extend(KeyType::ALL.map(|key_type| CertificateSource::new(&name, key_type)));
            }
        }
        let manager = setup.start(scope);
        let kubelet = scope.kubelet().await?;
        let pod = kubelet
            .start_pod(sources.into_iter().fold(NewPod::new(&namespace, "all"), NewPod::certificate))
            .await?;
        let mut requests = Vec::new();
        for source in &pod.sources {
            requests.push((source, kubelet.request(&pod, source).await?));
        }
        for (source, request) in &requests {
            assert_is_certified(scope, source, request).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

async fn assert_is_certified(
    scope: &Scope,
    source: &CertificateSource,
    request: &SentRequest,
) -> Result<(), Error> {
    let issued = issued(scope, request).await?;
    let is_below_intermediate = source.signer_name.contains("/intermediate-");
    assert_eq!(issued.chain.intermediates().len(), usize::from(is_below_intermediate));
    for purpose in [Purpose::Client, Purpose::Server] {
        issued.chain.verify(purpose).unwrap_or_else(|refusal| panic!("{source:?}: {refusal}"));
    }
    Ok(())
}

#[tokio::test]
async fn the_issuer_is_the_ca_s_subject_byte_for_byte() -> Result<(), Error> {
    on_cluster(async |scope| {
        if !test_cluster::verify::openssl_is_installed() {
            return Ok(()); // nobody else makes such a CA
        }
        let (namespace, name) = (scope.namespace("odd").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer_of(&name, SPIFFE, &PemCa::odd_subject()).start(scope);
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let (_, request) =
            ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let issued = issued(scope, &request).await?;
        let issuer = issued.leaf().issuer();
        assert_eq!(issuer.matches("OU=b").count(), 2, "{issuer}");
        issued.chain.verify(Purpose::Client).unwrap();
        manager.stop().await;
        Ok(())
    })
    .await
}
