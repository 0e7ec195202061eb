//! What the API server reads of a certificate: the project's word beside Go's, on certificates that a CA made
//! and on such that were damaged since. Whatever Go refuses is refused or told here, and nothing is told of
//! what Go reads.

use ca_pool::testing::{TestCa, unreadable_for_api_server};
use rcgen::{CustomExtension, DistinguishedName, DnType, DnValue, KeyPair, PKCS_ED25519};

use crate::go;

const SUBJECT_ALT_NAME: &[u64] = &[2, 5, 29, 17];
const NAME_CONSTRAINTS: &[u64] = &[2, 5, 29, 30];
const CRL_DISTRIBUTION_POINTS: &[u64] = &[2, 5, 29, 31];
const POLICIES: &[u64] = &[2, 5, 29, 32];
const POLICY_MAPPINGS: &[u64] = &[2, 5, 29, 33];
const AUTHORITY_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 35];
const POLICY_CONSTRAINTS: &[u64] = &[2, 5, 29, 36];
const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
const INHIBIT_ANY_POLICY: &[u64] = &[2, 5, 29, 54];
const AUTHORITY_INFORMATION_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const UNKNOWN: &[u64] = &[1, 2, 3, 4];

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match length {
        [0, short @ 0..0x80] => vec![short],
        [0, long] => vec![0x81, long],
        long => [&[0x82], &long[..]].concat(),
    };
    [&[tag], &length[..], content].concat()
}

fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &elements.concat())
}

/// Name constraints that permit one subtree.
fn permitted(tag: u8, base: &[u8]) -> Vec<u8> {
    sequence(&[tlv(0xa0, &sequence(&[tlv(tag, base)]))])
}

fn alternative(tag: u8, name: &[u8]) -> Vec<u8> {
    sequence(&[tlv(tag, name)])
}

