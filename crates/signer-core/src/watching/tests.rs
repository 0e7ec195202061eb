use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use kube::{Client, client::Body};
use tokio::time;

use super::*;
use crate::{cluster::Pod, health::Health};

/// What a watch asks the API server for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    List,
    Page(&'static str),
    Look,
    Watch(&'static str),
}

/// What it gets.
enum Answer {
    Refused(u16),
    /// This, and then the end.
    Whole(String),
    /// This, and then nothing any more.
    Open(String),
    /// This, and then an error.
    Broken(String),
}

use Answer::{Broken, Open, Refused, Whole};
use Asked::{List, Look, Page, Watch as Watching};

type Script = Arc<Mutex<VecDeque<(Asked, Answer)>>>;

fn asked(uri: &http::Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let parameter = |name: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned)
    };
    match (parameter("watch"), parameter("limit"), parameter("continue")) {
        (Some(_), _, _) => format!("watch {}", parameter("resourceVersion").unwrap_or_default()),
        (None, Some(limit), _) if limit == "1" => "look".to_owned(),
        (None, _, Some(page)) => format!("page {page}"),
        _ => "list".to_owned(),
    }
}

fn expected(asked: &Asked) -> String {
    match asked {
        List => "list".to_owned(),
        Page(token) => format!("page {token}"),
        Look => "look".to_owned(),
        Watching(version) => format!("watch {version}"),
    }
}

/// An API server that expects to be asked in this order.
fn server(script: Script) -> Client {
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let next = script.lock().unwrap().pop_front();
        async move {
            let Some((what, answer)) = next else { return std::future::pending().await };
            assert_eq!(asked(request.uri()), expected(&what), "{}", request.uri());
            let frame = |text: String| Ok(Bytes::from(text));
            let (code, body) = match answer {
                Refused(code) => {
                    let status = serde_json::json!({"status": "Failure", "reason": "R", "message": "no", "code": code});
                    (code, stream::iter([frame(status.to_string())]).boxed())
                }
                Whole(text) => (200, stream::iter([frame(text)]).boxed()),
                Open(text) => (200, stream::iter([frame(text)]).chain(stream::pending()).boxed()),
                Broken(text) => (200, stream::iter([frame(text), Err(io::Error::other("cut"))]).boxed()),
            };
            let answer =
                http::Response::builder().status(code).body(axum::body::Body::from_stream(body)).unwrap();
            Ok::<_, Infallible>(answer)
        }
    });
    Client::new(service, "default")
}

/// So long that nothing ends out of time.
const LONG: Duration = Duration::from_secs(3600);

/// Every end is in time, and silence is no matter.
const PATIENT: Times = Times {
    lasts: LONG,
    tolerance: LONG.saturating_mul(2),
    probation: LONG,
    longest_pause: Duration::from_millis(1),
};

/// Plays a script, and says what was told, with whether the signer was ready then; as many as are told when
/// all was asked for.
async fn play(times: Times, script: Vec<(Asked, Answer)>, expected: &[(&str, bool)]) {
    let health = Health::default();
    let signer = health.signer(&"example.com/a".parse().unwrap(), &[Component::Pods]);
    let script = Arc::new(Mutex::new(VecDeque::from(script)));
    let collection = Collection {
        client: server(script.clone()),
        path: "/api/v1/pods".to_owned(),
        field_selector: Some("status.phase=Pending".to_owned()),
    };
    let mut watched = Box::pin(watch_with::<Pod>(
        collection,
        times,
        Component::Pods,
        vec![signer],
        WatchMetrics::default(),
    ));
    let mut told = Vec::new();
    for _ in expected {
        let what = tell(&time::timeout(LONG, watched.next()).await.unwrap().unwrap());
        told.push((what, health.report().signers[0].problems.is_empty()));
    }
    let expected: Vec<_> = expected.iter().map(|(what, is_ready)| ((*what).to_owned(), *is_ready)).collect();
    assert_eq!(told, expected);
    assert_eq!(script.lock().unwrap().len(), 0, "all must have been asked for");
}

fn tell(watched: &Watched<Pod>) -> String {
    match watched {
        Watched::Event(Event::Init) => "list".to_owned(),
        Watched::Event(Event::InitApply(pod)) => format!("has {}", pod.name),
        Watched::Event(Event::InitDone) => "listed".to_owned(),
        Watched::Event(Event::Apply(pod)) => format!("changed {}", pod.name),
        Watched::Event(Event::Delete(pod)) => format!("deleted {}", pod.name),
        Watched::Unreadable(unreadable) => format!("unreadable {}", unreadable.name),
        Watched::Failing => "failing".to_owned(),
        Watched::Gone => "gone".to_owned(),
    }
}

