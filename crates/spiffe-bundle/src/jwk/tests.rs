use ca_pool::{CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType};

use super::*;

fn root(key_type: SigningKeyType) -> (CaCertificate, Vec<u8>) {
    let request = NewRoot {
        id: "1".into(),
        common_name: "root".parse().unwrap(),
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let key = SigningKey::generate(key_type).unwrap();
    let spki = key.spki_der().to_vec();
    let now = "2026-11-27T00:00:00Z".parse().unwrap();
    let authority =
        CertificateAuthority::new_root(request, key, SerialNumber::from_random([7; 16]), now).unwrap();
    (authority.root().clone(), spki)
}

#[test]
fn each_key_has_its_parameters_and_its_certificate() {
    for (key_type, kty, curve, coordinate) in [
        (SigningKeyType::EcdsaP256, "EC", "P-256", 32),
        (SigningKeyType::EcdsaP384, "EC", "P-384", 48),
        (SigningKeyType::EcdsaP521, "EC", "P-521", 66),
        (SigningKeyType::Ed25519, "OKP", "Ed25519", 32),
        (SigningKeyType::Rsa(2048), "RSA", "", 256),
    ] {
        let (root, spki) = root(key_type);
        let entry = &element(&root).unwrap();
        assert_eq!(
            (&entry["kty"], &entry["use"], entry.get("kid")),
            (&json!(kty), &json!("x509-svid"), None)
        );
        assert_eq!(entry["x5c"], json!([STANDARD.encode(root.der())]));
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(entry[name].as_str().unwrap()).unwrap();
        match kty {
            "RSA" => {
                assert_eq!((bytes("n").len(), bytes("e")), (coordinate, vec![1, 0, 1]));
                assert!(spki.windows(coordinate).any(|window| window == bytes("n")));
            }
            "EC" => {
                assert_eq!(entry["crv"], curve);
                assert!(spki.ends_with(&[&[4][..], &bytes("x"), &bytes("y")].concat()));
                assert_eq!(bytes("x").len(), coordinate);
            }
            _ => assert!(spki.ends_with(&bytes("x")) && entry["crv"] == curve),
        }
    }
}

#[test]
fn a_key_of_another_kind_has_no_jwk() {
    let (_, mut spki) = root(SigningKeyType::Ed25519);
    assert!(key(&spki).is_some());
    // id-Ed448 (RFC 8410 §3)
    let oid = spki.windows(3).position(|window| window == [0x2b, 0x65, 0x70]).unwrap();
    spki[oid + 2] = 0x71;
    assert_eq!(key(&spki), None);
}
