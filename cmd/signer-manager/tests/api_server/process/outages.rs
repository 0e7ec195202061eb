//! API servers that are away, old, or out of reach.

use std::path::PathBuf;

use test_cluster::{Cluster, ControlPlane, Error, NewPod, NewService, Options, own_control_plane};

use crate::{
    process::SPIFFE,
    process::source,
    support::{
        ask,
        events::assert_says,
        http::{Page, free_address},
        issued::issued,
        on_cluster,
        proxy::Proxy,
        setup::Setup,
    },
};

/// A control plane of a test's own, which comes back where it was.
struct Comeback(Options);

impl Comeback {
    /// `None` where there is only a foreign cluster.
    fn new(dir: PathBuf) -> Result<Option<Self>, Error> {
        let options = own_control_plane()?;
        Ok(options
            .map(|options| Self(Options { dir: Some(dir), port: Some(free_address().port()), ..options })))
    }

    async fn start(&self, without_pcr_api: bool) -> Result<ControlPlane, Error> {
        let options = Options { without_pcr_api, ..self.0.clone() };
        tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await.unwrap()
    }
}

async fn end(plane: ControlPlane) {
    tokio::task::spawn_blocking(move || drop(plane)).await.unwrap();
}

#[tokio::test]
async fn a_cluster_without_the_api_is_waited_for_and_so_is_its_return() -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let Some(comeback) = Comeback::new(dir.path().join("plane"))? else {
        eprintln!("skipped: needs a control plane of its own");
        return Ok(());
    };
    let plane = comeback.start(true).await?;
    let name = "without-api.example.test/spiffe";
    let setup = Setup::new().signer(name, SPIFFE);
    let mut process = setup.spawn(&Cluster::of(&plane).await?);
    let lacks_api =
        |page: &Page| page.body.contains("doesn't serve podcertificaterequests of certificates.k8s.io");
    let page = process.readyz(lacks_api).await;
    assert_eq!(page.code, 503);
    let gates = "--feature-gates=PodCertificateRequest=true,ClusterTrustBundle=true,ClusterTrustBundleProjection=true";
    let version = format!("the API server ({})", plane.kubernetes());
    assert_says(
        &page.body,
        &[&format!("{name}: not ready"), &version, gates, "--runtime-config=certificates.k8s.io/"],
    );
    assert!(process.is_running());
    end(plane).await;

    let plane = comeback.start(false).await?;
    process.ready().await;
    get_a_certificate(&plane, name).await?;
    end(plane).await;

    // an API that goes while requests are served, and an API server that is away for a while
    let plane = comeback.start(true).await?;
    process.readyz(lacks_api).await;
    end(plane).await;
    let plane = comeback.start(false).await?;
    process.ready().await;
    get_a_certificate(&plane, name).await?;
    process.terminate();
    assert_eq!(process.ended().await.code(), Some(0));
    end(plane).await;
    Ok(())
}

fn has_lost_its_watches(page: &Page, name: &str) -> bool {
    page.code == 503
        && page.body.contains(&format!("{name}: not ready"))
        && page.body.contains("  - watching ")
}

#[tokio::test]
async fn an_api_server_that_is_away_for_a_while_is_waited_for() -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let Some(comeback) = Comeback::new(dir.path().join("plane"))? else {
        eprintln!("skipped: needs a control plane of its own");
        return Ok(());
    };
    let plane = comeback.start(false).await?;
    let name = "away.example.test/service-dns";
    let setup = Setup::new().signer(name, "kind: service-dns");
    let mut process = setup.spawn(&Cluster::of(&plane).await?);
    process.ready().await;
    end(plane).await;
    process.readyz(|page| has_lost_its_watches(page, name)).await;
    assert!(process.is_running());

    // nothing happens there that a watch would tell of
    let plane = comeback.start(false).await?;
    process.readyz(|page| page.code == 200 && page.body == format!("{name}: ready\n")).await;
    process.terminate();
    assert_eq!(process.ended().await.code(), Some(0));
    end(plane).await;
    Ok(())
}

#[tokio::test]
async fn connections_that_break_are_taken_up_again() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let proxy = Proxy::start(scope.cluster()).await;
        let manager = Setup::new().signer(&name, "kind: service-dns").start_as(proxy.client());
        manager.ready().await;
        proxy.cut();
        manager.readyz(|page| has_lost_its_watches(page, &name)).await;
        // nothing happens there of which each of the watches would tell
        proxy.mend();
        manager.ready().await;
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source(&name));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

async fn get_a_certificate(plane: &ControlPlane, name: &str) -> Result<(), Error> {
    Cluster::of(plane)
        .await?
        .run(async |scope| {
            let namespace = scope.namespace("shop").await?;
            let pod = NewPod::new(&namespace, "web-0").certificate(source(name));
            let (_, request) = ask(&scope.kubelet().await?, pod).await?;
            issued(scope, &request).await.map(drop)
        })
        .await
}
