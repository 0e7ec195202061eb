//! Which peers are let in, on either side.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::sync::Arc;

use pod_credentials::{
    Clients, PeerError, PeerRule, Servers, SpiffeId, SpiffeRule, client_config, peer_spiffe_id, refusal,
    server_config,
};
use rustls::{AlertDescription, CertificateError, Error};
use support::{Handshake, credentials, handshake, trust};
use test_cluster::pod_volume::{Ca, Leaf};

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

/// A handshake in which the server judges the client's certificate.
fn as_client(
    ca: &Ca,
    leaf: Option<&Leaf<'_>>,
    clients: impl Fn(&pod_credentials::Watched<pod_credentials::TrustBundle>) -> Clients,
) -> Handshake {
    let anchors = trust(ca.root());
    let of_server = credentials(ca.dns("web.shop.svc").bundle());
    let of_client = leaf.map(|leaf| credentials(leaf.bundle()));
    let server = server_config(&of_server.watched, clients(&anchors.watched)).unwrap();
    let own = of_client.as_ref().map(|own| &own.watched);
    let client = client_config(own, Servers::by_name(&anchors.watched)).unwrap();
    handshake(&Arc::new(client), &Arc::new(server))
}

/// A handshake in which the client judges the server's certificate by a rule.
fn as_server(ca: &Ca, leaf: &Leaf<'_>, rule: PeerRule) -> Handshake {
    let (anchors, of_server) = (trust(ca.root()), credentials(leaf.bundle()));
    let server = server_config(&of_server.watched, Clients::anonymous()).unwrap();
    let client = client_config(None, Servers::by_rule(&anchors.watched, rule)).unwrap();
    handshake(&Arc::new(client), &Arc::new(server))
}

fn mesh() -> SpiffeRule {
    SpiffeRule::in_trust_domain("cluster.local".parse().unwrap())
}

fn id(text: &str) -> SpiffeId {
    text.parse().unwrap()
}

fn only_shop(id: &SpiffeId) -> bool {
    pod_credentials::service_account(id).is_some_and(|(namespace, _)| namespace == "shop")
}

#[test]
fn a_workload_of_the_trust_domain_is_let_in_and_known() {
    let ca = Ca::new("mesh");
    for rule in [
        mesh(),
        SpiffeRule::exactly(id(CART)),
        mesh().only(id("spiffe://cluster.local/ns/a/sa/b")).only(id(CART)),
        mesh().matching(only_shop),
    ] {
        let leaf = ca.uri(CART).and_dns("cart.shop.svc");
        let rule = PeerRule::spiffe(rule);
        let mut connection =
            as_client(&ca, Some(&leaf), |trust| Clients::required(trust, rule.clone())).unwrap();
        connection.talk();
        assert_eq!(peer_spiffe_id(connection.server.peer_certificates()), Ok(id(CART)));
        let connection = as_server(&ca, &leaf, rule).unwrap();
        assert_eq!(peer_spiffe_id(connection.client.peer_certificates()), Ok(id(CART)));
    }
}

