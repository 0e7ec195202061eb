use super::*;

#[test]
fn prints_one_error_a_line_in_the_order_of_the_file_and_not_without_end() {
    let mut problems = Problems::default();
    problems.extend((1..=60).rev().map(|line| ConfigError {
        position: Some(Position { line, column: 3 }),
        field: "a".into(),
        message: "is wrong".into(),
    }));
    let text = problems.into_result(Some(()), "f.yaml").unwrap_err().to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("f.yaml:1:3: a: is wrong", 51));
    assert_eq!(lines[50], "f.yaml: and 10 more errors");
}
