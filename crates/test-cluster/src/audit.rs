//! The API server's audit log: who called what, and how often.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::Error;

/// One finished call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Who called: the impersonated user if there is one, else the authenticated.
    pub user: String,
    /// How the caller's program names itself.
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` …
    pub verb: String,
    /// With its subresource: `podcertificaterequests/status`; empty for what is no resource, such as
    /// `/readyz`.
    pub resource: String,
    /// The namespace, if any.
    pub namespace: String,
    /// The object's name, if the call names one.
    pub name: String,
    /// Path and query of the call.
    pub uri: String,
    /// The HTTP status code of the answer.
    pub code: u16,
}

/// Reads the log that [`Options::audit_log`](crate::Options) named. A call stands in it shortly after its
/// answer; a watch, when it ends.
///
/// # Errors
/// [`Error::Io`]; [`Error::Unexpected`] for a line that is no audit event.
pub fn read(path: &Path) -> Result<Vec<Call>, Error> {
    let io = |source| Error::Io { doing: "reading the audit log", path: path.to_owned(), source };
    parse(&fs::read_to_string(path).map_err(io)?)
}

/// Parses the audit log's text. A last line without its end is still being written, and left out.
///
/// # Errors
/// [`Error::Unexpected`] for a line that is no audit event.
pub fn parse(text: &str) -> Result<Vec<Call>, Error> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str::<Event>(line).map(Call::from).map_err(|error| Error::Unexpected {
            what: format!("line {} of the audit log", number + 1),
            why: error.to_string(),
        })
    };
    whole.lines().enumerate().map(line).collect()
}

/// Counts the calls for which `wanted` holds, by verb and resource:
/// `{"update podcertificaterequests/status": 2000}`.
pub fn count(calls: &[Call], wanted: impl Fn(&Call) -> bool) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in calls.iter().filter(|call| wanted(call)) {
        *counts.entry(format!("{} {}", call.verb, call.resource)).or_default() += 1;
    }
    counts
}

/// audit.k8s.io/v1 Event, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    user: User,
    impersonated_user: Option<User>,
    #[serde(default)]
    user_agent: String,
    #[serde(default, rename = "requestURI")]
    request_uri: String,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

impl From<Event> for Call {
    fn from(event: Event) -> Self {
        let ObjectRef { resource, subresource, namespace, name } = event.object_ref;
        let separator = if subresource.is_empty() { "" } else { "/" };
        Self {
            user: event.impersonated_user.unwrap_or(event.user).username,
            user_agent: event.user_agent,
            verb: event.verb,
            resource: format!("{resource}{separator}{subresource}"),
            namespace,
            name,
            uri: event.request_uri,
            code: event.response_status.code,
        }
    }
}

#[cfg(test)]
mod tests;
