//! Answers of the API server, bounded before anything of them is parsed. Nothing of a body gets into an error or a log.

use std::fmt;

use bounded_text::truncated;
use http_body_util::BodyExt;
use kube::{
    Client,
    client::Body,
    core::{Status, response::StatusSummary},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The largest JSON of one object that is parsed. etcd holds 1.5 MiB of one, which Go's escapes can make several times as long in JSON.
pub const LARGEST_OBJECT: usize = 4 * 1024 * 1024;

/// How much is kept of the JSON of an object that is larger: enough to find its name.
pub const BEGINNING: usize = 16 * 1024;

/// The largest answer to a call that isn't taken for a large one.
const SMALL: usize = 64 * 1024;

/// The longest answer that says why a call has failed.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// The longest message of such an answer that is passed on: it may quote what a tenant wrote.
const LONGEST_MESSAGE: usize = 1024;

/// Which large answers are counted together. Of each kind three are in memory at once, whatever tenants write: who asks for more waits. A holder of a
/// large request may wait for a large pod, and either for another one, never the other way round.
#[derive(Clone, Copy, Debug)]
pub enum SizeClass {
    /// `PodCertificateRequest`s.
    Requests,
    /// Pods.
    Pods,
    /// All others.
    Others,
}

static REQUESTS: Semaphore = Semaphore::const_new(3);
static PODS: Semaphore = Semaphore::const_new(3);
static OTHERS: Semaphore = Semaphore::const_new(3);

/// The right to hold a large answer in memory. Kept as long as what was made of the answer.
pub type MemoryPermit = SemaphorePermit<'static>;

impl SizeClass {
    async fn permit(self) -> Option<MemoryPermit> {
        let permits = match self {
            Self::Requests => &REQUESTS,
            Self::Pods => &PODS,
            Self::Others => &OTHERS,
        };
        // none of them is ever closed
        permits.acquire().await.ok()
    }
}

/// A whole answer.
pub struct Answer {
    /// Its body.
    pub bytes: Vec<u8>,
    /// The right to hold it, if it is large.
    pub place: Option<MemoryPermit>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // an answer may hold anything, so it doesn't print
        f.debug_struct("Answer").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Sends a request. The body is that of a success; any other answer is an error.
pub async fn send(client: &Client, request: http::Request<impl Into<Body>>) -> kube::Result<Body> {
    let answer = client.send(request.map(Into::into)).await?;
    let code = answer.status();
    if code.is_success() {
        return Ok(answer.into_body());
    }
    let refusal = whole(answer.into_body(), LARGEST_REFUSAL, SizeClass::Others).await;
    let status = refusal.ok().and_then(|answer| serde_json::from_slice::<Status>(&answer.bytes).ok());
    Err(kube::Error::Api(Box::new(refused(status, code.as_u16()))))
}

/// The status of an answer that refuses a call; of one that isn't the API server's, such as a proxy's page, its code alone.
fn refused(status: Option<Status>, code: u16) -> Status {
    let unknown = || Status::failure("the answer isn't one of an API server; see what stands in between", "");
    let mut status = status
        .filter(|status| status.status == Some(StatusSummary::Failure))
        .unwrap_or_else(unknown)
        .with_code(code);
    status.message = truncated(&status.message, LONGEST_MESSAGE);
    status
}

/// Sends a request and reads the whole answer, up to [`LARGEST_OBJECT`].
pub async fn call(
    client: &Client,
    request: http::Request<Vec<u8>>,
    class: SizeClass,
) -> kube::Result<Answer> {
    whole(send(client, request).await?, LARGEST_OBJECT, class).await
}

/// Sends a request whose answer says nothing that counts: it is read to its end, so that the connection can be used again, and not kept.
pub async fn call_unread(client: &Client, request: http::Request<impl Into<Body>>) -> kube::Result<()> {
    let mut body = send(client, request).await?;
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

async fn whole(mut body: Body, limit: usize, class: SizeClass) -> kube::Result<Answer> {
    let mut answer = Answer { bytes: Vec::new(), place: None };
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let size = answer.bytes.len() + data.len();
        check_size(size, limit)?;
        if size > SMALL && answer.place.is_none() {
            answer.place = class.permit().await;
        }
        answer.bytes.extend_from_slice(&data);
    }
    Ok(answer)
}

/// An error if so many bytes of an answer have come, and it may not have more than `limit`.
pub fn check_size(size: usize, limit: usize) -> kube::Result<()> {
    if size <= limit { Ok(()) } else { Err(kube::Error::Service(TooLarge { limit }.into())) }
}

#[derive(Debug, thiserror::Error)]
#[error("the API server's answer is larger than {} KiB, the most that is read", limit / 1024)]
struct TooLarge {
    limit: usize,
}

/// Whether the answer was larger than [`LARGEST_OBJECT`].
pub fn is_too_large(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Service(error) if error.is::<TooLarge>())
}

#[cfg(test)]
mod tests {
    use kube::Client;

    use super::*;
    use crate::error::{describe, is_status};

    fn answering(code: u16, body: Vec<u8>) -> Client {
        let service = tower::service_fn(move |_: http::Request<Body>| {
            let answer = http::Response::builder().status(code).body(Body::from(body.clone()));
            async move { answer }
        });
        Client::new(service, "default")
    }

    fn get() -> http::Request<Vec<u8>> {
        http::Request::get("/api/v1/pods/a").body(vec![]).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_is_told_by_its_code_whatever_its_body() {
        let status = r#"{"kind":"Status","status":"Failure","reason":"Forbidden","message":"no","code":403}"#;
        let error = call_unread(&answering(403, status.into()), get()).await.unwrap_err();
        assert_eq!(describe(&error), "the API server answers 403 Forbidden: no");
        for body in ["canary", r#"{"kind":"Status","code":"canary"}"#, r#"{"env":"canary"}"#] {
            let error = call_unread(&answering(503, body.into()), get()).await.unwrap_err();
            assert!(is_status(&error, 503), "{error:?}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        let long = format!(r#"{{"status":"Failure","message":"{}","code":400}}"#, "a".repeat(5000));
        let kube::Error::Api(status) = call_unread(&answering(400, long.into()), get()).await.unwrap_err()
        else {
            panic!("must be the API server's")
        };
        assert!(status.message.len() <= LONGEST_MESSAGE);
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_not_kept() {
        let client = answering(200, vec![b' '; LARGEST_OBJECT + 1]);
        let error =
            call(&client, get(), SizeClass::Others).await.map(|answer| answer.bytes.len()).unwrap_err();
        assert!(describe(&error).contains("larger than 4096 KiB"), "{error}");
        assert!(call_unread(&client, get()).await.is_ok());
    }

    #[tokio::test]
    async fn a_fourth_large_answer_waits_for_a_place() {
        use futures::FutureExt;

        let client = answering(200, vec![b' '; SMALL + 1]);
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(call(&client, get(), SizeClass::Pods).await.unwrap());
        }
        let mut fourth = Box::pin(call(&client, get(), SizeClass::Pods));
        for _ in 0..100 {
            assert!((&mut fourth).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        drop(answers);
        assert_eq!(fourth.await.unwrap().bytes.len(), SMALL + 1);
    }
}
