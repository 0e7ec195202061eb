//! Every object passes the API server's strict validation, and every pod the restricted pod security
//! standard.

use kube::api::PatchParams;
use serde_json::{Value, json};
use test_cluster::{Error, Scope, unique};

use crate::{
    manifests::isolated_install::{Names, apply, own_namespaces, really},
    support::{
        eventually, on_cluster,
        rights::owner_of,
        shipped::{
            CONTROLLER, EXAMPLES, METRICS_AUTH, Manifest, SELF_KEEPING, documents, folder, list, read, text,
            yaml_of,
        },
    },
};

fn dry_run() -> PatchParams {
    really().dry_run()
}

/// All that is applied, the component's patches aside.
fn all_manifests() -> Vec<Manifest> {
    let own = |component: &str| -> Vec<Manifest> {
        let kustomization = documents(&read(format!("{component}/Kustomization"))).unwrap().remove(0);
        let own = list(&kustomization["resources"]);
        folder(component).into_iter().filter(|manifest| own.contains(&manifest.name)).collect()
    };
    [folder(CONTROLLER), own(SELF_KEEPING), own(METRICS_AUTH), folder(EXAMPLES)].concat()
}

async fn objects(scope: &Scope) -> Result<(Names, Vec<Value>), Error> {
    let names = own_namespaces(scope, &[CONTROLLER, EXAMPLES]).await?;
    let objects = all_manifests().iter().flat_map(|manifest| manifest.renamed(&names).objects()).collect();
    Ok((names, objects))
}

/// Nothing that was sent is missing in the answer: fields that a version doesn't know, it drops without a
/// word.
fn assert_kept(sent: &Value, answered: &Value, path: &str) {
    match (sent, answered) {
        (Value::Object(sent), Value::Object(answered)) => {
            for (key, value) in sent {
                assert_kept(value, answered.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"));
            }
        }
        (Value::Array(sent), Value::Array(answered)) => {
            // admission plugins add at the end: a pod's token, for one
            assert!(sent.len() <= answered.len(), "{path}: {answered:?}");
            for (i, (sent, answered)) in sent.iter().zip(answered).enumerate() {
                assert_kept(sent, answered, &format!("{path}[{i}]"));
            }
        }
        _ => assert_eq!(sent, answered, "{path}"),
    }
}

#[tokio::test]
async fn every_object_is_valid_and_keeps_all_its_fields() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (_, objects) = objects(scope).await?;
        assert!(objects.len() > 40, "{}", objects.len());
        let mut of_docs = [yaml_of("docs/operations.md"), yaml_of("docs/ca-injector.md")].concat();
        of_docs.retain(|object| object["kind"].is_string());
        assert!(of_docs.len() > 5);
        for namespace in of_docs.iter_mut().filter_map(|object| object["metadata"].get_mut("namespace")) {
            *namespace = objects[0]["metadata"]["name"].clone();
        }
        for object in objects.iter().chain(&of_docs) {
            let what = format!("{} {}", object["kind"], object["metadata"]["name"]);
            let answered = apply(&scope.client(), object, &dry_run()).await;
            assert_kept(object, &answered.unwrap_or_else(|error| panic!("{what}: {error}")), &what);
        }
        let mut wrong = objects.iter().find(|object| object["kind"] == "Deployment").unwrap().clone();
        wrong["spec"]["replicaz"] = json!(2);
        apply(&scope.client(), &wrong, &dry_run()).await.unwrap_err();
        Ok(())
    })
    .await
}

const VIOLATION: &str = "violates PodSecurity \"restricted:latest\"";

/// The pods that a controller would make of these objects.
fn pods(objects: &[Value]) -> Vec<Value> {
    let workloads = objects.iter().filter(|object| object["spec"]["template"].is_object());
    let pod = |workload: &Value| {
        let mut pod = workload["spec"]["template"].clone();
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = workload["metadata"]["name"].clone();
        pod["metadata"]["namespace"] = workload["metadata"]["namespace"].clone();
        pod
    };
    workloads.map(pod).collect()
}

#[tokio::test]
async fn every_pod_is_admitted_under_the_restricted_standard() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (names, mut objects) = objects(scope).await?;
        let class = own_priority_class(scope, &names[0].1, &mut objects).await;
        for object in &objects {
            if ["Namespace", "ServiceAccount"].iter().any(|kind| object["kind"] == *kind) {
                apply(&scope.client(), object, &really()).await.unwrap();
            }
        }
        let mut pods = pods(&objects);
        assert_eq!(pods.len(), 10, "a controller, four servers with clients, and peers");
        for pod in &mut pods {
            if pod["spec"]["priorityClassName"].is_string() {
                pod["spec"]["priorityClassName"] = class.clone().into();
            }
            let mut lax = pod.clone();
            lax["spec"]["securityContext"].as_object_mut().unwrap().remove("seccompProfile");
            let what = format!("{}/{}", pod["metadata"]["namespace"], pod["metadata"]["name"]);
            // admission plugins hear of namespaces' labels and of priority classes a moment later
            eventually(&what, async || match apply(&scope.client(), &lax, &dry_run()).await {
                Err(refused) if refused.to_string().contains(VIOLATION) => Ok(()),
                other => Err(format!("without a seccomp profile: {other:?}")),
            })
            .await;
            let admitted = eventually(&what, async || {
                apply(&scope.client(), pod, &dry_run()).await.map_err(|error| error.to_string())
            });
            assert_kept(pod, &admitted.await, &what);
        }
        Ok(())
    })
    .await
}

/// The shipped priority class under a name of its own. It goes with the namespace.
async fn own_priority_class(scope: &Scope, namespace: &str, objects: &mut [Value]) -> String {
    let class = objects.iter_mut().find(|object| object["kind"] == "PriorityClass").unwrap();
    let name = format!("{}-{}", text(&class["metadata"]["name"]), unique::label());
    class["metadata"]["name"] = name.clone().into();
    class["metadata"]["ownerReferences"] = json!([owner_of(scope, namespace).await]);
    apply(&scope.client(), class, &really()).await.unwrap();
    name
}
