//! Secrets, as the API server sends them: read raw, so that no parser and no log of kube's sees the keys in
//! them, and wiped when they are dropped.
//!
//! What hyper and TLS had in hand isn't: its buffers are theirs.

mod document;

use std::fmt;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Method, Request, header};
use kube::{Client, client::Body};
use zeroize::Zeroizing;

pub use self::document::SecretDocument;
use super::{
    answer::{LARGEST_OBJECT, call_unread, check_size, is_too_large, send},
    timeout::with_timeout,
};

/// Why a Secret can't be read or written. Nothing of its content is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The API server refuses, or there is no answer.
    #[error(transparent)]
    Call(#[from] kube::Error),
    /// What comes isn't a Secret, or is larger than one can be.
    #[error("the API server's answer isn't a Secret that can be read: {0}")]
    Unreadable(String),
    /// The URL of such a Secret would be that of something else.
    #[error(
        "{what} {value:?} isn't valid: it must be one segment of a URL's path. Write the Secret's {what} as in its metadata"
    )]
    InvalidName {
        /// `namespace` or `name`.
        what: &'static str,
        /// What was given.
        value: String,
    },
}

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
    /// If the name isn't valid; if the API server refuses, doesn't answer, or answers with something else.
    pub async fn get(&self, name: &str) -> Result<Option<SecretDocument>, SecretError> {
        let get = self.request(Method::GET, Some(name), Bytes::new())?;
        match with_timeout(async { collect(send(&self.client, get).await?).await }).await {
            Ok(json) => SecretDocument::parse(json).map(Some),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) if is_too_large(&error) => {
                let most = LARGEST_OBJECT / 1024 / 1024;
                Err(SecretError::Unreadable(format!(
                    "it is larger than {most} MiB; a Secret has 1 MiB at most"
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Creates one.
    ///
    /// # Errors
    /// If the API server refuses (409: there is one of this name), or doesn't answer.
    pub async fn create(&self, secret: &SecretDocument) -> Result<(), SecretError> {
        let post = self.request(Method::POST, None, secret.body())?;
        Ok(with_timeout(call_unread(&self.client, post)).await?)
    }

    /// Puts it in the place of the version that was read.
    ///
    /// # Errors
    /// If the name isn't valid; if the API server refuses (409: it has changed since), or doesn't answer.
    pub async fn replace(&self, name: &str, secret: &SecretDocument) -> Result<(), SecretError> {
        let put = self.request(Method::PUT, Some(name), secret.body())?;
        Ok(with_timeout(call_unread(&self.client, put)).await?)
    }

    /// kube's own requests would copy the body into memory that isn't wiped, and take a name with a slash.
    fn request(&self, method: Method, name: Option<&str>, body: Bytes) -> Result<Request<Body>, SecretError> {
        let namespace = segment("namespace", &self.namespace)?;
        let name = name.map(|name| segment("name", name)).transpose()?;
        let name = name.map(|name| format!("/{name}")).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/namespaces/{namespace}/secrets{name}"))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body));
        Ok(request.map_err(kube::Error::HttpError)?)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// One segment of a URL's path. An empty one would make a GET list all Secrets; the others would call
/// something else.
fn segment<'a>(what: &'static str, value: &'a str) -> Result<&'a str, SecretError> {
    if matches!(value, "" | "." | "..") || value.contains(['/', '?', '#', '%']) {
        return Err(SecretError::InvalidName { what, value: value.to_owned() });
    }
    Ok(value)
}

/// The whole body, in memory that is wiped.
async fn collect(mut body: Body) -> kube::Result<Zeroizing<Vec<u8>>> {
    let (mut chunks, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else { continue };
        size += chunk.len();
        check_size(size, LARGEST_OBJECT)?;
        chunks.push(chunk);
    }
    // of its final size from the start: a Vec that grows leaves copies behind
    let mut whole = Zeroizing::new(Vec::with_capacity(size));
    chunks.iter().for_each(|chunk| whole.extend_from_slice(chunk));
    Ok(whole)
}

#[cfg(test)]
mod tests;
