//! What `/status` shows, and what a client's log tells of failed polls.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use support::Pod;
use test_cluster::pod_volume::Ca;

#[test]
fn status_is_text_for_curl_and_a_page_for_browsers() {
    let ca = Ca::new("<b>root & co</b>");
    let server = Pod::new(&ca, "localhost");
    let leaf = ca.dns("web.shop.svc").and_dns("web.shop.svc.cluster.local");
    server.mount(leaf.bundle() + &ca.root(), ca.root());
    let running = server.serve_spiffe(&[]);
    let text = running.probe("/status", "Accept: */*\r\n");
    for wanted in [
        "\nready\n",
        "names       web.shop.svc, web.shop.svc.cluster.local\n",
        "issuer      CN=\\<b\\>root & co\\</b\\>\n",
        "for 1h 2m",
        "a pod can't see when kubelet will",
        "renewed     not since start",
        "Chain, certificate 2",
        "Trust bundle for clients",
        "anchor      CN=\\<b\\>root & co\\</b\\>, serial ",
        &server.credentials(),
    ] {
        assert!(text.contains(wanted), "{wanted:?} must be in\n{text}");
    }
    let html = running.probe("/status", "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n");
    for wanted in [
        "text/html",
        "<dt>names</dt><dd>web.shop.svc, web",
        "CN=\\&lt;b\\&gt;root &amp; co\\&lt;/b\\&gt;",
        "</html>",
    ] {
        assert!(html.contains(wanted), "{wanted:?} must be in\n{html}");
    }
    assert!(!html.contains("<b>") && !text.contains("PRIVATE") && !html.contains("PRIVATE"));
}

#[test]
fn failed_polls_say_what_to_look_at() {
    let (ca, stranger) = (Ca::new("mesh"), Ca::new("stranger"));
    let (server, other) = (Pod::new(&ca, "localhost"), Pod::new(&stranger, "x"));
    let running = server.serve(&[]);
    let url = running.url("/healthz");
    other
        .fetch_anonymously(&url, &[])
        .line(&["poll failed", "isn't verified against any anchor of --server-trust-bundle"]);
    let by_address = url.replace("localhost", "127.0.0.1");
    server.fetch_anonymously(&by_address, &[]).line(&["poll failed", "not valid for name", "localhost"]);
    server.fetch_anonymously("https://localhost:1/", &[]).line(&[
        "poll failed",
        "can't connect to localhost:1",
        "running?",
    ]);
    server.fetch_anonymously(&running.url("/nothing"), &[]).line(&["poll", "status=404"]);
}
