use super::*;

fn key(name: &str) -> RequestKey {
    RequestKey { namespace: "shop".into(), name: name.into() }
}

/// One that fails again and again, from `begin` on for so many seconds.
fn failing(failures: &mut Failures, name: &str, begin: Instant, seconds: u64) -> bool {
    (0..=seconds)
        .map(|second| begin + Duration::from_secs(second))
        .map(|now| failures.failed(&key(name), "why".into(), now, now))
        .fold(false, |_, is_persistent| is_persistent)
}

#[test]
fn what_passes_by_itself_is_no_problem() {
    let (mut failures, begin) = (Failures::default(), Instant::now());
    assert!(!failing(&mut failures, "a", begin, 9));
    assert_eq!(failures.problem(&[], begin + Duration::from_secs(9)), None);
    failures.succeeded(&key("a"), begin + Duration::from_secs(9));
    assert_eq!(failures.problem(&[], begin + PERSISTENT), None);
    // once, however long ago
    failures.failed(&key("b"), "why".into(), begin, begin);
    assert_eq!(failures.problem(&[], begin + 10 * PERSISTENT), None);
}

#[test]
fn what_lasts_is_an_error_while_nothing_succeeds() {
    let (mut failures, begin) = (Failures::default(), Instant::now());
    failures.succeeded(&key("before"), begin - Duration::from_secs(1));
    assert!(failing(&mut failures, "a", begin, 10));
    failing(&mut failures, "b", begin + Duration::from_secs(1), 30);
    let now = begin + Duration::from_secs(31);
    let problem = failures.problem(&[], now).unwrap();
    assert_eq!(
        problem,
        Problem { severity: Severity::Error, count: 2, example: key("a"), cause: "why".into() }
    );
    // others are issued: it stays, as a warning
    failures.succeeded(&key("c"), now);
    assert_eq!(failures.problem(&[], now).unwrap().severity, Severity::Warning);
    failures.succeeded(&key("a"), now);
    failures.evaluated(&key("b"));
    assert_eq!(failures.problem(&[], now), None);
}

#[test]
fn it_lasts_until_kubelet_has_asked_again_and_not_for_ever() {
    let (mut failures, begin) = (Failures::default(), Instant::now());
    failing(&mut failures, "a", begin, 20);
    let gone = begin + Duration::from_secs(20);
    let problem = failures.problem(&[], gone);
    assert!(problem.is_some());
    failures.gone(&key("a"), gone);
    assert_eq!(failures.problem(&[], gone + Duration::from_secs(5)), problem);
    assert_eq!(failures.problem(&[], gone + LINGERING), None);
    // a success ends it at once
    failing(&mut failures, "a", begin, 20);
    failures.gone(&key("a"), gone);
    failures.succeeded(&key("next"), gone);
    assert_eq!(failures.problem(&[], gone), None);
}

#[test]
fn one_that_passes_leaves_nothing_behind_when_it_goes() {
    let (mut failures, begin) = (Failures::default(), Instant::now());
    failing(&mut failures, "a", begin, 5);
    failures.gone(&key("a"), begin + Duration::from_secs(5));
    assert_eq!(failures.problem(&[], begin + Duration::from_secs(11)), None);
    assert!(failures.failing.is_empty());
}

#[test]
fn an_evaluation_that_does_not_end_is_a_problem() {
    let (mut failures, begin) = (Failures::default(), Instant::now());
    let running = [(key("a"), begin), (key("b"), begin + Duration::from_secs(5))];
    assert_eq!(failures.problem(&running, begin + Duration::from_secs(9)), None);
    let problem = failures.problem(&running, begin + Duration::from_secs(12)).unwrap();
    assert_eq!((problem.count, problem.example), (1, key("a")));
    // it fails in the end: the problem doesn't go away in between
    let end = begin + Duration::from_secs(12);
    assert!(
        !failures.failed(&key("a"), "why".into(), begin, end),
        "its author hears of it when it fails again"
    );
    assert_eq!(failures.problem(&[], end).unwrap().cause, "why");
}
