//! The ClusterRole is what the manager needs, and nothing else: run as its service account, it works; without
//! any one of the role's permissions, something that can be named breaks.

mod installation;
mod permission;

use futures::future::join_all;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use test_cluster::{Error, Kubelet, Scope};

use self::{
    installation::Installation,
    permission::{Permission, of_role, rules},
};
use crate::{
    manifests::isolated_install::{Names, deny_rules, own_domains, own_namespaces, start_shipped},
    support::{SOON, on_cluster, rights::User, shipped::CONTROLLER},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_role_suffices_and_leaves_secrets_alone() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespaces = own_namespaces(scope, &[CONTROLLER]).await?;
        let (names, kubelet) = ([namespaces.clone(), own_domains(scope)].concat(), scope.kubelet().await?);
        let installation = Installation::begin(scope, &kubelet, &names, &rules(&names)).await?;
        installation.works().await?;
        installation.everything_works().await?;
        let verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
        for (verb, namespace) in verbs.into_iter().flat_map(|verb| [(verb, ""), (verb, &namespaces[0].1)]) {
            let attributes = json!({"resource": "secrets", "verb": verb, "namespace": namespace});
            assert!(!installation.account.may(&attributes).await, "{attributes}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn deny_rules_take_get_on_their_config_map_alone() -> Result<(), Error> {
    on_cluster(async |scope| {
        let names = [own_namespaces(scope, &[CONTROLLER]).await?, own_domains(scope)].concat();
        let namespace = &names[0].1;
        let rights = deny_rules(scope, &names).await;
        let account = User::service_account(scope, namespace, "signer-manager").await?;
        account.grant(&rules(&names)).await;
        let manager = start_shipped(&names, account.client());
        let refused = ["cannot get resource \"configmaps\"", "grant the verb get on this ConfigMap"];
        let page = manager.readyz(|page| refused.iter().all(|text| page.body.contains(text))).await;
        assert_eq!(page.code, 503);
        account.grant_in(namespace, &rights).await;
        manager.ready().await;
        // applied again, the manifests leave the rules in force
        let config_maps: Api<ConfigMap> = Api::namespaced(scope.client(), namespace);
        let rules = Patch::Merge(json!({"data": {"deny.yaml": "rules: [{nodes: [node-7]}]"}}));
        config_maps.patch("signer-manager-deny", &PatchParams::default(), &rules).await.unwrap();
        deny_rules(scope, &names).await;
        assert_eq!(config_maps.get("signer-manager-deny").await.unwrap().data.unwrap().len(), 1);
        manager
            .readyz(|page| page.body.matches("deny: 1 rule, 0 requests blocked: node node-7").count() == 3)
            .await;
        for (verb, name) in
            [("update", "signer-manager-deny"), ("get", "signer-manager"), ("list", ""), ("watch", "")]
        {
            let attributes =
                json!({"resource": "configmaps", "verb": verb, "name": name, "namespace": namespace});
            assert!(!account.may(&attributes).await, "{attributes}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_one_permission_something_breaks() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespaces = own_namespaces(scope, &[CONTROLLER]).await?;
        let kubelet = scope.kubelet().await?;
        let count = of_role(&namespaces).len();
        let each = (0..count).map(|removed| breaks(scope, &kubelet, &namespaces, removed));
        for broken in join_all(each).await {
            eprintln!("{}", broken?);
        }
        Ok(())
    })
    .await
}

/// Runs the manager, under names of its own, without that permission, and says what breaks.
async fn breaks(
    scope: &Scope,
    kubelet: &Kubelet,
    namespaces: &Names,
    removed: usize,
) -> Result<String, Error> {
    let names = [namespaces.clone(), own_domains(scope)].concat();
    let mut permissions = of_role(&names);
    let removed = permissions.remove(removed);
    let rules: Vec<_> = permissions.iter().map(Permission::rule).collect();
    let installation = Installation::begin(scope, kubelet, &names, &rules).await?;
    let attributes = removed.attributes();
    assert!(!installation.account.may(&attributes).await, "another rule grants it too: {removed}");
    let broken = what_breaks(&installation, &removed).await?;
    Ok(format!("without {removed}: {broken}"))
}

async fn what_breaks(installation: &Installation<'_>, removed: &Permission) -> Result<String, Error> {
    match (removed.resource.as_str(), removed.verb.as_str()) {
        ("pods", "get") => {
            installation.works().await?;
            let refresh = installation.refresh_that_reads_its_pod().await?;
            let said = installation.says(&["reading the pod: the API server answers 403".into()]).await?;
            installation.account.grant(&[removed.rule()]).await;
            refresh.outcome(SOON).await?.issued()?;
            Ok(format!("a running pod's certificate isn't renewed: {said}"))
        }
        ("events", "create") => {
            let pod = installation.denied_in_an_event().await?;
            assert_eq!(installation.events_of(&pod).await?, []);
            Ok("nobody hears why a pod's certificate was denied".into())
        }
        _ => {
            let complaint = complaint_without(removed);
            has_need_of(installation, removed).await?;
            installation.says(&complaint).await
        }
    }
}

/// What `/readyz` says then.
fn complaint_without(removed: &Permission) -> Vec<String> {
    let Permission { resource, verb, name, .. } = removed;
    let (refused, name) =
        (format!("cannot {verb} resource \"{resource}\""), name.as_deref().unwrap_or_default());
    match (resource.as_str(), verb.as_str()) {
        (_, "list" | "watch")
        | ("clustertrustbundles", "create")
        | ("podcertificaterequests" | "services", "get") => {
            vec![refused]
        }
        ("clustertrustbundles", "update") => {
            vec![format!("writing the ClusterTrustBundle {name}: "), refused]
        }
        ("podcertificaterequests/status", "update") => {
            vec!["writing the outcome: the API server answers 403".into(), refused]
        }
        ("signers", "sign") => vec![format!("{name}: not ready"), "the verb sign on signers".into()],
        ("signers", "attest") => {
            vec![format!("{name}: not ready"), format!("the verb attest on signers {name}")]
        }
        _ => panic!(
            "nothing is known to break without {removed}: remove it from the role, or say here what it is for"
        ),
    }
}

/// Has the manager do what it needs the permission for. For some it does so from the start.
async fn has_need_of(installation: &Installation<'_>, removed: &Permission) -> Result<(), Error> {
    match (removed.resource.as_str(), removed.verb.as_str()) {
        ("podcertificaterequests/status", "update") | ("signers", "sign") | ("services", "get") => {
            installation.ask_all().await?;
        }
        ("podcertificaterequests", "get") => {
            installation.works().await?;
            // each time, so that what is said of it lasts
            installation.conflict(usize::MAX);
            installation.ask_all().await?;
        }
        ("clustertrustbundles", "update") => {
            installation.works().await?;
            installation.change_bundles().await?;
        }
        _ => {}
    }
    Ok(())
}
