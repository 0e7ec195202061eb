//! The controller that answers `PodCertificateRequest`s: its command line, its configuration, and how signers
//! are made of them. All else is [`signer_core`]'s business.

mod audit_file;
pub mod bundle_endpoint;
pub mod causes;
pub mod check_config;
pub mod cli;
pub mod config;
mod logging;
pub mod run;
mod summary;

pub use config::{Config, ConfigErrors, SignerConfig};
