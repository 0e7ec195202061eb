//! The third party's signer, as its own process, on a real API server.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

use std::{path::Path, process::Stdio, time::Duration};

use signer_core::ca_pool::{
    CaPool, CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType, root_common_name,
};
use test_cluster::{
    CertificateSource, Cluster, Error, KeyType, NewPod,
    verify::{Chain, Purpose},
};

/// For what takes moments, on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(180);

#[tokio::test]
async fn a_pod_of_a_team_s_namespace_is_certified_and_no_label_makes_a_member() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let (namespace, signer) = (scope.namespace("teams").await?, scope.signer_name("member"));
            let elsewhere = scope.namespace("elsewhere").await?;
            let dir = tempfile::tempdir().unwrap();
            let _process = start(&cluster, &signer, &format!("{namespace}=shop"), dir.path());
            let kubelet = scope.kubelet().await?;
            let source = CertificateSource::new(&signer, KeyType::Ed25519);

            let pod = NewPod::new(&namespace, "member").certificate(source.clone());
            let pod = kubelet.start_pod(pod).await?;
            let issued = kubelet.request(&pod, &pod.sources[0]).await?.outcome(SOON).await?.issued()?;
            let bundle = cluster.trust_bundle(&signer, SOON, |_| true).await?;
            let chain = Chain::new(&issued.chain_pem, &bundle.anchors_pem)?;
            assert_eq!(chain.leaf().uris(), ["https://example.com/teams/shop"]);
            chain.verify(Purpose::Client).unwrap();

            let stranger = NewPod::new(&elsewhere, "stranger").label("team", "shop").certificate(source);
            let pod = kubelet.start_pod(stranger).await?;
            let (reason, message) =
                kubelet.request(&pod, &pod.sources[0]).await?.outcome(SOON).await?.denied()?;
            assert_eq!(reason, "PodHasNoTeam");
            assert!(message.contains(&format!("of namespace {elsewhere} belongs to no team")), "{message}");
            Ok(())
        })
        .await
}

fn start(cluster: &Cluster, signer: &str, team: &str, dir: &Path) -> tokio::process::Child {
    let pool = dir.join("pool.json");
    std::fs::write(&pool, new_pool().to_json().unwrap()).unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_team-signer"));
    command.args([signer, "example.com"]).arg(&pool).arg(team).stdin(Stdio::null()).kill_on_drop(true);
    if let Some(kubeconfig) = cluster.kubeconfig() {
        command.env("KUBECONFIG", kubeconfig);
    }
    command.spawn().unwrap()
}

fn new_pool() -> CaPool {
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    let common_name = root_common_name("teams", "1", [1, 2, 3, 4]).unwrap();
    let root = NewRoot { id: "1".into(), common_name, uri: None, validity: NewRoot::DEFAULT_VALIDITY };
    let serial = SerialNumber::from_random([7; 16]);
    let authority = CertificateAuthority::new_root(root, key, serial, jiff::Timestamp::now()).unwrap();
    CaPool::new(vec![authority]).unwrap()
}
