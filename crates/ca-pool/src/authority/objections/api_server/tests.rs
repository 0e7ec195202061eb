use super::*;
use crate::authority::objections::api_server::uri::is_uri;

#[test]
fn strings_are_read_of_the_characters_that_their_type_has() {
    for (tag, text, is_legible) in [
        (0x13, &b"Example, Inc. (*&)"[..], true),
        (0x13, b"user@example.com", false),
        (0x13, b"under_score", false),
        (0x0c, "Köln".as_bytes(), true),
        (0x0c, b"K\xf6ln", false),
        (0x14, b"K\xf6ln", true),
        (0x16, b"user@example.com", true),
        (0x16, b"K\xf6ln", false),
        (0x12, b"12 34", true),
        (0x12, b"12a", false),
        (0x1e, b"\0K\0\xf6", true),
        (0x1e, b"\0K\0", false),
        (0x1e, b"\xd8\0\0K", false),
        (0x1c, b"\0\0\0K", false),
    ] {
        let tlv = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
        let attribute = tlv(0x30, &[&[6, 3, 0x55, 4, 3][..], &tlv(tag, text)].concat());
        let name = tlv(0x30, &tlv(0x31, &attribute));
        assert_eq!(is_distinguished_name(&name).unwrap_or_default(), is_legible, "{tag:x} {text:?}");
    }
}

#[test]
fn uris_are_read_as_url_parse_does() {
    for (text, is_read) in [
        ("spiffe://example.com/a", true),
        ("spiffe://example.com", true),
        ("https://user:pass@example.com:8443/a?b#c", true),
        ("https://[2001:db8::1]:8443/", true),
        ("urn:uuid:329800735698586629295641978511506172918", true),
        ("/a/b", true),
        ("", true),
        ("spiffe://a b/c", false),
        ("spiffe://a..b/c", false),
        ("http://a.b./c", false),
        ("%zz", false),
        (":a", false),
        ("1a:b", false),
        ("http://a/%zz", false),
        ("http://a:b/", false),
        ("http://a:1:2/", false),
        ("ldap://a:1:2/", true),
        ("http://[192.0.2.1]/", false),
        ("http://a[::1]/", false),
        ("http://a%20b/", false),
        ("http://us er@a/", false),
        ("http://a\u{7f}/", false),
    ] {
        assert_eq!(is_uri(text.as_bytes()), is_read, "{text:?}");
    }
}
