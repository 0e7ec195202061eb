use super::*;

#[test]
fn a_token_is_one_line() {
    assert_eq!(bearer("abc", "u", "`token`").unwrap().to_str().unwrap(), "Bearer abc");
    for token in ["abc\n", "a\rb", "a\0b"] {
        let error = bearer(token, "user \"u\"", "`token`").unwrap_err().to_string();
        assert!(
            error.starts_with("user \"u\": `token` holds a line break") && !error.contains("abc"),
            "{error}"
        );
    }
}

#[test]
fn white_space_around_a_token_in_a_file_does_not_count() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "\n abc\r\n").unwrap();
    assert_eq!(token_of(file.path(), "u").unwrap().to_str().unwrap(), "Bearer abc");
    for (content, says) in
        [(" \n", "is empty"), ("a\nb", "holds a line break"), ("\u{7f}", "holds a line break")]
    {
        std::fs::write(file.path(), content).unwrap();
        let error = token_of(file.path(), "u").unwrap_err().to_string();
        assert!(error.contains(says) && error.contains(&file.path().display().to_string()), "{error}");
    }
    let error = token_of(Path::new("/nonexistent"), "u").unwrap_err().to_string();
    assert!(error.contains("`tokenFile` /nonexistent doesn't exist"), "{error}");
}
