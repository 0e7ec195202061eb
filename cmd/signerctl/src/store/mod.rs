//! Where pools are kept: files and Secrets.

pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod edit;
pub(crate) mod file;
pub(crate) mod place;
pub(crate) mod plain;
pub(crate) mod secret;
