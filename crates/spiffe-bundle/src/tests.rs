use ca_pool::{CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType};
use proptest::prelude::*;

use super::*;

fn root(key_type: SigningKeyType) -> CaCertificate {
    let request = NewRoot {
        id: "1".into(),
        common_name: "root".parse().unwrap(),
        uri: Some("spiffe://example.com".parse().unwrap()),
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let (key, now) = (SigningKey::generate(key_type).unwrap(), "2026-11-27T00:00:00Z".parse().unwrap());
    let authority = CertificateAuthority::new_root(request, key, SerialNumber::from_random([7; 16]), now);
    authority.unwrap().root().clone()
}

fn ders(bundle: &SpiffeBundle) -> Vec<&[u8]> {
    bundle.anchors.iter().map(CaCertificate::der).collect()
}

#[test]
fn what_is_written_is_read() {
    let anchors = [SigningKeyType::EcdsaP256, SigningKeyType::EcdsaP521, SigningKeyType::Ed25519].map(root);
    let hint = Some(Duration::from_secs(300));
    let bundle = SpiffeBundle { anchors: anchors.to_vec(), sequence: Some(u64::MAX), refresh_hint: hint };
    let read = SpiffeBundle::from_json(&serde_json::to_vec(&bundle.to_json().unwrap()).unwrap()).unwrap();
    assert_eq!(ders(&read), ders(&bundle));
    assert_eq!((read.sequence, read.refresh_hint), (Some(u64::MAX), hint));
    let bare = SpiffeBundle::default().to_json().unwrap();
    assert_eq!(bare, json!({"keys": []}));
}

#[test]
fn what_the_specification_passes_over_is_passed_over() {
    let good = SpiffeBundle { anchors: vec![root(SigningKeyType::EcdsaP256)], ..SpiffeBundle::default() };
    let element = good.to_json().unwrap()["keys"][0].clone();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut element = element.clone();
        change(&mut element);
        element
    };
    for (what, other) in [
        ("the same again", element.clone()),
        ("another use", changed(&|element| element["use"] = json!("jwt-svid"))),
        ("no use", changed(&|element| drop(element.as_object_mut().unwrap().remove("use")))),
        ("an unknown kty", changed(&|element| element["kty"] = json!("new"))),
        ("no certificate", changed(&|element| drop(element.as_object_mut().unwrap().remove("x5c")))),
        ("an empty list", changed(&|element| element["x5c"] = json!([]))),
        ("no object", json!(7)),
    ] {
        let json = json!({"keys": [other, element], "more": 1}).to_string();
        let read = SpiffeBundle::from_json(json.as_bytes()).unwrap();
        assert_eq!(ders(&read), ders(&good), "{what}");
    }
    let several = changed(&|element| {
        element["x5c"] = json!([element["x5c"][0], "AAAA"]);
    });
    let read = SpiffeBundle::from_json(json!({"keys": [several]}).to_string().as_bytes()).unwrap();
    assert_eq!(ders(&read), ders(&good), "the first counts");
}

#[test]
fn what_is_damaged_is_refused_and_not_quoted() {
    let not_a_ca =
        |x5c: Value| json!({"keys": [{"kty": "EC", "use": "x509-svid", "x5c": [x5c]}]}).to_string();
    for (json, expected) in [
        ("{}".to_owned(), "isn't a SPIFFE bundle"),
        ("[]".to_owned(), "isn't a SPIFFE bundle"),
        (r#"{"keys": {}}"#.to_owned(), "isn't a SPIFFE bundle"),
        (r#"{"keys": [], "spiffe_sequence": -1}"#.to_owned(), "isn't a SPIFFE bundle"),
        ("s3cr3t".to_owned(), "(at line 1, column 1)"),
        (not_a_ca(json!("no base64!")), "element 0 of the bundle has no certificate"),
        (not_a_ca(json!("AAAA")), "element 0"),
        (format!("{{\"keys\": [{}]}}", " ".repeat(SpiffeBundle::MAX_BYTES)), "1048576 are the most"),
    ] {
        let error = SpiffeBundle::from_json(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cr3t"), "{error}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(json in "[{}\\[\\]:,\"kteysuxcrpif_509 0-9]{0,200}") {
        let _ = SpiffeBundle::from_json(json.as_bytes());
    }
}
