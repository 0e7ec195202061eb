//! Denials: each reason of DESIGN's table, said so that the pod's author can mend it, to the request and to
//! the pod.

mod grants;
mod mismatched_requests;
mod requested;

use crate::support::events::{assert_says, denied};
use test_cluster::{BoundPod, Error, Scope, SentRequest};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

/// Asserts that a request is denied for that reason, with all of these in its message.
pub(crate) async fn assert_denied(
    scope: &Scope,
    (pod, request): &(BoundPod, SentRequest),
    expected: &str,
    parts: &[&str],
) -> Result<(), Error> {
    let (reason, message) = denied(scope, pod, request).await?;
    assert_eq!(reason, expected, "{message}");
    assert_says(&message, parts);
    Ok(())
}
