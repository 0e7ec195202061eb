//! Answers of the API server, bounded before anything of them is parsed. Nothing of a body gets into an error
//! or a log.

use std::fmt;

use bounded_text::truncated;
use http_body_util::BodyExt;
use kube::{
    Client,
    client::Body,
    core::{Status, response::StatusSummary},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The largest JSON of one object that is parsed. etcd holds 1.5 MiB of one, which Go's escapes can make
/// several times as long in JSON.
pub const LARGEST_OBJECT: usize = 4 * 1024 * 1024;

/// How much is kept of the JSON of an object that is larger: enough to find its name.
pub const BEGINNING: usize = 16 * 1024;

/// The largest answer to a call that isn't taken for a large one.
const SMALL: usize = 64 * 1024;

/// The longest answer that says why a call has failed.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// The longest message of such an answer that is passed on: it may quote what a tenant wrote.
const LONGEST_MESSAGE: usize = 1024;

/// Which large answers are counted together. Of each kind three are in memory at once, whatever tenants
/// write: who asks for more waits. A holder of a large request may wait for a large pod, and either for
/// another one, never the other way round.
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

/// The status of an answer that refuses a call; of one that isn't the API server's, such as a proxy's page,
/// its code alone.
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

/// Sends a request whose answer says nothing that counts: it is read to its end, so that the connection can
/// be used again, and not kept.
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
mod tests;
