//! The priority class is for the controller's namespace, and for no other.

use kube::{Client, api::PatchParams};
use serde_json::{Value, json};
use test_cluster::{Error, Scope, unique};

use crate::{
    manifests::isolated_install::{apply, really},
    support::{
        eventually, on_cluster,
        rights::owner_of,
        shipped::{CONTROLLER, folder, text},
    },
};

/// The shipped class and its policy, for a class and a namespace of their own, with which they go.
async fn apply_shipped(scope: &Scope, namespace: &str) -> String {
    let class = format!("signer-manager-{}", unique::label());
    let names = [
        ("signer-manager".to_owned(), class.clone()),
        ("mesh-controller".to_owned(), namespace.to_owned()),
        ("only-signers-use-their-priority-class".to_owned(), format!("only-{class}")),
    ];
    let manifest = folder(CONTROLLER).into_iter().find(|file| file.name == "10-priority-class.yaml").unwrap();
    let mut kinds = Vec::new();
    for mut object in manifest.renamed(&names).objects() {
        kinds.push(text(&object["kind"]));
        object["metadata"]["ownerReferences"] = json!([owner_of(scope, namespace).await]);
        apply(&scope.client(), &object, &really()).await.unwrap();
    }
    assert_eq!(
        kinds,
        ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "PriorityClass"],
        "the policy is there before the class"
    );
    class
}

fn pod(namespace: &str, class: Option<&str>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": format!("p-{}", unique::label()), "namespace": namespace},
        "spec": {"priorityClassName": class, "containers": [{"name": "c", "image": "i"}]},
    })
}

async fn admitted(client: &Client, pod: &Value) -> Result<(), String> {
    let dry_run: PatchParams = really().dry_run();
    apply(client, pod, &dry_run).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn only_the_controllers_namespace_may_use_its_priority_class() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (own, others) = (scope.namespace("controller").await?, scope.namespace("tenant").await?);
        for namespace in [&own, &others] {
            scope.ensure_service_account(namespace, "default").await?;
        }
        let class = apply_shipped(scope, &own).await;
        let client = scope.client();
        // the class and the policy are known to admission a moment later
        eventually("the class in its namespace", async || admitted(&client, &pod(&own, Some(&class))).await)
            .await;
        let expected = format!(
            "priority class {class} is for pods of namespace {own}, and this one is of namespace {others}"
        );
        eventually("the policy in force", async || {
            match admitted(&client, &pod(&others, Some(&class))).await {
                Err(refusal) if refusal.contains(&expected) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        for free in [None, Some("system-cluster-critical")] {
            admitted(&client, &pod(&others, free)).await.unwrap();
        }
        admitted(&client, &pod(&own, Some(&class))).await.unwrap();
        Ok(())
    })
    .await
}
