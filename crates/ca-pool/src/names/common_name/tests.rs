use super::*;

#[test]
fn holds_64_characters_and_no_more() {
    assert!("a".repeat(64).parse::<CommonName>().is_ok());
    for (name, rule) in [(String::new(), "empty"), ("a".repeat(65), "64"), ("a\nb".into(), "control")] {
        let error = name.parse::<CommonName>().unwrap_err().to_string();
        assert!(error.contains(rule), "{name}: {error}");
    }
}
