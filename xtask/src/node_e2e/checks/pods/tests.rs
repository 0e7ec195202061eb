use serde_json::json;

use super::*;

#[test]
fn the_youngest_container_counts_if_all_run() {
    let running = |at: &str| json!({"state": {"running": {"startedAt": at}}});
    let pod = |states: Value| Pod(json!({"status": {"containerStatuses": states}}));
    let (old, young) = (running("2026-11-26T06:00:00Z"), running("2026-11-26T06:00:09Z"));
    let last = pod(json!([young, old])).last_start();
    assert_eq!(last, Some("2026-11-26T06:00:09Z".parse().unwrap()));
    assert_eq!(pod(json!([old, {"state": {"waiting": {}}}])).last_start(), None);
    assert_eq!(pod(json!([])).last_start(), None);
}
