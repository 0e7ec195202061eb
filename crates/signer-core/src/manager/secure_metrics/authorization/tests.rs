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

#[tokio::test]
async fn refusals_say_what_to_change() {
    let forbidden = |evaluation_error: &str| Refusal::Forbidden {
        user: "system:serviceaccount:a:b".into(),
        verb: "get".into(),
        path: "/metrics".into(),
        evaluation_error: evaluation_error.into(),
    };
    for (refusal, code, expected) in [
        (Refusal::NoToken, StatusCode::UNAUTHORIZED, &["Authorization: Bearer TOKEN"][..]),
        (Refusal::UnknownToken, StatusCode::UNAUTHORIZED, &["may have expired"]),
        (
            forbidden(""),
            StatusCode::FORBIDDEN,
            &["system:serviceaccount:a:b may not get /metrics", "nonResourceURLs [/metrics]", "verbs [get]"],
        ),
        (forbidden("role x is gone"), StatusCode::FORBIDDEN, &["nonResourceURLs", "role x is gone"]),
        (
            Refusal::Unavailable("TokenReview: no answer".into()),
            StatusCode::SERVICE_UNAVAILABLE,
            &["TokenReview: no answer"],
        ),
    ] {
        let response = refusal.into_response();
        assert_eq!(response.status(), code);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(expected.iter().all(|part| body.contains(part)) && body.ends_with('\n'), "{body}");
    }
}

#[tokio::test]
async fn what_was_allowed_counts_for_a_minute_and_for_so_many() {
    let client = Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    let authorizer = Authorizer::new(client);
    let now = Instant::now();
    authorizer.remember(b"a".to_vec(), now);
    for (seconds, is_remembered) in [(0, true), (59, true), (60, false), (3600, false)] {
        assert_eq!(
            authorizer.is_remembered(b"a", now + Duration::from_secs(seconds)),
            is_remembered,
            "{seconds}"
        );
    }
    assert!(!authorizer.is_remembered(b"b", now));
    for i in 0..100_u8 {
        authorizer.remember(vec![i], now);
    }
    assert_eq!(authorizer.allowed.lock().unwrap().len(), MOST_REMEMBERED);
    // they make room when their time is over
    let later = now + ALLOWED_FOR;
    authorizer.remember(b"new".to_vec(), later);
    assert!(authorizer.is_remembered(b"new", later) && authorizer.allowed.lock().unwrap().len() == 1);
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
