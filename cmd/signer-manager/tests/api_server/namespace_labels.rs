//! Labels of namespaces: who may use a signer, what grants give, and whom deny rules block.

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope};

use crate::{
    denied::assert_denied,
    support::{ask, ca::write_whole, events::waiting, issued::issued, on_cluster, setup::Setup},
};

async fn label(scope: &Scope, namespace: &str, key: &str, value: &str) {
    let namespaces: Api<Namespace> = Api::all(scope.client());
    let patch = json!({"metadata": {"labels": {key: value}}});
    namespaces.patch(namespace, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test]
async fn a_namespace_whose_labels_match_may_use_the_signer() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (inside, outside) = (scope.namespace("inside").await?, scope.namespace("outside").await?);
        label(scope, &inside, "certificates", "yes").await;
        let name = scope.signer_name("spiffe");
        let fields = "kind: spiffe, trustDomain: cluster.local, \
                      allow: [{namespaceSelector: {matchLabels: {certificates: \"yes\"}}, serviceAccounts: [\"*\"]}]";
        let manager = Setup::new().signer(&name, fields).start(scope);
        let kubelet = scope.kubelet().await?;
        let pod = |namespace: &str| {
            NewPod::new(namespace, "web").certificate(CertificateSource::new(&name, KeyType::EcdsaP256))
        };
        let (_, request) = ask(&kubelet, pod(&inside)).await?;
        issued(scope, &request).await?;
        let refused = ask(&kubelet, pod(&outside)).await?;
        assert_denied(scope, &refused, "IdentityNotGranted", &["may not use this signer"]).await?;

        // labels are those of now, not of a cache
        label(scope, &outside, "certificates", "yes").await;
        let later = NewPod::new(&outside, "later").certificate(CertificateSource::new(&name, KeyType::EcdsaP256));
        let (_, request) = ask(&kubelet, later).await?;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_grant_and_a_deny_rule_go_by_labels_too() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (web, shop) = (scope.namespace("web").await?, scope.namespace("shop").await?);
        label(scope, &web, "team", "web").await;
        let name = scope.signer_name("foo");
        let fields = "kind: annotation, grants: [{namespaceSelector: {matchLabels: {team: web}}, serviceAccounts: [\"*\"], \
                      dnsNames: [example.com]}]";
        let setup = Setup::new().signer(&name, fields);
        let rules = setup.dir.path().join("deny.yaml");
        write_whole(&rules, b"rules: [{namespaceSelector: {matchExpressions: [{key: quarantine, operator: Exists}]}, reason: INC-7}]");
        let manager = setup.deny(&format!("file: {}", rules.display())).start(scope);
        let kubelet = scope.kubelet().await?;
        let pod = |namespace: &str, pod: &str| {
            let pod = NewPod::new(namespace, pod).annotation(&format!("{name}-san"), "example.com");
            pod.certificate(CertificateSource::new(&name, KeyType::EcdsaP256))
        };
        let (_, request) = ask(&kubelet, pod(&web, "first")).await?;
        issued(scope, &request).await?;
        let refused = ask(&kubelet, pod(&shop, "first")).await?;
        assert_denied(scope, &refused, "IdentityNotGranted", &["\"example.com\" is not the pod's own"]).await?;

        label(scope, &web, "quarantine", "since-today").await;
        let (blocked, request) = ask(&kubelet, pod(&web, "second")).await?;
        let message = waiting(scope, &blocked.uid, &request, "BlockedByDenyRule").await?;
        assert!(message.contains(&format!("for namespace {web} blocks this pod: INC-7")), "{message}");
        manager.stop().await;
        Ok(())
    })
    .await
}
