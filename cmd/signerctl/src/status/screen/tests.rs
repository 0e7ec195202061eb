use super::*;

fn now() -> Timestamp {
    "2026-11-27T20:00:00Z".parse().unwrap()
}

fn waits(pod: &str, reason: &str, seconds: i64) -> Waiting {
    Waiting {
        namespace: "shop".into(),
        pod: pod.into(),
        signer: "example.com/a".into(),
        since: now() - jiff::SignedDuration::from_secs(seconds),
        reason: reason.into(),
        message: format!("why of {pod}"),
    }
}

/// However many wait, signers and replicas stay on the screen.
#[test]
fn what_waits_for_one_reason_is_shown_together() {
    let mut all: Vec<_> = (0..40).map(|i| waits(&format!("web-{i}"), "WaitingForService", 500 - i)).collect();
    all.push(waits("db-0", "", 7));
    let expected = "  example.com/a  WaitingForService  the oldest for 8 min
    shop/web-0, shop/web-1, shop/web-2, 37 more
    why of web-0
  example.com/a  no answer yet  for 7 s
    shop/db-0
    why of db-0
";
    assert_eq!(waiting(&all, Look::PLAIN, now()), expected);
    let reasons: Vec<_> = (0..8).map(|i| waits("web", &format!("Reason{i}"), 60)).collect();
    assert!(waiting(&reasons, Look::PLAIN, now()).ends_with("  and 3 for other reasons\n"));
}

#[test]
fn the_table_fits_in_80_columns() {
    let signer = SignerStatus {
        name: "coolcert.example.com/foo".into(),
        ca_is_signing: Some(true),
        ca_ends: Some(now() + jiff::SignedDuration::from_hours(24 * 3000)),
        anchors: Some(2),
        issued: 12345,
        waiting: 1234,
        refused: 1234,
        ..SignerStatus::default()
    };
    let snapshot =
        Snapshot { signers: vec![signer], replicas: vec![], waiting: vec![], unread: vec!["why".into()] };
    let shown = shown(&snapshot, Look { width: 80, ..Look::PLAIN }, now());
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert!(shown.ends_with("! why\n"), "{shown}");
}
