//! The cluster in whose Secrets a command works: one client for all that it does there.

use std::{cell::OnceCell, fmt, path::PathBuf};

use api_client::{
    certificate_time_problem,
    discovery::{CertificatesApi, DiscoveryError, discover},
    object::{ApiObject, Unreadable},
    read::{self, Collection, List, Listed, ReadFrom},
};
use clap::Args;
use http::{HeaderMap, Request, header::DATE};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};
use kube::{Client, api::PostParams, client::Body};
use kubeconfig::{CallError, Connection, Environment, Options};
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::error::Error;
use crate::{
    store::{
        clock::Skew,
        plain::{Plain, PlainObject},
    },
    text::shell::quote,
};

/// Which cluster. Without either, as kubectl finds it: `KUBECONFIG` or `~/.kube/config`, and its current
/// context; within a pod, the pod's own. `docs/kubeconfig.md` has the differences.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ClusterArguments {
    /// The cluster is that of this context of the kubeconfig. Default: the current context.
    #[arg(long, value_name = "NAME", requires = "in_cluster")]
    context: Option<String>,
    /// The kubeconfig. Default: what KUBECONFIG says, or ~/.kube/config.
    #[arg(long, value_name = "PATH", requires = "in_cluster")]
    kubeconfig: Option<PathBuf>,
}

/// What a list has.
pub(crate) struct Listing<K> {
    pub(crate) objects: Vec<K>,
    pub(crate) unreadable: Vec<Unreadable>,
}

impl<K> Default for Listing<K> {
    fn default() -> Self {
        Self { objects: Vec::new(), unreadable: Vec::new() }
    }
}

/// A cluster, and the way to it.
pub(crate) struct Cluster {
    arguments: ClusterArguments,
    name: String,
    client: Client,
    runtime: Runtime,
    skew: Option<Skew>,
    api: OnceCell<CertificatesApi>,
}

impl ClusterArguments {
    /// How a command line leads to the same cluster; kubectl's options have the same names.
    pub(crate) fn arguments(&self) -> String {
        let context = self.context.iter().map(|context| format!(" --context {}", quote(context)));
        let kubeconfig = self.kubeconfig.iter();
        let kubeconfig = kubeconfig.map(|path| format!(" --kubeconfig {}", quote(&path.to_string_lossy())));
        context.chain(kubeconfig).collect()
    }

    /// Connects, and asks for the time.
    pub(crate) fn connect(self) -> Result<Cluster, Error> {
        // A thread of its own sees that the server closes a connection while somebody thinks about a
        // question.
        let runtime =
            Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::Runtime)?;
        let options = Options { kubeconfig: self.kubeconfig.clone(), context: self.context.clone() };
        let connection = runtime.block_on(kubeconfig::connect(&options, &Environment::of_process()))?;
        let Connection { client, server, context, warnings, .. } = connection;
        for warning in warnings {
            eprintln!("{warning}");
        }
        let name = context.map_or_else(
            || format!("the cluster of this pod, server {server}"),
            |context| format!("context {context}, server {server}"),
        );
        let skew = runtime.block_on(skew(&client)).map_err(|error| unreachable(&name, &error))?;
        Ok(Cluster { arguments: self, name, client, runtime, skew, api: OnceCell::new() })
    }
}

impl Cluster {
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// How a command line leads to it.
    pub(crate) fn arguments(&self) -> String {
        self.arguments.arguments()
    }

    /// Refuses if this machine and the API server don't agree on the time: what is written to a pool are
    /// times.
    pub(crate) fn check_clock(&self) -> Result<(), Error> {
        self.skew.map_or(Ok(()), |skew| skew.check(&self.name))
    }

    /// Reads all objects of a collection, such as `/api/v1/pods`: those that can be read, and the names of those
    /// that can't.
    pub(crate) fn list<K: ApiObject>(&self, path: &str, fields: Option<&str>) -> Result<Listing<K>, Error> {
        let collection = self.collection(path, fields);
        let read = async {
            let (mut list, mut listing) = (List::new(collection), Listing::default());
            while let Listed::Items(items) = list.next().await? {
                for item in items {
                    match item {
                        Ok(object) => listing.objects.push(object),
                        Err(unreadable) => listing.unreadable.push(unreadable),
                    }
                }
            }
            Ok(listing)
        };
        self.wait_for(read).map_err(|error| self.refused(error))
    }

    /// Reads one object of a collection, if it is there.
    pub(crate) fn get<K: ApiObject>(&self, path: &str, name: &str) -> Result<Option<K>, Error> {
        let collection = self.collection(path, None);
        let got = self.wait_for(read::get::<K>(&collection, name, ReadFrom::Quorum));
        Ok(got.map_err(|error| self.refused(error))?.map(|got| got.object))
    }

    /// [`get`](Self::get), of an object that is read as its JSON is.
    pub(crate) fn get_plain<T: Plain>(&self, path: &str, name: &str) -> Result<Option<T>, Error> {
        Ok(self.get::<PlainObject<T>>(path, name)?.map(|PlainObject(object)| object))
    }

