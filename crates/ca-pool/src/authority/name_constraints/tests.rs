//! What constraints permit and exclude, a table for each kind of name.

use super::*;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

/// Name constraints with one base of a given kind, permitted (0xa0) or excluded (0xa1).
fn constraints(side: u8, kind: u8, base: &[u8]) -> NameConstraints {
    let subtree = tlv(0x30, &tlv(kind, base));
    NameConstraints::from_der(&tlv(0x30, &tlv(side, &subtree))).unwrap()
}

fn permits(kind: u8, base: &[u8], name: ConstrainedName<'_>) -> bool {
    constraints(0xa0, kind, base).objection(name).is_none()
}

fn excludes(kind: u8, base: &[u8], name: ConstrainedName<'_>) -> bool {
    constraints(0xa1, kind, base).objection(name).is_some()
}

#[test]
fn dns_names_lie_under_a_domain() {
    for (base, name, inside) in [
        ("example.com", "example.com", true),
        ("example.com", "a.b.example.com", true),
        ("Example.COM", "a.example.com", true),
        ("example.com", "badexample.com", false),
        ("example.com", "example.com.evil.net", false),
        (".example.com", "a.example.com", true),
        (".example.com", "example.com", false),
        ("", "anything.at.all", true),
        ("example.com", "*.example.com", true),
    ] {
        let name = ConstrainedName::Dns(name);
        assert_eq!(permits(0x82, base.as_bytes(), name), inside, "{base} {name:?}");
        assert_eq!(excludes(0x82, base.as_bytes(), name), inside, "{base} {name:?}");
    }
}

#[test]
fn wildcard_that_covers_an_excluded_name_is_excluded() {
    let wildcard = ConstrainedName::Dns("*.example.com");
    assert!(excludes(0x82, b"secret.example.com", wildcard));
    assert!(!excludes(0x82, b"very.secret.example.com", wildcard));
    assert!(!permits(0x82, b"secret.example.com", wildcard));
}

#[test]
fn uris_are_held_by_their_host() {
    for (base, host, inside) in [
        ("example.com", "example.com", true),
        ("example.com", "a.example.com", false),
        (".example.com", "a.example.com", true),
        (".example.com", "example.com", false),
    ] {
        let name = ConstrainedName::UriHost(host);
        assert_eq!(permits(0x86, base.as_bytes(), name), inside, "{base} {host}");
        assert_eq!(excludes(0x86, base.as_bytes(), name), inside, "{base} {host}");
    }
    for base in [b"".as_slice(), b"."] {
        for kind in [0x82, 0x86] {
            let name =
                if kind == 0x82 { ConstrainedName::Dns("a.b") } else { ConstrainedName::UriHost("a.b") };
            assert!(excludes(kind, base, name), "verifiers differ");
        }
    }
    for address in ["192.0.2.1", "[2001:db8::1]"] {
        let name = ConstrainedName::UriHost(address);
        assert!(!permits(0x86, b"example.com", name) && excludes(0x86, b"example.com", name));
    }
}

#[test]
fn addresses_are_held_by_their_range() {
    let range = [192, 0, 2, 0, 255, 255, 255, 0];
    for (name, inside) in [("192.0.2.255", true), ("192.0.3.0", false), ("2001:db8::1", false)] {
        let name = ConstrainedName::Ip(name.parse().unwrap());
        assert_eq!(permits(0x87, &range, name), inside, "{name:?}");
        assert_eq!(excludes(0x87, &range, name), inside, "{name:?}");
    }
    assert!(NameConstraints::from_der(&tlv(0x30, &tlv(0xa0, &tlv(0x30, &tlv(0x87, &[1, 2, 3]))))).is_err());
}

#[test]
fn subjects_are_held_by_their_first_attributes() {
    let rdn = |value: &[u8]| tlv(0x31, &tlv(0x30, &[&[0x06, 3, 0x55, 4, 3][..], &tlv(0x0c, value)].concat()));
    let (ours, other) = (rdn(b"ours"), rdn(b"other"));
    let base = tlv(0x30, &ours);
    for (subject, inside) in [(&ours, true), (&other, false)] {
        let name = ConstrainedName::Subject(subject);
        assert_eq!(permits(0xa4, &base, name), inside);
        assert_eq!(excludes(0xa4, &base, name), inside);
    }
    assert!(permits(0xa4, &tlv(0x30, b""), ConstrainedName::Subject(&ours)));
}

#[test]
fn kinds_do_not_touch_each_other() {
    let dns = ConstrainedName::Dns("a.b");
    for kind in [0x81, 0x86, 0x87, 0xa4] {
        let base: &[u8] = match kind {
            0x87 => &[0; 8],
            0xa4 => &[0x30, 0],
            _ => b"example.com",
        };
        assert!(permits(kind, base, dns) && !excludes(kind, base, dns), "{kind:x}");
    }
}

#[test]
fn damaged_constraints_are_refused() {
    for der in [&b""[..], b"\x31\x00", b"\x30\x02\x05\x00", b"\x30\x04\xa0\x02\x30\x00"] {
        assert!(NameConstraints::from_der(der).is_err(), "{der:x?}");
    }
}
