//! `check-config`: validates a configuration and shows what would run.

use std::path::Path;

use crate::{
    config::{Config, ConfigErrors},
    summary::Summary,
};

/// What would run, for people to read.
///
/// # Errors
/// All that is wrong with the configuration.
pub fn check_config(file: &Path) -> Result<String, ConfigErrors> {
    let config = Config::load(file)?;
    Ok(Summary { file: &file.display().to_string(), config: &config }.to_string())
}
