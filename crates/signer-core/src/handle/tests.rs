use super::*;

#[test]
fn what_is_said_is_news_until_it_is_seen() {
    let handle = SignerHandle::new();
    let mut news = handle.news();
    assert!(!news.has_changed().unwrap());
    handle.recovered();
    assert!(!news.has_changed().unwrap(), "it was never degraded");
    handle.clone().degraded("no\nanswer");
    assert_eq!(news.borrow_and_update().degraded.as_deref(), Some("no answer"));
    handle.degraded("no answer");
    assert!(!news.has_changed().unwrap(), "it has said so");
    handle.look_again();
    handle.recovered();
    assert_eq!(*news.borrow_and_update(), News { looks: 1, degraded: None });
}

#[test]
fn what_is_said_is_bounded() {
    let handle = SignerHandle::new();
    handle.degraded("x".repeat(100_000));
    assert!(handle.news().borrow().degraded.as_ref().unwrap().chars().count() <= LONGEST + 1);
}
