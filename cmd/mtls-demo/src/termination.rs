//! When to end.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM, by which kubelet ends a container, or SIGINT. As process 1 of a container it must be
/// asked for: nothing is done by default.
pub(crate) fn termination() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
