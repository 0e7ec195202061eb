//! What keys may be used for.

use signer_annotation::{AnnotationSignerConfig, Grant};
use signer_core::{ExtendedKeyUsage, Grounds, ca_pool::KeyUsage, reasons, testing::RequestBuilder};

use crate::scenario::{asking, assert_denied, config, grant, issued};

const MALFORMED: (signer_core::Reason, Grounds) =
    (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Fixed);
const NOT_GRANTED: (signer_core::Reason, Grounds) = (reasons::IDENTITY_NOT_GRANTED, Grounds::Changeable);

fn granting_usages(usages: &[&str]) -> AnnotationSignerConfig {
    let usages = usages.iter().map(|usage| usage.parse().unwrap()).collect();
    AnnotationSignerConfig { grants: vec![Grant { usages, ..grant() }], ..config() }
}

fn purposes(config: &AnnotationSignerConfig, request: RequestBuilder) -> Vec<ExtendedKeyUsage> {
    issued(config, request).extended_key_usages.into_iter().collect()
}

#[test]
fn server_and_client_auth_need_no_grant() {
    use ExtendedKeyUsage::{ClientAuth, ServerAuth};
    for (value, expected) in [
        ("server auth", vec![ServerAuth]),
        ("client auth", vec![ClientAuth]),
        ("client auth , server auth", vec![ServerAuth, ClientAuth]),
        ("signing,digital signature, client auth", vec![ClientAuth]),
    ] {
        let leaf = issued(&config(), asking("usages", value));
        assert!(
            leaf.extended_key_usages.into_iter().eq(expected) && leaf.further_key_usages.is_empty(),
            "{value}"
        );
    }
}

#[test]
fn all_others_need_a_grant() {
    for (value, others) in [
        ("server auth, code signing, s/mime", "\"code signing\", \"email protection\""),
        ("content commitment, client auth", "\"content commitment\""),
    ] {
        assert_denied(
            &config(),
            asking("usages", value),
            NOT_GRANTED,
            &["foo-usages", others, "server auth, client auth", "grant with usages"],
        );
    }
    let config = granting_usages(&["code signing", "email protection", "content commitment"]);
    let leaf = issued(&config, asking("usages", "code signing, s/mime, content commitment"));
    assert!(
        leaf.extended_key_usages
            .into_iter()
            .eq([ExtendedKeyUsage::CodeSigning, ExtendedKeyUsage::EmailProtection])
    );
    assert!(leaf.further_key_usages.into_iter().eq([KeyUsage::ContentCommitment]));
    assert_denied(&config, asking("usages", "timestamping"), NOT_GRANTED, &["\"timestamping\""]);
    assert_eq!(
        purposes(&granting_usages(&["*"]), asking("usages", "timestamping")),
        [ExtendedKeyUsage::TimeStamping]
    );
}

#[test]
fn those_of_authorities_are_never_given() {
    for usage in ["cert sign", "crl sign", "ocsp signing", "any"] {
        let request = asking("usages", &format!("server auth, {usage}"));
        assert_denied(
            &granting_usages(&["*"]),
            request,
            MALFORMED,
            &["foo-usages", &format!("{usage:?} is never given"), "server auth, client auth"],
        );
    }
}

#[test]
fn an_unknown_usage_is_refused_with_those_that_there_are() {
    for usage in ["serverAuth", "Server Auth", "tls", "server auth client auth"] {
        assert_denied(
            &granting_usages(&["*"]),
            asking("usages", usage),
            MALFORMED,
            &[&format!("{usage:?} is not a usage"), "netscape sgc"],
        );
    }
}

#[test]
fn a_certificate_for_every_purpose_is_never_given() {
    let rule = "add server auth or client auth";
    assert_denied(
        &granting_usages(&["*"]),
        asking("usages", "digital signature, content commitment"),
        MALFORMED,
        &[rule],
    );
}

#[test]
fn a_key_is_used_for_what_its_type_can() {
    let config = granting_usages(&["*"]);
    for usage in ["key encipherment", "data encipherment"] {
        let request = asking("usages", &format!("{usage}, server auth"));
        assert_denied(
            &config,
            request,
            MALFORMED,
            &[&format!("{usage:?} isn't for keys of type ECDSAP256"), "RSA3072 or RSA4096"],
        );
    }
    let leaf = issued(&config, asking("usages", "key agreement, encipher only, server auth"));
    assert!(leaf.further_key_usages.into_iter().eq([KeyUsage::KeyAgreement, KeyUsage::EncipherOnly]));
    assert_denied(&config, asking("usages", "decipher only, server auth"), MALFORMED, &["add that"]);
}
