//! How long an answer of the API server is waited for.

use std::{future::Future, io, time::Duration};

use tokio::time::timeout;

/// The API server gives up on most calls itself after a minute. On a connection that is dead, an answer never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer to a call, or an error after half a minute: then it can be tried again, on another connection.
pub(crate) async fn in_time<T>(call: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    timeout(PATIENCE, call).await.unwrap_or_else(|_| {
        let silence = format!("the API server hasn't answered for {} s", PATIENCE.as_secs());
        Err(kube::Error::Service(io::Error::new(io::ErrorKind::TimedOut, silence).into()))
    })
}
