use super::*;
use crate::authority::SigningKeyType;

fn new_root(validity: Duration) -> Result<CertificateAuthority, AuthorityError> {
    let request = NewRoot { id: "1".into(), common_name: "our root".parse().unwrap(), uri: None, validity };
    let key = SigningKey::generate(SigningKeyType::EcdsaP384).unwrap();
    let now = "2026-11-22T12:00:00.9Z".parse().unwrap();
    CertificateAuthority::new_root(request, key, SerialNumber::from_random([9; 16]), now)
}

#[test]
fn says_that_it_is_a_ca_and_lasts_as_long_as_asked() {
    let authority = new_root(NewRoot::DEFAULT_VALIDITY).unwrap();
    let root = authority.root();
    assert_eq!((root.subject(), root.issuer()), ("CN=our root".into(), "CN=our root".into()));
    assert_eq!(root.not_before().to_string(), "2026-11-22T11:55:00Z");
    assert_eq!(root.not_after().to_string(), "2036-11-19T12:00:00Z");
    let constraints = root.extensions.basic_constraints.as_ref().unwrap();
    assert!(constraints.ca && constraints.path_len_constraint.is_none());
    let usage = root.extensions.key_usage.unwrap();
    assert_eq!(usage.0, KeyUsages::KeyCertSign | KeyUsages::CRLSign);
    assert_eq!(root.extensions.subject_key_identifier.as_ref().unwrap().len(), 20);
}

#[test]
fn validity_beyond_2049_is_written_as_it_must_be() {
    let authority = new_root(NewRoot::MOST_VALIDITY).unwrap();
    assert_eq!(authority.root().not_after().to_string(), "2126-10-29T12:00:00Z");
}

#[test]
fn validity_has_bounds() {
    for validity in [Duration::ZERO, NewRoot::LEAST_VALIDITY / 2, NewRoot::MOST_VALIDITY * 2, Duration::MAX] {
        let error = new_root(validity).unwrap_err().to_string();
        assert!(error.contains("is not within 1h and 876000h"), "{error}");
    }
    new_root(NewRoot::LEAST_VALIDITY).unwrap();
}

#[test]
fn common_name_fits_and_keeps_what_makes_it_unique() {
    let name =
        |what: &str, id: &str| root_common_name(what, id, [0, 0, 0, 0x2a]).map(|name| name.to_string());
    assert_eq!(name("example.com/web", "1").unwrap(), "example.com/web CA 1 0000002a");
    assert_eq!(name("example.com/web", "").unwrap(), "example.com/web CA 0000002a");
    assert_eq!(name("", "1").unwrap(), "CA 1 0000002a");
    let long = name(&"é".repeat(100), "blue").unwrap();
    assert!(long.chars().count() == 64 && long.ends_with("é CA blue 0000002a"), "{long}");
    assert!(name("a\nb", "1").is_err() && name("a", &"x".repeat(80)).is_err());
}

#[test]
fn a_uri_stands_in_the_root_and_is_read_from_there() {
    let request = NewRoot {
        id: "1".into(),
        common_name: "our root".parse().unwrap(),
        uri: Some("spiffe://prod.example.com".parse().unwrap()),
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let authority =
        CertificateAuthority::new_root(request, key, SerialNumber::from_random([9; 16]), now).unwrap();
    let uris: Vec<String> = authority.root().uris().iter().map(ToString::to_string).collect();
    assert_eq!(uris, ["spiffe://prod.example.com"]);
    assert!(new_root(NewRoot::DEFAULT_VALIDITY).unwrap().root().uris().is_empty());
}
