use std::time::Duration;

use super::*;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[test]
fn a_certificate_that_is_not_valid_by_this_clock_is_told_with_both_times() {
    let expired = CertificateError::ExpiredContext { time: at(1_900_000_000), not_after: at(1_800_000_000) };
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
