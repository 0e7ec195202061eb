use super::*;

#[test]
fn debug_tells_the_cause_too() {
    let error =
        Error::Io { doing: "reading", path: "/nowhere".into(), source: io::Error::other("no such disk") };
    assert_eq!(format!("{error:?}"), "reading: /nowhere: no such disk");
}

#[test]
fn a_refusal_shows_the_api_servers_message_and_code() {
    let status = kube::core::Status::failure("pods \"a\" is forbidden", "Forbidden").with_code(403);
    let error = Error::api(|| "creating pod a".into())(kube::Error::Api(status.boxed()));
    assert_eq!(format!("{error:?}"), "creating pod a: pods \"a\" is forbidden (403 Forbidden)");
    assert_eq!(error.code(), Some(403));
}
