use super::*;

#[test]
fn a_cause_is_logged_once_a_minute_and_memory_is_bounded() {
    let (log, now) = (CauseLog::default(), Instant::now());
    assert!(log.is_due("refused", now));
    assert!(!log.is_due("refused", now + INTERVAL / 2));
    assert!(log.is_due("another", now));
    assert!(log.is_due("refused", now + INTERVAL));
    for i in 0..10 * MAX_CAUSES {
        assert!(log.is_due(&i.to_string(), now + INTERVAL));
    }
    assert_eq!(log.0.lock().unwrap().len(), MAX_CAUSES);
}
