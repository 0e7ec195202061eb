//! What the pod asks for and may not have as it is: key types and annotations.

use test_cluster::{CertificateSource, Error, KeyType, NewPod};

use crate::{
    denied::SPIFFE,
    denied::assert_denied,
    support::{ask, on_cluster, setup::Setup},
};

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
                &["-duration: ", "\"1 day\" is not a valid duration", "24h, 90m or 1h30m"],
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
            (
                &foo,
                format!("{foo}-san"),
                "web..example",
                &["-san: ", "\"web..example\" is not a valid DNS name"],
            ),
            (&foo, format!("{foo}-san"), "a.example,,b.example", &["entry 2 of", "is empty"]),
            (
                &foo,
                format!("{foo}-cn"),
                "${pod.ip}",
                &["\"${pod.ip}\" is not a placeholder; the placeholders are ${pod.name}"],
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
                &["\"192.0.2.256\" is not a valid IP address", "192.0.2.1 or 2001:db8::1"],
            ),
            (
                &dns,
                format!("{dns}-service"),
                "web",
                &["-service\" is unknown to this signer", "it takes", "Did you mean", "-services"],
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
                &["-id\" is unknown to this signer", "it takes none, so remove it"],
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
                &["pod annotation ", "-duration: \"a while\" is not a valid duration", "24h, 90m or 1h30m"],
            ),
            (
                "duration",
                "13h",
                &["\"13h\" is longer than the signer's maxLifetime (12h)", "write 1h to 12h"],
            ),
            ("uris", "SPIFFE://x/y", &["-uris: ", "\"SPIFFE://x/y\""]),
            ("usages", "serverAuth", &["\"serverAuth\" is not a usage; the usages are server auth"]),
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
