use axum::http::HeaderValue;

use super::*;

fn with(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
}

#[test]
fn a_token_is_what_stands_behind_bearer() {
    for (value, expected) in [
        ("Bearer abc.def", Some("abc.def")),
        ("bearer  abc ", Some("abc")),
        ("Bearer ", None),
        ("Bearer", None),
        ("Basic dXNlcjpwYXNz", None),
        ("abc", None),
    ] {
        assert_eq!(bearer_token(&with(value)), expected, "{value}");
    }
    assert_eq!(bearer_token(&HeaderMap::new()), None);
}

#[test]
fn refusals_say_what_to_change_and_never_the_token() {
    let forbidden = Refusal::Forbidden {
        user: "system:serviceaccount:a:b".into(),
        verb: "get".into(),
        path: "/metrics".into(),
    };
    for (refusal, code) in [
        (Refusal::NoToken, StatusCode::UNAUTHORIZED),
        (Refusal::UnknownToken, StatusCode::UNAUTHORIZED),
        (forbidden, StatusCode::FORBIDDEN),
        (Refusal::Unavailable("TokenReview: no answer".into()), StatusCode::SERVICE_UNAVAILABLE),
    ] {
        assert_eq!(refusal.into_response().status(), code);
    }
}
