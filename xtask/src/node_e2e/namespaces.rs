//! The node's own namespaces: its processes, mounts, interfaces and packet filters go when its first process
//! goes.

use std::{
    env,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use test_cluster::Minor;

use crate::{error::Error, interrupt::Interrupt, prerequisites::search_path};

/// What the node's first process returns after an interruption.
const INTERRUPTED: i32 = 130;

/// Runs this program's hidden command as process 1 of new namespaces, and waits for its end.
///
/// It ends when its standard input does: when we want it to, and when we are gone, be it by SIGKILL.
///
/// # Errors
/// [`Error::Interrupted`]; [`Error::NodeFailed`] if it ended with an error, which it has told.
pub(super) async fn run(minor: Minor, keep: bool, interrupt: &mut Interrupt) -> Result<(), Error> {
    let program = env::current_exe().map_err(Error::io("looking for", "this program"))?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--"]);
    command.arg(program).args(["node-e2e-inside", "--kubernetes", &minor.to_string()]);
    command.args(keep.then_some("--keep")).stdin(Stdio::piped());
    // What the node runs calls root's programs.
    command.env("PATH", search_path());
    // Ctrl-C is for us.
    command.process_group(0);
    let mut node = Node(command.spawn().map_err(Error::io("running", "unshare"))?);
    tokio::select! {
        status = node.ended() => match status? {
            0 => Ok(()),
            INTERRUPTED => Err(Error::Interrupted),
            _ => Err(Error::NodeFailed),
        },
        () = interrupt.requested() => {
            drop(node.0.stdin.take());
            let _ = tokio::time::timeout(Duration::from_secs(10), node.ended()).await;
            Err(Error::Interrupted)
        }
    }
}

/// Dropped, it is killed, and all in its namespaces with it.
struct Node(Child);

impl Node {
    async fn ended(&mut self) -> Result<i32, Error> {
        loop {
            if let Some(status) = self.0.try_wait().map_err(Error::io("waiting for", "unshare"))? {
                return Ok(status.code().unwrap_or(1));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
