//! CA certificates that are odd or damaged.

use der::{Decode as _, Encode as _, Tag, asn1::AnyRef};
use proptest::prelude::*;

use super::super::{
    CaCertificate, CertificateAuthority,
    asn1::{self, TbsCertificate},
};
use crate::testing::{TestCa, certificate_der};

#[test]
fn odd_subjects_keep_their_bytes() {
    for (file, subject) in [
        ("root-p256.pem", "O=Example, serialNumber=7+OU=a+OU=b, OU=b, OU=a, CN=odd root"),
        ("root-t61.pem", "O=Müller, CN=t61 root"),
    ] {
        let der = certificate_der(file);
        let certificate = CaCertificate::from_der(file, &der).unwrap();
        assert_eq!(certificate.subject(), subject);
        assert!(der.windows(certificate.subject_der().len()).any(|bytes| bytes == certificate.subject_der()));
    }
}

#[test]
fn subject_whose_sets_are_not_sorted_keeps_its_bytes() {
    let root = TestCa::root("root");
    let certificate = asn1::Certificate::from_der(root.der()).unwrap();
    let tbs: TbsCertificate<'_> = certificate.tbs.decode_as().unwrap();
    let attribute = |value: u8| [0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x0b, 0x0c, 0x01, value];
    let unsorted = [&[0x31, 20][..], &attribute(b'b'), &attribute(b'a')].concat();
    let name = AnyRef::new(Tag::Sequence, &unsorted).unwrap();
    let tbs = TbsCertificate { issuer: name, subject: name, ..tbs }.to_der().unwrap();
    let der = asn1::sign(&tbs, &root.signing_key()).unwrap();
    let certificate = CaCertificate::from_der("odd", &der).unwrap();
    assert_eq!(certificate.subject(), "OU=b+OU=a");
    assert_eq!(certificate.subject_der()[2..], unsorted);
    CertificateAuthority::new("1", root.signing_key(), vec![], vec![certificate]).unwrap();
}

#[test]
fn ca_without_a_key_identifier_has_the_one_that_is_computed() {
    let root = TestCa::root("root");
    let certificate = asn1::Certificate::from_der(root.der()).unwrap();
    let mut tbs: TbsCertificate<'_> = certificate.tbs.decode_as().unwrap();
    let is_identifier = |oid| oid == const_oid::db::rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER;
    tbs.extensions.as_mut().unwrap().retain(|extension| !is_identifier(extension.extn_id));
    let der = asn1::sign(&tbs.to_der().unwrap(), &root.signing_key()).unwrap();
    let certificate = CaCertificate::from_der("bare", &der).unwrap();
    assert_eq!(certificate.key_identifier(), super::super::key_identifier(root.signing_key().spki_der()));
    assert_eq!(certificate.key_identifier().len(), 20);
}

#[test]
fn damaged_certificates_are_refused() {
    let root = TestCa::root("root");
    let message = |der: &[u8]| CaCertificate::from_der("here", der).unwrap_err().to_string();
    assert!(message(b"").starts_with("here is not a valid DER-encoded X.509 certificate"));
    assert!(message(&root.der()[..100]).contains("not a valid DER"));
    assert!(message(&[root.der(), b"x"].concat()).contains("not a valid DER"));
    assert!(message(&[0; CaCertificate::MAX_DER_BYTES + 1]).contains("16385 bytes"));
    let twice = TestCa::root_with("twice", |params| {
        let constraints = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 0]);
        params.custom_extensions.push(constraints);
    });
    assert!(message(twice.der()).contains("more than once"));
}

/// Verifiers take whole octets only, and so the byte that tells how many bits are left over.
#[test]
fn signature_with_bits_left_over_is_refused() {
    let mut der = TestCa::root("root").der().to_vec();
    let signature =
        (0..der.len() - 4).rev().find(|at| der[*at..].starts_with(&[0x03, der[at + 1], 0x00, 0x30]));
    der[signature.unwrap() + 2] = 1;
    assert!(CaCertificate::from_der("odd", &der).unwrap_err().to_string().contains("not a valid DER"));
}

proptest! {
    #[test]
    fn changed_bytes_never_panic_and_never_pass(position in 0_usize..400, change in 1_u8..=255) {
        static ROOT: std::sync::LazyLock<TestCa> = std::sync::LazyLock::new(|| TestCa::root("root"));
        let mut der = ROOT.der().to_vec();
        let position = position % der.len();
        der[position] ^= change;
        if let Ok(certificate) = CaCertificate::from_der("changed", &der) {
            let _ = (certificate.to_string(), certificate.fingerprint(), certificate.key_identifier());
            prop_assert!(CertificateAuthority::new("1", ROOT.signing_key(), vec![], vec![certificate]).is_err());
        }
    }
}
