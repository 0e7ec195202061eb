//! Deny rules: who is blocked, by what, and what becomes of the pods when a rule is lifted.

use std::path::PathBuf;

use crate::support::{
    ask,
    ca::write_whole,
    events::{assert_says, assert_untouched, waiting},
    issued::issued,
    on_cluster,
    running::Running,
    setup::Setup,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use test_cluster::{BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, Scope, SentRequest};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

fn pod(namespace: &str, name: &str, signer: &str) -> NewPod {
    NewPod::new(namespace, name).certificate(CertificateSource::new(signer, KeyType::EcdsaP256))
}

/// A pod that got a certificate, and runs.
async fn running_pod(scope: &Scope, kubelet: &Kubelet, pod: NewPod) -> Result<BoundPod, Error> {
    let (pod, request) = ask(kubelet, pod).await?;
    issued(scope, &request).await?;
    kubelet.set_phase(&pod, "Running").await?;
    Ok(pod)
}

/// A manager with one signer that follows a file of rules, and that file.
fn with_file(scope: &Scope, signer: &str) -> (Running, PathBuf) {
    let setup = Setup::new().signer(signer, SPIFFE);
    let path = setup.dir.path().join("deny.yaml");
    write_whole(&path, b"# nobody\n");
    (setup.deny(&format!("file: {}", path.display())).start(scope), path)
}

/// Waits until `/readyz` shows exactly these rules, and returns the page.
async fn in_force(manager: &Running, rules: &str) -> String {
    let (count, rules) = rules.split_once(": ").unwrap();
    let is_line = |line: &str| {
        line.starts_with(&format!("  - deny: {count}, ")) && line.ends_with(&format!(" blocked: {rules}"))
    };
    manager.readyz(|page| page.body.lines().any(is_line)).await.body
}

async fn nobody_is_blocked(manager: &Running) {
    manager.readyz(|page| page.code == 200 && !page.body.contains("deny")).await;
}

/// A request of a pod that starts is kept pending by a rule for this.
async fn assert_blocked(scope: &Scope, pod: &BoundPod, request: &SentRequest, by: &str) -> Result<(), Error> {
    let message = waiting(scope, &pod.uid, request, "BlockedByDenyRule").await?;
    assert_says(&message, &[&format!("a deny rule of the operator for {by} blocks this pod: INC-7;")]);
    Ok(())
}

#[tokio::test]
async fn a_namespace_is_stopped_while_its_pods_run_and_goes_on_when_the_rule_is_lifted() -> Result<(), Error>
{
    on_cluster(async |scope| {
        let (evil, good) = (scope.namespace("evil").await?, scope.namespace("good").await?);
        let (name, kubelet) = (scope.signer_name("spiffe"), scope.kubelet().await?);
        let (manager, path) = with_file(scope, &name);
        let running = running_pod(scope, &kubelet, pod(&evil, "web-0", &name)).await?;
        let other = running_pod(scope, &kubelet, pod(&good, "web-0", &name)).await?;

        write_whole(&path, format!("rules: [{{namespaces: [{evil}], reason: INC-7}}]").as_bytes());
        in_force(&manager, &format!("1 rule: namespace {evil} (INC-7)")).await;
        let refresh = kubelet.request(&running, &running.sources[0]).await?;
        let message = waiting(scope, &running.uid, &refresh, "RefreshWithheld").await?;
        assert_says(
            &message,
            &["the running pod keeps the certificate", "(BlockedByDenyRule): a deny rule of the operator"],
        );
        let (starting, first) = ask(&kubelet, pod(&evil, "web-1", &name)).await?;
        assert_blocked(scope, &starting, &first, &format!("namespace {evil}")).await?;
        manager.readyz(|page| page.code == 200 && page.body.contains(", 2 requests blocked: ")).await;
        issued(scope, &kubelet.request(&other, &other.sources[0]).await?).await?;
        for request in [&refresh, &first] {
            assert_untouched(request).await?;
        }

        write_whole(&path, b"rules: []");
        for request in [&refresh, &first] {
            issued(scope, request).await?;
        }
        nobody_is_blocked(&manager).await;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn service_accounts_and_nodes_are_stopped_by_a_config_map() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, ops) = (scope.namespace("shop").await?, scope.namespace("ops").await?);
        let (taken_over, sound) = (scope.kubelet().await?, scope.kubelet().await?);
        let name = scope.signer_name("spiffe");
        let config_maps: Api<ConfigMap> = Api::namespaced(scope.client(), &ops);
        let empty = serde_json::from_value(json!({"metadata": {"name": "deny"}})).unwrap();
        config_maps.create(&PostParams::default(), &empty).await.unwrap();
        let fill = async |document: Option<&str>| {
            let patch = Patch::Merge(json!({"data": {"deny.yaml": document}}));
            config_maps.patch("deny", &PatchParams::default(), &patch).await.unwrap();
        };
        let place = format!("configMap: {{namespace: {ops}, name: deny}}");
        let manager = Setup::new().signer(&name, SPIFFE).deny(&place).start(scope);
        let running = running_pod(scope, &taken_over, pod(&namespace, "web-0", &name)).await?;

        let node = taken_over.node_name();
        fill(Some(&format!(
            "rules:\n- nodes: [{node}]\n  reason: INC-7\n- {{namespaces: [{namespace}], serviceAccounts: [bot], reason: INC-7}}\n"
        )))
        .await;
        let bot = format!("namespace {namespace}; service account bot (INC-7)");
        in_force(&manager, &format!("2 rules: node {node} (INC-7) | {bot}")).await;
        let refresh = taken_over.request(&running, &running.sources[0]).await?;
        waiting(scope, &running.uid, &refresh, "RefreshWithheld").await?;
        let (on_node, first) = ask(&taken_over, pod(&namespace, "web-1", &name)).await?;
        assert_blocked(scope, &on_node, &first, &format!("node {node}")).await?;
        let (of_bot, second) = ask(&sound, pod(&namespace, "bot-0", &name).service_account("bot")).await?;
        assert_blocked(scope, &of_bot, &second, &format!("namespace {namespace}, service account bot")).await?;
        let (_, third) = ask(&sound, pod(&namespace, "web-2", &name)).await?;
        issued(scope, &third).await?;

        fill(None).await;
        for request in [&refresh, &first, &second] {
            issued(scope, request).await?;
        }
        nobody_is_blocked(&manager).await;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn wrong_rules_leave_the_last_ones_in_force_and_are_told() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (evil, good) = (scope.namespace("evil").await?, scope.namespace("good").await?);
        let (name, kubelet) = (scope.signer_name("spiffe"), scope.kubelet().await?);
        let (manager, path) = with_file(scope, &name);
        write_whole(&path, format!("rules: [{{namespaces: [{evil}], reason: INC-7}}]").as_bytes());
        in_force(&manager, &format!("1 rule: namespace {evil} (INC-7)")).await;

        write_whole(&path, b"rules:\n- namespace: [good]\n");
        let told =
            format!("{}:2:3: rules[0].namespace: is not known here; a rule has namespaces", path.display());
        let page = manager.readyz(|page| page.body.contains(&told)).await;
        assert_says(
            &page.body,
            &[
                "The rules that were read last stay in force (1 rule)",
                "  - deny: 1 rule, 0 requests blocked: namespace",
            ],
        );
        assert_eq!(page.code, 200);
        let (blocked, request) = ask(&kubelet, pod(&evil, "web-0", &name)).await?;
        assert_blocked(scope, &blocked, &request, &format!("namespace {evil}")).await?;
        let (_, request) = ask(&kubelet, pod(&good, "web-0", &name)).await?;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nothing_is_issued_before_rules_have_been_read_once() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, ops) = (scope.namespace("shop").await?, scope.namespace("ops").await?);
        let (name, kubelet) = (scope.signer_name("spiffe"), scope.kubelet().await?);
        let place = format!("configMap: {{namespace: {ops}, name: deny}}");
        let manager = Setup::new().signer(&name, SPIFFE).deny(&place).start(scope);
        let remedy = format!(
            "there is no ConfigMap {ops}/deny; create it with `kubectl -n {ops} create configmap deny`"
        );
        let page = manager.readyz(|page| page.body.contains(&remedy)).await;
        assert_says(
            &page.body,
            &[&format!("{name}: not ready"), "Nothing is issued until they have been read once"],
        );
        assert_eq!(page.code, 503);
        let (pod, request) = ask(&kubelet, pod(&namespace, "web-0", &name)).await?;
        waiting(scope, &pod.uid, &request, "DenyRulesUnavailable").await?;

        let config_maps: Api<ConfigMap> = Api::namespaced(scope.client(), &ops);
        let empty = serde_json::from_value(json!({"metadata": {"name": "deny"}})).unwrap();
        config_maps.create(&PostParams::default(), &empty).await.unwrap();
        issued(scope, &request).await?;
        nobody_is_blocked(&manager).await;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn changes_of_rules_and_whom_they_block_are_in_the_audit_log() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (evil, name) = (scope.namespace("evil").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer(&name, SPIFFE);
        let path = setup.dir.path().join("deny.yaml");
        write_whole(&path, b"");
        let manager = setup.deny(&format!("file: {}", path.display())).spawn(scope.cluster());
        manager.ready().await;
        write_whole(&path, format!("rules: [{{namespaces: [{evil}], reason: INC-7}}]").as_bytes());
        manager.readyz(|page| page.body.contains("deny: 1 rule")).await;
        let (pod, request) = ask(&scope.kubelet().await?, pod(&evil, "web-0", &name)).await?;
        waiting(scope, &pod.uid, &request, "BlockedByDenyRule").await?;
        write_whole(&path, b"# lifted");
        issued(scope, &request).await?;

        let rule = format!("namespace {evil} (INC-7)");
        let changes = manager.audit("DenyRulesChanged");
        let fields = |change: &Value| {
            ["rules_before", "rules_after", "added", "removed"].map(|field| change[field].clone())
        };
        let seen: Vec<_> = changes.iter().map(fields).collect();
        assert_eq!(json!(seen), json!([[0, 0, "", ""], [0, 1, rule, ""], [1, 0, "", rule]]));
        assert_eq!(changes[1]["sha256_after"], changes[2]["sha256_before"]);
        let blocked = manager.audit("Pending");
        assert_eq!(
            (&blocked[0]["reason"], &blocked[0]["request"]),
            (&"BlockedByDenyRule".into(), &json!(request.name))
        );
        assert_says(
            blocked[0]["message"].as_str().unwrap(),
            &[&format!("for namespace {evil} blocks this pod: INC-7")],
        );
        Ok(())
    })
    .await
}
