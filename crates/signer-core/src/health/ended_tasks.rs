//! Background tasks that ended though nobody stopped them: `/readyz` and a metric name them.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{family::Family, gauge::Gauge},
};

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskOutcome {
    Returned,
    Panicked,
}

/// The end of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskEnd {
    pub(crate) task: String,
    pub(crate) outcome: TaskOutcome,
}

impl fmt::Display for TaskEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, outcome } = self;
        match outcome {
            TaskOutcome::Returned => write!(f, "the task \"{task}\" has ended"),
            TaskOutcome::Panicked => write!(f, "the task \"{task}\" has ended: it panicked"),
        }
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
            "{end}. The process finishes the running evaluations and ends, for kubelet to restart it"
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
