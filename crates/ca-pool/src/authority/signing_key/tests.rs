//! Keys in all encodings, most of them written by OpenSSL.

use std::sync::LazyLock;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};

use super::super::{SigningKey, SigningKeyError, SigningKeyType};
use crate::testing::key_der;

/// RSA keys take long to make.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let types =
        SigningKeyType::GENERATED.into_iter().filter(|key_type| *key_type != SigningKeyType::Rsa(4096));
    types.map(|key_type| SigningKey::generate(key_type).unwrap()).collect()
});

fn verification(key_type: SigningKeyType) -> &'static dyn VerificationAlgorithm {
    match key_type {
        SigningKeyType::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
        SigningKeyType::EcdsaP384 => &ECDSA_P384_SHA384_ASN1,
        SigningKeyType::EcdsaP521 => &ECDSA_P521_SHA512_ASN1,
        SigningKeyType::Ed25519 => &ED25519,
        SigningKeyType::Rsa(_) => &RSA_PKCS1_2048_8192_SHA256,
    }
}

fn assert_signs(key: &SigningKey) {
    let signature = key.sign(b"message").unwrap();
    assert!(signature.len() <= key.key_type().longest_signature());
    let public = UnparsedPublicKey::new(verification(key.key_type()), key.spki_der());
    assert!(public.verify(b"message", &signature).is_ok(), "{key:?}");
    assert!(public.verify(b"another", &signature).is_err(), "{key:?}");
}

#[test]
fn each_type_signs_and_reads_back() {
    for key in KEYS.iter() {
        assert_signs(key);
        let again = SigningKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!((again.key_type(), again.spki_der()), (key.key_type(), key.spki_der()));
        assert_signs(&again);
    }
}

#[test]
fn reads_what_openssl_writes() {
    type Read = fn(&[u8]) -> Result<SigningKey, SigningKeyError>;
    let cases: [(&str, Read, SigningKeyType); 5] = [
        ("sec1-p256.pem", SigningKey::from_sec1, SigningKeyType::EcdsaP256),
        ("sec1-p384.pem", SigningKey::from_sec1, SigningKeyType::EcdsaP384),
        ("sec1-p521.pem", SigningKey::from_sec1, SigningKeyType::EcdsaP521),
        ("pkcs1-rsa2048.pem", SigningKey::from_pkcs1, SigningKeyType::Rsa(2048)),
        ("pkcs8-ed25519.pem", SigningKey::from_pkcs8, SigningKeyType::Ed25519),
    ];
    for (file, read, key_type) in cases {
        let key = read(&key_der(file)).unwrap();
        assert_eq!(key.key_type(), key_type);
        assert_signs(&key);
    }
}

#[test]
fn the_form_of_a_key_is_found_in_its_content() {
    for file in ["sec1-p256.pem", "sec1-p384.pem", "sec1-p521.pem", "pkcs1-rsa2048.pem", "pkcs8-ed25519.pem"]
    {
        let key = SigningKey::from_der(&key_der(file)).unwrap();
        let again = SigningKey::from_der(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!(key.spki_der(), again.spki_der(), "{file}");
    }
    for der in [&b""[..], b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x30\x05\x02\x01\x00\x05\x00"] {
        assert!(matches!(SigningKey::from_der(der), Err(SigningKeyError::Malformed { .. })), "{der:x?}");
    }
}

#[test]
fn says_what_a_key_is_that_cannot_sign() {
    type Read = fn(&[u8]) -> Result<SigningKey, SigningKeyError>;
    let cases: [(&str, Read, &str); 5] = [
        ("sec1-secp256k1.pem", SigningKey::from_sec1, "ECDSA on the curve 1.3.132.0.10"),
        ("sec1-explicit.pem", SigningKey::from_sec1, "ECDSA on an unnamed curve"),
        ("pkcs1-rsa1024.pem", SigningKey::from_pkcs1, "RSA with 1024 bits"),
        ("pkcs8-rsa-pss.pem", SigningKey::from_pkcs8, "RSA that is bound to PSS"),
        ("pkcs8-ed448.pem", SigningKey::from_pkcs8, "Ed448 (1.3.101.113)"),
    ];
    for (file, read, found) in cases {
        let error = read(&key_der(file)).unwrap_err().to_string();
        assert!(error.contains(found) && error.contains("a CA signs with ECDSA"), "{file}: {error}");
    }
}

#[test]
fn sec1_key_without_its_curve_is_known_by_its_length() {
    let der = key_der("sec1-p384.pem");
    // SEQUENCE { version, OCTET STRING of 48 bytes, … }
    let start = der.windows(2).position(|bytes| bytes == [0x04, 48]).unwrap();
    let bare = [&[0x30, 53, 0x02, 1, 1], &der[start..start + 50]].concat();
    let key = SigningKey::from_sec1(&bare).unwrap();
    assert_eq!(key.spki_der(), SigningKey::from_sec1(&der).unwrap().spki_der());
}

#[test]
fn damaged_keys_are_refused_without_showing_them() {
    for key in KEYS.iter() {
        let mut der = key.to_pkcs8().unwrap().to_vec();
        assert!(SigningKey::from_pkcs8(&der[..der.len() - 1]).is_err());
        der.push(0);
        assert!(SigningKey::from_pkcs8(&der).is_err());
    }
    let error = SigningKey::from_pkcs8(&[0x30; SigningKey::MAX_DER_BYTES + 1]).unwrap_err();
    assert_eq!(error.to_string(), "the private key has 10241 bytes; 10240 are the most");
    let mut rsa = key_der("pkcs1-rsa2048.pem");
    let middle = rsa.len() / 2;
    rsa[middle] ^= 1;
    let error = SigningKey::from_pkcs1(&rsa).unwrap_err().to_string();
    assert!(error.starts_with("the private key of type RSA2048 is damaged"), "{error}");
}

#[test]
fn debug_shows_the_type_alone() {
    for key in KEYS.iter() {
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("SigningKey {{ key_type: {:?}, .. }}", key.key_type()));
    }
}
