//! Bundles of other trust domains: fetched, published separately, refused and removed.

use signer_core::ca_pool::CertificateAuthority;
use spiffe_bundle::SpiffeBundle;
use test_cluster::{Error, Scope, TrustBundle};

use crate::support::{
    SOON,
    bundle_endpoint::BundleEndpoint,
    ca::{new_authority, write_whole},
    eventually, on_cluster, pool,
    setup::Setup,
};

const ID: &str = "spiffe://partner.example/bundle-endpoint";

fn json(authorities: &[&CertificateAuthority], sequence: u64) -> String {
    let anchors = authorities.iter().map(|authority| authority.root().clone()).collect();
    let bundle = SpiffeBundle { anchors, sequence: Some(sequence), refresh_hint: None };
    bundle.to_json().unwrap().to_string()
}

/// Waits for the bundle of a domain.
async fn bundle_of(scope: &Scope, signer: &str, domain: &str, pem: &str) -> Result<TrustBundle, Error> {
    let is_it = |bundle: &TrustBundle| {
        bundle.name.ends_with(&format!("-federation:{domain}")) && bundle.anchors_pem == pem
    };
    scope.cluster().trust_bundle(&format!("{signer}-federation"), SOON, is_it).await
}

fn spiffe(federation: &str) -> String {
    format!("kind: spiffe, trustDomain: own.example, federation: [{federation}]")
}

#[tokio::test]
async fn a_bundle_is_fetched_published_by_itself_and_taken_away_with_its_domain() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        scope.owns_signer_name(&format!("{name}-federation"));
        let (web, partner, next) = (new_authority("1"), new_authority("2"), new_authority("3"));
        let endpoint = BundleEndpoint::start(&web, ID, json(&[&partner], 7)).await;
        let setup = Setup::new().signer_without_pool(&name, "");
        let path = setup.pool_path(&name);
        crate::support::ca::write_pool(&path, vec![new_authority("own")]);
        let ca_file = setup.dir.path().join("web.pem");
        write_whole(&ca_file, web.root().to_pem().as_bytes());
        let file = setup.dir.path().join("other.pem");
        write_whole(&file, next.root().to_pem().as_bytes());
        let fetched = format!(
            "{{trustDomain: partner.example, bundleEndpointURL: \"{}\", bundleEndpointProfile: {{type: https_web, caFile: {}}}}}",
            endpoint.url,
            ca_file.display()
        );
        let of_file = format!("{{trustDomain: other_one.example, trustBundle: {{file: {}}}}}", file.display());
        let manager = setup.changed(&name, &spiffe(&format!("{fetched}, {of_file}"))).start(scope);
        let published = bundle_of(scope, &name, "partner.example", &partner.root().to_pem()).await?;
        assert_eq!(published.labels["k8s.spiffe.io/workload-trust-domain"], "own.example");
        assert_eq!(published.labels["k8s.spiffe.io/peer-trust-domain"], "partner.example");
        assert!(published.labels.keys().all(|key| key.starts_with("k8s.spiffe.io/")), "{published:?}");
        let of_signer = scope.cluster().trust_bundle(&name, SOON, |_| true).await?;
        assert!(!of_signer.anchors_pem.contains(&partner.root().to_pem()), "domains never mix");

        // a file is read again; its domain can't be an object's name
        let all = format!("{name}-federation");
        let of_next = |bundle: &TrustBundle| bundle.anchors_pem == next.root().to_pem();
        let odd = scope.cluster().trust_bundle(&all, SOON, of_next).await?;
        assert!(odd.name.contains("-federation:td-"), "{}", odd.name);
        let both = next.root().to_pem() + &web.root().to_pem();
        write_whole(&file, both.as_bytes());
        let has_both = |bundle: &TrustBundle| bundle.name == odd.name && bundle.anchors_pem.len() == both.len();
        scope.cluster().trust_bundle(&all, SOON, has_both).await?;
        // damaged, it leaves what was good
        write_whole(&file, b"no PEM");
        manager.readyz(|page| page.code == 200 && page.body.contains("what was read before counts")).await;
        scope.cluster().trust_bundle(&all, SOON, has_both).await?;
        manager.stop().await;

        // what isn't federated any more goes
        let manager = setup.changed(&name, &spiffe(&fetched)).start(scope);
        eventually("the bundle goes", async || {
            let left = scope.cluster().trust_bundles(&all).await.map_err(|error| error.to_string())?;
            if left.len() == 1 { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_server_with_an_svid_rolls_over_and_a_foreign_bundle_takes_nothing_of_ours() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        scope.owns_signer_name(&format!("{name}-federation"));
        let (partner, next) = (new_authority("1"), new_authority("2"));
        let endpoint = BundleEndpoint::start(&partner, ID, json(&[&partner, &next], 7)).await;
        let setup = Setup::new().signer(&name, "");
        let first = setup.dir.path().join("first.json");
        write_whole(&first, json(&[&partner], 6).as_bytes());
        let fields = spiffe(&format!(
            "{{trustDomain: partner.example, trustBundle: {{file: {}}}, bundleEndpointURL: \"{}\", \
             bundleEndpointProfile: {{type: https_spiffe, endpointSPIFFEID: \"{ID}\"}}}}",
            first.display(),
            endpoint.url
        ));
        let start = || setup.changed(&name, &fields).start(scope);
        let mut pems = [partner.root().to_pem(), next.root().to_pem()];
        pems.sort();
        let manager = start();
        bundle_of(scope, &name, "partner.example", &pems.concat()).await?;
        manager.stop().await;

        // an older one, one with our own root, and one that isn't any, are refused; what was good stays
        let own = pool::read(&setup.pool_path(&name));
        let ours = SpiffeBundle {
            anchors: own.roots().into_iter().cloned().collect(),
            sequence: Some(9),
            refresh_hint: None,
        };
        for content in [json(&[&partner], 5), ours.to_json().unwrap().to_string(), "hello".to_owned()] {
            endpoint.serve(content);
            let before = endpoint.answers();
            let manager = start();
            eventually("it is fetched", async || {
                if before < endpoint.answers() { Ok(()) } else { Err(String::new()) }
            })
            .await;
            // what is made anew is what the manager knows now
            let object = bundle_of(scope, &name, "partner.example", &pems.concat()).await?.name;
            let api = scope.cluster().trust_bundle_api()?;
            api.delete(&object, &kube::api::DeleteParams::default()).await.unwrap();
            bundle_of(scope, &name, "partner.example", &pems.concat()).await?;
            manager.stop().await;
        }
        // an empty bundle ends the trust
        endpoint.serve(json(&[], 10));
        let manager = start();
        eventually("the bundle goes", async || {
            let left = scope.cluster().trust_bundles(&format!("{name}-federation")).await.unwrap();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
        manager.stop().await;
        Ok(())
    })
    .await
}
