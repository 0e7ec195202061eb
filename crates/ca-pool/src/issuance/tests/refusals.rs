//! When no leaf is issued.

use rcgen::{CertificateParams, CidrSubnet, ExtendedKeyUsagePurpose, GeneralSubtree, NameConstraints};

use super::*;
use crate::issuance::{MAX_CHAIN_BYTES, MAX_NAMES};

#[test]
fn names_are_needed_and_counted() {
    let error = refused(&Leaf::server(), &root_authority());
    assert_eq!(error, IssueError::NoNames);
    let mut leaf = Leaf::server().common_name("cn".parse().unwrap());
    leaf.dns_names = (1..MAX_NAMES).map(|number| format!("n{number}.example.com").parse().unwrap()).collect();
    issued(&leaf, &Terms::default());
    let error = refused(&leaf.dns_name("one.more".parse().unwrap()), &root_authority());
    assert_eq!(error, IssueError::TooManyNames { names: 101 });
}

#[test]
fn chain_that_is_too_long_is_refused_before_it_is_signed() {
    let mut leaf = Leaf::client();
    let uri = |number| format!("https://example.com/{number}/{}", "a".repeat(2000)).parse().unwrap();
    leaf.uris = (0..20).map(uri).collect();
    let issued = issued(&leaf, &Terms::default());
    assert!(issued.chain_pem.len() < MAX_CHAIN_BYTES);
    leaf.uris = (0..30).map(uri).collect();
    let error = refused(&leaf, &root_authority());
    assert!(matches!(error, IssueError::ChainTooLong { bytes } if bytes > MAX_CHAIN_BYTES), "{error}");
}

#[test]
fn extended_key_usage_of_a_ca_constrains_its_leaves() {
    let root = TestCa::root("root");
    let clients = root.issue_with("clients", |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let authority = clients.authority(&[&clients], &root);
    let client = Leaf::client().dns_name("a.b".parse().unwrap());
    assert!(issue_at(&client, &Terms::default(), &authority, now()).is_ok());
    let error = refused(&server(), &authority);
    assert!(error.is_authority_unavailable());
    assert!(
        error
            .to_string()
            .contains("test (CN=clients) doesn't let certificates below it be used for ServerAuth")
    );
}

/// An authority under a root with name constraints.
fn constrained(permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>) -> CertificateAuthority {
    let root = TestCa::root_with("constrained", |params| {
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded });
    });
    let issuing = root.issue("issuing");
    issuing.authority(&[&issuing], &root)
}

#[test]
fn name_constraints_of_any_ca_above_forbid_names() {
    let dns = |name: &str| GeneralSubtree::DnsName(name.to_owned());
    let net = |prefix| GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([192, 0, 2, 0], prefix));
    let permits = constrained(vec![dns("example.com"), net(24)], vec![]);
    let excludes = constrained(vec![], vec![dns("example.com"), net(24)]);
    let inside = [
        Leaf::server().dns_name("a.example.com".parse().unwrap()),
        Leaf::server().ip_address([192, 0, 2, 7].into()),
        Leaf::server().common_name("www.example.com".parse().unwrap()),
    ];
    let outside = [
        Leaf::server().dns_name("a.example.net".parse().unwrap()),
        Leaf::server().ip_address([192, 0, 3, 7].into()),
        Leaf::server().common_name("www.example.net".parse().unwrap()),
    ];
    for (inside, outside) in inside.iter().zip(&outside) {
        assert!(issue_at(inside, &Terms::default(), &permits, now()).is_ok(), "{inside:?}");
        assert!(issue_at(outside, &Terms::default(), &excludes, now()).is_ok(), "{outside:?}");
        for error in [refused(outside, &permits), refused(inside, &excludes)] {
            assert!(matches!(error, IssueError::NameForbidden { .. }) && error.is_authority_unavailable());
        }
    }
    let message = refused(&outside[0], &permits).to_string();
    assert!(
        message.starts_with(
            "test (CN=constrained) doesn't let certificates below it carry DNS:a.example.net: it permits DNS:example.com alone"
        ),
        "{message}"
    );
    // Names of kinds that aren't constrained are free.
    let free = Leaf::client().uri("spiffe://anything/at/all".parse().unwrap());
    assert!(issue_at(&free, &Terms::default(), &permits, now()).is_ok());
}
