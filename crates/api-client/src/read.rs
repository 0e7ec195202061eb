//! Reads of objects: one by one, each parsed by itself, however many there are.

use std::{fmt, marker::PhantomData, ops::Deref};

use http_body_util::BodyExt;
use kube::{
    Client,
    api::{GetParams, ListParams},
    client::Body,
    core::Request,
};
use tokio::time::Instant;

use super::{
    answer::{self, Answer, MemoryPermit},
    items::{Item, ListHead, Splitter},
    object::{ApiObject, ObjectName, Unreadable, oversized, oversized_at, read_object},
    timeout::{ANSWER_BEGINS, with_timeout},
};

/// Objects of one kind, as the API server offers them: all of a cluster or a namespace, or those that a field
/// selector picks.
#[derive(Clone)]
pub struct Collection {
    /// Who calls.
    pub client: Client,
    /// Such as `/api/v1/pods`.
    pub path: String,
    /// Such as `spec.signerName=example.com/a`.
    pub field_selector: Option<String>,
}

/// How fresh an object has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    /// The API server's cache.
    Cache,
    /// etcd, or a cache that is as fresh.
    Quorum,
}

/// One object, and its permit if it is a large one.
#[derive(Debug)]
pub struct Got<K> {
    /// The object.
    pub object: K,
    /// The right to hold it, if it is large.
    pub place: Option<MemoryPermit>,
}

/// The object of this name, or nothing if there is none.
///
/// # Errors
/// If the API server doesn't give it, or it can't be read ([`Unreadable`]).
pub async fn get<K: ApiObject>(
    collection: &Collection,
    name: &str,
    from: ReadFrom,
) -> kube::Result<Option<Got<K>>> {
    let params = match from {
        ReadFrom::Cache => GetParams::any(),
        ReadFrom::Quorum => GetParams::default(),
    };
    let request = Request::new(&collection.path).get(name, &params).map_err(kube::Error::BuildRequest)?;
    match with_timeout(answer::call(&collection.client, request, K::SIZE_CLASS)).await {
        Ok(Answer { bytes, place }) => Ok(Some(Got { object: read_object(&bytes)?, place })),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) if answer::is_too_large(&error) => {
            let namespace =
                collection.path.split("/namespaces/").nth(1).and_then(|path| path.split('/').next());
            let namespace = namespace.unwrap_or_default().to_owned();
            Err(oversized_at::<K>(ObjectName { namespace, name: name.to_owned() }).into())
        }
        Err(error) => Err(error),
    }
}

/// Sends a write, and reads the object as it is written.
pub async fn write<K: ApiObject>(client: &Client, request: http::Request<Vec<u8>>) -> kube::Result<K> {
    let answer = with_timeout(answer::call(client, request, K::SIZE_CLASS)).await?;
    Ok(read_object(&answer.bytes)?)
}

/// Items that the API server is asked for at once. It bounds how long an answer takes, not what is in memory.
const PAGE: u32 = 500;

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, path, field_selector } = self;
        f.debug_struct("Collection")
            .field("path", path)
            .field("field_selector", field_selector)
            .finish_non_exhaustive()
    }
}

/// A list as it is now, page by page and item by item.
pub struct List<K> {
    collection: Collection,
    page: Option<Page>,
    continue_token: Option<String>,
    kind: PhantomData<fn() -> K>,
}

struct Page {
    body: Body,
    splitter: Splitter,
    /// When it must have arrived: the API server gives up by then too.
    until: Instant,
}

impl<K> fmt::Debug for List<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("collection", &self.collection).finish_non_exhaustive()
    }
}

/// What a list brings next.
#[derive(Debug)]
pub enum Listed<K> {
    /// Some of its items.
    Items(Vec<Result<K, Unreadable>>),
    /// There are no more. This is how recent it is.
    End {
        /// `metadata.resourceVersion` of the list, from which a watch goes on.
        resource_version: String,
    },
}

impl<K: ApiObject> List<K> {
    /// Nothing is read yet.
    pub fn new(collection: Collection) -> Self {
        Self { collection, page: None, continue_token: None, kind: PhantomData }
    }

    /// The next items, or the end.
    pub async fn next(&mut self) -> kube::Result<Listed<K>> {
        loop {
            let mut page = match self.page.take() {
                Some(page) => page,
                None => {
                    let params = self.params();
                    let until = Instant::now() + ANSWER_BEGINS;
                    Page { body: ask(&self.collection, &params).await?, splitter: Splitter::default(), until }
                }
            };
            let mut items = Vec::new();
            match next_chunk(&mut page.body).await? {
                Some(_) if page.until < Instant::now() => {
                    let slow =
                        format!("a page of a list hasn't arrived within {} s", ANSWER_BEGINS.as_secs());
                    return Err(kube::Error::Service(slow.into()));
                }
                Some(chunk) => {
                    let taken = page.splitter.push(&chunk, |item| {
                        items.push(match item {
                            Item::Whole(json) => read_object(json),
                            Item::Oversized(beginning) => Err(oversized::<K>(beginning)),
                        });
                    });
                    taken.map_err(|error| kube::Error::Service(error.into()))?;
                    self.page = Some(page);
                    if !items.is_empty() {
                        return Ok(Listed::Items(items));
                    }
                }
                None => {
                    let resource_version = self.turn(&page)?;
                    if self.continue_token.is_none() {
                        return Ok(Listed::End { resource_version });
                    }
                }
            }
        }
    }

    fn params(&self) -> ListParams {
        ListParams {
            field_selector: self.collection.field_selector.clone(),
            limit: Some(PAGE),
            continue_token: self.continue_token.clone(),
            ..ListParams::default()
        }
    }

    fn turn(&mut self, page: &Page) -> kube::Result<String> {
        let ListHead { metadata } = head(&page.splitter)?;
        self.continue_token = metadata.continue_token.filter(|token| !token.is_empty());
        Ok(metadata.resource_version.unwrap_or_default())
    }
}

/// How recent the API server is, for the price of one object that isn't kept. The field selector is left out:
/// where few objects fit, the API server would go through all to find one.
pub async fn latest_version(collection: &Collection) -> kube::Result<String> {
    let params = ListParams { limit: Some(1), ..ListParams::default() };
    let mut body = ask(collection, &params).await?;
    let mut splitter = Splitter::default();
    while let Some(chunk) = next_chunk(&mut body).await? {
        splitter.push(&chunk, |_| {}).map_err(|error| kube::Error::Service(error.into()))?;
    }
    Ok(head(&splitter)?.metadata.resource_version.unwrap_or_default())
}

async fn ask(collection: &Collection, params: &ListParams) -> kube::Result<Body> {
    let request = Request::new(&collection.path).list(params).map_err(kube::Error::BuildRequest)?;
    with_timeout(answer::send(&collection.client, request)).await
}

fn head(splitter: &Splitter) -> kube::Result<ListHead> {
    splitter.head().map_err(|error| kube::Error::Service(error.into()))
}

async fn next_chunk(body: &mut Body) -> kube::Result<Option<impl Deref<Target = [u8]> + use<>>> {
    loop {
        let Some(frame) = with_timeout(async { body.frame().await.transpose() }).await? else {
            return Ok(None);
        };
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

#[cfg(test)]
mod tests;
