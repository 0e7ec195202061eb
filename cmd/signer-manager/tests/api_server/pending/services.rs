//! Services that are missing.

use std::time::Instant;

use test_cluster::{Error, NewPod, NewService, Scope};

use crate::{
    pending::SERVICE_DNS,
    pending::source,
    support::{
        SOON, ask,
        events::{assert_says, waiting},
        issued::issued,
        on_cluster,
        running::Running,
        setup::Setup,
    },
};

fn web(namespace: &str) -> NewService {
    NewService::new(namespace, "web").selects("app", "web")
}

#[tokio::test]
async fn a_service_that_appears_ends_the_wait_at_once() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("service-dns");
        let manager = Setup::new().signer(&name, SERVICE_DNS).start(scope);
        // On a machine that stalls a retry can be as fast: then another request waits for longer, and its
        // retries are rarer.
        for age in [12, 30, 75] {
            if outruns_its_retry(scope, &manager, &name, age).await? {
                manager.stop().await;
                return Ok(());
            }
        }
        panic!("it takes a retry");
    })
    .await
}

/// Whether a request that has waited for so many seconds is issued before its next retry is due, once its
/// Service appears.
async fn outruns_its_retry(scope: &Scope, manager: &Running, name: &str, age: u64) -> Result<bool, Error> {
    let namespace = scope.namespace("shop").await?;
    let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source(name));
    let (pod, request) = ask(&scope.kubelet().await?, pod).await?;
    let message = waiting(scope, &pod.uid, &request, "WaitingForService").await?;
    let lack = format!("no Service of namespace {namespace} selects this pod (labels: app=web)");
    assert_says(
        &message,
        &[&lack, "Create a Service whose selector fits these labels", &format!("{name}-services")],
    );

    // Retries come at half of the request's age, a fifth more or less. After one at 12 s, the next is due in
    // 4.8 s at the soonest; what comes earlier is the Service's doing.
    let mut looks = 0;
    while request.accepted.elapsed().as_secs() < age {
        looks = manager.looks(&request, looks + 1).await;
    }
    let looked = Instant::now();
    let no_retry_before = request.accepted.elapsed().mul_f64(0.4);
    scope.create_service(web(&namespace)).await?;
    request.outcome(SOON).await?.issued()?;
    let is_early = looked.elapsed() < no_retry_before;
    issued(scope, &request).await?;
    Ok(is_early)
}

#[tokio::test]
async fn a_picked_service_that_is_missing_is_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        if !scope.cluster().served().has_user_annotations() {
            return Ok(());
        }
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        scope.create_service(NewService::new(&namespace, "other").selects("app", "web")).await?;
        // it has listed the Service before it looks at a request
        let manager = Setup::new().signer(&name, SERVICE_DNS).start(scope);
        let picks = source(&name).user_annotation(&format!("{name}-services"), "other, web");
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(picks);
        let (pod, request) = ask(&scope.kubelet().await?, pod).await?;
        let message = waiting(scope, &pod.uid, &request, "WaitingForService").await?;
        assert_says(&message, &[&format!("names Services that don't exist in namespace {namespace}: web;")]);
        scope.create_service(web(&namespace)).await?;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_name_of_a_service_that_is_missing_is_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("foo"));
        let manager = Setup::new().signer(&name, "kind: annotation").start(scope);
        let san = format!("web.{namespace}.svc");
        let pod =
            NewPod::new(&namespace, "web-0").label("app", "web").annotation(&format!("{name}-san"), &san);
        let (pod, request) = ask(&scope.kubelet().await?, pod.certificate(source(&name))).await?;
        let message = waiting(scope, &pod.uid, &request, "WaitingForService").await?;
        let lack =
            format!("{san:?} waits for Services of namespace {namespace} that don't exist yet: \"web\"");
        assert_says(&message, &[&lack, "create them with a selector that selects the pod web-0"]);
        scope.create_service(web(&namespace)).await?;
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), [san]);
        manager.stop().await;
        Ok(())
    })
    .await
}
