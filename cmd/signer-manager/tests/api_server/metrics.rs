//! What monitoring sees on `/metrics`.

use crate::support::{ask, eventually, http::get, issued::issued, on_cluster, setup::Setup};
use test_cluster::{CertificateSource, Error, KeyType, NewPod};

#[tokio::test]
async fn outcomes_are_counted_and_what_is_wrong_is_named() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (serves, lacks) = (scope.signer_name("serves"), scope.signer_name("lacks-a-pool"));
        let setup = Setup::new()
            .signer(&serves, "kind: spiffe, trustDomain: cluster.local, keyTypes: [ED25519]")
            .signer_without_pool(&lacks, "kind: service-dns");
        let manager = setup.start(scope);
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let new = |name, key_type| {
            NewPod::new(&namespace, name).certificate(CertificateSource::new(&serves, key_type))
        };
        let (_, request) = ask(&kubelet, new("web-0", KeyType::Ed25519)).await?;
        issued(scope, &request).await?;
        ask(&kubelet, new("web-1", KeyType::EcdsaP256)).await?;

        let of = |metric: &str, signer: &str, labels: &str, value: u8| {
            format!("pod_certificate_signer_{metric}{{signer=\"{signer}\"{labels}}} {value}")
        };
        let expected = [
            of("requests_total", &serves, r#",outcome="Issued",reason="Issued""#, 1),
            of("requests_total", &serves, r#",outcome="Denied",reason="UnsupportedKeyType""#, 1),
            of("issuance_seconds_count", &serves, "", 1),
            of("unfinished_requests", &serves, "", 0),
            of("latency_seconds_count", &serves, "", 1),
            of("decide_seconds_count", &serves, "", 1),
            of("sign_seconds_count", &serves, "", 1),
            of("pool_reloads_total", &serves, r#",result="success""#, 1),
            of("pool_reloads_total", &lacks, r#",result="failure""#, 1),
            of("bundle_writes_total", &serves, r#",result="success""#, 1),
            of("ca_phase", &serves, r#",ca="1",phase="active""#, 1),
            of("trust_anchors", &serves, "", 1),
            of("foreign_trust_anchors", &serves, "", 0),
            of("queued_requests", &serves, "", 0),
            of("ready", &serves, "", 1),
            of("ready", &lacks, "", 0),
            of("problem", &lacks, r#",component="certificate-authority",severity="error""#, 1),
        ];
        eventually("the metrics", async || {
            let page = get(manager.http, "/metrics").await.map_err(|error| error.to_string())?.body;
            let lacks = expected.iter().find(|line| !page.lines().any(|other| other == **line));
            lacks.map_or(Ok(()), |line| Err(format!("{line} isn't in\n{page}")))
        })
        .await;
        manager.stop().await;
        Ok(())
    })
    .await
}
