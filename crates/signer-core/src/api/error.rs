//! What an error of a call says.

use crate::clock::certificate_time_problem;

/// Whether the API server answered with this HTTP status.
pub(crate) fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// An error with its causes, each once: kube's texts often repeat the cause that they wrap.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(problem) = certificate_time_problem(error) {
        return problem;
    }
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        if let Some(kube::Error::Api(status)) = cause.downcast_ref::<kube::Error>() {
            return format!("the API server answers {} {}: {}", status.code, status.reason, status.message);
        }
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
