//! The rules by which key and certificates make an authority, one by one.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, KeyUsagePurpose, date_time_ymd};

use super::{AuthorityError, CaCertificate, CertificateAuthority, SigningKey};
use crate::testing::{TestCa, certificate_der, key_der};

fn authority(
    key: &TestCa,
    intermediates: &[&TestCa],
    roots: &[&TestCa],
) -> Result<CertificateAuthority, AuthorityError> {
    let certificates = |of: &[&TestCa]| of.iter().map(|ca| ca.certificate()).collect();
    CertificateAuthority::new("1", key.signing_key(), certificates(intermediates), certificates(roots))
}

fn refusal(key: &TestCa, intermediates: &[&TestCa], roots: &[&TestCa]) -> String {
    authority(key, intermediates, roots).unwrap_err().to_string()
}

#[test]
fn root_signs_without_a_chain() {
    let root = TestCa::root("root");
    let authority = authority(&root, &[], &[&root]).unwrap();
    assert_eq!(authority.issuer(), authority.root());
    assert!(authority.intermediates().is_empty() && authority.chain_pem().is_empty());
    let shown = authority.to_string();
    assert!(shown.starts_with("CA \"1\" (CN=root, SHA-256 ") && shown.ends_with(')'), "{shown}");
}

#[test]
fn chain_is_found_whatever_the_order() {
    let root = TestCa::root("root");
    let upper = root.issue("upper");
    let lower = upper.issue("lower");
    let stranger = TestCa::root("stranger").issue("of a stranger");
    for order in [
        [&lower, &upper, &stranger, &root],
        [&root, &stranger, &upper, &lower],
        [&upper, &root, &lower, &stranger],
    ] {
        let authority = authority(&lower, &order, &[&root]).unwrap();
        let chain: Vec<&[u8]> = authority.intermediates().iter().map(CaCertificate::der).collect();
        assert_eq!(chain, [lower.der(), upper.der()]);
        assert_eq!(authority.root().der(), root.der());
    }
}

#[test]
fn shortest_way_wins() {
    let (old, new) = (TestCa::root("old"), TestCa::root("new"));
    let crossed = old.cross_sign(&new);
    let issuing = new.issue("issuing");
    let through_new = authority(&issuing, &[&issuing, &crossed], &[&old, &new]).unwrap();
    assert_eq!((through_new.root().subject(), through_new.intermediates().len()), ("CN=new".into(), 1));
    let through_old = authority(&issuing, &[&issuing, &crossed], &[&old]).unwrap();
    assert_eq!((through_old.root().subject(), through_old.intermediates().len()), ("CN=old".into(), 2));
    let by_itself = authority(&new, &[&crossed], &[&old, &new]).unwrap();
    assert_eq!(by_itself.root().subject(), "CN=new");
}

/// One anchor that the API server can't read would keep all others from being published.
#[test]
fn listed_root_that_the_api_server_refuses_is_no_anchor() {
    let twice = || rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    let odd = TestCa::root_with("odd", |params| params.custom_extensions = vec![twice(), twice()]);
    let (root, other) = (TestCa::root("root"), TestCa::root("other"));
    let roots = [&odd, &other, &root].map(TestCa::certificate).to_vec();
    let authority =
        CertificateAuthority::with_anchors("1", root.signing_key(), vec![], roots, super::Anchors::Listed)
            .unwrap();
    let anchors: Vec<String> = authority.anchors().iter().map(CaCertificate::subject).collect();
    assert_eq!(anchors, ["CN=root", "CN=other"]);
    assert!(authority.left_aside()[0].contains("1.2.3.4 twice"), "{:?}", authority.left_aside());
}

/// Whoever can write the file mustn't keep the process busy.
#[test]
fn ways_without_number_are_refused_before_they_are_tried() {
    let root = TestCa::root("0");
    let mut all = vec![root.issue("1")];
    for level in 1..6 {
        let below = (0..12).map(|_| all[12 * (level - 1)].cross_sign(&root.issue(&(level + 1).to_string())));
        let below: Vec<TestCa> = below.collect();
        all.extend(below);
        let last = all.len() - 12;
        let siblings: Vec<TestCa> = (0..11).map(|_| all[12 * (level - 1)].cross_sign(&all[last])).collect();
        all.truncate(last + 1);
        all.extend(siblings);
    }
    let signing = &all[all.len() - 12];
    let of: Vec<&TestCa> = all.iter().collect();
    let error = refusal(signing, &of, &[&root]);
    assert!(error.contains("too many ways from the signing certificate up"), "{error}");
}

