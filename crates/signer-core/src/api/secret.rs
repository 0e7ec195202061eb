//! Secrets, as the API server sends them: read raw, so that no parser and no log of kube's sees the keys in them, and wiped when they are dropped.
//!
//! What hyper and TLS had in hand isn't: its buffers are theirs.

mod document;

use std::{fmt, future::Future, time::Duration};

use axum::body::Bytes;
use futures::StreamExt;
use hyper::{Method, Request, Response, StatusCode, header};
use kube::{Client, client::Body, core::Status};
use serde::Deserialize;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub use self::document::SecretDocument;

/// Why a Secret can't be read or written. Nothing of its content is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The API server refuses, or there is no answer.
    #[error(transparent)]
    Call(#[from] kube::Error),
    /// What comes isn't a Secret.
    #[error("the API server's answer isn't a Secret that can be read: {0}")]
    Unreadable(String),
    /// The answer is larger than a Secret can be.
    #[error("the API server's answer has more than {MAX_BYTES} bytes; a Secret has 1 MiB at most")]
    TooLarge,
}

/// A Secret of 1 MiB in base64, with annotations and managed fields.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Longer texts of the API server's are cut.
const LONGEST_MESSAGE: usize = 1000;

/// An answer that doesn't come in this time never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// The Secrets of one namespace.
#[derive(Clone)]
pub struct Secrets {
    client: Client,
    namespace: String,
}

impl Secrets {
    /// Those of this namespace.
    #[must_use]
    pub fn new(client: Client, namespace: impl Into<String>) -> Self {
        Self { client, namespace: namespace.into() }
    }

    /// Reads one; `None` if there is none of this name.
    ///
    /// # Errors
    /// If the API server refuses, doesn't answer, or answers with something else.
    pub async fn get(&self, name: &str) -> Result<Option<SecretDocument>, SecretError> {
        match self.call(Method::GET, &format!("/{name}"), Bytes::new()).await {
            Ok(answer) => SecretDocument::parse(in_time(read(answer, MAX_BYTES)).await?).map(Some),
            Err(SecretError::Call(kube::Error::Api(status))) if status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates one.
    ///
    /// # Errors
    /// If the API server refuses (409: there is one of this name), or doesn't answer.
    pub async fn create(&self, secret: &SecretDocument) -> Result<(), SecretError> {
        self.call(Method::POST, "", secret.body()).await.map(drop)
    }

    /// Puts it in the place of the version that was read.
    ///
    /// # Errors
    /// If the API server refuses (409: it has changed since), or doesn't answer.
    pub async fn replace(&self, name: &str, secret: &SecretDocument) -> Result<(), SecretError> {
        self.call(Method::PUT, &format!("/{name}"), secret.body()).await.map(drop)
    }

    async fn call(&self, method: Method, path: &str, body: Bytes) -> Result<Response<Body>, SecretError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/namespaces/{}/secrets{path}", self.namespace))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .map_err(kube::Error::HttpError)?;
        let answer = in_time(async { Ok(self.client.send(request).await?) }).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refusal(answer).await.into()) }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, SecretError>>) -> Result<T, SecretError> {
    timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
        let silence = format!("the API server hasn't answered for {} s", PATIENCE.as_secs());
        let silence = std::io::Error::new(std::io::ErrorKind::TimedOut, silence);
        Err(kube::Error::Service(silence.into()).into())
    })
}

/// The whole body, if it isn't longer.
async fn read(answer: Response<Body>, longest: usize) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let mut chunks = axum::body::Body::new(answer.into_body()).into_data_stream();
    let (mut read, mut length) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| kube::Error::Service(error.into()))?;
        length += chunk.len();
        if length > longest {
            return Err(SecretError::TooLarge);
        }
        read.push(chunk);
    }
    // of its final size from the start: a Vec that grows leaves copies behind
    let mut whole = Zeroizing::new(Vec::with_capacity(length));
    read.iter().for_each(|chunk| whole.extend_from_slice(chunk));
    Ok(whole)
}

/// What an API server says when it refuses.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: String,
    reason: String,
}

async fn refusal(answer: Response<Body>) -> kube::Error {
    let code = answer.status();
    let body = in_time(read(answer, MAX_BYTES)).await.unwrap_or_default();
    let Refusal { mut message, mut reason } = serde_json::from_slice(&body).unwrap_or_default();
    if message.is_empty() {
        // not the API server's: a proxy's, say
        message = code.canonical_reason().unwrap_or("an answer without a Status").to_owned();
    }
    if message.chars().nth(LONGEST_MESSAGE).is_some() {
        message = message.chars().take(LONGEST_MESSAGE).chain(['…']).collect();
    }
    if reason.is_empty() && code == StatusCode::NOT_FOUND {
        reason = "NotFound".to_owned();
    }
    kube::Error::Api(Status::failure(&message, &reason).with_code(code.as_u16()).boxed())
}

#[cfg(test)]
mod tests;
