//! Tests of what own pools are said to be.

use super::*;
use crate::health::Health;
use ca_pool::{BUNDLE_PROPAGATION, testing::TestCa};

fn issued() -> Issued {
    Issued { examples: Arc::new([]), max_lifetime: Duration::from_secs(86_400), automatic_rotation: None }
}

fn pool(of_years: &[(i32, i32)]) -> CaPool {
    let authorities = of_years.iter().enumerate().map(|(i, (begin, end))| {
        let root = TestCa::root_with(&format!("root {i}"), |params| {
            params.not_before = rcgen::date_time_ymd(*begin, 1, 1);
            params.not_after = rcgen::date_time_ymd(*end, 1, 1);
        });
        let key = root.signing_key();
        ca_pool::CertificateAuthority::new(i.to_string(), key, vec![], vec![root.certificate()]).unwrap()
    });
    CaPool::new(authorities.collect()).unwrap()
}

#[test]
fn a_pool_of_which_none_signs_is_said_and_only_what_does_not_pass_makes_unready() {
    let (all, signer) = (Health::default(), "example.com/a".parse().unwrap());
    let health = all.signer(&signer, &[Component::CertificateAuthority]);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let state =
        PoolState { pool: Some(Arc::new(pool(&[(2020, 2030)]))), problem: None, ..PoolState::default() };
    let of = |hindrance| {
        report(&state, hindrance, &issued(), None, now, &health);
        let mut report = all.report();
        let signer = report.signers.remove(0);
        (report.is_ready, signer.problems.concat() + &signer.warnings.concat())
    };
    assert_eq!(of(None), (true, String::new()));
    let (soon, far) = (now + BUNDLE_PROPAGATION, now + BUNDLE_PROPAGATION * 2);
    for passing in [NoSigningCa::Spreading { known: soon }, NoSigningCa::NotYet { from: soon }] {
        let (is_ready, said) = of(Some(passing));
        assert!(is_ready && said.contains("no certificates are issued now"), "{said}");
    }
    for lasting in [NoSigningCa::Unpublished, NoSigningCa::Dropped, NoSigningCa::NotYet { from: far }] {
        let (is_ready, said) = of(Some(lasting));
        assert!(!is_ready && said.contains("no certificates are issued now"), "{said}");
    }
    assert_eq!(of(None), (true, String::new()));
}

#[test]
fn a_pool_that_keeps_itself_and_waits_for_people_is_ready_and_says_so() {
    let (all, signer) = (Health::default(), "example.com/a".parse().unwrap());
    let health = all.signer(&signer, &[Component::CertificateAuthority]);
    let (root, day) = (TestCa::root("Corporate Root"), Duration::from_secs(86_400));
    let issuing = root.issue("issuing");
    let pool = CaPool::new(vec![issuing.authority(&[&issuing], &root)]).unwrap();
    let now = pool.signing().not_after() - day * 30;
    let state = PoolState { pool: Some(Arc::new(pool)), problem: None, ..PoolState::default() };
    let automatic_rotation = AutomaticRotation {
        signer,
        root_uri: None,
        key_type: ca_pool::SigningKeyType::Ed25519,
        validity: AutomaticRotation::DEFAULT_VALIDITY,
        max_leaf_lifetime: day,
        propagation: AutomaticRotation::DEFAULT_PROPAGATION,
    };
    let warnings = |automatic_rotation| {
        report(
            &state,
            None,
            &Issued { max_lifetime: day, automatic_rotation, ..issued() },
            None,
            now,
            &health,
        );
        let mut report = all.report();
        (report.is_ready, report.signers.remove(0).warnings.concat())
    };
    assert_eq!(warnings(None), (true, String::new()));
    let (is_ready, warned) = warnings(Some(automatic_rotation));
    assert!(is_ready && warned.contains("an intermediate under CN=Corporate Root"), "{warned}");
}

