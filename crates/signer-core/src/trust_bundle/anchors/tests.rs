use super::*;

fn known(text: &str) -> BTreeMap<String, AnchorRecord> {
    match read(Some(text)) {
        Reading::Known(anchors) => anchors,
        Reading::NewerFormat(format) => panic!("{format}"),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let record = |text: &str, retained: bool| {
        let time: Timestamp = text.parse().unwrap();
        AnchorRecord { since: time, until: retained.then_some(time), retained }
    };
    let anchors = BTreeMap::from([
        ("A".to_owned(), record("2026-01-01T00:00:00Z", false)),
        ("B".to_owned(), record("2026-01-02T00:00:00Z", true)),
    ]);
    let written = text(anchors.clone());
    assert_eq!(
        written,
        r#"{"format":1,"anchors":{"A":{"since":"2026-01-01T00:00:00Z"},"B":{"since":"2026-01-02T00:00:00Z","until":"2026-01-02T00:00:00Z","retained":true}}}"#
    );
    assert_eq!(known(&written), anchors);
}

#[test]
fn what_can_not_be_read_counts_as_absent_and_a_newer_format_is_told_apart() {
    let long = format!(r#"{{"format":1,"anchors":{{}},"x":"{}"}}"#, "x".repeat(MAX_BYTES));
    for text in ["", "{}", "[]", r#"{"format":1,"anchors":{"A":{"since":"yesterday"}}}"#, &long] {
        assert_eq!(known(text), BTreeMap::new(), "{text:.60}");
    }
    // whatever else it has
    assert!(matches!(read(Some(r#"{"format":2,"roots":[]}"#)), Reading::NewerFormat(2)));
    assert!(matches!(read(None), Reading::Known(anchors) if anchors.is_empty()));
}
