use super::*;
use crate::{
    controller::pending::RequestKey,
    health::{Health, Trouble},
};

fn problem(severity: Severity, count: usize) -> Option<Problem> {
    let example = RequestKey { namespace: "shop".into(), name: "web".into() };
    Some(Problem { severity, count, example, cause: "why".into() })
}

#[test]
fn a_problem_is_shown_as_what_it_is_and_taken_back() {
    let health = Health::default();
    let mut shown_health = IssuanceHealth::new(health.signer(&"example.com/a".parse().unwrap(), &[]));
    let now = Instant::now();
    let lines = || {
        let report = health.report().signers.remove(0);
        (report.problems, report.warnings)
    };
    shown_health.show(problem(Severity::Error, 2), now);
    assert_eq!(lines().0, ["2 requests can't be finished, shop/web for the longest time: why"]);
    let trouble: Vec<Trouble> = health.troubles();
    assert_eq!((trouble[0].component.label(), trouble[0].severity), ("issuance", Severity::Error));
    // numbers aren't news
    shown_health.show(problem(Severity::Error, 3), now);
    assert!(lines().0[0].starts_with("2 requests"));
    shown_health.show(problem(Severity::Error, 3), now + REFRESH);
    assert!(lines().0[0].starts_with("3 requests"));
    shown_health.show(problem(Severity::Warning, 1), now + REFRESH);
    let (problems, warnings) = lines();
    assert!(problems.is_empty() && warnings[0].starts_with("1 request can't"), "{warnings:?}");
    shown_health.show(None, now + REFRESH);
    assert_eq!(lines(), (vec![], vec![]));
}