#[test]
fn nothing_hinders_a_pool_whose_bundle_is_not_there_yet_or_not_known() {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let state =
        PoolState { pool: Some(Arc::new(pool(&[(2020, 2030)]))), problem: None, ..PoolState::default() };
    assert_eq!(hindrance_of(&state, None, now), None);
    assert_eq!(hindrance_of(&state, Some(&Published::default()), now), None);
}

#[test]
fn what_stays_the_same_is_no_news() {
    let pool = Arc::new(pool(&[(2020, 2024)]));
    let state = |problem: Option<&str>| PoolState {
        pool: Some(pool.clone()),
        problem: problem.map(Into::into),
        ..PoolState::default()
    };
    let mut current = PoolState::default();
    assert!(replace_if_other(&mut current, state(None)));
    assert!(!replace_if_other(&mut current, state(None)));
    assert!(replace_if_other(&mut current, state(Some("bad"))));
}

#[test]
fn an_older_pool_does_not_take_the_place_of_a_newer_one() {
    let (claims, signer) = (Claims::default(), "example.com/a".parse().unwrap());
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let read =
        |pool: &Arc<CaPool>| PoolState { pool: Some(pool.clone()), problem: None, ..PoolState::default() };
    let copy = |pool: &CaPool| CaPool::from_json(&pool.to_json().unwrap()).unwrap();
    let (uncounted, other) = (Arc::new(pool(&[(2020, 2030)])), Arc::new(pool(&[(2020, 2030)])));
    let older = Arc::new(copy(&uncounted).with_longest_leaf(Duration::from_secs(7200), now));
    let newer = Arc::new(copy(&older).with_longest_leaf(Duration::from_secs(9000), now));
    for behind in [&uncounted, &other, &older] {
        let kept = accept(read(behind), &read(&newer), &signer, &claims);
        assert!(Arc::ptr_eq(&kept.pool.unwrap(), &newer));
        assert!(kept.problem.unwrap().contains("older than the one in use"));
    }
    for (in_use, follows) in [(&older, &newer), (&newer, &newer), (&uncounted, &other)] {
        let taken = accept(read(follows), &read(in_use), &signer, &claims);
        assert!(Arc::ptr_eq(&taken.pool.unwrap(), follows) && taken.problem.is_none());
    }
}

#[test]
fn a_ca_of_another_signer_is_refused_until_that_one_gives_it_up() {
    let claims = Claims::default();
    let (a, b) = ("example.com/a".parse().unwrap(), "example.com/b".parse().unwrap());
    let read =
        |pool: &Arc<CaPool>| PoolState { pool: Some(pool.clone()), problem: None, ..PoolState::default() };
    let (shared, other) = (Arc::new(pool(&[(2020, 2024)])), Arc::new(pool(&[(2020, 2024)])));
    let unused = PoolState::default();
    assert!(accept(read(&shared), &unused, &a, &claims).pool.is_some());
    let refused = accept(read(&shared), &unused, &b, &claims);
    assert!(refused.pool.is_none() && refused.problem.unwrap().contains("that of the signer example.com/a"));
    accept(read(&other), &unused, &a, &claims);
    assert!(accept(read(&shared), &unused, &b, &claims).problem.is_none());
}

/// A pool of PEM files whose operator lists further roots.
#[test]
fn a_root_that_two_list_is_neithers_and_one_does_not_list_the_others() {
    let partner = TestCa::root("partner");
    let pool = |ca: &TestCa, listed: &[&TestCa]| {
        let roots: String = [ca].iter().chain(listed).map(|root| root.certificate().to_pem()).collect();
        let pem = ca.certificate().to_pem();
        let pool = CaPool::from_pem(pem.as_bytes(), ca.key_pem().as_bytes(), Some(roots.as_bytes()));
        PoolState { pool: Some(Arc::new(pool.unwrap())), ..PoolState::default() }
    };
    let (a, b) = (TestCa::root("a"), TestCa::root("b"));
    let (signer_a, signer_b) = ("example.com/a".parse().unwrap(), "example.com/b".parse().unwrap());
    let second = |of_a: &[&TestCa], of_b: &[&TestCa]| {
        let claims = Claims::default();
        assert!(accept(pool(&a, of_a), &PoolState::default(), &signer_a, &claims).problem.is_none());
        accept(pool(&b, of_b), &PoolState::default(), &signer_b, &claims).problem
    };
    assert_eq!(second(&[&partner], &[&partner]), None);
    for (of_a, of_b) in [(&[][..], &[&a][..]), (&[&b], &[])] {
        let problem = second(of_a, of_b).unwrap();
        assert!(
            problem.contains("signer example.com/a") && problem.contains("in no rootFile of another"),
            "{problem}"
        );
    }
}

