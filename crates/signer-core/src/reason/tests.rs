use super::*;

#[test]
fn only_camel_case_is_a_reason() {
    assert!(is_camel_case(b"PodNotFound"));
    for bad in ["", "podNotFound", "Pod-Not", "Pod Not", "Pod_Not", "1Pod"] {
        assert!(!is_camel_case(bad.as_bytes()), "{bad}");
    }
}
