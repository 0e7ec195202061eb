//! How long an answer of the API server is waited for.

use std::{future::Future, io, time::Duration};

use kube::Client;
use tokio::time::timeout;
use tower::timeout::Timeout;

use crate::clock::Clock;

/// The API server gives up on most calls itself after a minute. On a connection that is dead, an answer never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the beginning of an answer is waited for: no call takes the API server longer (its `--request-timeout`), and a watch begins at once.
pub(crate) const UNTIL_HEADERS: Duration = Duration::from_secs(60);

/// A client whose calls fail if no answer has begun after `limit`, and whose answers set the clock. What has begun, as a watch does, may go on for ever.
pub(crate) fn patient(client: Client, limit: Duration, clock: Clock) -> Client {
    let namespace = client.default_namespace().to_owned();
    let send = tower::service_fn(move |request| {
        let (client, clock) = (client.clone(), clock.clone());
        async move {
            let sent = clock.sent();
            let answer = client.send(request).await;
            if let Ok(answer) = &answer {
                clock.answered(answer.headers(), sent);
            }
            answer
        }
    });
    Client::new(Timeout::new(send, limit), namespace)
}

/// The answer to a call, or an error after half a minute: then it can be tried again, on another connection.
pub(crate) async fn in_time<T>(call: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    timeout(PATIENCE, call).await.unwrap_or_else(|_| {
        let silence = format!("the API server hasn't answered for {} s", PATIENCE.as_secs());
        Err(kube::Error::Service(io::Error::new(io::ErrorKind::TimedOut, silence).into()))
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use kube::{Api, api::ListParams, client::Body};

    use super::*;

    #[tokio::test]
    async fn a_call_without_an_answer_ends() {
        let silent = tower::service_fn(|_: http::Request<Body>| {
            std::future::pending::<Result<http::Response<Body>, std::convert::Infallible>>()
        });
        let client = patient(Client::new(silent, "default"), Duration::from_millis(20), Clock::new());
        let error = Api::<Pod>::all(client).list(&ListParams::default()).await.unwrap_err();
        assert!(error.to_string().contains("timed out"), "{error}");
    }
}
