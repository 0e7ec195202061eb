//! What a pod's author and the operator hear of a request that isn't issued.

use serde_json::Value;
use test_cluster::{BoundPod, Error, ObjectEvent, Scope, SentRequest};

use super::{SOON, eventually};

/// A denial. Nothing but its condition stands in the status, and the pod has heard of it.
pub(crate) async fn denied(
    scope: &Scope,
    pod: &BoundPod,
    request: &SentRequest,
) -> Result<(String, String), Error> {
    let (reason, message) = request.outcome(SOON).await?.denied()?;
    // the condition names the replica that denied; the event is the same whoever makes it
    let (message, replica) = message.rsplit_once("; replica ").unwrap();
    assert!(!replica.is_empty());
    let status = &request.read().await?["status"];
    assert_eq!(fields(status), ["conditions"], "{status}");
    let condition = &status["conditions"][0];
    assert_eq!(
        fields(condition),
        ["lastTransitionTime", "message", "reason", "status", "type"],
        "{condition}"
    );
    let event = eventually("the event of a denial", async || {
        let events = scope.events(&request.namespace, &pod.uid).await.unwrap();
        let told = |event: &&ObjectEvent| event.reason == reason && event.message == shortened(message);
        events.iter().find(told).cloned().ok_or(format!("{events:?}"))
    });
    assert_is_warning(&event.await);
    Ok((reason, message.to_owned()))
}

/// Why a request waits, as the request and its pod say in one event each. Nothing is written to the status.
pub(crate) async fn waiting(
    scope: &Scope,
    pod_uid: &str,
    request: &SentRequest,
    reason: &str,
) -> Result<String, Error> {
    waiting_as(scope, pod_uid, request, reason, &[]).await
}

/// The same where the manager may have said something else before, which it knew of by then: waits until it
/// says all of these.
pub(crate) async fn waiting_as(
    scope: &Scope,
    pod_uid: &str,
    request: &SentRequest,
    reason: &str,
    parts: &[&str],
) -> Result<String, Error> {
    let event = event_with(scope, request, &request.uid, reason, parts).await;
    event_with(scope, request, pod_uid, reason, &[&event.message]).await;
    assert_untouched(request).await?;
    Ok(event.message)
}

async fn event_with(
    scope: &Scope,
    request: &SentRequest,
    uid: &str,
    reason: &str,
    parts: &[&str],
) -> ObjectEvent {
    let event = eventually(reason, async || {
        let events = scope.events(&request.namespace, uid).await.unwrap();
        let told = |event: &&ObjectEvent| {
            event.reason == reason && parts.iter().all(|part| event.message.contains(part))
        };
        events.iter().find(told).cloned().ok_or(format!("{events:?}"))
    })
    .await;
    assert_is_warning(&event);
    event
}

/// That nothing is written to the status.
pub(crate) async fn assert_untouched(request: &SentRequest) -> Result<(), Error> {
    let status = request.read().await?["status"].take();
    assert!(fields(&status).is_empty(), "{status}");
    Ok(())
}

/// That the text has all of these in it.
#[track_caller]
pub(crate) fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

fn assert_is_warning(event: &ObjectEvent) {
    assert_eq!((event.severity.as_str(), event.count), ("Warning", 1), "{event:?}");
    assert!(!event.reporter.is_empty(), "{event:?}");
}

fn fields(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, _)| key.as_str())
        .collect()
}

/// An event holds 1 KiB.
fn shortened(message: &str) -> String {
    if message.len() <= 1024 {
        return message.to_owned();
    }
    let end = (0..=1021).rev().find(|end| message.is_char_boundary(*end)).unwrap();
    format!("{}…", &message[..end])
}
