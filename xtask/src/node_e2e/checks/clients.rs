//! What the examples' clients say: a line for each poll.

use std::time::Duration;

use super::{
    super::kubectl::{Kubectl, Seen, until},
    pods::{self, Pod},
};
use crate::{error::Error, terminal::Progress};

/// A client polls every 10 s.
const ANSWERED: Duration = Duration::from_secs(60);

/// A poll that got an answer, as `mtls-demo client` logs it.
const SUCCESS: &str = "status=200";

/// One that didn't.
pub(super) const FAILURE: &str = "poll failed";

/// Waits until each client's last poll got the answer that it should, and returns what it said.
pub(super) async fn answered(
    kubectl: &Kubectl,
    namespace: &str,
    progress: &Progress,
) -> Result<String, Error> {
    let echoed = echoed(namespace);
    until(
        ANSWERED,
        |missing| progress.tell(missing),
        async || {
            let mut answers = Vec::new();
            for pod in clients(kubectl, namespace).await? {
                let log = log(kubectl, &pod, "--tail=1").await?;
                if !log.contains(SUCCESS) || !log.contains(&echoed) {
                    return Ok(Seen::Missing(format!("{} says: {}", pod.name(), log.trim())));
                }
                answers.push(format!("{}: {}", pod.name(), field(&log, "server=")));
            }
            if answers.is_empty() {
                return Ok(Seen::Missing("there is no client".into()));
            }
            let mut seen = format!("server: {}", answers.join("; "));
            if !echoed.is_empty() {
                seen += &format!("\nechoed: {echoed}");
            }
            Ok(Seen::Done(seen))
        },
    )
    .await
}

/// What the server's answer must hold.
fn echoed(namespace: &str) -> String {
    match namespace {
        "service-dns-spiffe-client" | "spiffe-both-ends" => {
            format!("spiffe://cluster.local/ns/{namespace}/sa/client")
        }
        _ => String::new(),
    }
}

/// Pods with a container of that name.
pub(super) async fn clients(kubectl: &Kubectl, namespace: &str) -> Result<Vec<Pod>, Error> {
    let pods = pods::of(kubectl, namespace).await?;
    Ok(pods.into_iter().filter(|pod| pod.has_container("client")).collect())
}

/// What a pod's client has logged.
pub(super) async fn log(kubectl: &Kubectl, pod: &Pod, which: &str) -> Result<String, Error> {
    kubectl
        .run(&format!("logs --namespace {} {} --container client {which}", pod.namespace(), pod.name()))
        .await
}

/// The value after that key: a quoted text, or a word.
pub(super) fn field<'a>(line: &'a str, key: &str) -> &'a str {
    let value = line.split_once(key).map_or("", |(_, value)| value);
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or(quoted),
        None => value.split_whitespace().next().unwrap_or(value),
    }
}

/// After everything, no container has restarted, and every client's last poll got an answer.
pub(super) async fn unbroken(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    let pods = pods::of_examples(kubectl).await?;
    if let Some(pod) = pods.iter().find(|pod| pod.restarts() > 0) {
        return Err(Error::Unmet(format!("{}/{} has restarted", pod.namespace(), pod.name())));
    }
    for namespace in super::EXAMPLES {
        answered(kubectl, namespace, progress).await?;
    }
    Ok(format!("{} pods", pods.len()))
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_field_is_a_word_or_quoted() {
        let line =
            r#"INFO poll url=https://a status=200 body="ok\n" server="a.b.svc, c" serial=01ab own="none""#;
        assert_eq!(field(line, "server="), "a.b.svc, c");
        assert_eq!(field(line, "serial="), "01ab");
        assert_eq!(field(line, "absent="), "");
    }
}
