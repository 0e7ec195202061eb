//! A long-running program of the node, with its log.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::layout;
use crate::error::Error;

/// After this, an end is enforced.
const END: Duration = Duration::from_secs(10);

/// Ends with the node's namespaces, if not before.
#[derive(Debug)]
pub(super) struct Component {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    child: Child,
}

impl Component {
    /// Starts it, with its output in a log of its name.
    pub(super) fn start(name: &'static str, program: &Path, arguments: &[&str]) -> Result<Self, Error> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let child = spawn(name, program, &arguments)?;
        Ok(Self { name, program: program.to_owned(), arguments, child })
    }

    /// Fails if it has ended by itself.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        match self.child.try_wait().map_err(Error::io("waiting for", self.name))? {
            None => Ok(()),
            Some(status) => {
                let log = log(self.name);
                Err(Error::Unmet(format!("{} ended by itself ({status}); see {}", self.name, log.display())))
            }
        }
    }

    /// Tells it to end, waits for that, and starts it again.
    pub(super) async fn restart(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::TERM));
        }
        while self.child.try_wait().map_err(Error::io("waiting for", self.name))?.is_none() {
            if began.elapsed() > END {
                let _ = self.child.kill();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.child = spawn(self.name, &self.program, &self.arguments)?;
        Ok(())
    }
}

fn spawn(name: &str, program: &Path, arguments: &[String]) -> Result<Child, Error> {
    let path = log(name);
    let output =
        File::options().create(true).append(true).open(&path).map_err(Error::io("opening", &path))?;
    let both = output.try_clone().map_err(Error::io("opening", &path))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(output).stderr(both);
    command.spawn().map_err(Error::io("running", program))
}

fn log(name: &str) -> PathBuf {
    layout::logs().join(format!("{name}.log"))
}
