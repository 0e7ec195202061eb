use super::*;

#[test]
fn a_line_stays_one_line() {
    assert_eq!(first_line(b"ok\nmore"), "ok");
    assert_eq!(first_line(b"a\x1b[31m\xff"), "a [31m\u{fffd}");
    assert_eq!(first_line(&[b'x'; 300]).len(), 200);
    assert_eq!(first_line(b""), "");
}