#[test]
fn key_of_nobody_is_refused() {
    let (root, other) = (TestCa::root("root"), TestCa::root("other"));
    let error = refusal(&other, &[], &[&root]);
    assert!(
        error.contains("type ECDSAP256") && error.contains("none of the certificates: test (CN=root)"),
        "{error}"
    );
}

#[test]
fn gap_names_the_missing_issuer() {
    let root = TestCa::root("root");
    let upper = root.issue("upper");
    let lower = upper.issue("lower");
    let error = refusal(&lower, &[&lower], &[&root]);
    assert!(
        error.contains("test (CN=lower) is issued by CN=upper, whose certificate isn't there"),
        "{error}"
    );
}

#[test]
fn circle_without_an_end_is_refused() {
    let (one, two) = (TestCa::root("one"), TestCa::root("two"));
    let (one_by_two, two_by_one) = (two.cross_sign(&one), one.cross_sign(&two));
    let error = refusal(&one, &[&one_by_two, &two_by_one], &[&TestCa::root("root")]);
    assert!(error.contains("in a circle"), "{error}");
}

#[test]
fn root_of_the_same_name_with_another_key_is_refused() {
    let (root, impostor) = (TestCa::root("root"), TestCa::root("root"));
    let issuing = root.issue("issuing");
    let error = refusal(&issuing, &[&issuing], &[&impostor]);
    assert!(error.contains("test (CN=issuing) doesn't verify with the key of test (CN=root)"), "{error}");
}

#[test]
fn intermediate_is_no_root() {
    let root = TestCa::root("root");
    let issuing = root.issue("issuing");
    let error = refusal(&issuing, &[], &[&issuing]);
    assert!(error.contains("test (CN=issuing) is not a root: it is issued by CN=root"), "{error}");
}

#[test]
fn certificate_that_may_not_be_where_it_is_is_refused() {
    type Change = fn(&mut CertificateParams);
    let cases: [(Change, &str); 5] = [
        (|params| params.is_ca = IsCa::ExplicitNoCa, "basicConstraints say CA:FALSE"),
        (|params| params.is_ca = IsCa::NoCa, "it has no basicConstraints"),
        (|params| params.key_usages = vec![KeyUsagePurpose::CrlSign], "lacks keyCertSign"),
        (|params| params.distinguished_name = DistinguishedName::new(), "has an empty subject"),
        (
            |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
            "allows 0 CA certificate(s) below it (pathLenConstraint), and the chain has 1",
        ),
    ];
    let root = TestCa::root("root");
    for (change, rule) in cases {
        let upper = root.issue_with("upper", change);
        let lower = upper.issue("lower");
        let error = refusal(&lower, &[&upper, &lower], &[&root]);
        assert!(error.contains(rule), "{rule}: {error}");
        let root = TestCa::root_with("bad root", change);
        let below = root.issue("below");
        let error = refusal(&below, &[&below], &[&root]);
        assert!(error.contains(rule), "{rule}: {error}");
    }
}

