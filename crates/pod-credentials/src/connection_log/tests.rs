use super::*;

#[test]
fn a_flood_is_one_line_in_a_while_with_its_number() {
    let (mut limiter, begin) = (Limiter::default(), Instant::now());
    assert_eq!(limiter.count(begin), Some(1));
    for _ in 0..1000 {
        assert_eq!(limiter.count(begin + BETWEEN_LOGS / 2), None);
    }
    assert_eq!(limiter.count(begin + BETWEEN_LOGS), Some(1001));
    assert_eq!(limiter.count(begin + 2 * BETWEEN_LOGS), Some(1));
}

#[test]
fn only_what_costs_a_client_a_certificate_is_logged_each_time() {
    let client = ([127, 0, 0, 1], 1).into();
    let kind = |error: rustls::Error| {
        Failure::of_handshake(client, &io::Error::new(io::ErrorKind::InvalidData, error)).kind
    };
    let refused = rustls::CertificateError::UnknownIssuer;
    assert_eq!(kind(rustls::Error::InvalidCertificate(refused)), Kind::Refused);
    assert_eq!(kind(PeerError::MaySign.into()), Kind::Refused);
    assert_eq!(kind(rustls::Error::NoCertificatesPresented), Kind::Broken);
    assert_eq!(kind(rustls::Error::AlertReceived(rustls::AlertDescription::UnknownCA)), Kind::Broken);
    assert_eq!(kind(rustls::InvalidMessage::InvalidContentType.into()), Kind::Broken);
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    assert_eq!(Failure::of_handshake(client, &reset).kind, Kind::Broken);
}
