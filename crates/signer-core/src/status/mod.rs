//! Conditions, reasons and events: this module alone knows their strings, and writes them.

pub(crate) mod condition;
pub(crate) mod events;
pub mod reasons;
pub(crate) mod writer;
