//! Objects that other languages' types can't hold, or that are too large to be kept, and an etcd that was
//! restored: what one tenant writes stops nobody else, and nothing of it gets into the log.

use std::path::Path;

use crate::support::{
    SOON, ask, events::waiting, eventually, http::free_address, issued::issued, process::Process,
    setup::Setup,
};
use serde_json::{Value, json};
use test_cluster::{
    CertificateSource, Cluster, ControlPlane, Error, KeyType, Kubelet, NewPod, NewService, Options, Scope,
    SentRequest, own_control_plane,
};

const CANARY: &str = "canary-of-a-tenant";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}

/// Poisoned objects would be in the way of tests that read with types of others, so these tests have control
/// planes of their own.
async fn start(options: &Options) -> Result<ControlPlane, Error> {
    let options = options.clone();
    tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await.unwrap()
}

async fn end(plane: ControlPlane) {
    tokio::task::spawn_blocking(move || drop(plane)).await.unwrap();
}

async fn call(scope: &Scope, method: &str, path: &str, body: &Value) -> Value {
    let content = if method == "PATCH" { "application/json-patch+json" } else { "application/json" };
    let request = axum::http::Request::builder().method(method).uri(path).header("content-type", content);
    let request = request.body(body.to_string().into_bytes()).unwrap();
    serde_json::from_str(&scope.client().request_text(request).await.unwrap()).unwrap()
}

/// Adds what any tenant may write, and what neither a year nor a type of others can hold.
async fn poison(scope: &Scope, path: &str) {
    // entries of other versions are dropped
    let version = path.trim_start_matches("/apis/").trim_start_matches("/api/").split("/namespaces/").next();
    let entry = json!({
        "manager": CANARY, "operation": "Update", "apiVersion": version, "time": "9999-12-31T00:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {"f:zz": {}}}},
    });
    let patch = json!([{"op": "add", "path": "/metadata/managedFields/-", "value": entry}]);
    let patched = call(scope, "PATCH", path, &patch).await;
    assert!(patched.to_string().contains("9999-12-31T00:00:00Z"), "the API server must have taken it");
}

async fn poisoned_service(scope: &Scope, namespace: &str, name: &str) -> Result<(), Error> {
    scope.create_service(NewService::new(namespace, name).selects("app", "web")).await?;
    poison(scope, &format!("/api/v1/namespaces/{namespace}/services/{name}")).await;
    Ok(())
}

/// A poisoned pod that asks with a poisoned request.
async fn poisoned_request(
    scope: &Scope,
    kubelet: &Kubelet,
    pod: NewPod,
    namespace: &str,
) -> Result<String, Error> {
    let (pod, request) = ask(kubelet, pod).await?;
    poison(scope, &format!("/api/v1/namespaces/{namespace}/pods/{}", pod.name)).await;
    let version = scope.cluster().served().request_versions[0];
    let path = format!(
        "/apis/certificates.k8s.io/{version}/namespaces/{namespace}/podcertificaterequests/{}",
        request.name
    );
    poison(scope, &path).await;
    Ok(path)
}

/// Read without any types: they couldn't hold it.
async fn is_issued(scope: &Scope, path: &str) {
    eventually("a poisoned request's certificate", async || {
        let request = axum::http::Request::get(path).body(vec![]).unwrap();
        let text = scope.client().request_text(request).await.unwrap();
        if text.contains("BEGIN CERTIFICATE") { Ok(()) } else { Err("none".to_owned()) }
    })
    .await;
}

