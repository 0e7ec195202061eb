//! How a watch has gone so far: whether it works, what is said of it, and how long it pauses.

use std::time::Duration;

use tokio::time::{self, Instant};

use super::Times;
use crate::{
    api::error::{describe, is_status},
    health::{Component, SignerHealth},
};

/// Why a watch begins anew.
#[derive(Debug)]
pub(super) struct Failure {
    cause: Cause,
    /// Whether it was a list or a look that failed: then the API server doesn't serve.
    is_of_list: bool,
}

#[derive(Debug)]
enum Cause {
    Error(kube::Error),
    Message(&'static str),
}

impl Failure {
    pub(super) fn list(error: kube::Error) -> Self {
        Self { cause: Cause::Error(error), is_of_list: true }
    }

    pub(super) fn watch(error: impl Into<kube::Error>) -> Self {
        Self { cause: Cause::Error(error.into()), is_of_list: false }
    }

    pub(super) fn no_version() -> Self {
        Self { cause: Cause::Message("the API server's list has no resourceVersion"), is_of_list: true }
    }

    pub(super) fn silent() -> Self {
        Self::message("the API server hasn't ended the watch in time: the connection is dead")
    }

    pub(super) fn ended_early() -> Self {
        Self::message("the API server or a proxy has ended the watch out of time")
    }

    pub(super) fn not_a_watch() -> Self {
        Self::message("the answer isn't a watch of an API server; see what stands in between")
    }

    fn message(text: &'static str) -> Self {
        Self { cause: Cause::Message(text), is_of_list: false }
    }

    pub(super) fn is_status(&self, code: u16) -> bool {
        matches!(&self.cause, Cause::Error(error) if is_status(error, code))
    }

    /// What is wrong, and what can be done about it.
    pub(super) fn text(&self) -> String {
        match &self.cause {
            Cause::Message(text) => (*text).to_owned(),
            Cause::Error(error) => format!("{}{}", describe(error), remedy(error)),
        }
    }
}

fn remedy(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::Api(status) => match status.code {
            401 => {
                "; the API server doesn't know the caller: check the service account and its token, or the kubeconfig"
            }
            403 => "; grant the controller's service account list and watch on them, as its ClusterRole does",
            _ => "",
        },
        _ => "; check that the API server runs and that its address can be reached from here",
    }
}

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// How many times the longest pause is kept where lists work and watches don't: that isn't an outage that
/// ends any moment, and each list is work.
const AFTER_LISTS: u32 = 4;

pub(super) struct Progress {
    component: Component,
    health: Vec<SignerHealth>,
    times: Times,
    /// Since it has last worked.
    failures: u32,
    /// Whether it was a watch that failed last, after a list that worked.
    lost_a_watch: bool,
    /// When it will have lasted long enough.
    proven_at: Option<Instant>,
    /// When the pause after a failure is over.
    resume_at: Option<Instant>,
}

impl Progress {
    pub(super) fn new(component: Component, health: Vec<SignerHealth>, times: Times) -> Self {
        Self { component, health, times, failures: 0, lost_a_watch: false, proven_at: None, resume_at: None }
    }

    pub(super) fn component(&self) -> Component {
        self.component
    }

    pub(super) async fn pause(&mut self) {
        if let Some(resume_at) = self.resume_at.take() {
            time::sleep_until(resume_at).await;
        }
    }

    /// A list has come whole. That proves nothing after a watch that failed: the next one has to last.
    pub(super) fn listed(&mut self) {
        if !self.lost_a_watch {
            self.works();
        }
    }

    /// A watch has begun.
    pub(super) fn connected(&mut self) {
        if self.failures > 0 {
            self.proven_at = Some(Instant::now() + self.times.probation);
        }
    }

    pub(super) fn proven_at(&self) -> Option<Instant> {
        self.proven_at
    }

    pub(super) fn works(&mut self) {
        (self.failures, self.lost_a_watch, self.proven_at) = (0, false, None);
        self.health.iter().for_each(|health| health.recovered(self.component));
    }

    /// A watch that is lost once is no problem yet: it begins anew at once. Returns whether what is known
    /// gets old.
    pub(super) fn fail(&mut self, failure: &Failure) -> bool {
        self.failures += 1;
        self.lost_a_watch = !failure.is_of_list;
        self.proven_at = None;
        let longest = match failure.is_of_list {
            true => self.times.longest_pause,
            false => self.times.longest_pause * AFTER_LISTS,
        };
        self.resume_at = Some(Instant::now() + pause(self.failures, longest, random()));
        let problem = format!("watching {}: {}", self.component, failure.text());
        let is_failing = failure.is_of_list || self.failures > 1;
        if is_failing {
            self.health.iter().for_each(|health| health.failed(self.component, &problem));
        } else {
            tracing::info!("{problem}; it begins anew");
        }
        is_failing
    }
}

/// Doubles with each failure, less up to a half of it: replicas and kinds don't come back all at once.
fn pause(failures: u32, longest: Duration, random: u8) -> Duration {
    let doubled =
        FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let whole = doubled.min(longest);
    whole - whole * u32::from(random) / 512
}

/// Without random numbers, pauses are the longest.
pub(super) fn random() -> u8 {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte).map_or(0, |()| byte[0])
}

#[cfg(test)]
mod tests;
