use super::*;

#[test]
fn shows_the_beginning_of_what_is_long() {
    assert_eq!(Quoted("a\n\"b\"").to_string(), r#""a\n\"b\"""#);
    let long = Quoted(&"é".repeat(100_000)).to_string();
    assert!(long.ends_with("… (200000 bytes)") && long.chars().count() < 160, "{long}");
    assert_eq!(QuotedList(&["a"; 7]).to_string(), r#""a", "a", "a", "a", "a" and 2 more"#);
    assert_eq!(QuotedList(&["a"; 5]).to_string(), r#""a", "a", "a", "a", "a""#);
}
