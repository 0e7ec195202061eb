//! What the annotation signer certifies.

use std::net::IpAddr;

use test_cluster::{CertificateSource, Error, KeyType, NewPod, NewService, verify::Purpose};

use crate::support::{
    ask,
    issued::{Issued, issued},
    on_cluster,
    setup::Setup,
};

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
        long.assert_times(86_400, 3600);
        long.chain.verify(Purpose::ServerNamed(&names[0])).unwrap();
        long.chain.verify(Purpose::Client).unwrap();

        // the default clamps to the request's maximum, and the refresh to half of that
        let (_, request) = ask(&kubelet, pod("web-1", 3600)).await?;
        let short = issued(scope, &request).await?;
        short.assert_times(3600, 1800);
        manager.stop().await;
        Ok(())
    })
    .await
}

const GRANTS: &str = r#"kind: annotation, trustDomain: prod.example.com, grants: [{namespaces: ["*"], serviceAccounts: [server],
    dnsNames: ["*.example.com"], wildcards: true, uris: ["https://example.com/**"], ips: ["192.0.2.0/24", "2001:db8::/32"],
    usages: [code signing, key agreement]}]"#;

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
