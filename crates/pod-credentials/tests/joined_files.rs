//! Files that people have joined, edited and converted: no anchor, no intermediate and no key is lost without
//! a word.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::time::SystemTime;

use pod_credentials::{CredentialFiles, Credentials, LoadError, Problem, TrustBundle, TrustFile};
use test_cluster::pod_volume::{Ca, Volume};

const BYTE_ORDER_MARK: char = '\u{feff}';

fn bundle(content: &str) -> Result<Credentials, LoadError> {
    let volume = Volume::new();
    volume.write([("credentials.pem", content.to_owned())]);
    Credentials::load(&CredentialFiles::bundle(volume.path("credentials.pem")), SystemTime::now())
}

fn roots(content: &str) -> Result<TrustBundle, LoadError> {
    let volume = Volume::new();
    volume.write([("roots.pem", content.to_owned())]);
    TrustBundle::load(&TrustFile::new(volume.path("roots.pem")))
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

fn assert_refused<T: std::fmt::Debug>(loaded: Result<T, LoadError>, line: usize, said: &str) {
    let error = loaded.unwrap_err().to_string();
    assert!(error.contains(&format!("line {line}:")) && error.contains(said), "line {line}, {said}: {error}");
}

#[test]
fn what_is_written_oddly_is_read_whole() {
    let [one, two] = ["one", "two"].map(|name| Ca::new(name).root());
    let indented: String = two.lines().map(|line| format!("    {line}\n")).collect();
    for text in [
        format!("{one}{two}"),
        format!("{one}{}", two.trim_end()),
        format!("{BYTE_ORDER_MARK}{one}{two}"),
        format!("{one}{BYTE_ORDER_MARK}{two}"),
        format!("{one}{indented}"),
        format!("{one}{two}").replace('\n', "\r\n"),
        format!("{one}{two}").replace('\n', "\r"),
        format!("# the old one\n{one}\n# ---- BEGIN of the new ones ----\n\tSubject: CN=two\n{two}"),
    ] {
        let bundle = roots(&text).unwrap();
        let subjects: Vec<_> = bundle.anchors().iter().map(|anchor| &*anchor.subject).collect();
        assert!(
            subjects.len() == 2 && subjects.contains(&"CN=one") && subjects.contains(&"CN=two"),
            "{text}"
        );
        assert!(bundle.skipped().is_empty());
    }
}

#[test]
fn an_anchor_that_cannot_be_read_refuses_the_file_with_the_line() {
    let [one, two] = ["one", "two"].map(|name| Ca::new(name).root());
    let next = lines(&one) + 1;
    let label = |label: &str| format!("{one}{}", two.replace("CERTIFICATE", label));
    for (text, line, said) in [
        (format!("{}{two}", one.trim_end()), next - 1, "is a line break missing"),
        (format!("{}{two}", one.trim_end()).replace('\n', "\r\n"), next - 1, "is a line break missing"),
        (format!("{one}subject=CN two {two}"), next, "is a line break missing"),
        (format!("{one}{}", &two[1..]), next, "or a dash"),
        (format!("{one}{}", two.replacen("E-----", "E----", 1)), next, "or a dash"),
        (format!("{one}{}", two.replacen("-----BEGIN", "BEGIN", 1)), next + 1, "outside of a block"),
        (label("TRUSTED CERTIFICATE"), next, "\"TRUSTED CERTIFICATE\""),
        (label("X509 CERTIFICATE"), next, "`openssl x509"),
        (label("CERTIFICATE REQUEST"), next, "\"CERTIFICATE REQUEST\""),
        (label("X509 CRL"), next, "\"X509 CRL\""),
        (label("FOO"), next, "\"FOO\""),
        (one.trim_end().replace("-----END CERTIFICATE-----", "") + &two, lines(&one), "before the last one"),
    ] {
        assert_refused(roots(&text), line, said);
    }
}

#[test]
fn a_chain_or_key_that_cannot_be_read_refuses_the_file_with_the_line() {
    let (ca, root) = (Ca::new("issuing"), Ca::new("root").root());
    let leaf = ca.dns("web.shop.svc");
    let (key, chain) = (leaf.key(), leaf.chain());
    let (after_key, after_chain) = (lines(&key), lines(&key) + lines(&chain));
    let other = root.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    for (text, line, said) in [
        (format!("{key}{}{root}", chain.trim_end()), after_chain, "is a line break missing"),
        (format!("{}{chain}{root}", key.trim_end()), after_key, "is a line break missing"),
        (format!("{key}{chain}{other}"), after_chain + 1, "\"TRUSTED CERTIFICATE\""),
    ] {
        assert_refused(bundle(&text), line, said);
    }
    for text in [
        format!("{BYTE_ORDER_MARK}{key}{chain}{root}"),
        format!(
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{key}{chain}{root}"
        ),
    ] {
        assert_eq!(bundle(&text).unwrap().chain().len(), 2);
    }
}

/// Each of these is a whole CERTIFICATE block that can't be an anchor.
#[test]
fn a_certificate_that_is_no_anchor_is_passed_over_and_named() {
    let [one, two] = ["one", "two"].map(|name| Ca::new(name).root());
    let leaf = Ca::new("other").dns("web.shop.svc").common_name("web").chain();
    let nameless = Ca::new("other").dns("web.shop.svc").chain();
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (bad, name, reason) in [
        (leaf.as_str(), "CN=web", "isn't that of a CA"),
        (nameless.as_str(), "serial ", "isn't that of a CA"),
        (junk, "", "no X.509 certificate"),
    ] {
        let bundle = roots(&format!("{one}{bad}{two}")).unwrap();
        assert_eq!(bundle.anchors().len(), 2);
        let [skipped] = bundle.skipped() else { panic!("{:?}", bundle.skipped()) };
        assert!(skipped.position == 2 && skipped.name.starts_with(name), "{skipped}");
        assert!(skipped.reason.contains(reason), "{skipped}");
        let error = roots(bad).unwrap_err();
        assert!(matches!(error.problem(), Problem::NoAnchor(skipped) if skipped.len() == 1), "{error}");
    }
    let many = roots(&junk.repeat(8)).unwrap_err().to_string();
    assert!(
        many.contains("certificate 5")
            && many.ends_with("and 3 more. Name the file of the clusterTrustBundle volume"),
        "{many}"
    );
}

/// Of X.509 version 1: rustls-webpki takes no such certificate, so each handshake would fail.
#[test]
fn a_certificate_that_no_peer_takes_is_refused() {
    let text = include_str!("data/x509-version-1.pem");
    let error = bundle(text).unwrap_err();
    assert!(matches!(error.problem(), Problem::UnusableLeaf(_)), "{error}");
    assert!(error.to_string().contains("version 3"), "{error}");
}
