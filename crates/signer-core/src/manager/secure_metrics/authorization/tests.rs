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
        evaluation_error: String::new(),
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

#[tokio::test]
async fn a_scraper_hears_in_time_that_the_api_server_does_not_answer() {
    // takes connections, and never answers
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap();
    let authorizer = Authorizer { review_timeout: Duration::from_millis(20), ..Authorizer::new(client) };
    let refusal = authorizer.check(&with("Bearer abc"), &Method::GET, "/metrics").await;
    assert_eq!(refusal, Err(Refusal::Unavailable("no answer within 20ms".to_owned())));
}
