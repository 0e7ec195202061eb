//! What people and programs read of a pool.

pub(crate) mod ca_table;
pub(crate) mod created;
#[cfg(test)]
pub(crate) mod golden;
pub(crate) mod json;
pub(crate) mod outlook;
pub(crate) mod shell;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod timeline;
pub(crate) mod times;
pub(crate) mod to_do;
pub(crate) mod wrap;
