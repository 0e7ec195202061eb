//! What an error of a call says.

use std::io;

use crate::certificate_time_problem;

/// Whether the API server answered with this HTTP status.
pub fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// An error with its causes, each once: kube's texts often repeat the cause that they wrap.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(problem) = certificate_time_problem(error) {
        return problem;
    }
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        if let Some(kube::Error::Api(status)) = cause.downcast_ref::<kube::Error>() {
            return format!("the API server answers {} {}: {}", status.code, status.reason, status.message);
        }
        let plain = cause.downcast_ref::<io::Error>().and_then(in_plain_words);
        let cause = plain.map_or_else(|| cause.to_string(), str::to_owned);
        // which layer of the client has failed says nothing to whoever reads this
        let cause = cause.trim_start_matches("ServiceError: ").trim_start_matches("HyperError: ");
        if plain.is_some() || text.is_empty() {
            text = cause.to_owned();
        } else if !text.contains(cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// What happens to connections all the time. rustls tells of an end without its alert in a paragraph with a
/// link.
fn in_plain_words(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("the API server refuses connections"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Some("the API server has broken the connection off")
        }
        io::ErrorKind::UnexpectedEof => Some("the API server has closed the connection"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
