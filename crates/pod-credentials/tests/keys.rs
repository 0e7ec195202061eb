//! Every kind of key that kubelet makes, and roots that other tools make.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::sync::Arc;

use pod_credentials::{Clients, PeerRule, Servers, SpiffeRule, client_config, peer_spiffe_id, server_config};
use rcgen::{KeyPair, RsaKeySize, SignatureAlgorithm};
use support::{credentials, handshake, trust};
use test_cluster::pod_volume::Ca;

const WEB: &str = "spiffe://cluster.local/ns/shop/sa/web";

/// Both ends show a certificate with such a key, and judge the other's.
fn both_ends(ca: &Ca, key: impl Fn() -> KeyPair) {
    let anchors = trust(ca.root());
    let [server, client] = [(); 2].map(|()| {
        let mut leaf = ca.uri(WEB);
        leaf.key = key();
        credentials(leaf.bundle())
    });
    let rule = || PeerRule::spiffe(SpiffeRule::exactly(WEB.parse().unwrap()));
    let of_server = server_config(&server.watched, Clients::required(&anchors.watched, rule())).unwrap();
    let of_client = client_config(Some(&client.watched), Servers::by_rule(&anchors.watched, rule())).unwrap();
    let mut connection = handshake(&Arc::new(of_client), &Arc::new(of_server)).unwrap();
    connection.talk();
    assert_eq!(peer_spiffe_id(connection.server.peer_certificates()).unwrap().to_string(), WEB);
    assert_eq!(peer_spiffe_id(connection.client.peer_certificates()).unwrap().to_string(), WEB);
}

#[test]
fn every_kind_of_key_authenticates_either_end() {
    let ca = Ca::new("test");
    let kinds: [&'static SignatureAlgorithm; 4] = [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
    ];
    for kind in kinds {
        both_ends(&ca, || KeyPair::generate_for(kind).unwrap());
    }
    for size in [RsaKeySize::_3072, RsaKeySize::_4096] {
        both_ends(&ca, || KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap());
    }
}

/// As mesh-example's tool makes them.
#[test]
fn a_root_without_a_subject_is_as_good() {
    both_ends(&Ca::without_subject(), || KeyPair::generate().unwrap());
}