fn log_of(process: &Process) -> String {
    process.log().iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn what_one_tenant_writes_stops_nobody_and_stays_out_of_the_log() -> Result<(), Error> {
    let Some(options) = own_control_plane()? else {
        eprintln!("skipped: needs a control plane of its own");
        return Ok(());
    };
    let plane = start(&options).await?;
    let tested = Cluster::of(&plane).await?.run(poisoned_before_and_while_it_runs).await;
    end(plane).await;
    tested
}

async fn poisoned_before_and_while_it_runs(scope: &Scope) -> Result<(), Error> {
    let (evil, shop) = (scope.namespace("evil").await?, scope.namespace("shop").await?);
    let (name, kubelet) = (scope.signer_name("service-dns"), scope.kubelet().await?);
    let pod = |namespace: &str, pod: &str| {
        let pod = NewPod::new(namespace, pod).label("app", "web").annotation("note", CANARY);
        pod.certificate(source(&name))
    };
    scope.create_service(NewService::new(&shop, "web").selects("app", "web")).await?;
    poisoned_service(scope, &evil, "before").await?;
    let mut poisoned = vec![poisoned_request(scope, &kubelet, pod(&evil, "before"), &evil).await?];

    let process = Setup::new().signer(&name, "kind: service-dns").spawn(scope.cluster());
    process.ready().await;
    let names = async |namespace: &str, name: &str| -> Result<Vec<String>, Error> {
        let (_, request) = ask(&kubelet, pod(namespace, name)).await?;
        Ok(issued(scope, &request).await?.leaf().dns_names())
    };
    assert_eq!(names(&shop, "a").await?, [format!("web.{shop}.svc")]);
    assert_eq!(names(&evil, "a").await?, [format!("before.{evil}.svc")]);

    poisoned_service(scope, &evil, "while").await?;
    poisoned.push(poisoned_request(scope, &kubelet, pod(&evil, "while"), &evil).await?);
    assert_eq!(names(&shop, "b").await?, [format!("web.{shop}.svc")]);
    assert_eq!(names(&evil, "b").await?, [format!("before.{evil}.svc"), format!("while.{evil}.svc")]);
    for path in poisoned {
        is_issued(scope, &path).await;
    }

    // what is too large to be kept isn't absent: those who depend on it wait, and only they
    let waiting = with_a_selector_too_large(scope, &evil, async || {
        let (pod_c, request) = ask(&kubelet, pod(&evil, "c")).await?;
        let message = waiting(scope, &pod_c.uid, &request, "ObjectUnreadable").await?;
        assert!(message.contains(&format!("Service {evil}/large can't be read")), "{message}");
        assert!(!message.contains(CANARY), "{message}");
        assert_eq!(names(&shop, "c").await?, [format!("web.{shop}.svc")]);
        Ok(request)
    })
    .await?;
    issued(scope, &waiting).await?;

    let log = log_of(&process);
    let named = format!("Service {evil}/large can't be read: spec.selector has ");
    assert!(log.contains(&named), "{log}");
    assert!(!log.contains(CANARY), "{log}");
    Ok(())
}

async fn with_a_selector_too_large(
    scope: &Scope,
    namespace: &str,
    test: impl AsyncFnOnce() -> Result<SentRequest, Error>,
) -> Result<SentRequest, Error> {
    let selector: serde_json::Map<_, _> =
        (0..80).map(|i| (format!("{CANARY}-{i}"), CANARY.repeat(3).into())).collect();
    let service =
        json!({"metadata": {"name": "large"}, "spec": {"selector": selector, "ports": [{"port": 1}]}});
    call(scope, "POST", &format!("/api/v1/namespaces/{namespace}/services"), &service).await;
    let sent = test().await?;
    scope.delete_service(namespace, "large").await?;
    Ok(sent)
}

fn copy(from: &Path, to: &Path) {
    drop(std::fs::remove_dir_all(to));
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

#[tokio::test]
async fn an_etcd_that_was_restored_is_noticed_without_a_restart() -> Result<(), Error> {
    let Some(options) = own_control_plane()? else {
        eprintln!("skipped: needs a control plane of its own");
        return Ok(());
    };
    let dir = tempfile::tempdir().unwrap();
    let (live, saved) = (dir.path().join("plane"), dir.path().join("saved"));
    let options = Options { dir: Some(live.clone()), port: Some(free_address().port()), ..options };
    let name = "restored.example.test/service-dns";
    end(start(&options).await?).await;
    copy(&live, &saved);

    let plane = start(&options).await?;
    let setup = Setup::new().signer(name, "kind: service-dns");
    let mut process = setup.spawn(&Cluster::of(&plane).await?);
    process.ready().await;
    // revisions that the saved copy hasn't
    let cluster = Cluster::of(&plane).await?;
    cluster.run(async |scope| get_certificates(scope, name, 20).await).await?;
    // it sees nothing of the restart, as one that is cut off
    process.pause();
    end(plane).await;
    copy(&saved, &live);
    let plane = start(&options).await?;
    let restored = Cluster::of(&plane).await?;
    process.resume();
    restored.run(async |scope| get_certificates(scope, name, 2).await).await?;
    process.terminate();
    assert_eq!(process.ended().await.code(), Some(0));
    end(plane).await;
    Ok(())
}

async fn get_certificates(scope: &Scope, name: &str, count: usize) -> Result<(), Error> {
    let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
    scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
    for i in 0..count {
        let pod = NewPod::new(&namespace, &format!("web-{i}")).label("app", "web");
        let (_, request) = ask(&kubelet, pod.certificate(source(name))).await?;
        request.outcome(SOON).await?.issued()?;
    }
    Ok(())
}
