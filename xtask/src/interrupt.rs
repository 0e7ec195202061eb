//! Ctrl-C and SIGTERM as an ordinary event, so that what was started is ended and removed.

use std::future::Future;

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::error::Error;

/// Tells whether the user wants to end. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Begins to listen; from now on Ctrl-C no longer ends the process by itself.
    fn listen() -> std::io::Result<Self> {
        let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            sender.send_replace(true);
            // Stays, so that the receivers go on reading the last value.
            sender.closed().await;
        });
        Ok(Self(receiver))
    }

    /// Waits for the interruption.
    pub(crate) async fn requested(&mut self) {
        // An error means that the listener is gone, with the runtime.
        let _ = self.0.wait_for(|requested| *requested).await;
    }

    /// Runs something until it ends or the user interrupts.
    ///
    /// # Errors
    /// Its own, and [`Error::Interrupted`].
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            result = work => result,
            () = self.requested() => Err(Error::Interrupted),
        }
    }
}

/// Runs an async command. What blocks in the background when it ends (a build) is not waited for.
pub(crate) fn block_on<F: Future<Output = Result<(), Error>>>(
    command: impl FnOnce(Interrupt) -> F,
) -> Result<(), Error> {
    let runtime = Runtime::new().map_err(Error::io("starting threads in", "this process"))?;
    let result = runtime.block_on(async {
        let interrupt = Interrupt::listen().map_err(Error::io("listening for signals in", "this process"))?;
        command(interrupt).await
    });
    runtime.shutdown_background();
    result
}
