//! kubectl, as a user runs it.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    error::Error,
    program::{self, blocking},
};

/// Between two looks.
const PULSE: Duration = Duration::from_millis(500);

/// What a look has found.
pub(super) enum Seen<T> {
    /// What was waited for.
    Done(T),
    /// What is still missing, in a few words.
    Missing(String),
}

/// An administrator's kubectl.
#[derive(Debug, Clone)]
pub(super) struct Kubectl {
    pub(super) program: PathBuf,
    pub(super) kubeconfig: PathBuf,
}

impl Kubectl {
    /// Runs it with arguments that are separated by spaces, and returns what it wrote.
    ///
    /// # Errors
    /// [`Error::Program`]
    pub(super) async fn run(&self, arguments: &str) -> Result<String, Error> {
        let mut command = self.command();
        command.args(arguments.split(' '));
        let output = blocking(move || program::output(&mut command)).await;
        output.map_err(|error| match error {
            Error::Program { status, output, .. } => {
                Error::Program { program: format!("kubectl {arguments}"), status, output }
            }
            other => other,
        })
    }

    /// Runs it with `-o json`, and returns what it wrote.
    ///
    /// # Errors
    /// [`Error::Program`], [`Error::Unmet`] if that isn't JSON
    pub(super) async fn json(&self, arguments: &str) -> Result<Value, Error> {
        let text = self.run(&format!("{arguments} -o json")).await?;
        serde_json::from_str(&text)
            .map_err(|error| Error::Unmet(format!("kubectl {arguments}: no JSON: {error}")))
    }

    /// The items of a list.
    ///
    /// # Errors
    /// As [`Kubectl::json`].
    pub(super) async fn list(&self, arguments: &str) -> Result<Vec<Value>, Error> {
        let Value::Array(items) = self.json(&format!("get {arguments}")).await?["items"].take() else {
            return Err(Error::Unmet(format!("kubectl get {arguments}: no list")));
        };
        Ok(items)
    }

    /// The command without arguments.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("kubectl").arg("--kubeconfig").arg(&self.kubeconfig);
        command
    }
}

/// Looks until it is there.
///
/// # Errors
/// The look's own, and [`Error::Unmet`] with what is still missing after that time.
pub(super) async fn until<T>(
    most: Duration,
    mut told: impl FnMut(&str),
    mut look: impl AsyncFnMut() -> Result<Seen<T>, Error>,
) -> Result<T, Error> {
    let began = Instant::now();
    loop {
        let missing = match look().await? {
            Seen::Done(done) => return Ok(done),
            Seen::Missing(missing) => missing,
        };
        if began.elapsed() > most {
            return Err(Error::Unmet(format!("after {} s: {missing}", most.as_secs())));
        }
        told(&missing);
        tokio::time::sleep(PULSE).await;
    }
}
