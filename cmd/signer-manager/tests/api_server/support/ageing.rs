//! Time that passes for a test alone. The API server takes a certificate only if it begins about now by its
//! own clock, so no signer's clock can be moved forward; what is stored grows older instead: the times in a
//! pool and on its trust bundle, which are all that a CA's life depends on.

use std::time::Duration;

use jiff::Timestamp;
use kube::api::PostParams;
use serde_json::{Value, json};
use test_cluster::Scope;

/// The same pool, so much later.
pub(crate) fn aged_pool(json: &[u8], by: Duration) -> Vec<u8> {
    let mut pool: Value = serde_json::from_slice(json).unwrap();
    for authority in pool["CAs"].as_array_mut().unwrap() {
        for item in ["SignsFrom", "SignsUntil", "TrustedUntil"] {
            if let Some(time) = authority.get_mut(item) {
                *time = earlier(time, by);
            }
        }
    }
    pool.to_string().into_bytes()
}

/// Makes a signer's bundle so much older: since when its roots are published, and until when leaves under
/// them live.
pub(crate) async fn age_bundle(scope: &Scope, signer_name: &str, by: Duration) {
    let bundles = scope.cluster().trust_bundle_api().unwrap();
    let name = format!("{}:primary-bundle", signer_name.replace('/', ":"));
    loop {
        let mut bundle = bundles.get(&name).await.unwrap();
        for (key, text) in bundle.metadata.annotations.get_or_insert_default() {
            if key.ends_with("/anchors") {
                let mut known: Value = serde_json::from_str(text).unwrap();
                for anchor in known["anchors"].as_object_mut().unwrap().values_mut() {
                    for item in ["since", "until"] {
                        if let Some(time) = anchor.get_mut(item) {
                            *time = earlier(time, by);
                        }
                    }
                }
                *text = known.to_string();
            }
        }
        match bundles.replace(&name, &PostParams::default(), &bundle).await {
            // the signer has written it in between
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            written => return drop(written.unwrap()),
        }
    }
}

fn earlier(time: &Value, by: Duration) -> Value {
    let time: Timestamp = time.as_str().unwrap().parse().unwrap();
    json!(time.checked_sub(by).unwrap())
}
