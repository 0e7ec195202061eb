use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P521_SHA512, PKCS_ED25519};

use super::*;

fn csr(key: &KeyPair, names: Vec<String>) -> Vec<u8> {
    CertificateParams::new(names).unwrap().serialize_request(key).unwrap().der().to_vec()
}

#[test]
fn both_fields_give_the_same_key() {
    for (algorithm, key_type) in [
        (&PKCS_ECDSA_P256_SHA256, KeyType::EcdsaP256),
        (&PKCS_ECDSA_P521_SHA512, KeyType::EcdsaP521),
        (&PKCS_ED25519, KeyType::Ed25519),
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let from_csr = PublicKey::from_pkcs10(&csr(&key, vec!["evil.example".into()])).unwrap();
        assert_eq!(from_csr, PublicKey::from_pkix(from_csr.spki_der()).unwrap());
        assert_eq!(from_csr.key_type(), key_type);
    }
}

#[test]
fn says_what_is_wrong_with_a_key() {
    let too_long = PublicKey::from_pkix(&[0; MAX_KEY_FIELD_BYTES + 1]).unwrap_err();
    assert_eq!(too_long.to_string(), "spec.pkixPublicKey has 10241 bytes; 10240 are the most");
    let malformed = PublicKey::from_pkcs10(b"nonsense").unwrap_err().to_string();
    assert!(malformed.starts_with("spec.stubPKCS10Request is not valid DER"), "{malformed}");
}

/// The SubjectPublicKeyInfo of an RSA key.
fn rsa(modulus: &[u8], exponent: &[u8], parameters: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| tlv(2, &[&[0], bytes].concat());
    let key = tlv(0x30, &[integer(modulus), tlv(2, exponent)].concat());
    let algorithm = tlv(0x30, &[&rfc5912::RSA_ENCRYPTION.to_der().unwrap(), parameters].concat());
    tlv(0x30, &[algorithm, tlv(3, &[&[0], &*key].concat())].concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = if content.len() < 128 {
        vec![low]
    } else if content.len() < 256 {
        vec![0x81, low]
    } else {
        vec![0x82, high, low]
    };
    [&[tag], &*length, content].concat()
}

fn rule(spki: &[u8]) -> String {
    match PublicKey::from_pkix(spki) {
        Err(error @ PublicKeyError::Invalid { .. }) => error.to_string(),
        other => panic!("{other:?} is not invalid"),
    }
}

#[test]
fn an_rsa_key_keeps_bounds_of_its_own() {
    const NULL: &[u8] = &[5, 0];
    let odd = [0xff; 384];
    let even = [&odd[1..], &[0xfe]].concat();
    assert!(PublicKey::from_pkix(&rsa(&odd, &[1, 0, 1], NULL)).is_ok());
    assert!(rule(&rsa(&even, &[1, 0, 1], NULL)).contains("modulus is even"));
    for exponent in [&[0_u8][..], &[1], &[2], &[1, 0, 0], &[0, 0x80, 0, 0, 1], &[1, 0, 0, 0, 0, 0, 0, 0, 1]] {
        let rule = rule(&rsa(&odd, exponent, NULL));
        assert!(rule.contains("no valid RSA3072 key: its public exponent"), "{exponent:?}: {rule}");
    }
    for parameters in [&[][..], &[4, 0]] {
        assert!(rule(&rsa(&odd, &[1, 0, 1], parameters)).contains("NULL"), "{parameters:?}");
    }
    let negative = rsa(&odd, &[0x80], NULL);
    assert!(matches!(PublicKey::from_pkix(&negative), Err(PublicKeyError::Malformed { .. })));
}

#[test]
fn a_point_lies_on_its_curve() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let spki = PublicKey::from_pkcs10(&csr(&key, vec![])).unwrap().spki_der().to_vec();
    let point = spki.len() - 65;
    let changed = |at: usize, byte: u8| {
        let mut changed = spki.clone();
        changed[at] ^= byte;
        changed
    };
    assert!(rule(&changed(spki.len() - 1, 1)).contains("no point of the curve"));
    assert!(rule(&changed(point, 4 ^ 6)).contains("uncompressed"));
    assert!(rule(&changed(point - 1, 3)).contains("unused bits"));
    let compressed = [&[2], &spki[point + 1..point + 33]].concat();
    let algorithm = &spki[2..point - 3];
    let compressed = tlv(0x30, &[algorithm, &tlv(3, &[&[0], &*compressed].concat())].concat());
    assert!(rule(&compressed).contains("uncompressed"));
}

#[test]
fn an_ed25519_key_has_32_bytes_and_no_parameters() {
    let spki = |algorithm: &[u8], key: &[u8]| {
        tlv(0x30, &[tlv(0x30, algorithm), tlv(3, &[&[0], key].concat())].concat())
    };
    let oid = rfc8410::ID_ED_25519.to_der().unwrap();
    assert!(PublicKey::from_pkix(&spki(&oid, &[7; 32])).is_ok());
    assert!(rule(&spki(&oid, &[7; 31])).contains("aws-lc can't parse it"));
    assert!(rule(&spki(&[&*oid, &[5, 0]].concat(), &[7; 32])).contains("RFC 8410"));
}

#[test]
fn names_the_accepted_types_for_an_rsa_key_of_2048_bits() {
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let error = PublicKey::from_pkcs10(&csr(&key, vec![])).unwrap_err().to_string();
    assert_eq!(
        error,
        "the key is RSA with 2048 bits; accepted are RSA3072, RSA4096, ECDSAP256, ECDSAP384, ECDSAP521, ED25519"
    );
}
