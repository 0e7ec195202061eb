//! Background tasks: each runs until the manager stops, and has one owner that notices its end.

use std::{
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::FutureExt;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{family::Family, gauge::Gauge},
};
use tokio::{sync::mpsc, task::JoinSet};

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Returned,
    Panicked,
}

/// The end of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskEnd {
    pub(crate) task: String,
    pub(crate) how: How,
}

impl fmt::Display for TaskEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, how } = self;
        match how {
            How::Returned => write!(f, "the task \"{task}\" has ended"),
            How::Panicked => write!(f, "the task \"{task}\" has ended: it panicked"),
        }
    }
}

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
            let how = match AssertUnwindSafe(run).catch_unwind().await {
                Ok(()) => How::Returned,
                Err(_) => How::Panicked,
            };
            // nobody is left to hear: the owner is gone
            let _ = ends.send(TaskEnd { task, how });
        });
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks that ended though nobody stopped them.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndedTasks(Arc<Mutex<Vec<TaskEnd>>>);

impl EndedTasks {
    /// Notes one, and logs it.
    pub(crate) fn add(&self, end: TaskEnd) {
        tracing::error!(
            task = end.task,
            "{end}. The process finishes the requests in hand and ends, for kubelet to restart it"
        );
        self.lock().push(end);
    }

    pub(crate) fn list(&self) -> Vec<TaskEnd> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TaskEnd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for EndedTasks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let ended = Family::<[(&str, String); 1], Gauge>::default();
        for end in self.list() {
            ended.get_or_create(&[("task", end.task)]).set(1);
        }
        let help = "1 for each background task that has ended; the process ends then";
        ended.encode(encoder.encode_descriptor("ended_task", help, None, ended.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn each_end_is_noticed_with_its_kind() {
        let mut supervisor = Supervisor::new();
        supervisor.spawner().spawn("one that goes on", pending());
        supervisor.spawner().spawn("one that panics", async { panic!("a bug") });
        let end = supervisor.next_end().await;
        assert_eq!(end.to_string(), "the task \"one that panics\" has ended: it panicked");
        supervisor.spawner().spawn("one that returns", async {});
        assert_eq!(supervisor.next_end().await.to_string(), "the task \"one that returns\" has ended");
    }

    #[tokio::test]
    async fn tasks_end_with_their_owner_though_they_start_others() {
        let supervisor = Supervisor::new();
        let (spawner, (held, dropped)) = (supervisor.spawner().clone(), oneshot::channel::<()>());
        supervisor.spawner().spawn("outer", async move {
            spawner.spawn("inner", async move {
                let _held = held;
                pending().await
            });
            pending().await
        });
        tokio::task::yield_now().await;
        drop(supervisor);
        assert!(dropped.await.is_err());
    }
}
