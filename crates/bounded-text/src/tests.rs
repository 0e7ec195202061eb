use super::*;

#[test]
fn a_text_is_cut_between_characters() {
    assert_eq!(truncated("äöü", 6), "äöü");
    assert_eq!(truncated("äöüä", 7), "äö…");
    assert_eq!(truncated("äöüä", 2), "…");
}

#[test]
fn a_text_stays_on_its_line() {
    assert_eq!(one_line("no CA\nexample.com/b: ready\u{1b}[2J"), "no CA example.com/b: ready [2J");
    assert_eq!(one_line(" a\r\n\t b\u{2028}c "), "a b c");
}

#[test]
fn bytes_have_two_digits_each() {
    assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
}
