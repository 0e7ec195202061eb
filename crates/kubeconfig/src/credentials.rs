//! The header `Authorization`.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::{
    Error,
    files::{self, LARGEST_TOKEN},
};

/// The header for a user name and a password.
pub(crate) fn basic(user: &str, password: &str) -> Result<HeaderValue, Error> {
    let both = Zeroizing::new(format!("{user}:{password}"));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(both.as_bytes())));
    sensitive(&text).ok_or_else(|| Error::Tls("base64 is no header".into()))
}

/// The header for a token, which must be one line.
pub(crate) fn bearer(token: &str, user: &str, from: &str) -> Result<HeaderValue, Error> {
    sensitive(&Zeroizing::new(format!("Bearer {token}"))).ok_or_else(|| Error::Entry {
        entry: user.to_owned(),
        problem: format!("{from} holds a line break or a control character, which no header of HTTP may have; write the token on one line without a line break at its end"),
    })
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The token in a file, without the white space around it.
pub(crate) fn token_of(file: &Path, user: &str) -> Result<HeaderValue, Error> {
    let wrong = |problem: &str| Error::Entry {
        entry: user.to_owned(),
        problem: format!("`tokenFile` {} {problem}", file.display()),
    };
    let content = files::read(file, LARGEST_TOKEN)?
        .ok_or_else(|| wrong("doesn't exist; correct the path, or make the file"))?;
    let token = str::from_utf8(&content).map_err(|_| wrong("is no text; it must hold a token"))?.trim();
    if token.is_empty() {
        return Err(wrong("is empty; it must hold a token"));
    }
    bearer(token, user, &format!("`tokenFile` {}", file.display()))
}

#[cfg(test)]
mod tests;
