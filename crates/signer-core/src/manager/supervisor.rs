//! Background tasks: each runs until the manager stops, and has one owner that notices its end.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::FutureExt;
use tokio::{sync::mpsc, task::JoinSet};

use crate::health::{TaskEnd, TaskOutcome};

/// The owner of tasks. They end with it.
pub(crate) struct Supervisor {
    spawner: Spawner,
    ends: mpsc::UnboundedReceiver<TaskEnd>,
}

/// Starts tasks on behalf of their owner.
#[derive(Clone)]
pub(crate) struct Spawner {
    tasks: Arc<Mutex<JoinSet<()>>>,
    ends: mpsc::UnboundedSender<TaskEnd>,
}

impl Supervisor {
    pub(crate) fn new() -> Self {
        let (sender, ends) = mpsc::unbounded_channel();
        Self { spawner: Spawner { tasks: Arc::default(), ends: sender }, ends }
    }

    pub(crate) fn spawner(&self) -> &Spawner {
        &self.spawner
    }

    /// Waits for the next task that ends.
    pub(crate) async fn next_end(&mut self) -> TaskEnd {
        match self.ends.recv().await {
            Some(end) => end,
            // not reached: the spawner here has a sender
            None => std::future::pending().await,
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.spawner.lock().abort_all();
    }
}

impl Spawner {
    /// Starts a task. Its name says what it does, for `/readyz` and the log.
    pub(crate) fn spawn(&self, task: impl Into<String>, run: impl Future<Output = ()> + Send + 'static) {
        let (task, ends) = (task.into(), self.ends.clone());
        self.lock().spawn(async move {
            // what a task that panicked leaves behind is used by nobody: the process ends
            let outcome = match AssertUnwindSafe(run).catch_unwind().await {
                Ok(()) => TaskOutcome::Returned,
                Err(_) => TaskOutcome::Panicked,
            };
            // nobody is left to hear: the owner is gone
            let _ = ends.send(TaskEnd { task, outcome });
        });
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
