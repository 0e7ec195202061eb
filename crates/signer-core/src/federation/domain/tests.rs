use ca_pool::{CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType};

use super::*;

fn root(name: &str) -> CaCertificate {
    let request = NewRoot {
        id: "1".into(),
        common_name: name.parse().unwrap(),
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let (key, now) =
        (SigningKey::generate(SigningKeyType::EcdsaP256).unwrap(), "2026-11-27T00:00:00Z".parse().unwrap());
    let authority = CertificateAuthority::new_root(request, key, SerialNumber::from_random([7; 16]), now);
    authority.unwrap().root().clone()
}

fn bundle(anchors: &[&CaCertificate], sequence: Option<u64>) -> SpiffeBundle {
    let anchors = anchors.iter().map(|anchor| (*anchor).clone()).collect();
    SpiffeBundle { anchors, sequence, refresh_hint: None }
}

#[test]
fn nothing_goes_back_and_no_ca_speaks_for_two() {
    let [own, a, b] = ["own", "a", "b"].map(root);
    let (partner, other): (TrustDomain, TrustDomain) =
        ("partner.example".parse().unwrap(), "other.example".parse().unwrap());
    let ders = |anchor: &CaCertificate| vec![anchor.der().to_vec()];
    let domains = BTreeMap::from([(other.clone(), ders(&b)), (partner.clone(), ders(&a))]);
    let own_roots = ders(&own);
    let others = Others { own: &own_roots, domains: &domains };
    let of = |new: &SpiffeBundle, known: Option<&SpiffeBundle>| accept(&partner, new, known, &others);
    let known = bundle(&[&a], Some(7));
    assert_eq!(of(&bundle(&[&a], Some(8)), Some(&known)), Ok(()));
    assert_eq!(of(&bundle(&[&a], Some(7)), Some(&known)), Ok(()), "its author may not count");
    assert_eq!(of(&bundle(&[&a], None), Some(&known)), Ok(()));
    assert_eq!(of(&bundle(&[], Some(8)), Some(&known)), Ok(()), "which ends the trust");
    assert_eq!(of(&bundle(&[&a], Some(6)), Some(&known)), Err(Refusal::Older { new: 6, known: 7 }));
    assert_eq!(of(&bundle(&[&a, &own], Some(8)), None), Err(Refusal::OwnRoot(own.fingerprint())));
    let refused = Refusal::OtherDomain { domain: other, sha256: b.fingerprint() };
    assert_eq!(of(&bundle(&[&b], None), None), Err(refused));
    assert_eq!(of(&bundle(&[&a; 101], None), None), Err(Refusal::TooMany(101)));
}

#[test]
fn anchors_count_until_they_expire() {
    let a = root("a");
    let bundle = bundle(&[&a], None);
    let valid = |now: &str| valid(&bundle, now.parse().unwrap()).len();
    assert_eq!((valid("2026-11-28T00:00:00Z"), valid("2036-11-28T00:00:00Z")), (1, 0));
}

#[test]
fn the_author_says_within_bounds_when_it_is_fetched_again() {
    let after = |seconds: Option<u64>| {
        let hint = seconds.map(Duration::from_secs);
        refresh_after(Some(&SpiffeBundle { refresh_hint: hint, ..SpiffeBundle::default() })).as_secs()
    };
    assert_eq!(
        [after(Some(0)), after(Some(600)), after(Some(u64::MAX)), after(None)],
        [60, 600, 86_400, 300]
    );
    assert_eq!(refresh_after(None).as_secs(), 60);
}

#[test]
fn a_file_is_a_spiffe_bundle_or_pem() {
    let a = root("a");
    let json = bundle(&[&a], Some(3)).to_json().unwrap().to_string();
    for (content, sequence) in [(json, Some(3)), (a.to_pem(), None)] {
        let read = from_file(content.as_bytes()).unwrap();
        assert_eq!((read.anchors[0].der(), read.sequence), (a.der(), sequence));
    }
    for (content, expected) in [
        ("", "no CERTIFICATE block"),
        ("{", "isn't a SPIFFE bundle"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "line 1"),
    ] {
        let problem = from_file(content.as_bytes()).unwrap_err();
        assert!(problem.contains(expected), "{content}: {problem}");
    }
}
