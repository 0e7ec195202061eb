//! Conditions, reasons and events: this module alone knows their strings, and writes them.

pub(crate) mod condition;
mod event_queue;
pub(crate) mod events;
