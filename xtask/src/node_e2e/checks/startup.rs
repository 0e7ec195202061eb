//! How long a pod takes from its creation until its containers run, seen through a watch.

use std::{
    collections::HashSet,
    process::{Child, ChildStdout, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use serde_json::{Deserializer, Value};

use super::{
    super::{kubectl::Kubectl, node},
    EXAMPLES,
    pods::Pod,
};
use crate::{error::Error, program::blocking, terminal::Progress};

/// For one pod.
const RUNNING: Duration = Duration::from_secs(300);

/// Pods without certificates, to compare with.
const PLAIN: usize = 3;

/// Replaces a pod in each example, one after the other, and tells how long each took, beside pods without
/// certificates.
pub(super) async fn measured(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    let mut certified = Vec::new();
    for namespace in EXAMPLES {
        let app = if namespace == "annotation-peers" { "peer" } else { "server" };
        certified.push(replace_a_pod(kubectl, namespace, app, progress).await?);
    }
    let mut plain = Vec::new();
    for index in 0..PLAIN {
        plain.push(plain_pod(kubectl, index).await?);
    }
    Ok(format!(
        "{} pods run {} after their creation; {PLAIN} without certificates {}",
        certified.len(),
        span(certified),
        span(plain)
    ))
}

/// Deletes one pod with that label, and returns how long its successor takes from creation until it runs.
pub(super) async fn replace_a_pod(
    kubectl: &Kubectl,
    namespace: &str,
    app: &str,
    progress: &Progress,
) -> Result<Duration, Error> {
    progress.tell(&format!("replacing a pod of {namespace}"));
    let watch = watch(kubectl).await?;
    let pods = kubectl.list(&format!("pods --namespace {namespace} --selector app={app}")).await?;
    let old = pods.into_iter().map(Pod::from).find(|pod| !pod.terminating());
    let old = old.ok_or_else(|| Error::Unmet(format!("{namespace} has no pod {app}")))?;
    kubectl.run(&format!("delete pod {} --wait=false --namespace {namespace}", old.name())).await?;
    let namespace = namespace.to_owned();
    blocking(move || watch.new_pod_runs(&namespace)).await
}

/// Runs the pod sandbox's program as a container, in a namespace with nothing else.
async fn plain_pod(kubectl: &Kubectl, index: usize) -> Result<Duration, Error> {
    let watch = watch(kubectl).await?;
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: plain-{index}}}\nspec:\n  containers:\n  - {{name: plain, image: \
         localhost/node-e2e:1, imagePullPolicy: Never}}\n"
    );
    let file = node::write("plain.yaml", &manifest)?;
    kubectl.run(&format!("apply --namespace default -f {}", file.display())).await?;
    blocking(move || watch.new_pod_runs("default")).await
}

async fn watch(kubectl: &Kubectl) -> Result<PodWatch, Error> {
    let starter = kubectl.clone();
    let mut watch = blocking(move || PodWatch::start(&starter)).await?;
    let pods = kubectl.list("pods --all-namespaces").await?.into_iter().map(Pod::from);
    watch.known.extend(pods.map(|pod| pod.uid().to_owned()));
    Ok(watch)
}

/// The least and the most.
fn span(mut times: Vec<Duration>) -> String {
    times.sort();
    let seconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f32);
    format!("{:.1} to {:.1} s", seconds(times.first()), seconds(times.last()))
}

/// A watch of all pods. It ends when this is dropped.
struct PodWatch {
    kubectl: Child,
    events: Receiver<(Instant, Value)>,
    /// The pods that are there already.
    known: HashSet<String>,
}

impl PodWatch {
    /// Returns once it tells of the pods there are, so that the next is seen at once.
    fn start(kubectl: &Kubectl) -> Result<Self, Error> {
        let mut command = kubectl.command();
        command.args("get pods --all-namespaces --watch --output-watch-events -o json".split(' '));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut kubectl = command.spawn().map_err(Error::io("running", "kubectl"))?;
        let events = kubectl.stdout.take().map(read);
        let events = events.ok_or_else(|| Error::Unmet("kubectl has no output".into()))?;
        let mut watch = Self { kubectl, events, known: HashSet::new() };
        let (_, event) = watch.events.recv_timeout(RUNNING).map_err(|_| {
            Error::Unmet(format!("a watch of pods says nothing after {} s", RUNNING.as_secs()))
        })?;
        watch.known.insert(Pod::from(event["object"].clone()).uid().to_owned());
        Ok(watch)
    }

    /// Waits for a pod of that namespace that wasn't there before, and then until it runs.
    fn new_pod_runs(self, namespace: &str) -> Result<Duration, Error> {
        let deadline = Instant::now() + RUNNING;
        let mut created: Option<(String, Instant)> = None;
        while let Ok((at, event)) = self.events.recv_timeout(deadline.duration_since(Instant::now())) {
            let pod = Pod::from(event["object"].clone());
            match &created {
                Some((uid, since)) if uid == pod.uid() && pod.runs() => return Ok(at - *since),
                None if pod.namespace() == namespace && !self.known.contains(pod.uid()) => {
                    created = Some((pod.uid().to_owned(), at));
                }
                _ => {}
            }
        }
        let why = created.map_or("no new pod came", |_| "the new pod doesn't run");
        Err(Error::Unmet(format!("{namespace}: {why} after {} s", RUNNING.as_secs())))
    }
}

impl Drop for PodWatch {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

/// Notes when each event came. The thread ends with the output.
fn read(output: ChildStdout) -> Receiver<(Instant, Value)> {
    let (sender, events) = mpsc::channel();
    std::thread::spawn(move || {
        for event in Deserializer::from_reader(output).into_iter().map_while(Result::ok) {
            if sender.send((Instant::now(), event)).is_err() {
                break;
            }
        }
    });
    events
}