    /// [`list`](Self::list), of objects that are read as their JSON is. One that can't be read is as if it weren't
    /// there.
    pub(crate) fn list_plain<T: Plain>(&self, path: &str, fields: Option<&str>) -> Result<Vec<T>, Error> {
        let listing = self.list::<PlainObject<T>>(path, fields)?;
        Ok(listing.objects.into_iter().map(|PlainObject(object)| object).collect())
    }

    /// Refuses a namespace that isn't there, as a typing error would make it. Whoever may not look is believed.
    pub(crate) fn check_namespace(&self, namespace: &str) -> Result<(), Error> {
        match self.get_plain::<Namespace>("/api/v1/namespaces", namespace) {
            Ok(None) => Err(Error::NotThere {
                what: format!("namespace {namespace}"),
                cluster: self.to_string(),
                remedy: "Correct its name, or choose another cluster with --context".to_owned(),
            }),
            Ok(Some(_)) | Err(Error::Forbidden { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends an object for review, and reads the answer.
    pub(crate) fn review<T: Plain>(&self, path: &str, object: &Value) -> Result<T, Error> {
        let request = kube::core::Request::new(path)
            .create(&PostParams::default(), serde_json::to_vec(object)?)
            .map_err(|error| self.refused(kube::Error::BuildRequest(error)))?;
        let answer = self.wait_for(read::write::<PlainObject<T>>(&self.client, request));
        let PlainObject(answer) = answer.map_err(|error| self.refused(error))?;
        Ok(answer)
    }

    fn collection(&self, path: &str, fields: Option<&str>) -> Collection {
        let field_selector = fields.map(ToOwned::to_owned);
        Collection { client: self.client(), path: path.to_owned(), field_selector }
    }

    /// How far the API server's clock is ahead of this machine's, if it has told its time.
    pub(crate) fn ahead(&self) -> Option<SignedDuration> {
        self.skew.map(Skew::ahead)
    }

    /// The time by the API server's clock, as signers have it; by this machine's if the API server doesn't tell.
    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.ahead().and_then(|ahead| now.checked_add(ahead).ok()).unwrap_or(now)
    }

    /// The resources of signers, in the versions that the cluster serves.
    pub(crate) fn certificates_api(&self) -> Result<&CertificatesApi, Error> {
        if let Some(known) = self.api.get() {
            return Ok(known);
        }
        let found = self.wait_for(discover(&self.client())).map_err(|error| match error {
            DiscoveryError::Unreachable(error) => self.refused(error),
            error @ DiscoveryError::NotServed { .. } => Error::NotServed(error.to_string()),
        })?;
        Ok(self.api.get_or_init(|| found))
    }

    /// Why a call has failed.
    pub(crate) fn refused(&self, error: kube::Error) -> Error {
        let cluster = self.to_string();
        let kube::Error::Api(status) = error else { return self.unreachable(&error) };
        match status.code {
            401 => Error::NotLoggedIn { cluster, cause: status.message },
            403 if status.message.contains("\"system:anonymous\"") => {
                Error::Anonymous { cluster, message: status.message }
            }
            403 => Error::Forbidden { cluster, message: status.message },
            _ => Error::Refused { cluster, message: status.message },
        }
    }

    /// Waits for an answer of the API server.
    pub(crate) fn wait_for<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// Says of what isn't an answer of the API server why there is none.
    pub(crate) fn unreachable(&self, error: &kube::Error) -> Error {
        unreachable(&self.name, error)
    }
}

/// That it is there is all that counts.
#[derive(Default, Deserialize)]
struct Namespace {}

impl Plain for Namespace {
    const KIND: &'static str = "Namespace";
}

/// Context and server.
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Any answer carries the time, also that one may not ask.
async fn skew(client: &Client) -> Result<Option<Skew>, kube::Error> {
    let request = Request::get("/version").body(Body::empty()).map_err(kube::Error::HttpError)?;
    let asked = Timestamp::now();
    let response = client.send(request).await?;
    let answered = Timestamp::now();
    Ok(date(response.headers()).map(|server| Skew { asked, server, answered }))
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(DATE)?.as_bytes()).ok()
}

fn unreachable(cluster: &str, error: &kube::Error) -> Error {
    let (cluster, cause) = (cluster.to_owned(), causes(error));
    if let Some(problem) = certificate_time_problem(error) {
        return Error::NotValidNow { cluster, problem };
    }
    match CallError::of(error) {
        Some(call) => Error::Call { cluster, cause, is_wrong_configuration: call.is_wrong_configuration() },
        None => Error::Unreachable { cluster, cause },
    }
}

/// An error's causes, each once. Names of kube's that only say which layer failed are left away.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        let text = cause.to_string();
        // a text often ends with that of its cause
        for earlier in &mut texts {
            if let Some(own) = earlier.strip_suffix(&text) {
                *earlier = own.trim_end_matches([':', ' ']).to_owned();
            }
        }
        texts.push(text);
    }
    texts.retain(|text| !matches!(text.as_str(), "" | "ServiceError" | "HyperError" | "HttpError"));
    texts.join(": ")
}

#[cfg(test)]
mod tests;
