//! Denials: each reason of DESIGN's table, said so that the pod's author can mend it, to the request and to the pod.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod support;

use support::{
    ask, on_cluster,
    setup::Setup,
    told::{assert_says, denied},
};
use test_cluster::{
    BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, NewService, PodKey, RequestSpec, Scope,
    SentRequest,
};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

/// Asserts that a request is denied for that reason, with all of these in its message.
async fn assert_denied(
    scope: &Scope,
    (pod, request): &(BoundPod, SentRequest),
    expected: &str,
    parts: &[&str],
) -> Result<(), Error> {
    let (reason, message) = denied(scope, pod, request).await?;
    assert_eq!(reason, expected, "{message}");
    assert_says(&message, parts);
    Ok(())
}

#[tokio::test]
async fn unsupported_key_type() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager =
            Setup::new().signer(&name, &format!("{SPIFFE}, keyTypes: [ECDSAP256, ED25519]")).start(scope);
        let source = CertificateSource::new(&name, KeyType::Rsa3072);
        let asked =
            ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let parts = ["keyType RSA3072", "isn't accepted", "one of ECDSAP256, ED25519"];
        assert_denied(scope, &asked, "UnsupportedKeyType", &parts).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn invalid_unverified_user_annotations() -> Result<(), Error> {
    on_cluster(async |scope| {
        if !scope.cluster().served().has_user_annotations() {
            return Ok(());
        }
        let namespace = scope.namespace("shop").await?;
        let (dns, id, foo) =
            (scope.signer_name("service-dns"), scope.signer_name("spiffe"), scope.signer_name("foo"));
        let setup = Setup::new()
            .signer(&dns, "kind: service-dns")
            .signer(&id, SPIFFE)
            .signer(&foo, "kind: annotation");
        let manager = setup.start(scope);
        let cases: [(&str, String, &str, &[&str]); 15] = [
            (
                &foo,
                format!("{foo}-durations"),
                "1h",
                &["-durations", "is unknown to this signer; it takes", "-duration,"],
            ),
            (
                &foo,
                "example.com/anything".into(),
                "1h",
                &["example.com/anything", "is unknown to this signer; it takes"],
            ),
            (
                &foo,
                format!("{foo}-duration"),
                "",
                &["-duration is empty", "give it a value, or leave it out"],
            ),
            (
                &foo,
                format!("{foo}-duration"),
                "1 day",
                &["-duration: ", "\"1 day\" is no duration", "24h, 90m or 1h30m"],
            ),
            (
                &foo,
                format!("{foo}-duration"),
                "59m",
                &["\"59m\" is shorter than the API server", "write 1h to 24h"],
            ),
            (
                &foo,
                format!("{foo}-duration"),
                "25h",
                &["\"25h\" is longer than", "maxExpirationSeconds of 86400", "1h to 24h"],
            ),
            (
                &foo,
                format!("{foo}-refresh"),
                "5m",
                &["\"5m\" before expiry is out of bounds", "write 10m to 23h50m"],
            ),
            (&foo, format!("{foo}-san"), "web..example", &["-san: ", "\"web..example\" is no DNS name"]),
            (&foo, format!("{foo}-san"), "a.example,,b.example", &["entry 2 of", "is empty"]),
            (
                &foo,
                format!("{foo}-cn"),
                "${pod.ip}",
                &["\"${pod.ip}\" is no placeholder; the placeholders are ${pod.name}"],
            ),
            (
                &foo,
                format!("{foo}-usages"),
                "cert sign",
                &["usage \"cert sign\" is never given", "the usages are server auth"],
            ),
            (
                &foo,
                format!("{foo}-ips"),
                "192.0.2.256",
                &["\"192.0.2.256\" is no IP address", "192.0.2.1 or 2001:db8::1"],
            ),
            (
                &dns,
                format!("{dns}-service"),
                "web",
                &["-service is \"web\"", "knows no such annotation", "-services"],
            ),
            (
                &dns,
                format!("{dns}-services"),
                "web,",
                &["is \"web,\"", "\"\" is no Service's name", "such as \"web, web-internal\""],
            ),
            (
                &id,
                format!("{id}-id"),
                "spiffe://x/y",
                &["-id is \"spiffe://x/y\"", "takes no user annotations", "remove it"],
            ),
        ];
        let kubelet = scope.kubelet().await?;
        for (i, (name, key, value, parts)) in cases.into_iter().enumerate() {
            let source = CertificateSource::new(name, KeyType::EcdsaP256).user_annotation(&key, value);
            let asked =
                ask(&kubelet, NewPod::new(&namespace, &format!("web-{i}")).certificate(source)).await?;
            assert_denied(scope, &asked, "InvalidUnverifiedUserAnnotations", parts).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn invalid_pod_annotations() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("foo"));
        let manager = Setup::new().signer(&name, "kind: annotation, maxLifetime: 12h").start(scope);
        let cases: [(&str, &str, &[&str]); 6] = [
            (
                "dns",
                "a.example",
                &["pod annotation \"", "-dns\" is unknown to this signer; it takes", "-san,"],
            ),
            ("duration", "", &["-duration is empty", "leave it out for its default"]),
            (
                "duration",
                "a while",
                &["pod annotation ", "-duration: \"a while\" is no duration", "24h, 90m or 1h30m"],
            ),
            (
                "duration",
                "13h",
                &["\"13h\" is longer than the signer's maxLifetime (12h)", "write 1h to 12h"],
            ),
            ("uris", "SPIFFE://x/y", &["-uris: ", "\"SPIFFE://x/y\""]),
            ("usages", "serverAuth", &["\"serverAuth\" is no usage; the usages are server auth"]),
        ];
        let kubelet = scope.kubelet().await?;
        for (i, (item, value, parts)) in cases.into_iter().enumerate() {
            let source = CertificateSource::new(&name, KeyType::EcdsaP256);
            let pod =
                NewPod::new(&namespace, &format!("web-{i}")).annotation(&format!("{name}-{item}"), value);
            let asked = ask(&kubelet, pod.certificate(source)).await?;
            assert_denied(scope, &asked, "InvalidPodAnnotations", parts).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

/// A pod with one source and the kubelet of its node.
async fn a_pod(scope: &Scope, name: &str) -> Result<(Kubelet, BoundPod), Error> {
    let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
    let source = CertificateSource::new(name, KeyType::EcdsaP256);
    let pod = kubelet
        .start_pod(NewPod::new(&namespace, "web-0").service_account("web").certificate(source))
        .await?;
    Ok((kubelet, pod))
}

#[tokio::test]
async fn a_request_that_lies_about_its_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let (kubelet, pod) = a_pod(scope, &name).await?;
        let other = scope.kubelet().await?;
        let (node, node_uid) = (other.node_name().to_owned(), other.node_uid().to_owned());
        let on_other_node = move |spec: &mut RequestSpec| (spec.node_name, spec.node_uid) = (node, node_uid);
        let as_admin = |spec: &mut RequestSpec| spec.service_account_name = "cluster-admin".into();

        // NodeRestriction would refuse these, but whoever isn't a node bypasses it
        let draft = || kubelet.draft(&pod, &pod.sources[0]).as_admin();
        let request = draft().with(on_other_node).send().await?;
        let fact = format!("the pod web-0 runs on {}", kubelet.node_name());
        let parts = ["spec.nodeName is", other.node_name(), &fact, "must repeat what the API server says"];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;
        let request = draft().with(as_admin).send().await?;
        let parts = ["spec.serviceAccountName is \"cluster-admin\"", "the pod web-0 runs as web"];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_for_a_pod_that_was_replaced() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let (kubelet, pod) = a_pod(scope, &name).await?;
        let draft = kubelet.draft(&pod, &pod.sources[0]).as_admin();
        kubelet.remove(&pod).await?;
        let successor =
            NewPod::new(&pod.namespace, &pod.name).service_account("web").certificate(pod.sources[0].clone());
        let successor = kubelet.start_pod(successor).await?;
        let asked = (pod.clone(), draft.send().await?);
        let parts = [
            &format!("spec.podUID is {:?}", pod.uid),
            &format!("the pod web-0 has the UID {}", successor.uid),
        ];
        assert_denied(scope, &asked, "RequestDoesNotMatchPod", &parts.map(String::as_str)).await?;
        kubelet.request(&successor, &successor.sources[0]).await?.outcome(support::SOON).await?.issued()?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_that_the_pod_never_made() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (name, other) = (scope.signer_name("spiffe"), scope.signer_name("other"));
        let manager = Setup::new().signer(&name, SPIFFE).signer(&other, SPIFFE).start(scope);
        let (kubelet, pod) = a_pod(scope, &name).await?;
        let mute = kubelet.start_pod(NewPod::new(&pod.namespace, "mute").service_account("web")).await?;
        let source = pod.sources[0].clone();

        // a compromised node can do much of this: how far NodeRestriction looks at volumes depends on the version
        let draft = |source: &CertificateSource| kubelet.draft(&pod, source).as_admin();
        let to_other = CertificateSource { signer_name: other.clone(), ..source.clone() };
        let asks = format!("the pod asks for {name} ECDSAP256 for 24h");
        let request = draft(&to_other).send().await?;
        let parts =
            ["no podCertificate volume source of the pod web-0", &format!("signerName {other}"), &asks];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;

        let request = draft(&source).key(PodKey::of(KeyType::Ed25519)?).send().await?;
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &["keyType ED25519", &asks])
            .await?;

        let request = kubelet
            .draft(&pod, &source)
            .with(|spec| spec.max_expiration_seconds = Some(86_401))
            .send()
            .await?;
        let parts = ["maxExpirationSeconds 86401 (24h1s)", &asks];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;

        let request = kubelet.draft(&mute, &source).as_admin().send().await?;
        assert_denied(
            scope,
            &(mute, request),
            "RequestDoesNotMatchPod",
            &["the pod asks for no certificate at all"],
        )
        .await?;

        if scope.cluster().served().has_user_annotations() {
            let annotated = source.clone().user_annotation("example.com/admin", "true");
            let request = draft(&annotated).send().await?;
            let parts = ["and the 1 user annotations of the request", "with 0 user annotations"];
            assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_running_pod_too_is_denied_what_it_never_asked_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let (kubelet, pod) = a_pod(scope, &name).await?;
        kubelet.set_phase(&pod, "Running").await?;
        let draft =
            kubelet.draft(&pod, &pod.sources[0]).with(|spec| spec.max_expiration_seconds = Some(7200));
        let asked = (pod.clone(), draft.send().await?);
        assert_denied(scope, &asked, "RequestDoesNotMatchPod", &["maxExpirationSeconds 7200 (2h)"]).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

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
        request.outcome(support::SOON).await?.issued()?;
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
