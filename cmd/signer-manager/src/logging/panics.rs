//! Panics go to the log: in its format, and without what the panicking code had in hand.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::{self, PanicHookInfo},
    thread,
};

/// From now on, panics are logged.
pub(super) fn log() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = thread::current().name().unwrap_or("unnamed").to_owned();
        let message = message(info);
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            tracing::error!(place, thread, "panic: {message}\n{backtrace}");
        } else {
            tracing::error!(place, thread, "panic: {message}");
        }
    }));
}

/// A text that stands in the code. One that was made at run time may hold what an object or a key says
/// (`unwrap` prints the error's `Debug`), so it isn't shown: the place tells more.
fn message(info: &PanicHookInfo<'_>) -> &'static str {
    let text = info.payload().downcast_ref::<&'static str>();
    text.copied().unwrap_or("its message isn't logged, as it may hold data; report the place as a bug")
}
