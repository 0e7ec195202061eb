//! The controller's share of the API server: its own calls have it, and nobody else's.

use axum::http::Request;
use kube::{Client, client::Body};
use serde_json::json;
use test_cluster::{Error, Scope, unique};

use crate::{
    manifests::isolated_install::{apply, really},
    support::{
        eventually, on_cluster,
        rights::owner_of,
        shipped::{CONTROLLER, folder, text},
    },
};

/// The shipped schema, for a controller of a namespace of its own, with which it goes. Returns its UID.
async fn apply_shipped(scope: &Scope, namespace: &str) -> String {
    let manifest = folder(CONTROLLER).into_iter().find(|file| file.name == "15-flow-schema.yaml").unwrap();
    let names = [("mesh-controller".to_owned(), namespace.to_owned())];
    let mut object = manifest.renamed(&names).objects().remove(0);
    object["metadata"]["name"] = json!(format!("signer-manager-{}", unique::label()));
    object["metadata"]["ownerReferences"] = json!([owner_of(scope, namespace).await]);
    let applied = apply(&scope.client(), &object, &really()).await.unwrap();
    text(&applied["metadata"]["uid"])
}

/// By which schema the API server has taken a call of this service account.
async fn schema(scope: &Scope, namespace: &str, account: &str) -> String {
    let user = format!("system:serviceaccount:{namespace}:{account}");
    let client: Client = scope.cluster().client_as(&user, &["system:serviceaccounts"]).unwrap();
    let call = Request::get("/api/v1/pods?limit=1").body(Body::empty()).unwrap();
    // it is taken by a schema whether it is permitted or not
    let answer = client.send(call).await.unwrap();
    let uid = answer.headers().get("x-kubernetes-pf-flowschema-uid");
    uid.and_then(|uid| uid.to_str().ok()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_controller_has_a_share_of_the_api_server_of_its_own() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (own, others) = (scope.namespace("controller").await?, scope.namespace("tenant").await?);
        let uid = apply_shipped(scope, &own).await;
        eventually("the schema in force", async || match schema(scope, &own, "signer-manager").await {
            of if of == uid => Ok(()),
            other => Err(other),
        })
        .await;
        for (namespace, account) in [(&own, "default"), (&others, "signer-manager")] {
            let of = schema(scope, namespace, account).await;
            assert!(!of.is_empty() && of != uid, "{namespace} {account}");
        }
        Ok(())
    })
    .await
}
