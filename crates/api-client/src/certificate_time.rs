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
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_certificate_that_is_not_valid_by_this_clock_is_told_with_both_times() {
        let expired =
            CertificateError::ExpiredContext { time: at(1_900_000_000), not_after: at(1_800_000_000) };
        let early = CertificateError::NotValidYetContext { time: at(0), not_before: at(1_800_000_000) };
        for (error, both) in [
            (expired, ["clock says 2030-03-17T17:46Z", "valid until 2027-01-15T08:00Z"]),
            (early, ["clock says 1970-01-01T00:00Z", "valid from 2027-01-15T08:00Z"]),
        ] {
            let tls = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(error));
            let text = certificate_time_problem(&kube::Error::Service(Box::new(tls))).unwrap();
            assert!(both.iter().all(|part| text.contains(part)), "{text}");
        }
        assert_eq!(certificate_time_problem(&io::Error::other("refused")), None);
    }
}
