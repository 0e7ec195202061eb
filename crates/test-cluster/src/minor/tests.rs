use super::*;

#[test]
fn the_newest_is_not_older_than_the_oldest() {
    assert!(Minor::named("newest").unwrap() >= Minor::named("oldest").unwrap());
}

#[test]
fn versions_are_ordered_as_numbers() {
    assert!(Minor::parse("1.9") < Minor::parse("1.10"));
}

#[test]
fn an_unknown_version_names_the_known_ones() {
    let error = Minor::named("1.2").unwrap_err().to_string();
    assert!(error.contains("\"1.2\"") && error.contains("newest"), "{error}");
}
