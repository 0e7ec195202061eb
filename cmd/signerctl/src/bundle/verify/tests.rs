use ca_pool::{
    CertificateAuthority, KeyType, Leaf, NewRoot, PublicKey, SerialNumber, SigningKey, SigningKeyType, Terms,
    issue,
};

use super::*;

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

fn authority() -> CertificateAuthority {
    root(SigningKey::generate(SigningKeyType::EcdsaP256).unwrap(), now())
}

fn root(key: SigningKey, now: Timestamp) -> CertificateAuthority {
    let request = NewRoot {
        id: "1".into(),
        common_name: "root".parse().unwrap(),
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    CertificateAuthority::new_root(request, key, SerialNumber::from_random([7; 16]), now).unwrap()
}

fn anchors(authority: &CertificateAuthority) -> Anchors {
    Anchors { name: "bundle".into(), certificates: vec![authority.root().clone()], sequence: None }
}

#[test]
fn a_certificate_is_good_for_its_names_purpose_and_time_under_its_root() {
    let (authority, other) = (authority(), authority());
    // the same key, in a root of another time
    let at = |time: &str| {
        let key = authority.key().local().unwrap().to_pkcs8().unwrap();
        anchors(&root(SigningKey::from_der(&key).unwrap(), time.parse().unwrap()))
    };
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    let key = PublicKey::from_pkix(key.spki_der()).unwrap();
    assert_eq!(key.key_type(), KeyType::EcdsaP256);
    let leaf = Leaf::server().dns_name("web.shop.svc".parse().unwrap());
    let serial = SerialNumber::from_random([8; 16]);
    let issued = issue(&leaf, &key, &Terms::default(), &authority, serial, now()).unwrap();
    let chain = [CertificateDer::from(issued.leaf_der)];
    let of = |anchors: &Anchors, purpose, name: Option<&str>, now| {
        let name = name.map(|name| server_name(name).unwrap());
        verdict(anchors, &chain, purpose, name.as_ref(), now).err().unwrap_or_default()
    };
    let good = anchors(&authority);
    let later: Timestamp = "2026-12-27T12:00:00Z".parse().unwrap();
    for (found, expected) in [
        (of(&good, Purpose::Server, None, now()), ""),
        (of(&good, Purpose::Server, Some("web.shop.svc"), now()), ""),
        (of(&anchors(&other), Purpose::Server, None, now()), "none of its anchors has signed it"),
        (of(&good, Purpose::Client, None, now()), "isn't for that purpose"),
        (of(&good, Purpose::Server, None, later), "expired"),
        (
            of(&at("2016-11-01T00:00:00Z"), Purpose::Server, None, now()),
            "CN=root has signed it, which expired at",
        ),
        (of(&at("2026-12-01T00:00:00Z"), Purpose::Server, None, now()), "which isn't valid before"),
        (of(&good, Purpose::Server, Some("other.shop.svc"), now()), "hasn't that name"),
    ] {
        assert!(
            found.contains(expected) && found.is_empty() == expected.is_empty(),
            "{expected:?}: {found:?}"
        );
    }
    assert!(server_name("not a name").unwrap_err().contains("neither a DNS name nor an IP address"));
}
