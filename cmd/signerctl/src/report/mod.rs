//! What people and programs read of a pool.

pub(crate) mod ca_table;
pub(crate) mod created;
pub(crate) mod json;
pub(crate) mod outlook;
pub(crate) mod page;
pub(crate) mod timeline;
pub(crate) mod to_do;
