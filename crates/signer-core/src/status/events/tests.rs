use super::*;

fn pod(name: &str) -> ObjectReference {
    ObjectReference { name: Some(name.into()), uid: Some("u".into()), ..Default::default() }
}

#[test]
fn the_same_said_of_the_same_is_one_event() {
    assert_eq!(name(&pod("web-0"), "R", "m"), name(&pod("web-0"), "R", "m"));
    let all = [name(&pod("web-0"), "R", "m"), name(&pod("web-0"), "R", "n"), name(&pod("web-0"), "Rm", "")];
    assert!(all[0] != all[1] && all[0] != all[2], "{all:?}");
}

#[test]
fn the_name_is_the_same_in_each_build() {
    assert_eq!(name(&pod("web-0"), "R", "m"), "web-0.a42776f9fb5b5467");
}

/// An API server that doesn't answer.
#[tokio::test]
async fn nobody_waits_for_an_event_and_what_does_not_fit_is_counted() {
    let silent = tower::service_fn(|_: http::Request<kube::client::Body>| {
        std::future::pending::<Result<http::Response<kube::client::Body>, std::convert::Infallible>>()
    });
    let dropped = Counter::default();
    let (events, publish) = Events::new(Client::new(silent, "default"), "i", dropped.clone());
    let _publishing = tokio::spawn(async { match publish.await {} });
    for i in 0..MOST_OF_A_NAMESPACE + 10 {
        events.warn(pod(&format!("web-{i}")), "R", "m", Timestamp::UNIX_EPOCH);
    }
    assert_eq!(dropped.get(), 10);
}

#[test]
fn a_message_that_comes_all_the_time_is_logged_once_in_a_while() {
    let (messages, now) = (LogLimiter::default(), Instant::now());
    assert_eq!(messages.is_due(now), Some(0));
    assert_eq!([messages.is_due(now), messages.is_due(now)], [None, None]);
    assert_eq!(messages.is_due(now + LogLimiter::INTERVAL), Some(2));
}

#[test]
fn bounds_hold_for_the_longest_names_and_messages() {
    let event =
        warning(pod(&"a".repeat(253)), "R", &"ü".repeat(3000), &"i".repeat(300), Timestamp::UNIX_EPOCH);
    assert!(event.metadata.name.unwrap().len() <= 253);
    assert!(event.note.unwrap().len() <= 1024);
    assert!(event.reporting_instance.unwrap().len() <= 128);
}