/// An extension with its value, and whether Go reads it.
fn extensions() -> Vec<(&'static [u64], Vec<u8>, bool)> {
    let oid = |content: &[u8]| tlv(6, content);
    let serving = || oid(&[0x2b, 6, 1, 5, 5, 7, 3, 1]);
    let policy = |content: &[u8]| sequence(&[oid(content)]);
    let location = |tag: u8, text: &[u8]| sequence(&[oid(&[0x2b, 6, 1, 5, 5, 7, 0x30, 2]), tlv(tag, text)]);
    let point = |name: u8, content: &[u8]| sequence(&[sequence(&[tlv(0xa0, &tlv(name, content))])]);
    let mut all = vec![
        (UNKNOWN, tlv(5, b""), true),
        (UNKNOWN, b"xx".to_vec(), true),
        (NAME_CONSTRAINTS, sequence(&[]), false),
        (NAME_CONSTRAINTS, sequence(&[tlv(0xa0, b"")]), false),
        (SUBJECT_ALT_NAME, sequence(&[]), true),
        (SUBJECT_ALT_NAME, b"xx".to_vec(), false),
        (POLICIES, sequence(&[policy(&[42, 3])]), true),
        (POLICIES, sequence(&[policy(&[42, 3]), policy(&[42, 4])]), true),
        (POLICIES, sequence(&[policy(&[42, 3]), policy(&[42, 3])]), false),
        (POLICIES, sequence(&[policy(&[0x69, 0x83, 0x8f, 0x8f, 0x8f, 0x8f, 0x8f, 0x8f, 0x0f])]), true),
        (POLICIES, sequence(&[policy(&[42, 0x80, 1])]), false),
        (POLICIES, sequence(&[policy(&[42, 0x81])]), false),
        (POLICIES, b"xx".to_vec(), false),
        (POLICY_MAPPINGS, sequence(&[sequence(&[oid(&[42, 3]), oid(&[42, 4])])]), true),
        (POLICY_MAPPINGS, sequence(&[sequence(&[oid(&[42, 3])])]), false),
        (POLICY_CONSTRAINTS, sequence(&[]), true),
        (POLICY_CONSTRAINTS, sequence(&[tlv(0x80, b"\0"), tlv(0x81, b"\x01")]), true),
        (POLICY_CONSTRAINTS, sequence(&[tlv(0x80, b"\0\x01")]), false),
        (POLICY_CONSTRAINTS, sequence(&[tlv(0x80, &[1; 9])]), false),
        (INHIBIT_ANY_POLICY, tlv(2, b"\0"), true),
        (INHIBIT_ANY_POLICY, tlv(2, b""), false),
        (AUTHORITY_KEY_IDENTIFIER, sequence(&[tlv(0x80, b"1234")]), true),
        (AUTHORITY_KEY_IDENTIFIER, sequence(&[]), true),
        (AUTHORITY_KEY_IDENTIFIER, b"xx".to_vec(), false),
        (AUTHORITY_INFORMATION_ACCESS, sequence(&[location(0x86, b"http://example.com/")]), true),
        (AUTHORITY_INFORMATION_ACCESS, sequence(&[location(0x82, b"example.com")]), true),
        (AUTHORITY_INFORMATION_ACCESS, sequence(&[tlv(0x86, b"http://example.com/")]), false),
        (AUTHORITY_INFORMATION_ACCESS, b"xx".to_vec(), false),
        (CRL_DISTRIBUTION_POINTS, point(0xa0, &tlv(0x86, b"http://example.com/")), true),
        (CRL_DISTRIBUTION_POINTS, point(0xa1, &sequence(&[oid(&[0x55, 4, 3]), tlv(12, b"x")])), false),
        (CRL_DISTRIBUTION_POINTS, sequence(&[sequence(&[])]), true),
        (EXTENDED_KEY_USAGE, sequence(&[serving(), oid(&[0x2b, 0x87, 0xff, 0xff, 0xff, 0x7f])]), true),
        (SUBJECT_ALT_NAME, sequence(&vec![tlv(0x82, b"a.example.com"); 8]), true),
        (SUBJECT_ALT_NAME, sequence(&vec![tlv(0x82, b"a.example.com"); 80]), true),
        (CRL_DISTRIBUTION_POINTS, point(0xa0, &tlv(0x86, &[b'a'; 200])), true),
        (CRL_DISTRIBUTION_POINTS, point(0xa0, &tlv(0x86, &[b'a'; 2000])), true),
        (POLICIES, vec![0x30, 0x81, 7, 0x30, 4, 6, 2, 42, 3, 5], false),
        (POLICIES, vec![0x30, 0x82, 0, 6, 0x30, 4, 6, 2, 42, 3], false),
        (EXTENDED_KEY_USAGE, sequence(&[serving(), oid(&[0x2b, 0x88, 0x80, 0x80, 0x80, 0])]), false),
    ];
    for (tag, name, is_read) in [
        (0x81, &b"a@example.com"[..], true),
        (0x81, "ü@example.com".as_bytes(), false),
        (0x82, b"example.com", true),
        (0x82, "ü.de".as_bytes(), false),
        (0x86, b"spiffe://example.com", true),
        (0x86, b"spiffe://a b/c", false),
        (0x86, b"spiffe://a..b/c", false),
        (0x86, b"http://a.b./c", false),
        (0x86, b"http://[2001:db8::1]:80/%41?%zz#a", true),
        (0x86, b"http://[2001:db8::1%25eth0]/", true),
        (0x86, b"http://[2001:db8::1%25]/", false),
        (0x86, b"http://u:p@a:80/", true),
        // Go since 1.26 alone refuses it
        (0x86, b"ldap://a:1:2/", true),
        (0x86, b"%zz", false),
        (0x86, b":a", false),
        (0x86, b"*", true),
        (0x87, &[10, 0, 0, 1], true),
        (0x87, &[10, 0, 1], false),
        (0x87, &[10, 0, 0, 0, 255, 0, 0, 0], false),
        (0x88, &[42, 3], true),
    ] {
        all.push((SUBJECT_ALT_NAME, alternative(tag, name), is_read));
    }
    for (tag, base, is_read) in [
        (0x82, &b"example.com"[..], true),
        (0x82, b".example.com", true),
        (0x82, b"", true),
        (0x82, b"example.com.", false),
        (0x82, b"a..b", false),
        (0x82, b"a b", false),
        (0x86, b"example.com", true),
        (0x86, b"192.0.2.1", false),
        (0x87, &[10, 0, 0, 0, 255, 0, 0, 0], true),
        (0x87, &[10, 0, 0, 0, 255, 240, 0, 0], true),
        (0x87, &[10, 0, 0, 0, 255, 0, 255, 0], false),
        (0x87, &[10, 0, 0, 0, 15, 0, 0, 0], false),
        (0x81, b"example.com", true),
        (0x81, b"a@example.com", true),
        (0x81, b"\"a b\"@example.com", true),
        (0x81, b"a.b+c@example.com", true),
        (0x81, b"a@", true),
        (0x81, b"@contoso.com", false),
        (0x81, b".a@contoso.com", false),
        (0x81, b"a..b@contoso.com", false),
        (0x81, b"\"a@contoso.com", false),
        (0x81, b"contoso.com.", false),
        (0x81, "ü.de".as_bytes(), false),
        (0x88, &[42, 3], true),
    ] {
        all.push((NAME_CONSTRAINTS, permitted(tag, base), is_read));
    }
    all
}