fn pod(name: &str, version: &str) -> String {
    format!(r#"{{"metadata":{{"name":"{name}","namespace":"shop","resourceVersion":"{version}"}}}}"#)
}

/// A pod with what any tenant may write into its metadata.
fn poisoned(name: &str, version: &str) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop","resourceVersion":"{version}","managedFields":[{{"time":"9999-12-31T00:00:00Z"}}]}}}}"#
    )
}

fn list_of(version: &str, continue_token: &str, items: &[String]) -> String {
    format!(
        r#"{{"kind":"PodList","metadata":{{"resourceVersion":"{version}","continue":"{continue_token}"}},"items":[{}]}}"#,
        items.join(",")
    )
}

fn list(version: &str) -> (Asked, Answer) {
    (List, Whole(list_of(version, "", &[])))
}

fn look(version: &str) -> (Asked, Answer) {
    (Look, Whole(list_of(version, "more", &[poisoned("other", "1")])))
}

fn event(type_: &str, object: &str) -> String {
    format!("{{\"type\":\"{type_}\",\"object\":{object}}}\n")
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_stops_neither_a_list_nor_a_watch() {
    let bad = r#"{"metadata":{"name":"bad","namespace":"shop","resourceVersion":"3","labels":7}}"#;
    let garbage = r#"{"metadata":"garbage"}"#;
    let items = [pod("a", "1"), bad.to_owned(), poisoned("b", "2")];
    let events = [
        event("ADDED", &poisoned("d", "11")),
        event("MODIFIED", bad),
        event("ADDED", garbage),
        event("DELETED", bad),
        event("MODIFIED", &pod("a", "12")),
    ];
    let script = vec![
        (List, Whole(list_of("9", "next", &items))),
        (Page("next"), Whole(list_of("9", "", &[garbage.to_owned(), pod("c", "4")]))),
        (
            Watching("9"),
            Open(
                events[..1].concat()
                    + &event("BOOKMARK", &pod("", "11"))
                    + &events[1..].concat().replace("\"3\"", "\"11\""),
            ),
        ),
    ];
    let expected = [
        ("list", false),
        ("has a", false),
        ("unreadable shop/bad", false),
        ("has b", false),
        ("unreadable without a readable name", false),
        ("has c", false),
        ("listed", true),
        ("changed d", true),
        ("unreadable shop/bad", true),
        ("unreadable without a readable name", true),
        ("deleted bad", true),
        ("changed a", true),
    ];
    play(PATIENT, script, &expected).await;
}

#[tokio::test]
async fn a_watch_that_ends_in_time_goes_on_from_the_last_version_of_events_and_bookmarks() {
    let script = vec![
        list("5"),
        (Watching("5"), Whole(event("ADDED", &pod("a", "7")))),
        look("20"),
        (Watching("7"), Whole(event("BOOKMARK", &pod("", "20")))),
        look("20"),
        (Watching("20"), Open(event("ADDED", &pod("b", "21")))),
    ];
    let expected = [("list", false), ("listed", true), ("changed a", true), ("changed b", true)];
    play(PATIENT, script, &expected).await;
}

#[tokio::test]
async fn an_api_server_that_went_back_in_time_is_listed_anew() {
    let begun_anew = || vec![list("6"), (Watching("6"), Open(event("ADDED", &pod("b", "7"))))];
    let expected = [
        ("list", false),
        ("listed", true),
        ("changed a", true),
        ("failing", true),
        ("list", true),
        ("listed", true),
        ("changed b", true),
    ];
    let seen = event("ADDED", &pod("a", "10"));
    // told by the look, by a bookmark, by an event, and by a version that can't be compared
    let ends = [
        vec![(Watching("9"), Whole(seen.clone())), look("8")],
        vec![(Watching("9"), Whole(seen.clone() + &event("BOOKMARK", &pod("", "8"))))],
        vec![(Watching("9"), Whole(seen.clone() + &event("MODIFIED", &pod("a", "8"))))],
        vec![(Watching("9"), Whole(seen)), look("abc")],
    ];
    for end in ends {
        let script = [list("9")].into_iter().chain(end).chain(begun_anew()).collect();
        play(PATIENT, script, &expected).await;
    }
}

#[tokio::test]
async fn a_watch_that_ends_out_of_time_breaks_or_is_silent_begins_anew_with_a_list() {
    let (early, silent) = (
        Times { tolerance: Duration::ZERO, ..PATIENT },
        Times { lasts: Duration::ZERO, tolerance: Duration::from_millis(1), ..PATIENT },
    );
    let expired = event("ERROR", r#"{"status":"Failure","reason":"Expired","message":"old","code":410}"#);
    let ends = [
        (early, Whole(String::new())),
        (PATIENT, Broken(String::new())),
        (PATIENT, Whole(expired)),
        (PATIENT, Refused(410)),
        (PATIENT, Whole("<html>\n".to_owned())),
        (silent, Open(String::new())),
    ];
    for (times, end) in ends {
        let script = vec![list("5"), (Watching("5"), end), list("8")];
        let expected = [("list", false), ("listed", true), ("list", true), ("listed", true)];
        play(times, script, &expected).await;
    }
}

#[tokio::test]
async fn a_list_that_fails_is_a_problem_at_once_and_mended_by_the_next() {
    let failures = [
        Refused(403),
        Refused(500),
        Broken(list_of("5", "", &[])[..30].to_owned()),
        Whole("<html>".to_owned()),
        Whole(r#"{"metadata":{},"items":[]}"#.to_owned()),
    ];
    for failure in failures {
        let script = vec![(List, failure), list("5"), (Watching("5"), Open(event("ADDED", &pod("a", "6"))))];
        let expected =
            [("list", false), ("failing", false), ("list", false), ("listed", true), ("changed a", true)];
        play(PATIENT, script, &expected).await;
    }
}

#[tokio::test]
async fn a_list_proves_nothing_while_watches_fail_and_one_that_lasts_does() {
    let mut script = vec![list("5"), (Watching("5"), Refused(403))];
    script.extend([list("5"), (Watching("5"), Refused(403))]);
    script.extend([list("5"), (Watching("5"), Open(String::new() + &event("ADDED", &pod("a", "6"))))]);
    let expected = [
        ("list", false),
        ("listed", true),
        // lost once
        ("list", true),
        // and again: the list before that didn't mend it
        ("listed", true),
        ("failing", false),
        ("list", false),
        ("listed", false),
        ("changed a", true),
    ];
    play(PATIENT, script, &expected).await;
}

#[tokio::test]
async fn a_watch_that_lasts_works_also_where_nothing_happens() {
    let script = vec![(List, Refused(500)), list("5"), (Watching("5"), Refused(500)), list("5")];
    let script = script.into_iter().chain([(Watching("5"), Open(String::new()))]).collect();
    let script = Arc::new(Mutex::new(script));
    let health = Health::default();
    let signer = health.signer(&"example.com/a".parse().unwrap(), &[Component::Pods]);
    let (client, path) = (server(script.clone()), "/api/v1/pods".to_owned());
    let collection = Collection { client, path, field_selector: None };
    let times = Times { probation: Duration::ZERO, ..PATIENT };
    let mut watched = Box::pin(watch_with::<Pod>(
        collection,
        times,
        Component::Pods,
        vec![signer],
        WatchMetrics::default(),
    ));
    let is_ready = || health.report().signers[0].problems.is_empty();
    while !(script.lock().unwrap().is_empty() && is_ready()) {
        drop(time::timeout(Duration::from_millis(10), watched.next()).await);
    }
}

#[tokio::test]
async fn a_version_of_the_api_that_is_gone_is_told_and_begins_with_a_list_if_somebody_goes_on() {
    let script = vec![list("5"), (Watching("5"), Refused(404)), (List, Refused(404)), list("5")];
    let expected = [
        ("list", false),
        ("listed", true),
        ("gone", true),
        ("list", true),
        ("gone", false),
        ("list", false),
        ("listed", true),
    ];
    play(PATIENT, script, &expected).await;
}

#[test]
fn versions_are_compared_as_numbers() {
    for (seen, now, is_older) in [
        ("9", "10", false),
        ("10", "9", true),
        ("9", "9", false),
        ("9", "", false),
        ("9", "x", true),
        ("x", "x", false),
    ] {
        assert_eq!(went_back(seen, now), is_older, "{seen} {now}");
    }
}
