//! The signals that end a process in good order.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM, which kubelet sends before it ends a container, or SIGINT, which is Ctrl-C.
///
/// # Errors
/// If the handlers can't be installed. They are installed at once, not only when the future is first polled.
pub fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