#[test]
fn a_retained_root_that_can_not_be_told_from_the_pools_is_a_warning() {
    use crate::trust_bundle::DesiredBundle;
    let (all, signer) = (Health::default(), "example.com/a".parse().unwrap());
    let health = all.signer(&signer, &[Component::CertificateAuthority]);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let of_the_same_name_and_identifier = || {
        let root = TestCa::root_with("mesh-ca", |params| {
            params.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(vec![1, 2, 3]);
        });
        Arc::new(CaPool::new(vec![root.authority(&[], &root)]).unwrap())
    };
    let (replaced, pool) = (of_the_same_name_and_identifier(), of_the_same_name_and_identifier());
    let resource = kube::api::ApiResource::from_gvk(&kube::core::GroupVersionKind::gvk(
        "certificates.k8s.io",
        "v1",
        "ClusterTrustBundle",
    ));
    let bundle = DesiredBundle::new(&signer, &Default::default(), &replaced).created(&resource, now);
    let published = Published::of(&bundle, &signer);
    for (pool, is_told) in [(&pool, true), (&replaced, false)] {
        let state = PoolState { pool: Some(pool.clone()), ..PoolState::default() };
        report(&state, None, &issued(), Some(&published), now, &health);
        let mut report = all.report();
        let warned = report.signers.remove(0).warnings.concat();
        assert!(report.is_ready);
        assert_eq!(warned.contains("two trust anchors have the same subject"), is_told, "{warned}");
    }
}

#[tokio::test]
async fn a_ca_that_rustls_refuses_signs_with_a_warning_and_one_that_the_api_server_refuses_is_no_use() {
    let (all, signer) = (Health::default(), "example.com/a".parse().unwrap());
    let health = all.signer(&signer, &[Component::CertificateAuthority]);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let id = "spiffe://cluster.local/ns/shop/sa/web".parse().unwrap();
    let examples: Arc<[Leaf]> = Arc::new([Leaf::client().uri(id)]);
    // nameConstraints that permit URI:cluster.local, and a subjectKeyIdentifier
    let constraints = [&[0x30, 0x13, 0xa0, 0x11, 0x30, 0x0f, 0x86, 0x0d][..], b"cluster.local"].concat();
    for (oid, content, is_critical, is_ready, words) in [
        (30, constraints, false, true, "rustls (webpki) refuses certificates with URI names"),
        (14, vec![4, 1, 7], true, false, "the API server can't use test (CN=root)"),
    ] {
        let root = TestCa::root_with("root", |params| {
            let mut extension = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, oid], content);
            extension.set_criticality(is_critical);
            params.is_ca = rcgen::IsCa::NoCa;
            let ca = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 3, 1, 1, 0xff]);
            params.custom_extensions = vec![ca, extension];
        });
        let pool = Arc::new(CaPool::new(vec![root.authority(&[], &root)]).unwrap());
        let read = PoolState { pool: Some(pool), ..PoolState::default() };
        let state = examined(read, &PoolState::default(), &examples).await.unwrap();
        let again = examined(state.clone(), &state, &examples).await.unwrap();
        assert!(Arc::ptr_eq(&state.fitness, &again.fitness), "once for a pool");
        report(&state, None, &issued(), None, now, &health);
        let mut report = all.report();
        let signer = report.signers.remove(0);
        let (told, other) =
            if is_ready { (signer.warnings, signer.problems) } else { (signer.problems, signer.warnings) };
        assert!(told.concat().contains(words) && (!is_ready || other.is_empty()), "{told:?} {other:?}");
    }
}
