//! A folder with a certificate, and the anchors of several trust domains.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::{sync::Arc, time::SystemTime};

use pod_credentials::{
    Clients, CredentialFolder, PeerRule, Servers, SpiffeRule, client_config, server_config,
};
use support::{Handshake, handshake};
use test_cluster::pod_volume::{Ca, Volume};

const NEW: &str = "credential-bundle.private-key.x509.pem";
const OLD: &str = "credential-bundle.pem";
const OF_A: &str = "a.example.spiffe-trust-bundle.x509.pem";
const OF_B: &str = "b.example.spiffe-trust-bundle.x509.pem";

fn id(domain: &str) -> String {
    format!("spiffe://{domain}/ns/shop/sa/web")
}

fn folder(files: &[(&str, String)]) -> (Volume, CredentialFolder) {
    let volume = Volume::new();
    volume.write(files.iter().map(|(name, content)| (*name, content.clone())));
    let folder = CredentialFolder::once(volume.dir(), SystemTime::now());
    (volume, folder)
}

fn both() -> PeerRule {
    let of = |domain: &str| PeerRule::spiffe(SpiffeRule::in_trust_domain(domain.parse().unwrap()));
    of("a.example").or(of("b.example"))
}

/// Both ends judge each other by their folders.
fn meet(client: &CredentialFolder, server: &CredentialFolder) -> Handshake {
    let server = server_config(server.credentials(), Clients::required(server, both())).unwrap();
    let client = client_config(Some(client.credentials()), Servers::by_rule(client, both())).unwrap();
    handshake(&Arc::new(client), &Arc::new(server))
}

fn said(handshake: Handshake) -> String {
    let refused = handshake.err().unwrap();
    format!("{:?} {:?}", refused.by_client, refused.by_server)
}

#[test]
fn peers_of_two_domains_meet_while_each_has_the_others_anchors() {
    let (a, b) = (Ca::new("a"), Ca::new("b"));
    let of_a = |name: &'static str| (name, a.uri(&id("a.example")).bundle());
    let (_first, in_a) = folder(&[of_a(NEW), (OF_A, a.root()), (OF_B, b.root())]);
    let (volume, in_b) =
        folder(&[(OLD, b.uri(&id("b.example")).bundle()), (OF_A, a.root()), (OF_B, b.root())]);
    assert_eq!(
        in_a.trust_domains().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a.example", "b.example"]
    );
    meet(&in_a, &in_b).unwrap().talk();
    meet(&in_b, &in_a).unwrap().talk();

    // the end of the federation, on one side
    volume.write([(OLD, b.uri(&id("b.example")).bundle()), (OF_B, b.root())]);
    in_b.look(SystemTime::now());
    let refused = said(meet(&in_a, &in_b));
    assert!(refused.contains("no anchors of its trust domain; there are those of b.example"), "{refused}");

    volume.write([(OLD, b.uri(&id("b.example")).bundle()), (OF_A, a.root()), (OF_B, b.root())]);
    in_b.look(SystemTime::now());
    meet(&in_a, &in_b).unwrap().talk();
}

/// The heart of federation: whoever has the keys of one domain makes nobody of another.
#[test]
fn a_ca_of_one_domain_makes_nobody_of_another() {
    let (a, b) = (Ca::new("a"), Ca::new("b"));
    let (_volume, victim) =
        folder(&[(NEW, a.uri(&id("a.example")).bundle()), (OF_A, a.root()), (OF_B, b.root())]);
    let (_other, intruder) =
        folder(&[(NEW, b.uri(&id("a.example")).bundle()), (OF_A, a.root()), (OF_B, b.root())]);
    for refused in [said(meet(&intruder, &victim)), said(meet(&victim, &intruder))] {
        // the two CAs have other names, so that no path is found
        assert!(refused.contains("UnknownIssuer"), "{refused}");
    }
}

#[test]
fn a_damaged_bundle_stays_as_it_was_and_costs_no_other() {
    let (a, b, new) = (Ca::new("a"), Ca::new("b"), Ca::new("new"));
    let of_a = || (NEW, a.uri(&id("a.example")).bundle());
    let (volume, in_a) = folder(&[of_a(), (OF_A, a.root()), (OF_B, b.root())]);
    volume.write([of_a(), (OF_A, "no PEM".to_owned()), (OF_B, new.root())]);
    in_a.look(SystemTime::now());
    let bundle = |domain: &str| in_a.bundle(&domain.parse().unwrap()).unwrap();
    assert_eq!(bundle("a.example").current().unwrap().anchors()[0].subject, "CN=a");
    assert!(bundle("a.example").status().problem.is_some());
    assert_eq!(bundle("b.example").current().unwrap().anchors()[0].subject, "CN=new");
}

#[test]
fn what_is_wrong_with_a_folder_is_said() {
    let a = Ca::new("a");
    let credentials = a.uri(&id("a.example")).bundle();
    let (volume, two) = folder(&[(NEW, credentials.clone()), (OLD, credentials.clone()), (OF_A, a.root())]);
    let problem = two.credentials().status().problem.unwrap().to_string();
    assert!(problem.contains("take out the one that isn't meant"), "{problem}");

    volume.write([(NEW, credentials), ("A b.spiffe-trust-bundle.x509.pem", a.root()), (OF_A, a.root())]);
    two.look(SystemTime::now());
    assert!(two.credentials().current().is_some());
    let problem = two.problem().unwrap().to_string();
    assert!(problem.contains("its name doesn't begin with a trust domain"), "{problem}");
    assert_eq!(two.trust_domains().len(), 1);

    let nowhere = CredentialFolder::once("/nowhere", SystemTime::now());
    assert!(nowhere.problem().unwrap().to_string().starts_with("/nowhere: there is no such file"));
    let problem = nowhere.credentials().status().problem.unwrap().to_string();
    assert!(problem.starts_with("/nowhere/credential-bundle.private-key.x509.pem: "), "{problem}");
}

/// A folder that can't be listed any more keeps what was known; the newer name of a bundle is the one that counts.
#[test]
fn the_newer_name_counts_and_the_last_list_stays() {
    let (a, b) = (Ca::new("a"), Ca::new("b"));
    let old = "a.example.spiffe-trust-bundle.pem";
    let (volume, in_a) = folder(&[(old, b.root()), (OF_A, a.root())]);
    let bundle = in_a.bundle(&"a.example".parse().unwrap()).unwrap();
    assert_eq!(bundle.current().unwrap().anchors()[0].subject, "CN=a");
    drop(volume);
    in_a.look(SystemTime::now());
    assert_eq!(in_a.trust_domains().len(), 1);
    assert!(in_a.problem().is_some());
}
