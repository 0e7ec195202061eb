use super::*;

/// A SEQUENCE, SET or string of less than 128 bytes.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

fn attribute(last_arc: u8, tag: u8, value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(0x06, &[0x55, 0x04, last_arc]), tlv(tag, value)].concat())
}

fn name(rdns: &[&[Vec<u8>]]) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = rdns.iter().map(|attributes| tlv(0x31, &attributes.concat())).collect();
    tlv(0x30, &sets.concat())
}

#[test]
fn reads_in_the_order_of_the_certificate() {
    let o = attribute(10, 0x13, b"Example");
    let ou = |unit: &[u8]| attribute(11, 0x0c, unit);
    let cn = attribute(3, 0x0c, "wurzel ä".as_bytes());
    // the SET is not sorted, and OU repeats
    let name = name(&[&[o], &[ou(b"b"), ou(b"a")], &[ou(b"b")], &[cn]]);
    assert_eq!(to_text(&name), "O=Example, OU=b+OU=a, OU=b, CN=wurzel ä");
}

#[test]
fn reads_old_string_types_and_shows_the_rest_in_hexadecimal() {
    let name = name(&[
        &[attribute(3, 0x14, b"M\xfcller")],
        &[attribute(3, 0x1e, &[0x00, 0x41, 0x20, 0xac])],
        &[attribute(3, 0x03, &[0x00, 0xff])],
        &[attribute(99, 0x0c, b"x")],
    ]);
    assert_eq!(to_text(&name), "CN=Müller, CN=A€, CN=#00FF, 2.5.4.99=x");
    assert_eq!(to_text(b"\x30\x05no"), "#30056E6F");
    assert_eq!(to_text(b"\x30\x00"), "(empty)");
}

#[test]
fn cannot_be_used_to_forge_a_line() {
    let name = name(&[&[attribute(3, 0x0c, "a, CN=b\n\u{202e}c".as_bytes())]]);
    assert_eq!(to_text(&name), "CN=a\\, CN\\=b\\0A\\E2\\80\\AEc");
}