#[test]
fn each_broken_rule_is_said_on_either_side() {
    let ca = Ca::new("mesh");
    let mut signing = ca.uri(CART);
    signing.params.key_usages.push(rcgen::KeyUsagePurpose::CrlSign);
    for (leaf, rule, said) in [
        (ca.dns("cart.shop.svc"), mesh(), "has 0 URI names; an X.509-SVID has exactly one"),
        (
            ca.uri(CART).and_uri("spiffe://cluster.local/ns/shop/sa/b"),
            mesh(),
            "has 2 URI names (spiffe://cluster.local/ns/shop/sa/cart, spiffe",
        ),
        (ca.uri(CART).and_uri("https://example.com/"), mesh(), "has 2 URI names"),
        (ca.uri("https://example.com/a"), mesh(), "looks like spiffe://"),
        (ca.uri("spiffe://cluster.local"), mesh(), "names no workload"),
        (ca.uri("spiffe://Cluster.local/ns/shop/sa/cart"), mesh(), "lowercase"),
        (ca.uri("spiffe://other.example/ns/shop/sa/cart"), mesh(), "trust domain cluster.local is expected"),
        (
            ca.uri("spiffe://cluster.local.evil/ns/shop/sa/cart"),
            mesh(),
            "trust domain cluster.local is expected",
        ),
        (
            ca.uri(CART),
            SpiffeRule::exactly(id("spiffe://cluster.local/ns/shop/sa/web")),
            "isn't allowed; allowed: spiffe://cluster.local/ns/shop/sa/web",
        ),
        (ca.uri("spiffe://cluster.local/ns/x/sa/cart"), mesh().matching(only_shop), "isn't allowed"),
        (
            ca.uri("spiffe://cluster.local/ns/x/sa/cart"),
            mesh().matching(only_shop).matching(|_| true),
            "isn't allowed",
        ),
        (ca.uri(CART), mesh().matching(|_| false).matching(only_shop), "isn't allowed"),
        (signing, mesh(), "may sign others"),
    ] {
        let rule = PeerRule::spiffe(rule);
        for optional in [false, true] {
            let clients = |trust: &_| match optional {
                true => Clients::optional(trust, rule.clone()),
                false => Clients::required(trust, rule.clone()),
            };
            let refused = as_client(&ca, Some(&leaf), clients).err().unwrap();
            assert_said(refused.by_server.as_ref().unwrap(), said);
            assert_eq!(refused.by_client, Some(Error::AlertReceived(AlertDescription::CertificateUnknown)));
        }
        assert_said(as_server(&ca, &leaf, rule).err().unwrap().by_client.as_ref().unwrap(), said);
    }
}

fn assert_said(error: &Error, said: &str) {
    let reason = refusal(error).unwrap_or_else(|| panic!("{error}")).to_string();
    assert!(reason.contains(said), "{reason}");
    assert!(error.to_string().contains(said), "rustls's own message says it too: {error}");
}

#[test]
fn an_identity_counts_only_if_a_trust_anchor_stands_behind_it() {
    let (ca, stranger) = (Ca::new("mesh"), Ca::new("mesh"));
    let leaf = stranger.uri(CART);
    for rule in [PeerRule::any_trusted(), PeerRule::spiffe(mesh())] {
        let refused =
            as_client(&ca, Some(&leaf), |trust| Clients::optional(trust, rule.clone())).err().unwrap();
        let unknown = |error: Option<Error>| match error {
            // the two CAs have one name, so that the signature decides
            Some(Error::InvalidCertificate(
                CertificateError::BadSignature | CertificateError::UnknownIssuer,
            )) => {}
            other => panic!("{other:?}"),
        };
        unknown(refused.by_server);
        unknown(as_server(&ca, &leaf, rule).err().unwrap().by_client);
    }
}

#[test]
fn a_certificate_for_another_purpose_is_refused_whatever_the_rule() {
    let ca = Ca::new("mesh");
    let mut server_only = ca.uri(CART);
    server_only.params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let mut client_only = ca.uri(CART);
    client_only.params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    for rule in [PeerRule::any_trusted(), PeerRule::spiffe(mesh())] {
        let clients = |trust: &_| Clients::required(trust, rule.clone());
        let refused = as_client(&ca, Some(&server_only), clients).err().unwrap().by_server.unwrap();
        assert!(refused.to_string().contains("extended key usage"), "{refused}");
        let refused = as_server(&ca, &client_only, rule).err().unwrap().by_client.unwrap();
        assert!(refused.to_string().contains("extended key usage"), "{refused}");
    }
}

#[test]
fn anonymous_clients_come_where_certificates_are_optional_or_unasked_for() {
    let ca = Ca::new("mesh");
    let rule = || PeerRule::spiffe(mesh());
    let connection = as_client(&ca, None, |trust| Clients::optional(trust, rule())).unwrap();
    assert_eq!(peer_spiffe_id(connection.server.peer_certificates()), Err(PeerError::NoCertificate));
    let refused = as_client(&ca, None, |trust| Clients::required(trust, rule())).err().unwrap();
    assert_eq!(refused.by_server, Some(Error::NoCertificatesPresented));
    let leaf = ca.uri(CART);
    let connection = as_client(&ca, Some(&leaf), |_| Clients::anonymous()).unwrap();
    assert!(connection.server.peer_certificates().is_none());
}

