use super::field;

#[test]
fn a_field_is_a_word_or_quoted() {
    let line = r#"INFO poll url=https://a status=200 body="ok\n" server="a.b.svc, c" serial=01ab own="none""#;
    assert_eq!(field(line, "server="), "a.b.svc, c");
    assert_eq!(field(line, "serial="), "01ab");
    assert_eq!(field(line, "absent="), "");
}
