//! What a signer says by its handle, while it runs.

use std::sync::atomic::{AtomicBool, Ordering};

use signer_core::{
    BoxError, Decision, Leaf, Reason, Request, Signer, SignerHandle, SignerName,
    prometheus_client::metrics::counter::Counter,
};
use test_cluster::{CertificateSource, Error, KeyType, NewPod};

use crate::support::{
    ask,
    events::assert_says,
    http::{Page, get},
    issued::issued,
    on_cluster,
    running::Running,
};

const UNKNOWN: Reason = Reason::from_static("TeamUnknown");

/// Knows no team until its directory is there.
struct Directory {
    name: SignerName,
    is_there: &'static AtomicBool,
    lookups: Counter,
}

impl Signer for Directory {
    fn name(&self) -> &SignerName {
        &self.name
    }

    async fn decide(&self, _: &Request) -> Result<Decision, BoxError> {
        self.lookups.inc();
        if self.is_there.load(Ordering::Relaxed) {
            Ok(Decision::issue(Leaf::client().uri("https://example.com/team".parse()?)))
        } else {
            Ok(Decision::wait(UNKNOWN, "the directory doesn't know the pod's team yet"))
        }
    }
}

#[tokio::test]
async fn a_signer_is_degraded_counts_and_has_requests_looked_at_again() -> Result<(), Error> {
    static IS_THERE: AtomicBool = AtomicBool::new(false);
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("team"));
        let (handle, lookups) = (SignerHandle::new(), Counter::default());
        let counted = lookups.clone();
        handle.register_metrics(|registry| registry.register("lookups", "Lookups in the directory", counted));
        handle.degraded("the directory doesn't answer; start it");
        let signer = Directory { name: name.parse().unwrap(), is_there: &IS_THERE, lookups };
        let manager = Running::signer_with(signer, handle.clone(), scope.client());
        let is_told = |page: &Page| page.code == 200 && page.body.contains("the directory doesn't answer");
        let page = manager.readyz(is_told).await;
        assert_says(&page.body, &[&format!("{name}: ready")]);
        let pod = NewPod::new(&namespace, "web").certificate(CertificateSource::new(&name, KeyType::EcdsaP256));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let looked = manager.looks(&request, 1).await;
        let metrics = get(manager.http, "/metrics").await.unwrap().body;
        assert_says(&metrics, &[
            &format!("pod_certificate_signer_lookups_total{{signer=\"{name}\"}} "),
            &format!("pod_certificate_signer_problem{{signer=\"{name}\",component=\"signer\",severity=\"warning\"}} 1"),
        ]);
        IS_THERE.store(true, Ordering::Relaxed);
        handle.recovered();
        handle.look_again();
        // a request that waits is looked at again by itself, but not within this time
        issued(scope, &request).await?;
        assert!(manager.looks(&request, looked + 1).await > looked);
        assert_eq!(manager.ready().await.body, format!("{name}: ready\n"));
        manager.stop().await;
        Ok(())
    })
    .await
}
