//! One watch request: its lines, and whether it ends in time.

use http_body_util::BodyExt;
use kube::{
    api::WatchParams,
    client::Body,
    core::{Request, Status},
};
use serde::Deserialize;
use tokio::time::{self, Instant};

use super::{
    Times,
    progress::{Failure, random},
};
use crate::api::{
    answer::{self, BEGINNING, LARGEST_OBJECT},
    object::{ApiObject, Identity, Unreadable, oversized, unreadable, wrong_form},
    read::Collection,
    timeout::with_timeout,
};

/// A line's memory is kept for the next one up to this.
const USUAL_LINE: usize = 64 * 1024;

/// A watch that the API server has begun.
pub(super) struct Connection {
    body: Body,
    lines: Lines,
    began: Instant,
    times: Times,
}

/// Something that a watch tells. Versions are empty where they can't be read.
#[derive(Debug)]
pub(super) enum WatchEvent<K> {
    /// An object was added or changed.
    Applied(String, Result<K, Unreadable>),
    /// An object is gone, or isn't picked any more.
    Deleted(String, Identity),
    /// Nothing more than how recent the API server is.
    Bookmark(String),
    /// The watch's time is over.
    EndedInTime,
}

impl Connection {
    pub(super) async fn open(collection: &Collection, version: &str, times: Times) -> Result<Self, Failure> {
        // watches don't end all at once
        let times = Times { lasts: times.lasts + times.lasts * u32::from(random()) / 1024, ..times };
        // a fraction of a second can't be asked for
        let seconds = u32::try_from(times.lasts.as_secs().max(1)).unwrap_or(u32::MAX);
        let params = WatchParams {
            field_selector: collection.field_selector.clone(),
            timeout: Some(seconds),
            ..WatchParams::default()
        };
        let request = Request::new(&collection.path).watch(&params, version);
        let mut request = request.map_err(|error| Failure::watch(kube::Error::BuildRequest(error)))?;
        // API servers from 1.37 on compress each event by itself, which clients don't expect
        let identity = http::HeaderValue::from_static("identity");
        request.headers_mut().insert(http::header::ACCEPT_ENCODING, identity);
        let began = Instant::now();
        let body = with_timeout(answer::send(&collection.client, request)).await.map_err(Failure::watch)?;
        Ok(Self { body, lines: Lines::default(), began, times })
    }

    pub(super) async fn next<K: ApiObject>(&mut self) -> Result<WatchEvent<K>, Failure> {
        loop {
            if let Some(line) = self.lines.next() {
                let parsed = parse(&line)?;
                self.lines.give_back(line);
                return Ok(parsed);
            }
            let dead_at = self.began + self.times.lasts + self.times.tolerance;
            let frame = time::timeout_at(dead_at, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| Failure::silent())? else { return self.ended() };
            let frame = frame.map_err(Failure::watch)?;
            self.lines.push(frame.into_data().unwrap_or_default());
        }
    }

    /// One that ends early has lost its API server; one that ends late belongs to a process that stood still,
    /// and may have missed that.
    fn ended<K>(&self) -> Result<WatchEvent<K>, Failure> {
        let (lasted, Times { lasts, tolerance, .. }) = (self.began.elapsed(), self.times);
        let is_in_time = lasted + tolerance >= lasts && lasted <= lasts + tolerance;
        if is_in_time { Ok(WatchEvent::EndedInTime) } else { Err(Failure::ended_early()) }
    }
}

/// A line of a watch.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole(Vec<u8>),
    /// Its beginning: it is too long.
    Oversized(Vec<u8>),
}

/// Takes a watch's answer apart.
#[derive(Default)]
struct Lines {
    /// What has come, as it came.
    chunk: bytes::Bytes,
    line: Vec<u8>,
    is_oversized: bool,
}

impl Lines {
    /// Only when there is no more line in what came before.
    fn push(&mut self, chunk: bytes::Bytes) {
        self.chunk = chunk;
    }

    fn next(&mut self) -> Option<Line> {
        loop {
            let end = self.chunk.iter().position(|byte| *byte == b'\n');
            let part = self.chunk.split_to(end.unwrap_or(self.chunk.len()));
            self.keep(&part);
            end?;
            // the line's end
            drop(self.chunk.split_to(1));
            let line = std::mem::take(&mut self.line);
            if std::mem::take(&mut self.is_oversized) {
                return Some(Line::Oversized(line));
            }
            if !line.is_empty() {
                return Some(Line::Whole(line));
            }
        }
    }

    fn keep(&mut self, part: &[u8]) {
        if self.is_oversized {
            return;
        }
        self.line.extend_from_slice(part);
        if self.line.len() > LARGEST_OBJECT {
            self.is_oversized = true;
            self.line.truncate(BEGINNING);
            self.line.shrink_to_fit();
        }
    }

    /// Takes back a line's memory, unless it is much.
    fn give_back(&mut self, line: Line) {
        let (Line::Whole(mut line) | Line::Oversized(mut line)) = line;
        if line.capacity() <= USUAL_LINE && self.line.is_empty() {
            line.clear();
            self.line = line;
        }
    }
}

#[derive(Deserialize)]
struct Type {
    #[serde(rename = "type")]
    type_: String,
}

#[derive(Deserialize)]
struct Event<O> {
    object: O,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    metadata: Identity,
}

/// Parses a line. What can't be read of an object that was added or changed is the object's matter; what else
/// can't be read is the watch's.
fn parse<K: ApiObject>(line: &Line) -> Result<WatchEvent<K>, Failure> {
    let json = match line {
        Line::Whole(json) => json,
        Line::Oversized(beginning) => return Ok(applied(Err(oversized::<K>(beginning)), None)),
    };
    let Type { type_ } = serde_json::from_slice(json).map_err(|_| Failure::not_a_watch())?;
    match type_.as_str() {
        "ADDED" | "MODIFIED" => {
            let object = serde_json::from_slice::<Event<K::Wire>>(json)
                .map_err(|error| wrong_form(&error))
                .and_then(|event| K::from_wire(event.object))
                .map_err(|reason| unreadable::<K>(json, reason));
            Ok(applied(object, version(json)))
        }
        "DELETED" => match serde_json::from_slice::<Event<Named>>(json) {
            Ok(Event { object: Named { metadata } }) if metadata.name.is_none() => {
                Err(Failure::not_a_watch())
            }
            Ok(Event { object: Named { metadata } }) => {
                Ok(WatchEvent::Deleted(metadata.resource_version.clone().unwrap_or_default(), metadata))
            }
            Err(error) => Ok(applied(Err(unreadable::<K>(json, wrong_form(&error))), None)),
        },
        "BOOKMARK" => Ok(WatchEvent::Bookmark(version(json).unwrap_or_default())),
        "ERROR" => Err(match serde_json::from_slice::<Event<Status>>(json) {
            Ok(Event { object }) => Failure::watch(kube::Error::Api(Box::new(object))),
            Err(_) => Failure::not_a_watch(),
        }),
        _ => Err(Failure::not_a_watch()),
    }
}

fn applied<K>(object: Result<K, Unreadable>, version: Option<String>) -> WatchEvent<K> {
    let version = match &object {
        Err(unreadable) => unreadable.resource_version.clone(),
        Ok(_) => version.unwrap_or_default(),
    };
    WatchEvent::Applied(version, object)
}

fn version(json: &[u8]) -> Option<String> {
    serde_json::from_slice::<Event<Named>>(json).ok()?.object.metadata.resource_version
}

#[cfg(test)]
mod tests;
