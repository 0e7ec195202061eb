use super::{super::Style, *};

fn rows() -> Vec<TableRow> {
    let cells = vec![
        Cell::of("shop/web"),
        Cell { lines: vec!["a.example".into(), "spiffe://cluster.local/ns/shop/sa/web".into()], paint: None },
        Cell::of("Issued"),
    ];
    vec![TableRow { cells, below: Some("a message that is long enough to be broken".into()) }]
}

#[test]
fn a_wide_terminal_shows_each_name_on_one_line() {
    let table = render(&["POD", "NAMES", "OUTCOME"], &rows(), 1, &Style::plain(120));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "POD       NAMES                                  OUTCOME");
    assert_eq!(lines[1], "shop/web  a.example                              Issued");
    assert_eq!(lines[2], "          spiffe://cluster.local/ns/shop/sa/web");
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_narrow_terminal_is_not_overflowed() {
    let table = render(&["POD", "NAMES", "OUTCOME"], &rows(), 1, &Style::plain(42));
    assert!(table.lines().all(|line| line.chars().count() <= 42), "{table}");
}

#[test]
fn lines_break_after_spaces_and_separators() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("spiffe://a/ns/b", 12), ["spiffe://a/", "ns/b"]);
    assert_eq!(wrap("abcdefgh", 5), ["abcde", "fgh"]);
    assert_eq!(wrap("", 5), [""]);
}