fn root_with(oid: &[u64], value: &[u8]) -> Vec<u8> {
    let extension = || CustomExtension::from_oid_content(oid, value.to_vec());
    TestCa::root_with("root", |params| params.custom_extensions = vec![extension()]).der().to_vec()
}

fn is_read(der: &[u8]) -> Result<bool, String> {
    match unreadable_for_api_server(der) {
        Ok(None) => Ok(true),
        Ok(Some(_)) => Ok(false),
        Err(refused) => Err(refused.to_string()),
    }
}

#[test]
fn extensions_are_read_as_go_does() {
    let cases = extensions();
    let roots: Vec<Vec<u8>> = cases.iter().map(|(oid, value, _)| root_with(oid, value)).collect();
    for ((root, answer), (oid, value, expected)) in roots.iter().zip(go::read(&roots)).zip(&cases) {
        let text = String::from_utf8_lossy(value);
        assert_eq!(answer.is_ok(), *expected, "Go: {oid:?} {text:?} {answer:?}");
        let own = is_read(root);
        assert_eq!(own.as_ref().unwrap_or(&false), expected, "{oid:?} {text:?} {own:?}");
    }
}

/// Each octet of each certificate is another now. What is damaged so far that it isn't loaded at all is
/// refused, whatever Go says.
#[test]
fn damaged_certificates_are_read_as_go_does() {
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let with_names = |name: DnValue| {
        TestCa::root_with("root", |params| {
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
        })
    };
    let printable = with_names(DnValue::PrintableString("root".try_into().unwrap()));
    let wide = with_names(DnValue::BmpString("root".try_into().unwrap()));
    let mut roots = vec![printable.der().to_vec(), wide.der().to_vec()];
    let params = || {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(1));
        params
    };
    roots.push(params().self_signed(&ed25519).unwrap().der().to_vec());
    roots.push(ca_pool::testing::certificate_der("root-rsa2048.pem"));
    roots.extend(extensions().iter().map(|(oid, value, _)| root_with(oid, value)));
    let mut damaged = Vec::new();
    for (number, root) in roots.iter().enumerate() {
        for position in 4..root.len() {
            // each root has other octets changed in other ways
            let flipped = [0x01_u8, 0x80, 0x20, 0xff, 0x04, 0x40][(number + position) % 6];
            let mut changed = root.clone();
            changed[position] ^= flipped;
            damaged.push(changed);
        }
    }
    let mut told = 0;
    for (der, answer) in damaged.iter().zip(go::read(&damaged)) {
        let own = is_read(der);
        told += usize::from(own == Ok(false));
        let agree = match (&own, &answer) {
            // a key that is no point verifies no signature, so that such a certificate isn't loaded either
            (_, Err(answer)) if answer.contains("not on curve") || answer.contains("uncompressed") => true,
            (Ok(own), answer) => *own == answer.is_ok(),
            (Err(_), _) => true,
        };
        let hexadecimal: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(agree, "Go: {answer:?}, here: {own:?} {:?}: {hexadecimal}", unreadable_for_api_server(der));
    }
    assert!(told > 1000, "{told} of {}", damaged.len());
}

/// RFC 3279 §2.3.1: the parameters of an RSA key are NULL.
#[test]
fn the_parameters_of_a_key_are_read_as_go_does() {
    let root = ca_pool::testing::certificate_der("root-rsa2048.pem");
    let rsa_encryption = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let at = root.windows(rsa_encryption.len()).position(|window| window == rsa_encryption).unwrap();
    let mut changed = root.clone();
    // NULL becomes an empty OCTET STRING
    changed[at + 13] = 4;
    let answers = go::read(&[root.clone(), changed.clone()]);
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false], "{answers:?}");
    assert_eq!([is_read(&root), is_read(&changed)], [Ok(true), Ok(false)]);
}
