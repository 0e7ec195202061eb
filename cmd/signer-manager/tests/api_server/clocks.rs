//! Replicas on machines whose clocks are wrong, as processes of their own under faketime.

use std::time::Duration;

use crate::support::{
    A_WHILE,
    ca::{CaKey, PemCa},
    events::waiting,
    eventually,
    fault_proxy::Gate,
    issued::issued,
    managed_secret::ManagedSecret,
    on_cluster,
    pool::asked,
    process::Process,
    setup::Setup,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use test_cluster::{
    Error, Scope,
    verify::{Chain, Purpose},
};

const SPIFFE: &str = "kind: spiffe, trustDomain: a.example.com";

/// Where Debian's package has it: without the library, the dynamic linker would go on with a clock that is
/// right.
fn needs_faketime() {
    let found = std::fs::read_dir("/usr/lib")
        .unwrap()
        .flatten()
        .any(|folder| folder.path().join("faketime").is_dir());
    assert!(found, "the tests of wrong clocks need faketime; install Debian's package of that name");
}

#[tokio::test]
async fn a_replica_whose_clock_is_off_issues_rightly_and_says_how_far_it_is_off() -> Result<(), Error> {
    needs_faketime();
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        for (off, said) in [
            ("-30m", "30 min behind"),
            ("-10m", "10 min behind"),
            ("+10m", "10 min ahead"),
            ("+1h", "60 min ahead"),
            ("+8d", "8 days ahead"),
        ] {
            let replica = setup.spawn_at(scope.cluster(), off);
            replica.readyz(|page| page.code == 200 && page.body.contains(said)).await;
            let (_, request) =
                asked(scope, &name, &format!("at{}", off.replace(['+', '-'], "")).to_lowercase()).await?;
            issued(scope, &request).await?;
            end(replica).await;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_clock_that_is_ahead_of_a_ca_s_end_removes_nothing_from_a_pool_that_rotates_by_itself()
-> Result<(), Error> {
    needs_faketime();
    on_cluster(async |scope| {
        let managed = ManagedSecret::new(scope, None).await?;
        let pool = format!(
            "secret: {{namespace: {}, name: ca}}, rotation: automatic, validity: 168h, propagation: 24h, keyType: ED25519",
            managed.secrets.namespace().unwrap()
        );
        let setup = Setup::new().with(&managed.signer_name, SPIFFE, pool);
        let right = setup.spawn(scope.cluster());
        right.ready().await;
        let first = managed.pool_of(&["1"]).await;
        let (_, request) = asked(scope, &managed.signer_name, "before").await?;
        let before = issued(scope, &request).await?;
        let version = managed.secrets.get("ca").await.unwrap().metadata.resource_version;

        let wrong = setup.spawn_at(scope.cluster(), "+8d");
        wrong.readyz(|page| page.code == 200 && page.body.contains("8 days ahead")).await;
        // it reads the Secret every ten seconds, and did its damage at the first
        tokio::time::sleep(A_WHILE * 7).await;
        let secret = managed.secrets.get("ca").await.unwrap();
        assert_eq!(secret.metadata.resource_version, version, "the Secret is as it was");
        managed.published(&first).await?;
        let anchors = scope.cluster().trust_bundles(&managed.signer_name).await?.remove(0).anchors_pem;
        Chain::new(&before.status.chain_pem, &anchors)?.verify(Purpose::Client).unwrap();
        end(right).await;
        let (_, request) = asked(scope, &managed.signer_name, "alone").await?;
        issued(scope, &request).await?;
        end(wrong).await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_api_server_that_is_ahead_of_a_ca_s_end_has_nothing_removed() -> Result<(), Error> {
    on_cluster(async |scope| {
        let managed = ManagedSecret::new(scope, None).await?;
        let pool = format!(
            "secret: {{namespace: {}, name: ca}}, rotation: automatic, validity: 168h, propagation: 24h, keyType: ED25519",
            managed.secrets.namespace().unwrap()
        );
        let setup = Setup::new().with(&managed.signer_name, SPIFFE, pool);
        let right = setup.start(scope);
        right.ready().await;
        let first = managed.pool_of(&["1"]).await;
        let gate = Gate::open(scope.client()).await;
        gate.shift_dates(SignedDuration::from_hours(8 * 24));
        let wrong = setup.start_as(gate.client());
        wrong.readyz(|page| page.body.contains("8 days behind the API server's")).await;
        // it reads the Secret every ten seconds
        tokio::time::sleep(A_WHILE * 7).await;
        let ids: Vec<String> = managed.read().await.unwrap().authorities().map(|ca| ca.id().to_owned()).collect();
        assert!(ids.contains(&"1".to_owned()), "{ids:?}");
        let anchors = scope.cluster().trust_bundles(&managed.signer_name).await?.remove(0).anchors_pem;
        assert!(anchors.contains(&first.roots()[0].to_pem()), "the root that leaves have stays published");
        wrong.stop().await;
        right.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_clock_that_is_behind_lets_no_ca_sign_before_its_root_is_known() -> Result<(), Error> {
    needs_faketime();
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer_of(&name, SPIFFE, &PemCa::root(CaKey::P256));
        let right = setup.spawn(scope.cluster());
        right.ready().await;
        issued(scope, &asked(scope, &name, "before").await?.1).await?;
        end(right).await;
        setup.replace_ca(&name, &PemCa::root(CaKey::P256));
        let began = Timestamp::now();
        let late = setup.spawn_at(scope.cluster(), "-30m");
        let since = eventually("the second root", async || {
            newest_root(scope, &name)
                .await
                .filter(|since| {
                    // of the first root nothing newer than this is written
                    since.duration_since(began) > SignedDuration::from_secs(-5)
                })
                .ok_or_else(|| "it isn't published, or since long ago".to_owned())
        })
        .await;
        assert!(since.duration_since(Timestamp::now()).abs() < SignedDuration::from_mins(5), "{since}");
        end(late).await;
        let right = setup.spawn(scope.cluster());
        let (pod, request) = asked(scope, &name, "after").await?;
        waiting(scope, &pod, &request, "CertificateAuthorityUnavailable").await?;
        request.stays_pending(A_WHILE).await?;
        end(right).await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn where_tls_fails_for_the_clock_s_sake_both_times_are_named() -> Result<(), Error> {
    needs_faketime();
    on_cluster(async |scope| {
        let setup = Setup::new().signer(&scope.signer_name("spiffe"), SPIFFE);
        for (off, limit) in [("-2d", "valid from"), ("+800d", "valid until")] {
            let replica = setup.spawn_at(scope.cluster(), off);
            let page = replica.readyz(|page| page.body.contains("this machine's clock says")).await;
            assert!(page.code == 503 && page.body.contains(limit), "{}", page.body);
            end(replica).await;
        }
        Ok(())
    })
    .await
}

/// Since when the root is published that was published last.
async fn newest_root(scope: &Scope, signer_name: &str) -> Option<Timestamp> {
    let bundles = scope.cluster().trust_bundle_api().unwrap();
    let bundle = bundles.get(&format!("{}:primary-bundle", signer_name.replace('/', ":"))).await.unwrap();
    let annotations = bundle.metadata.annotations.unwrap_or_default();
    let (_, anchors) = annotations.iter().find(|(key, _)| key.ends_with("/anchors"))?;
    let known: Value = serde_json::from_str(anchors).unwrap();
    let known = known["anchors"].as_object().unwrap();
    let since = || known.values().filter_map(|anchor| anchor["since"].as_str()?.parse().ok()).max();
    (known.len() == 2).then(since).flatten()
}

async fn end(mut replica: Process) {
    replica.terminate();
    tokio::time::timeout(Duration::from_secs(60), replica.ended()).await.unwrap();
}
