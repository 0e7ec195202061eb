//! What has to be changed of an object: decided by what it says, and by nothing else.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ca_pool::{CaCertificate, names::SignerName};
use serde_json::{Value, json};

use crate::target::TargetKind;

/// The annotation of an object whose `caBundle` is kept: the name of the signer.
pub const ANNOTATION: &str = "pod-certificate-signers/inject-anchors-of";

/// The annotations of others who keep a `caBundle`: two that keep one would overwrite each other for ever.
const OTHERS: [&str; 4] = [
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "cert-manager.io/inject-apiserver-ca",
    "service.beta.openshift.io/inject-cabundle",
];

/// Why an object can't be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// It doesn't ask for it.
    #[error("it lacks the annotation {ANNOTATION}, so it is left alone; set it to the name of a signer")]
    NotAsked,
    /// Its annotation isn't the name of a signer.
    #[error("its annotation {ANNOTATION}: {0}")]
    SignerName(#[from] ca_pool::names::SignerNameError),
    /// Somebody else keeps it too.
    #[error(
        "it has the annotation {0} too, by which another program keeps its caBundle; remove one of the two"
    )]
    Another(&'static str),
    /// It has no place for a `caBundle`.
    #[error("{0}")]
    NoPlace(&'static str),
}

/// The signer whose anchors belong into an object.
pub(crate) fn signer_of(object: &Value) -> Result<SignerName, PlanError> {
    let annotation = |key: &str| object["metadata"]["annotations"][key].as_str();
    let name = annotation(ANNOTATION).ok_or(PlanError::NotAsked)?;
    if let Some(other) = OTHERS.into_iter().find(|key| annotation(key).is_some()) {
        return Err(PlanError::Another(other));
    }
    Ok(name.parse()?)
}

/// A JSON Patch (RFC 6902) that brings an object in order; none if it is. It conflicts if the object has
/// changed meanwhile.
pub(crate) fn patch(
    kind: TargetKind,
    object: &Value,
    anchors: &[CaCertificate],
) -> Result<Option<Value>, PlanError> {
    let wanted: BTreeSet<&[u8]> = anchors.iter().map(CaCertificate::der).collect();
    let pem: String = anchors.iter().map(CaCertificate::to_pem).collect();
    let is_wrong = |place: &String| {
        let current = object.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let current = STANDARD.decode(current).unwrap_or_default();
        let blocks = pem_blocks::blocks(&current).unwrap_or_default();
        // in another order, it is the same
        blocks.iter().map(|block| block.der.as_slice()).collect::<BTreeSet<_>>() != wanted
    };
    let wrong: Vec<String> = places(kind, object)?.into_iter().filter(is_wrong).collect();
    if wrong.is_empty() {
        return Ok(None);
    }
    let version = &object["metadata"]["resourceVersion"];
    // an object of another version is a conflict, by which no place of a list is taken for another's
    let version = json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version});
    let add = |place: String| json!({"op": "add", "path": place, "value": STANDARD.encode(&pem)});
    Ok(Some(std::iter::once(version).chain(wrong.into_iter().map(add)).collect()))
}

/// Where the `caBundle`s are, as JSON pointers.
fn places(kind: TargetKind, object: &Value) -> Result<Vec<String>, PlanError> {
    match kind {
        TargetKind::ValidatingWebhooks | TargetKind::MutatingWebhooks => {
            let webhooks = object["webhooks"].as_array().map(Vec::as_slice).unwrap_or_default();
            let has_client = |(_, webhook): &(usize, &Value)| webhook["clientConfig"].is_object();
            let places = webhooks.iter().enumerate().filter(has_client);
            let places: Vec<String> =
                places.map(|(index, _)| format!("/webhooks/{index}/clientConfig/caBundle")).collect();
            if places.is_empty() { Err(PlanError::NoPlace("it has no webhook")) } else { Ok(places) }
        }
        TargetKind::ApiService if object["spec"]["service"].is_object() => {
            Ok(vec!["/spec/caBundle".to_owned()])
        }
        TargetKind::ApiService => Err(PlanError::NoPlace("it is served by kube-apiserver itself")),
        TargetKind::CrdConversion if object["spec"]["conversion"]["webhook"]["clientConfig"].is_object() => {
            Ok(vec!["/spec/conversion/webhook/clientConfig/caBundle".to_owned()])
        }
        TargetKind::CrdConversion => Err(PlanError::NoPlace("it has no conversion webhook")),
    }
}

#[cfg(test)]
mod tests;
