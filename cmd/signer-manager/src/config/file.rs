//! Reading the configuration's file.

use std::{fs::File, io::Read, path::Path};

use super::{Config, ConfigError, ConfigErrors};

/// The longest file that is read: hundreds of signers fit.
pub(super) const LONGEST: u64 = 1024 * 1024;

impl Config {
    /// Reads and validates a file.
    ///
    /// # Errors
    /// If it can't be read, is longer than 1 MiB, isn't UTF-8, or holds no valid configuration.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        let name = path.display().to_string();
        match read(path) {
            Ok(text) => Self::parse(&text, &name),
            Err(message) => Err(ConfigErrors::of_file(&name, message)),
        }
    }
}

impl ConfigErrors {
    /// An error about a file as a whole.
    pub(super) fn of_file(file: &str, message: String) -> Self {
        let error = ConfigError { position: None, field: String::new(), message };
        Self { file: file.to_owned(), errors: vec![error] }
    }
}

pub(super) fn too_long() -> String {
    "is longer than 1 MiB, the most that a configuration may have".to_owned()
}

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("can't be read: {error}");
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(too_long());
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        format!("is not UTF-8: the byte at offset {offset} belongs to no character")
    })
}

#[cfg(test)]
mod tests;
