//! TLS to the API server that fails because of the clock: then no answer comes that could set it.

use std::{error::Error, io, iter::successors};

use jiff::Timestamp;
use rustls::{CertificateError, pki_types::UnixTime};

/// What to tell where the API server's certificate isn't valid at this machine's time, which TLS goes by.
#[must_use]
pub fn certificate_time_problem(error: &(dyn Error + 'static)) -> Option<String> {
    let (now, limit, bound) = successors(Some(error), |error| inner(*error)).find_map(times)?;
    Some(format!(
        "this machine's clock says {}, and the API server's certificate is valid {limit} {}. Set the clock (NTP) if it is \
         wrong; else renew the API server's certificate",
        text(now),
        text(bound)
    ))
}

/// An I/O error hands out the cause of what it wraps, but not that itself.
fn inner<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn times(error: &(dyn Error + 'static)) -> Option<(UnixTime, &'static str, UnixTime)> {
    match error.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after }) => {
            Some((*time, "until", *not_after))
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before }) => {
            Some((*time, "from", *not_before))
        }
        _ => None,
    }
}

fn text(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    // without seconds, the text of one problem stays the same for a while
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or("a time out of range".to_owned(), |time| time.strftime("%Y-%m-%dT%H:%MZ").to_string())
}

#[cfg(test)]
mod tests;
