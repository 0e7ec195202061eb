//! Who is told who they are, and what the others hear.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use support::Pod;
use test_cluster::pod_volume::Ca;

const CART: &str = "spiffe://cluster.local/ns/shop/sa/cart";

#[test]
fn a_spiffe_client_hears_its_id() {
    let ca = Ca::new("mesh");
    let (server, client) = (Pod::new(&ca, "localhost"), Pod::new(&ca, CART));
    let running = server.serve_spiffe(&["--allow-spiffe-id", CART]);
    let line = client.fetch(&running.url("/spiffe-echo"), &[]).line(&["poll", "status="]);
    assert!(line.contains(&format!("status=200 body={CART:?} server=\"localhost\"")), "{line}");
}

#[test]
fn others_hear_401_and_the_reason() {
    let ca = Ca::new("mesh");
    let server = Pod::new(&ca, "localhost");
    let running = server.serve_spiffe(&["--allow-spiffe-id", CART]);
    let url = running.url("/spiffe-echo");
    for (leaf, reason) in [
        (ca.dns("cart.shop.svc"), "has 0 URI names; an X.509-SVID has exactly one"),
        (ca.uri(CART).and_uri("spiffe://cluster.local/ns/shop/sa/b"), "has 2 URI names"),
        (ca.uri("https://example.com/"), "is not a valid SPIFFE ID"),
        (ca.uri("spiffe://elsewhere.example/ns/shop/sa/cart"), "trust domain cluster.local is expected"),
        (
            ca.uri("spiffe://cluster.local/ns/shop/sa/web"),
            "isn't allowed; allowed: spiffe://cluster.local/ns/shop/sa/cart",
        ),
    ] {
        let client = Pod::new(&ca, "x");
        client.mount(leaf.bundle(), ca.root());
        client.fetch(&url, &[]).line(&["poll", "status=401", reason]);
    }
    server.fetch_anonymously(&url, &[]).line(&["status=401", "has shown no certificate", "own=\"none\""]);
    running.line(&["/spiffe-echo: 401", "has shown no certificate"]);
}

#[test]
fn a_client_of_an_unknown_ca_gets_no_connection() {
    let (ca, stranger) = (Ca::new("mesh"), Ca::new("stranger"));
    let (server, client) = (Pod::new(&ca, "localhost"), Pod::new(&stranger, CART));
    client.mount(stranger.uri(CART).bundle(), ca.root());
    let running = server.serve_spiffe(&[]);
    let polls = client.fetch(&running.url("/spiffe-echo"), &[]);
    polls.line(&[
        "poll failed",
        "UnknownCA: it doesn't trust the CA of this client's certificate",
        "its log says why",
    ]);
    running.line(&["no TLS connection", "UnknownIssuer"]);
}

#[test]
fn without_spiffe_support_the_server_says_how_to_get_it() {
    let ca = Ca::new("mesh");
    let server = Pod::new(&ca, "localhost");
    let running = server.serve(&[]);
    let client = Pod::new(&ca, CART);
    client.fetch(&running.url("/spiffe-echo"), &[]).line(&["status=401", "--enable-spiffe-client-support"]);
}

#[test]
fn spiffe_on_both_ends_needs_no_dns_name() {
    let ca = Ca::new("mesh");
    let web = "spiffe://cluster.local/ns/shop/sa/web";
    let (server, client) = (Pod::new(&ca, web), Pod::new(&ca, CART));
    let url = server.serve_spiffe(&[]);
    let (running, url) = (&url, url.url("/spiffe-echo"));
    client.fetch(&url, &["--server-spiffe-id", web]).line(&[
        "status=200",
        CART,
        "server=\"spiffe://cluster.local/ns/shop/sa/web\"",
    ]);
    let wrong = client.fetch(&url, &["--server-spiffe-id", CART]);
    wrong.line(&["poll failed", "the peer is spiffe://cluster.local/ns/shop/sa/web, which isn't allowed"]);
    running.line(&["no TLS connection"]);
}

#[test]
fn peers_are_known_by_dns_names() {
    let ca = Ca::new("peers");
    let server = Pod::new(&ca, "localhost");
    let roots = server.roots();
    let running =
        server.serve(&["--client-trust-bundle", &roots, "--allow-client-dns", "peer-1.peer.db.svc"]);
    let client = Pod::new(&ca, "peer-1.peer.db.svc");
    client.fetch(&running.url("/"), &[]).line(&["status=200", "mtls-demo"]);
    let other = Pod::new(&ca, "peer-2.peer.db.svc");
    other.fetch(&running.url("/"), &[]).line(&["poll failed", "the server ended it"]);
    running
        .line(&["no TLS connection", "is for peer-2.peer.db.svc, and one of peer-1.peer.db.svc is expected"]);
    other.fetch_anonymously(&running.url("/"), &[]).line(&[
        "poll failed",
        "CertificateRequired: it wants a client certificate, see --client-cred-bundle",
    ]);
}