#[test]
fn dns_names_of_clients_are_compared_as_they_stand() {
    let ca = Ca::new("peers");
    let rule = || PeerRule::dns_names(["peer-0.peer.db.svc", "peer-1.peer.db.svc"]);
    let clients = |trust: &_| Clients::required(trust, rule());
    for name in ["peer-1.peer.db.svc", "PEER-1.peer.db.svc"] {
        as_client(&ca, Some(&ca.dns("other").and_dns(name)), clients).unwrap().talk();
        as_server(&ca, &ca.dns(name), rule()).unwrap().talk();
    }
    for (leaf, said) in [
        (
            ca.dns("peer-2.peer.db.svc"),
            "is for peer-2.peer.db.svc, and one of peer-0.peer.db.svc, peer-1.peer.db.svc is expected",
        ),
        (ca.dns("*.peer.db.svc"), "is for *.peer.db.svc"),
        (ca.dns("peer-1.peer.db.svc.evil"), "is expected"),
        (ca.uri(CART).common_name("peer-1.peer.db.svc"), "is for no DNS name"),
    ] {
        let refused = as_client(&ca, Some(&leaf), clients).err().unwrap();
        assert_said(refused.by_server.as_ref().unwrap(), said);
    }
}

#[test]
fn a_server_by_name_needs_that_name() {
    let ca = Ca::new("test");
    let (anchors, of_server) = (trust(ca.root()), credentials(ca.dns("cart.shop.svc").bundle()));
    let server = server_config(&of_server.watched, Clients::anonymous()).unwrap();
    let client = client_config(None, Servers::by_name(&anchors.watched)).unwrap();
    let refused = handshake(&Arc::new(client), &Arc::new(server)).err().unwrap().by_client.unwrap();
    assert!(refused.to_string().contains("only valid for DnsName(\"cart.shop.svc\")"), "{refused}");
}

const TEAM: &str = "https://example.com/teams/shop";

#[test]
fn rules_over_any_identity_are_combined() {
    let ca = Ca::new("teams");
    let team = || PeerRule::uris([TEAM]);
    let named = || PeerRule::dns_names(["cart.shop.svc"]);
    let of_teams = || {
        PeerRule::matching("a member of a team", |certificate| {
            certificate.uris.iter().any(|uri| uri.starts_with("https://example.com/teams/"))
        })
    };
    let both = || ca.uri(TEAM).and_dns("cart.shop.svc");
    for rule in [team(), named(), of_teams(), team().and(named()), team().or(PeerRule::spiffe(mesh()))] {
        as_client(&ca, Some(&both()), |trust| Clients::required(trust, rule.clone())).unwrap().talk();
        as_server(&ca, &both(), rule).unwrap().talk();
    }
    let other = || ca.uri("https://example.com/teams/pay").and_dns("cart.shop.svc");
    for (rule, said) in [
        (team(), "has https://example.com/teams/pay, and one of https://example.com/teams/shop is expected"),
        (team().and(named()), "teams/pay, and one of"),
        (named().and(team()), "teams/pay, and one of"),
        (
            PeerRule::matching("an administrator", |_| false),
            "the peer with the certificate cart.shop.svc, https://example.com/teams/pay isn't an administrator",
        ),
        (team().or(PeerRule::dns_names(["pay.svc"])), "; and the peer's certificate is for cart.shop.svc"),
    ] {
        let refused = as_client(&ca, Some(&other()), |trust| Clients::required(trust, rule.clone()));
        assert_said(refused.err().unwrap().by_server.as_ref().unwrap(), said);
    }
    let nobody = ca.dns("cart.shop.svc");
    let refused = as_server(&ca, &nobody, team()).err().unwrap();
    assert_said(refused.by_client.as_ref().unwrap(), "has no URI, and one of");
}
