//! Every type of pod key under every type of CA key, with and without an intermediate.

use ca_pool::{CaPool, ExtendedKeyUsage, Leaf, LeafExtension, SubjectAttribute};
use rcgen::{CidrSubnet, GeneralSubtree, KeyPair, NameConstraints};

use crate::{
    Question, assert_accepted, assert_refused,
    authorities::{Ca, POOLS},
    go, issued, leaf, openssl, pods, webpki,
};

const WRONG_NAME: [&str; 2] = ["CertNotValidForName", "hostname mismatch"];
const WRONG_PURPOSE: [&str; 2] = ["RequiredEkuNotFound", "certificate purpose"];

/// Each pool with each pod key.
fn for_each_pair(check: impl Fn(&CaPool, &KeyPair)) {
    assert_eq!((POOLS.len(), pods::KEYS.len()), (12, 6));
    for pool in POOLS.iter() {
        pods::KEYS.iter().for_each(|key| check(pool, key));
    }
}

#[test]
fn servers_of_all_key_types_are_accepted_under_all_cas() {
    for_each_pair(|pool, key| {
        let issued = issued(pool, &leaf(ExtendedKeyUsage::ServerAuth), &pods::public(key));
        assert_accepted(pool, &issued, Question::Server("server.web.svc"));
    });
}

#[test]
fn clients_of_all_key_types_are_accepted_under_all_cas() {
    for_each_pair(|pool, key| {
        let issued = issued(pool, &leaf(ExtendedKeyUsage::ClientAuth), &pods::public(key));
        assert_accepted(pool, &issued, Question::Client);
    });
}

#[test]
fn other_names_and_purposes_are_refused_under_all_cas() {
    let key = pods::public(&pods::KEYS[2]);
    for pool in POOLS.iter() {
        let server = issued(pool, &leaf(ExtendedKeyUsage::ServerAuth), &key);
        assert_refused(pool, &server, Question::Server("other.web.svc"), WRONG_NAME);
        assert_refused(pool, &server, Question::Client, WRONG_PURPOSE);
        let client = issued(pool, &leaf(ExtendedKeyUsage::ClientAuth), &key);
        assert_refused(pool, &client, Question::Server("server.web.svc"), WRONG_PURPOSE);
    }
}

#[test]
fn names_within_the_constraints_of_a_ca_are_accepted() {
    let root = Ca::root_with("root", KeyPair::generate().unwrap(), |params| {
        let permitted = vec![
            GeneralSubtree::DnsName("web.svc".into()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([192, 0, 2, 0], 24)),
        ];
        let excluded = vec![GeneralSubtree::DnsName("secret.web.svc".into())];
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded });
    });
    let pool = CaPool::from_pem(root.pem.as_bytes(), root.key.serialize_pem().as_bytes(), None).unwrap();
    let leaf = leaf(ExtendedKeyUsage::ServerAuth).ip_address([192, 0, 2, 1].into());
    let issued = issued(&pool, &leaf, &pods::public(&pods::KEYS[2]));
    assert_accepted(&pool, &issued, Question::Server("server.web.svc"));
}

#[test]
fn leaf_with_all_kinds_of_names_is_accepted_under_each_of_them() {
    let both = Leaf::new([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth])
        .common_name("web".parse().unwrap())
        .dns_name("a.example.com".parse().unwrap())
        .dns_name("*.b.example.com".parse().unwrap())
        .uri("spiffe://cluster.local/ns/web/sa/server".parse().unwrap())
        .ip_address([192, 0, 2, 1].into());
    let pool = &POOLS[1];
    let issued = issued(pool, &both, &pods::public(&pods::KEYS[0]));
    for name in ["a.example.com", "x.b.example.com"] {
        assert_accepted(pool, &issued, Question::Server(name));
    }
    assert_accepted(pool, &issued, Question::Client);
    assert_refused(pool, &issued, Question::Server("web"), WRONG_NAME);
}

#[test]
fn longest_chain_that_loads_is_accepted() {
    let key = || KeyPair::generate().unwrap();
    let root = Ca::root("root", key());
    let mut chain = vec![root.issue("1", key())];
    while chain.len() < 6 {
        let next = chain[chain.len() - 1].issue(&(chain.len() + 1).to_string(), key());
        chain.push(next);
    }
    let pem: String = chain.iter().map(|ca| ca.pem.as_str()).collect();
    let last = chain[5].key.serialize_pem();
    let pool = CaPool::from_pem(pem.as_bytes(), last.as_bytes(), Some(root.pem.as_bytes())).unwrap();
    assert_eq!(pool.signing().intermediates().len(), 6);
    let issued = issued(&pool, &leaf(ExtendedKeyUsage::ServerAuth), &pods::public(&pods::KEYS[2]));
    assert_accepted(&pool, &issued, Question::Server("server.web.svc"));
}

#[test]
fn another_root_of_the_same_name_is_refused() {
    let (root, impostor) =
        (Ca::root("root", KeyPair::generate().unwrap()), Ca::root("root", KeyPair::generate().unwrap()));
    let pool =
        |ca: &Ca| CaPool::from_pem(ca.pem.as_bytes(), ca.key.serialize_pem().as_bytes(), None).unwrap();
    let issued = issued(&pool(&root), &leaf(ExtendedKeyUsage::ClientAuth), &pods::public(&pods::KEYS[2]));
    assert_refused(
        &pool(&impostor),
        &issued,
        Question::Client,
        ["InvalidSignature", "unable to get local issuer certificate"],
    );
}

#[test]
fn leaves_with_a_signers_own_extension_and_subject_are_accepted() {
    let pool = &POOLS[0];
    let identity = || LeafExtension::new("1.3.6.1.4.1.57683.1", false, vec![0x30, 3, 0x80, 1, b'a']).unwrap();
    let organization = SubjectAttribute::new("2.5.4.10", "system:serviceaccounts").unwrap();
    let named = leaf(ExtendedKeyUsage::ClientAuth).subject_attribute(organization).extension(identity());
    let key = pods::public(&pods::KEYS[0]);
    assert_accepted(pool, &issued(pool, &named, &key), Question::Client);
    let nameless = issued(pool, &Leaf::client().nameless().extension(identity()), &key);
    for (verifier, answer) in [
        ("webpki", webpki::verify(pool, &nameless, Question::Client)),
        ("Go", go::verify(pool, &nameless, Question::Client)),
        ("OpenSSL", openssl::verify_leniently(pool, &nameless, Question::Client)),
    ] {
        assert_eq!(answer, Ok(()), "{verifier}");
    }
    let strict = openssl::verify(pool, &nameless, Question::Client).unwrap_err();
    assert!(strict.contains("Subject name empty"), "{strict}");
}
