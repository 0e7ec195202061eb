use super::*;

#[test]
fn each_cause_is_said_once_and_no_layer_is_named() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(causes(&kube::Error::Service(refused.into())), "connection refused");
}

#[test]
fn the_date_of_http_is_read() {
    let headers = HeaderMap::from_iter([(DATE, "Sun, 22 Nov 2026 10:00:00 GMT".parse().unwrap())]);
    assert_eq!(date(&headers), Some("2026-11-22T10:00:00Z".parse().unwrap()));
    assert_eq!(date(&HeaderMap::new()), None);
}
