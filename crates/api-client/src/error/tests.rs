use super::*;

#[test]
fn what_happens_to_connections_is_said_in_plain_words() {
    for (kind, text) in [
        (io::ErrorKind::ConnectionRefused, "the API server refuses connections"),
        (io::ErrorKind::UnexpectedEof, "the API server has closed the connection"),
    ] {
        let error = io::Error::new(kind, "see https://docs.rs");
        assert_eq!(describe(&kube::Error::Service(Box::new(error))), text);
    }
    assert_eq!(describe(&kube::Error::Service("a page is missing".into())), "a page is missing");
}
