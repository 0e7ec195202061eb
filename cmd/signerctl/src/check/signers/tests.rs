use std::time::Duration;

use ca_pool::{
    CertificateAuthority, NewRoot, RotationPlan, SerialNumber, SigningKey, SigningKeyType, root_common_name,
};
use signer_manager::Config;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn at(days: u32) -> Timestamp {
    "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap() + DAY * days
}

fn authority(id: &str) -> CertificateAuthority {
    let common_name = root_common_name("test", id, [0; 4]).unwrap();
    let root = NewRoot { id: id.into(), common_name, uri: None, validity: NewRoot::DEFAULT_VALIDITY };
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([7; 16]), at(0)).unwrap()
}

/// CA 1, and CA 2 that signs from day 2 on.
fn pool() -> CaPool {
    let plan = RotationPlan {
        signs_from: at(2),
        max_leaf_lifetime: Some(DAY),
        predecessor_max_leaf_lifetime: Some(DAY),
    };
    CaPool::new(vec![authority("1")]).unwrap().with_successor(authority("2"), plan, at(1)).unwrap()
}

#[test]
fn each_root_that_is_needed_must_be_published() {
    let text = "signers: [{name: example.com/a, kind: service-dns, caPool: {file: /pool}}]";
    let config = Config::parse(text, "signers.yaml").unwrap();
    let pool = pool();
    let of = |anchors: &[usize], day: u32| {
        let anchors = anchors.iter().map(|index| pool.authority(*index).root().der().to_vec()).collect();
        bundle_findings(&config.signers[0], Some(&pool), Some(anchors), at(day)).remove(0)
    };
    for (anchors, day, severity, text) in [
        (&[0, 1][..], 1, Severity::Good, "has the pool's 2 roots"),
        (&[0], 1, Severity::Warning, "doesn't have"),
        (&[1], 1, Severity::Bad, "lacks"),
        (&[0], 3, Severity::Bad, "lacks"),
        (&[1], 3, Severity::Bad, "lacks"),
        // CA 1 can go
        (&[1], 30, Severity::Good, "has the pool's 1 root"),
    ] {
        let found = of(anchors, day);
        assert_eq!(found.severity, severity, "{anchors:?} on day {day}: {}", found.text);
        assert!(found.text.contains(text), "{}", found.text);
    }
    let none = bundle_findings(&config.signers[0], Some(&pool), None, at(1));
    assert_eq!(none[0].severity, Severity::Bad);

    let foreign = CaPool::new(vec![authority("3")]).unwrap();
    let roots = pool.roots().into_iter().chain(foreign.roots());
    let anchors = roots.map(|root| root.der().to_vec()).collect();
    let found = bundle_findings(&config.signers[0], Some(&pool), Some(anchors), at(1));
    let severities: Vec<_> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Good, Severity::Warning]);
    assert!(found[1].text.contains("1 anchor that the pool hasn't"), "{}", found[1].text);
}

#[test]
fn a_pool_that_was_there_is_not_made_anew() {
    let text = "signers: [{name: example.com/a, kind: service-dns, caPool: {file: /pool}}]";
    let config = Config::parse(text, "signers.yaml").unwrap();
    let missing = Error::NoSecret {
        secret: "Secret a/b".into(),
        cluster: "c".into(),
        arguments: "--namespace a --name b".into(),
    };
    let remedy = |is_published| {
        serde_json::to_value(no_pool(&missing, &config.signers[0], is_published)).unwrap()["remedy"]
            .to_string()
    };
    assert!(remedy(false).contains("ca-pool create --namespace a --name b --signer example.com/a"));
    assert!(remedy(true).contains("backup") && !remedy(true).contains("create"));
}
