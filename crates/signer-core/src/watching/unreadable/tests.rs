use super::*;

fn unreadable(name: &str, reason: &str) -> Unreadable {
    let name = ObjectName { namespace: "shop".into(), name: name.into() };
    Unreadable { kind: "Pod", name, resource_version: String::new(), reason: reason.into() }
}

#[test]
fn each_is_named_once_and_few_at_a_time() {
    let (mut log, now) = (UnreadableLog::default(), Instant::now());
    assert!(log.is_news(&unreadable("a", "x"), now));
    assert!(!log.is_news(&unreadable("a", "x"), now));
    assert!(log.is_news(&unreadable("a", "y"), now));
    let named = (0..1000).filter(|i| log.is_news(&unreadable(&i.to_string(), "x"), now)).count();
    assert_eq!(named, NAMED - 2);
    assert!(log.is_news(&unreadable("later", "x"), now + WINDOW));
    for window in 2..(2 * REMEMBERED / NAMED) {
        for i in 0..NAMED {
            let name = format!("{window}-{i}");
            assert!(log.is_news(&unreadable(&name, "x"), now + WINDOW * u32::try_from(window).unwrap()));
        }
    }
    assert!(log.named.len() <= REMEMBERED);
}
