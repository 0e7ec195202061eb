//! From the start of all tasks to the end of the process.

use std::{collections::HashSet, future::Future, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::{ManagerError, running::until, supervisor::Supervisor};
use crate::health::{EndedTasks, TaskOutcome};

/// The time for running evaluations after the signal to end. Kubernetes gives a container 30 seconds by
/// default.
const GRACE: Duration = Duration::from_secs(20);

/// How long `/readyz` and `/metrics` show a task that ended, at least, before the process ends.
pub(super) const SHOWN: Duration = Duration::from_secs(2);

/// Waits until `shutdown` is there and the `signers`' tasks have ended; after a failure for `shown` more,
/// [`SHOWN`] but for tests. A task that ends before is noted in `ended`, and stops all others: what it did
/// isn't done any more, all state is in the cluster, and a new process begins with it.
pub(super) async fn supervise(
    mut supervisor: Supervisor,
    mut signers: HashSet<String>,
    shutdown: impl Future<Output = ()>,
    stop: watch::Sender<bool>,
    ended: EndedTasks,
    shown: Duration,
) -> Result<(), ManagerError> {
    let mut grace = Box::pin(grace_after(stop.subscribe()));
    let mut shutdown = std::pin::pin!(shutdown);
    let mut failure = None;
    while !signers.is_empty() {
        let is_stopping = *stop.borrow();
        tokio::select! {
            () = &mut shutdown, if !is_stopping => {
                tracing::info!("shutting down: finishing the running evaluations");
                stop.send_replace(true);
            }
            end = supervisor.next_end() => {
                signers.remove(&end.task);
                if !is_stopping || end.outcome == TaskOutcome::Panicked {
                    ended.add(end.clone());
                    failure.get_or_insert(end);
                    stop.send_replace(true);
                }
            }
            () = &mut grace => {
                tracing::warn!(seconds = GRACE.as_secs(), "running evaluations are left unfinished: their time is over");
                break;
            }
        }
    }
    let Some(end) = failure else { return Ok(()) };
    sleep(shown).await;
    Err(ManagerError::TaskEnded(end.to_string()))
}

async fn grace_after(stopped: watch::Receiver<bool>) {
    until(stopped).await;
    sleep(GRACE).await;
}

#[cfg(test)]
mod tests;
