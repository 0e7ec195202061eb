#[test]
fn labels_are_dns_labels_and_differ() {
    let (one, other) = (super::label(), super::label());
    assert_ne!(one, other);
    assert!(one.len() == 10 && one.starts_with(|c: char| c.is_ascii_lowercase()), "{one}");
    assert!(one.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{one}");
}
