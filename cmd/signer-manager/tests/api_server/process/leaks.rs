//! What the log doesn't hold, whatever its filter.

use axum::http::{Request, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use test_cluster::{Error, NewPod};

use crate::{
    process::SPIFFE,
    process::source,
    support::{ask, eventually, issued::issued, on_cluster, process::signer_manager, setup::Setup},
};

const CANARY: &str = "a canary that sits beside the pool";

/// A Secret as JSON: kube's types refuse one that is poisoned.
struct Raw {
    client: Client,
    path: String,
}

impl Raw {
    async fn send(&self, method: &str, path: &str, content: &str, body: Value) {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, content);
        let answer = self.client.send(request.body(Body::from(body.to_string().into_bytes())).unwrap()).await;
        let status = answer.unwrap().status();
        assert!(status.is_success(), "{status}");
    }

    async fn read(&self) -> Value {
        let text = self.client.request_text(Request::get(&self.path).body(vec![]).unwrap()).await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// What base64 of a text that holds these bytes has in it, wherever they stand there.
fn in_base64(bytes: &[u8]) -> Vec<String> {
    let shifted = |shift: usize| {
        let padded = [&b"xx"[..shift], bytes].concat();
        let text = STANDARD.encode(padded);
        // the first and the last characters depend on what stands beside it
        text[4..text.len() - 4].to_owned()
    };
    (0..3).map(shifted).collect()
}

/// Forms in which these bytes could be written.
fn forms(bytes: &[u8]) -> Vec<String> {
    let plain = String::from_utf8(bytes.to_vec()).ok();
    let once = in_base64(bytes);
    let twice = once.iter().flat_map(|text| in_base64(text.as_bytes()));
    twice.chain(plain).chain(once.clone()).collect()
}

#[tokio::test]
async fn a_poisoned_secret_works_and_nothing_of_it_is_logged() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("ca").await?, scope.signer_name("spiffe"));
        let path = format!("/api/v1/namespaces/{namespace}/secrets");
        let raw = Raw { client: scope.client(), path: format!("{path}/ca") };
        let secret = json!({"metadata": {"name": "ca"}, "stringData": {"other": CANARY}});
        raw.send("POST", &path, "application/json", secret).await;
        let poison = json!([{"op": "add", "path": "/metadata/managedFields/-", "value": {
            "manager": "x", "operation": "Update", "apiVersion": "v1", "time": "9999-12-31T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {"f:zz": {}}}},
        }}]);
        raw.send("PATCH", &raw.path, "application/json-patch+json", poison).await;
        assert!(raw.read().await.to_string().contains("9999-12-31"), "it must be poisoned");

        let setup = Setup::new().signer_in_secret(&name, SPIFFE, &namespace, "ca");
        let filter = "trace,kube_client=trace,hyper=trace,[HTTP]=trace";
        let process = setup.spawn_by(signer_manager(), scope.cluster(), &["--log", filter]);
        process.ready().await;
        let kubelet = scope.kubelet().await?;
        let (_, request) =
            ask(&kubelet, NewPod::new(&scope.namespace("shop").await?, "web").certificate(source(&name)))
                .await?;
        issued(scope, &request).await?;

        let secret = raw.read().await;
        assert_eq!(secret["data"]["other"], STANDARD.encode(CANARY), "what isn't the pool stays");
        assert!(secret.to_string().contains("9999-12-31"), "and so does the poison");
        let pool = STANDARD.decode(secret["data"]["pool"].as_str().unwrap()).unwrap();
        let document: Value = serde_json::from_slice(&pool).unwrap();
        let key = STANDARD.decode(document["CAs"][0]["SigningKeyPKCS8"].as_str().unwrap()).unwrap();

        // and where it can't be parsed
        let broken = json!([{"op": "replace", "path": "/data/pool", "value": STANDARD.encode(CANARY)}]);
        raw.send("PATCH", &raw.path, "application/json-patch+json", broken).await;
        let problem = format!("CA pool in Secret {namespace}/ca: ");
        eventually("the problem in the log", async || {
            if process.log_text().contains(&problem) { Ok(()) } else { Err("no line".to_owned()) }
        })
        .await;
        let log = process.log_text();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "the filter must let much pass");
        for secret in [CANARY.as_bytes(), &key] {
            for form in forms(secret) {
                assert!(!log.contains(&form), "the log has {form:?}");
            }
        }
        Ok(())
    })
    .await
}
