use super::*;

#[test]
fn a_message_that_changes_is_news_after_a_pause() {
    let (mut announced, now) = (Announced::default(), Instant::now());
    assert!(announced.is_news("R", "102 Services", now));
    assert!(!announced.is_news("R", "102 Services", now + 2 * PAUSE), "it is known");
    assert!(!announced.is_news("R", "101 Services", now + PAUSE / 2));
    assert!(announced.is_news("R", "101 Services", now + PAUSE));
    assert!(!announced.is_news("R", "102 Services", now + PAUSE), "the pause begins anew");
}

#[test]
fn another_reason_is_news_at_once_and_going_back_and_forth_is_not() {
    let (mut announced, now) = (Announced::default(), Instant::now());
    assert!(announced.is_news("A", "a", now) && announced.is_news("B", "b", now));
    assert!(!announced.is_news("A", "a", now) && !announced.is_news("B", "b", now));
    assert!(announced.is_news("A", "a", now + PAUSE), "it is so again");
}

#[test]
fn what_is_remembered_is_bounded() {
    let (mut announced, now) = (Announced::default(), Instant::now());
    (0..100).for_each(|i| assert!(announced.is_news(&i.to_string(), "m", now)));
    assert!(announced.0.len() <= MOST_REASONS);
}
