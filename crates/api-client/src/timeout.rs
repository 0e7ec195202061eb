//! How long an answer of the API server is waited for. On a connection that is dead, it never comes.

use std::{future::Future, io, time::Duration};

use tokio::time::timeout;

/// Until an answer begins, whatever the call: the API server gives up on most calls itself after a minute
/// (`--request-timeout`), and begins a watch at once.
pub const ANSWER_BEGINS: Duration = Duration::from_secs(60);

/// For a whole answer. Then the call is repeated, on another connection; a minute would be long for a pod
/// that waits.
const ANSWER: Duration = Duration::from_secs(30);

/// For all pages of a list that a request waits for.
pub const LIST: Duration = Duration::from_secs(30);

/// For the answer to an event. The next event waits as long, and nothing is lost but a message that the log
/// has too.
pub const EVENT: Duration = Duration::from_secs(10);

/// For the document of the deny rules: a change is to be in force within ten seconds, and the API server
/// answers within milliseconds, or something is wrong.
pub const DENY_RULES: Duration = Duration::from_secs(5);

/// The answer to a call, or an error after half a minute.
pub async fn with_timeout<T>(call: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    within(ANSWER, call).await
}

/// The answer to a call, or an error after that time.
pub async fn within<T>(limit: Duration, call: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    timeout(limit, call).await.unwrap_or_else(|_| {
        let silence = format!("the API server hasn't answered for {} s", limit.as_secs());
        Err(kube::Error::Service(io::Error::new(io::ErrorKind::TimedOut, silence).into()))
    })
}
