use super::said_by;

#[test]
fn what_the_last_ca_signed_is_read_from_its_subject() {
    assert_eq!(said_by("CN=example.com/web CA 1 deadbeef", "1").as_deref(), Some("example.com/web"));
    assert_eq!(said_by("CN=example.com/web CA 1 deadbeef", "2"), None);
    assert_eq!(said_by("O=Example, CN=root", "1"), None);
    assert_eq!(said_by("CN=Our CA 1 of all", "1"), None);
}
