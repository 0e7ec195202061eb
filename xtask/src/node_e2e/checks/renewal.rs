//! Renewal. A kubelet that starts has forgotten its keys, and asks for every certificate again.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    super::{
        kubectl::{Kubectl, Seen, until},
        node::Node,
    },
    EXAMPLES, clients,
    live::{LiveConnection, serial},
    pods::{self, Pod},
};
use crate::{error::Error, terminal::Progress};

/// The kubelet asks for all at once, but brings the files with each pod's next sync.
const RENEWED: Duration = Duration::from_secs(400);

/// From 1.35 on, a kubelet that starts leaves a pod ready whose container began 10 s before it
/// (`kubeletRestartGracePeriod`); a younger one counts as new, and isn't ready before it is probed. Meanwhile
/// a headless Service has no name for it.
const AGE: SignedDuration = SignedDuration::from_secs(12);

/// A client's next poll.
const POLLED: Duration = Duration::from_secs(180);

/// Restarts the kubelet, and waits until every server shows a new certificate, to clients that notice
/// nothing.
pub(super) async fn on_kubelet_restart(node: &mut Node, progress: &Progress) -> Result<String, Error> {
    let kubectl = node.kubectl.clone();
    let pods = pods::of_examples(&kubectl).await?;
    aged(&kubectl, progress).await?;
    let (requests, shown) = (requests(&kubectl).await?, serials(&pods).await?);
    let mut live = connection(&pods)?;
    live.ask()?;
    let (restart, began) = (Timestamp::now(), Instant::now());
    node.kubelet.restart().await?;
    node.ready(progress).await?;
    let wanted: usize = pods.iter().map(Pod::certificates).sum();
    issued_again(&kubectl, &requests, wanted, progress).await?;
    let issued = began.elapsed();
    shown_again(&pods, &shown, progress).await?;
    let renewed = began.elapsed();
    live.ask()?;
    let polls = polls_since(&kubectl, restart, progress).await?;
    same_pods(&pods, &pods::of_examples(&kubectl).await?)?;
    Ok(format!(
        "{wanted} certificates after {:.0} s, shown by {} servers after {:.0} s; {polls} polls, none failed; an old connection still \
         answers",
        issued.as_secs_f32(),
        shown.len(),
        renewed.as_secs_f32()
    ))
}

/// Waits until no container is so young that the restart makes its pod unready.
async fn aged(kubectl: &Kubectl, progress: &Progress) -> Result<(), Error> {
    until(
        RENEWED,
        |missing| progress.tell(missing),
        async || {
            let oldest_allowed = Timestamp::now() - AGE;
            let pods = pods::of_examples(kubectl).await?;
            let young = pods.iter().find(|pod| pod.last_start().is_none_or(|start| start > oldest_allowed));
            Ok(match young {
                Some(pod) => Seen::Missing(format!("{pod} has just started")),
                None => Seen::Done(()),
            })
        },
    )
    .await
}

/// The names of all requests that were issued.
async fn requests(kubectl: &Kubectl) -> Result<HashSet<String>, Error> {
    let requests = kubectl.list("podcertificaterequests --all-namespaces").await?;
    let issued = |request: &&Value| {
        let conditions = request["status"]["conditions"].as_array();
        conditions.is_some_and(|conditions| conditions.iter().any(|condition| condition["type"] == "Issued"))
    };
    let name = |request: &Value| request["metadata"]["name"].as_str().map(str::to_owned);
    Ok(requests.iter().filter(issued).filter_map(name).collect())
}

async fn issued_again(
    kubectl: &Kubectl,
    before: &HashSet<String>,
    wanted: usize,
    progress: &Progress,
) -> Result<(), Error> {
    until(
        RENEWED,
        |missing| progress.tell(missing),
        async || {
            let new = requests(kubectl).await?.difference(before).count();
            if new < wanted {
                return Ok(Seen::Missing(format!("{new} of {wanted} certificates are issued again")));
            }
            Ok(Seen::Done(()))
        },
    )
    .await
}

/// What each server shows, by its address.
async fn serials(pods: &[Pod]) -> Result<HashMap<String, String>, Error> {
    let mut shown = HashMap::new();
    for pod in pods.iter().filter(|pod| pod.has_container("server")) {
        let address = address(pod);
        shown.insert(address.clone(), serial(address).await?);
    }
    Ok(shown)
}

async fn shown_again(
    pods: &[Pod],
    before: &HashMap<String, String>,
    progress: &Progress,
) -> Result<(), Error> {
    until(
        RENEWED,
        |missing| progress.tell(missing),
        async || {
            let now = serials(pods).await?;
            let new = now.iter().filter(|(address, serial)| before.get(*address) != Some(serial)).count();
            if new < before.len() {
                return Ok(Seen::Missing(format!(
                    "{new} of {} servers show a new certificate",
                    before.len()
                )));
            }
            Ok(Seen::Done(()))
        },
    )
    .await
}

/// To a server that takes anybody.
fn connection(pods: &[Pod]) -> Result<LiveConnection, Error> {
    let open = |pod: &&Pod| pod.namespace() == "service-dns-unauth-client" && pod.has_container("server");
    let server =
        pods.iter().find(open).ok_or_else(|| Error::Unmet("there is no server to talk to".into()))?;
    LiveConnection::open(&address(server))
}

fn address(pod: &Pod) -> String {
    format!("{}:8443", pod.ip())
}

/// Waits for one more poll of every client, and counts all since the restart. A failed one is an error.
async fn polls_since(kubectl: &Kubectl, restart: Timestamp, progress: &Progress) -> Result<usize, Error> {
    let renewed = Timestamp::now();
    let mut polls = 0;
    for namespace in EXAMPLES {
        for client in clients::clients(kubectl, namespace).await? {
            until(
                POLLED,
                |missing| progress.tell(missing),
                async || {
                    let last = clients::log(kubectl, &client, &format!("--since-time={renewed}")).await?;
                    Ok(if last.trim().is_empty() {
                        Seen::Missing(format!("{namespace}/{} has not polled since", client.name()))
                    } else {
                        Seen::Done(())
                    })
                },
            )
            .await?;
            let log = clients::log(kubectl, &client, &format!("--since-time={restart}")).await?;
            if let Some(line) = log.lines().find(|line| line.contains(clients::FAILURE)) {
                return Err(Error::Unmet(format!("{namespace}/{}: {line}", client.name())));
            }
            polls += log.lines().count();
        }
    }
    Ok(polls)
}

fn same_pods(before: &[Pod], after: &[Pod]) -> Result<(), Error> {
    let same =
        |old: &&Pod| after.iter().any(|new| new.uid() == old.uid() && new.restarts() == old.restarts());
    match before.iter().find(|old| !same(old)) {
        Some(pod) => Err(Error::Unmet(format!("{pod} was restarted"))),
        None => Ok(()),
    }
}