#[test]
fn key_usage_may_be_absent_and_the_path_length_just_long_enough() {
    let root = TestCa::root_with("root", |params| {
        params.key_usages.clear();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    });
    let issuing =
        root.issue_with("issuing", |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    assert!(authority(&issuing, &[&issuing], &[&root]).is_ok());
}

#[test]
fn chain_deeper_than_verifiers_follow_is_refused() {
    let root = TestCa::root("root");
    let mut chain = vec![root.issue("1")];
    for depth in 2..=7 {
        let next = chain[chain.len() - 1].issue(&depth.to_string());
        chain.push(next);
    }
    let all: Vec<&TestCa> = chain.iter().collect();
    assert!(authority(&chain[5], &all, &[&root]).is_ok());
    let error = refusal(&chain[6], &all, &[&root]);
    assert!(error.contains("7 certificates between"), "{error}");
}

#[test]
fn expired_and_future_certificates_load() {
    let root = TestCa::root_with("root", |params| {
        params.not_before = date_time_ymd(2001, 2, 3);
        params.not_after = date_time_ymd(2009, 1, 1);
    });
    let issuing = root.issue_with("issuing", |params| {
        params.not_before = date_time_ymd(2005, 1, 1);
        params.not_after = date_time_ymd(9999, 12, 31);
    });
    let authority = authority(&issuing, &[&issuing], &[&root]).unwrap();
    assert_eq!(authority.not_before().to_string(), "2005-01-01T00:00:00Z");
    assert_eq!(authority.not_after().to_string(), "2009-01-01T00:00:00Z");
}

#[test]
fn weak_keys_and_signatures_are_refused() {
    for (root, key, rule) in [
        // nobody looks at the signature of a trust anchor
        ("root-sha1.pem", "pkcs1-rsa2048.pem", ""),
        ("root-rsa1024.pem", "pkcs1-rsa2048.pem", "an RSA key of 1024 bits; 2048 are the least"),
        ("root-pss.pem", "pkcs1-rsa2048.pem", ""),
        ("root-rsa2048.pem", "pkcs1-rsa2048.pem", ""),
    ] {
        let certificate = CaCertificate::from_der(root, &certificate_der(root)).unwrap();
        let key = SigningKey::from_pkcs1(&key_der(key)).unwrap();
        match CertificateAuthority::new("1", key, vec![], vec![certificate]) {
            Ok(_) => assert!(rule.is_empty(), "{root}"),
            Err(error) => assert!(!rule.is_empty() && error.to_string().contains(rule), "{root}: {error}"),
        }
    }
}

/// Verifiers don't look at the signature of a trust anchor; they do at that of an intermediate.
#[test]
fn the_signature_of_a_root_may_be_of_an_algorithm_that_no_verifier_takes() {
    let root = CaCertificate::from_der("root", &certificate_der("root-ecdsa-sha1.pem")).unwrap();
    let key = || SigningKey::from_sec1(&key_der("sec1-p256.pem")).unwrap();
    CertificateAuthority::new("1", key(), vec![], vec![root.clone()]).unwrap();
    let other = TestCa::root("other").certificate();
    let error = root.verify_signature(&other).unwrap_err().to_string();
    assert!(error.contains("signed with SHA-1 (ECDSA)"), "{error}");
}

/// A way that every verifier takes is taken before one that lasts longer and that some refuse.
#[test]
fn what_verifiers_refuse_does_not_hide_what_they_take() {
    let constrained = |params: &mut rcgen::CertificateParams| {
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example.com".into())],
            excluded_subtrees: vec![],
        });
    };
    let for_code = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::CodeSigning];
    };
    let unreadable = |params: &mut rcgen::CertificateParams| {
        let alternative_names =
            rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 17], vec![0x30, 3, 0x87, 1, 1]);
        params.custom_extensions = vec![alternative_names];
    };
    type Change = fn(&mut rcgen::CertificateParams);
    let cases: [(&str, Change, Change); 4] = [
        ("constrained", |_| {}, constrained),
        ("for code", |_| {}, for_code),
        ("unreadable for the API server", unreadable, |_| {}),
        ("equal", |_| {}, |_| {}),
    ];
    for (case, of_root, of_intermediate) in cases {
        let (short, long) = (TestCa::root("short"), TestCa::root_with("long", of_root));
        let issuing = short.issue_with("issuing", |params| params.not_after = date_time_ymd(2100, 1, 1));
        let crossed = long.cross_sign_with(&issuing, |params| {
            params.not_after = date_time_ymd(2200, 1, 1);
            of_intermediate(params);
        });
        let authority = authority(&issuing, &[&crossed, &issuing], &[&long, &short]).unwrap();
        let taken = authority.root().subject();
        assert_eq!(taken, if case == "equal" { "CN=long" } else { "CN=short" }, "{case}");
        // once that has ended, the other is better than none
        let authority = authority.as_of("2150-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(authority.root().subject(), "CN=long", "{case}");
    }
}

#[test]
fn nothing_shows_a_key() {
    let root = TestCa::root("root");
    let shown = format!("{:?}", authority(&root, &[], &[&root]).unwrap());
    assert!(shown.contains("key: SigningKey { key_type: EcdsaP256, .. }"), "{shown}");
    assert!(shown.len() < 300, "{shown}");
}

/// mesh-example's `GenerateED25519CA` makes such roots, and its Secrets work as they are.
#[test]
fn root_without_a_subject_signs_with_a_caveat() {
    let root = TestCa::root_with("", |params| params.distinguished_name = DistinguishedName::new());
    let authority =
        CertificateAuthority::new("1", root.signing_key(), vec![], vec![root.certificate()]).unwrap();
    assert!(super::objections::caveats(&authority)[0].contains("signerctl ca-pool rotate"));
    let named = TestCa::root("root");
    let authority =
        CertificateAuthority::new("1", named.signing_key(), vec![], vec![named.certificate()]).unwrap();
    assert!(!super::objections::caveats(&authority).concat().contains("has no subject"));
}
