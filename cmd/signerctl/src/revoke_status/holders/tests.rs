use ca_pool::{CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType, root_common_name};
use signer_core::cluster::{Pod, PodPhase};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn at(hours: u64) -> Timestamp {
    later("2026-11-27T00:00:00Z".parse().unwrap(), HOUR * u32::try_from(hours).unwrap())
}

fn authority() -> CertificateAuthority {
    let common_name = root_common_name("test", "2", [0; 4]).unwrap();
    let root = NewRoot { id: "2".into(), common_name, uri: None, validity: NewRoot::DEFAULT_VALIDITY };
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([7; 16]), at(0)).unwrap()
}

fn pod(uid: &str, created: Timestamp, owner: Option<&str>) -> ObservedPod {
    let json = serde_json::json!({
        "metadata": {
            "name": uid, "namespace": "shop", "uid": uid, "creationTimestamp": created.to_string(),
            "labels": {"pod-template-hash": "abc"},
            "ownerReferences": owner.map(|name| vec![serde_json::json!({"kind": "ReplicaSet", "name": format!("{name}-abc"), "controller": true})]).unwrap_or_default(),
        },
        "spec": {"nodeName": "node-1", "volumes": [{"projected": {"sources": [{"podCertificate": {"signerName": "example.com/a", "keyType": "ED25519"}}]}}]},
        "status": {"phase": "Running"},
    });
    api_client::object::read_object(&serde_json::to_vec(&json).unwrap()).unwrap()
}

fn evidence<'a>(pool: &'a CaPool, audited: &'a HashMap<String, Audited>) -> Evidence<'a> {
    Evidence { pool, revoked_at: at(10), max_lifetime: HOUR * 24, requests: Vec::new(), audited }
}

fn record(hour: u64, ca: &str) -> Audited {
    Audited { at: at(hour), is_confirmed: true, not_after: at(hour + 24), ca: ca.to_owned() }
}

/// A certificate whose write wasn't answered may be the pod's, or not.
#[test]
fn what_is_not_confirmed_renews_nothing() {
    let authority = authority();
    let ca = authority.issuer().fingerprint();
    let pool = CaPool::new(vec![authority]).unwrap();
    for (ca, expected) in
        [(ca.as_str(), Holding::Unknown(later(at(34), POOL_RELOAD))), ("AA", Holding::Revoked(at(36)))]
    {
        let audited = [("u".to_owned(), Audited { is_confirmed: false, ..record(12, ca) })].into();
        let found = evidence(&pool, &audited).of(&pod("u", at(1), None), "example.com/a", at(13));
        assert_eq!(found, expected);
    }
}

#[test]
fn what_a_pod_holds_is_told_by_the_newest_certificate_that_is_known() {
    let authority = authority();
    let ca = authority.issuer().fingerprint();
    let pool = CaPool::new(vec![authority]).unwrap();
    let of = |created: u64, audited: Option<(u64, &str)>, now: u64| {
        let audited = audited.map(|(hour, ca)| ("u".to_owned(), record(hour, ca)));
        let audited = audited.into_iter().collect();
        let evidence = evidence(&pool, &audited);
        evidence.of(&pod("u", at(created), None), "example.com/a", at(now))
    };
    for (what, found, expected) in [
        ("older than the revocation", of(1, None, 11), Holding::Unknown(later(at(34), POOL_RELOAD))),
        (
            "made while replicas may not have the pool",
            of(10, None, 11),
            Holding::Unknown(later(at(34), POOL_RELOAD)),
        ),
        ("older, but all have expired", of(1, None, 35), Holding::NotRevoked),
        ("younger than the revocation", of(12, None, 13), Holding::NotRevoked),
        ("issued before by a CA that is gone", of(1, Some((5, "AA")), 11), Holding::Revoked(at(29))),
        ("the same, expired", of(1, Some((5, "AA")), 29), Holding::NotRevoked),
        ("issued since by the new CA", of(1, Some((12, &ca)), 13), Holding::NotRevoked),
        (
            "issued before by a CA that stays",
            of(1, Some((5, &ca)), 11),
            Holding::Unknown(later(at(34), POOL_RELOAD)),
        ),
        ("issued since by the old CA", of(12, Some((13, "AA")), 14), Holding::Revoked(at(37))),
    ] {
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn which_of_several_certificates_was_renewed_is_not_known() {
    let authority = authority();
    let ca = authority.issuer().fingerprint();
    let pool = CaPool::new(vec![authority]).unwrap();
    let audited = [("u".to_owned(), record(12, &ca))].into();
    let evidence = evidence(&pool, &audited);
    let mut several = pod("u", at(1), None);
    assert_eq!(evidence.of(&several, "example.com/a", at(13)), Holding::NotRevoked);
    several.pod.certificate_sources.push(several.pod.certificate_sources[0].clone());
    assert_eq!(evidence.of(&several, "example.com/a", at(13)), Holding::Unknown(later(at(34), POOL_RELOAD)));
    several.created = Some(at(11));
    assert_eq!(evidence.of(&several, "example.com/a", at(13)), Holding::NotRevoked);
}

#[test]
fn holders_are_gathered_by_what_made_them_and_forgotten_once_renewed() {
    let pool = CaPool::new(vec![authority()]).unwrap();
    let audited = HashMap::new();
    let evidence = evidence(&pool, &audited);
    let pods = || {
        vec![
            pod("a", at(1), Some("web")),
            pod("b", at(2), Some("web")),
            pod("c", at(1), None),
            pod("d", at(11), Some("web")),
        ]
    };
    let signer: SignerName = "example.com/a".parse().unwrap();
    let mut renewed = HashSet::new();
    let holders = Holders::of(&signer, pods(), &evidence, &mut renewed, at(11));
    let found: Vec<_> = holders
        .workloads
        .iter()
        .map(|found| (found.owner.as_ref().map(ToString::to_string), found.holders.join(" "), found.pods))
        .collect();
    assert_eq!(found, [(None, "c".to_owned(), 1), (Some("deployment/web".to_owned()), "a b".to_owned(), 3)]);
    assert_eq!((holders.count(), holders.pods), (3, 4));
    renewed.extend(["a".to_owned(), "b".to_owned(), "c".to_owned()]);
    assert!(Holders::of(&signer, pods(), &evidence, &mut renewed, at(11)).is_empty());
}

#[test]
fn pods_without_a_node_finished_ones_and_those_that_ask_others_do_not_count() {
    let pool = CaPool::new(vec![authority()]).unwrap();
    let audited = HashMap::new();
    let evidence = evidence(&pool, &audited);
    let mut unbound = pod("a", at(1), None);
    unbound.pod.node_name.clear();
    let mut initialising = pod("d", at(1), None);
    initialising.pod.phase = PodPhase::Pending;
    let mut finished = pod("b", at(1), None);
    finished.pod.phase = PodPhase::Finished;
    let other = ObservedPod { pod: Pod::default(), ..pod("c", at(1), None) };
    let signer: SignerName = "example.com/a".parse().unwrap();
    let pods = vec![unbound, finished, other, initialising];
    let holders = Holders::of(&signer, pods, &evidence, &mut HashSet::new(), at(11));
    assert_eq!((holders.pods, holders.workloads[0].holders.join(" ")), (1, "d".to_owned()));
}
