//! Names that the pod may not have, and signers that it may not use.

use test_cluster::{CertificateSource, Error, KeyType, NewPod, NewService};

use crate::{
    denied::SPIFFE,
    denied::assert_denied,
    support::{ask, issued::issued, on_cluster, setup::Setup},
};

#[tokio::test]
async fn a_name_without_a_grant() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("web").await?, scope.signer_name("foo"));
        let fields = format!(
            "kind: annotation, trustDomain: cluster.local, grants: [{{namespaces: [{namespace}], serviceAccounts: [granted], \
             dnsNames: [\"*.example.com\"], uris: [\"https://example.com/**\"], ips: [192.0.2.0/24], usages: [code signing]}}]"
        );
        let manager = Setup::new().signer(&name, &fields).start(scope);
        let who = format!("not granted to service account stranger of namespace {namespace}");
        let own_id = format!("the pod may have spiffe://cluster.local/ns/{namespace}/sa/stranger");
        let stranger: [(&str, &str, &[&str]); 6] = [
            ("san", "www.example.com", &["-san: \"www.example.com\" is not the pod's own", &who, "adds a grant with dnsNames"]),
            ("cn", "www.example.com", &["-cn: \"www.example.com\" is not the pod's own", &who]),
            ("uris", "spiffe://cluster.local/ns/kube-system/sa/admin", &["sa/admin\" is not the pod's own", &own_id, "uris (a spiffe: URI"]),
            ("uris", "https://example.com/a", &["\"https://example.com/a\" is not", "adds a grant with uris"]),
            ("ips", "192.0.2.7", &["\"192.0.2.7\" is not the pod's own", "the pod may have no IP address", "with ips"]),
            ("usages", "server auth, code signing", &["\"code signing\" is not", "without a grant the pod may have server auth, client auth"]),
        ];
        let granted: [(&str, &str, &[&str]); 5] = [
            ("san", "a.www.example.com", &["\"a.www.example.com\" is not the pod's own"]),
            ("san", "*.example.com", &["\"*.example.com\" is not", "dnsNames (and `wildcards: true` for wildcards)"]),
            ("uris", "spiffe://other.example/ns/a/sa/b", &["\"spiffe://other.example/ns/a/sa/b\" is not"]),
            ("ips", "192.0.3.1", &["\"192.0.3.1\" is not"]),
            ("san", "web-0.kube-system.pod.cluster.local", &["is not the pod's own"]),
        ];
        let kubelet = scope.kubelet().await?;
        let cases = stranger.map(|case| ("stranger", case)).into_iter().chain(granted.map(|case| ("granted", case)));
        for (i, (account, (item, value, parts))) in cases.enumerate() {
            let pod = NewPod::new(&namespace, &format!("web-{i}")).service_account(account);
            let pod = pod.annotation(&format!("{name}-{item}"), value);
            let asked = ask(&kubelet, pod.certificate(CertificateSource::new(&name, KeyType::EcdsaP256))).await?;
            assert_denied(scope, &asked, "IdentityNotGranted", parts).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pod_that_is_named_like_the_one_that_others_admit() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (victims, evil) = (scope.namespace("shop").await?, scope.namespace("evil").await?);
        let name = scope.signer_name("foo");
        let manager = Setup::new().signer(&name, "kind: annotation").start(scope);
        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let pod = |pod: &str| NewPod::new(&evil, pod).certificate(source.clone());
        let victim = format!("web.{victims}.pod.cluster.local");
        let impostor = pod(&victim).annotation(&format!("{name}-cn"), "${pod.name}");
        let parts = ["-cn: ", &victim, "is not the pod's own"];
        assert_denied(scope, &ask(&kubelet, impostor).await?, "IdentityNotGranted", &parts).await?;

        // without a wish it has names that end in its namespace, and no common name
        let (_, request) = ask(&kubelet, pod(&victim.replace("web", "api"))).await?;
        let issued = issued(scope, &request).await?;
        let host = victim.replace("web", "api");
        let names = ["pod", "svc"].map(|kind| format!("{host}.{evil}.{kind}.cluster.local"));
        assert_eq!((issued.leaf().subject().as_str(), issued.leaf().dns_names()), ("", names.to_vec()));

        // DNS gives the names of an address to the pod that has it
        let address = pod("10-0-0-5")
            .annotation(&format!("{name}-san"), "${pod.name}.${pod.namespace}.pod.cluster.local");
        let parts = ["\"10-0-0-5.", "is not the pod's own", "reads as the IP address of another"];
        assert_denied(scope, &ask(&kubelet, address).await?, "IdentityNotGranted", &parts).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_signer_that_the_pod_may_not_use() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let fields = format!("{SPIFFE}, allow: [{{namespaces: [{namespace}], serviceAccounts: [web]}}]");
        let manager = Setup::new().signer(&name, &fields).start(scope);
        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let pod = |pod: &str| NewPod::new(&namespace, pod).certificate(source.clone());
        let asked = ask(&kubelet, pod("stranger").service_account("batch")).await?;
        let parts = [
            &format!("service account batch of namespace {namespace} may not use this signer"),
            "no `allow` entry",
        ];
        assert_denied(scope, &asked, "IdentityNotGranted", &parts).await?;
        let (_, request) = ask(&kubelet, pod("web").service_account("web")).await?;
        request.outcome(crate::support::SOON).await?.issued()?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_service_that_does_not_select_the_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespace = scope.namespace("shop").await?;
        let (strict, dns, foo) =
            (scope.signer_name("strict"), scope.signer_name("dns"), scope.signer_name("foo"));
        let setup = Setup::new().signer(&strict, "kind: service-dns, noServices: deny");
        let manager = setup.signer(&dns, "kind: service-dns").signer(&foo, "kind: annotation").start(scope);
        scope.create_service(NewService::new(&namespace, "db").selects("app", "db")).await?;
        let kubelet = scope.kubelet().await?;
        let pod = |pod: &str| NewPod::new(&namespace, pod).label("app", "web");
        let source = |name: &str| CertificateSource::new(name, KeyType::EcdsaP256);

        let asked = ask(&kubelet, pod("unselected").certificate(source(&strict))).await?;
        let parts = [
            "no Service of namespace",
            "selects this pod (labels: app=web)",
            "noServices: deny",
            "Create a Service",
        ];
        assert_denied(scope, &asked, "ServiceDoesNotSelectPod", &parts).await?;

        let san = format!("db.{namespace}.svc");
        let asked =
            ask(&kubelet, pod("named").annotation(&format!("{foo}-san"), &san).certificate(source(&foo)))
                .await?;
        let parts = [
            &format!("-san: {san:?} belongs to the Service db"),
            "doesn't select the pod named",
            "give the pod the labels",
        ];
        assert_denied(scope, &asked, "ServiceDoesNotSelectPod", &parts).await?;

        if scope.cluster().served().has_user_annotations() {
            let picks = source(&dns).user_annotation(&format!("{dns}-services"), "db");
            let asked = ask(&kubelet, pod("picks").certificate(picks)).await?;
            let parts = [
                "-services is \"db\"",
                "doesn't select this pod (its selector: app=db; the pod's labels: app=web)",
                "leave",
            ];
            assert_denied(scope, &asked, "ServiceDoesNotSelectPod", &parts).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}
