//! What is told of CAs when they are loaded is what verifiers do: each finding names a verifier, and that one
//! refuses a leaf; those that aren't named take it.

use ca_pool::{ANY_LABEL, CaPool, CertificateAuthority, ExtendedKeyUsage, Finding, Leaf};
use jiff::Timestamp;

use crate::{
    Question, go, issued, leaf,
    made_by_openssl::{SOUND, SOUND_BELOW, Workshop},
    openssl,
    pods::any_key,
    webpki,
};

const USAGES: [ExtendedKeyUsage; 2] = [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth];

/// Who refuses what a CA signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Refused {
    webpki: bool,
    go: bool,
    openssl: bool,
    strict: bool,
}

const NOBODY: Refused = Refused { webpki: false, go: false, openssl: false, strict: false };
const WEBPKI: Refused = Refused { webpki: true, ..NOBODY };
const GO: Refused = Refused { go: true, ..NOBODY };
const STRICT: Refused = Refused { strict: true, ..NOBODY };
/// Whom OpenSSL refuses, its strict form does too.
const OPENSSL: Refused = Refused { openssl: true, strict: true, ..NOBODY };

const fn both(one: Refused, other: Refused) -> Refused {
    Refused {
        webpki: one.webpki || other.webpki,
        go: one.go || other.go,
        openssl: one.openssl || other.openssl,
        strict: one.strict || other.strict,
    }
}

fn spiffe() -> Leaf {
    Leaf::new(USAGES).uri("spiffe://cluster.local/ns/shop/sa/web".parse().unwrap())
}

fn service() -> Leaf {
    Leaf::new(USAGES).dns_name("web.shop.svc".parse().unwrap())
}

fn in_fact(pool: &CaPool, leaf: &Leaf) -> Refused {
    let issued = issued(pool, leaf, &any_key());
    let by = |verify: fn(&CaPool, &ca_pool::IssuedCertificate, Question<'_>) -> Result<(), String>| {
        verify(pool, &issued, Question::Client).is_err()
    };
    Refused {
        webpki: by(webpki::verify),
        go: by(go::verify),
        openssl: by(openssl::verify_leniently),
        strict: by(openssl::verify),
    }
}

fn findings(pool: &CaPool, examples: &[Leaf]) -> Vec<String> {
    let findings = pool.findings(&pool.fitness(examples), Timestamp::now());
    findings.iter().map(Finding::to_string).collect()
}

fn as_told(findings: &[String]) -> Refused {
    let says = |text: &str| findings.iter().any(|finding| finding.contains(text));
    let openssl = says("OpenSSL (nginx, PostgreSQL, Python)");
    Refused {
        webpki: says("rustls (webpki) refuses"),
        go: says("Go's verifier"),
        openssl,
        strict: openssl || says("openssl -x509_strict"),
    }
}

/// Holds facts, findings and expectation against each other.
fn check(case: &str, pool: &CaPool, leaf: &Leaf, expected: Refused, words: &[&str]) {
    assert_eq!(in_fact(pool, leaf), expected, "{case}: in fact");
    let told = findings(pool, std::slice::from_ref(leaf));
    if told.concat().contains("the API server can't use") {
        // then it reaches no verifier
        assert!(expected.go && told.len() == 1, "{case}: told {told:#?}");
    } else {
        assert_eq!(as_told(&told), expected, "{case}: told {told:#?}");
    }
    assert_eq!(expected == NOBODY, told.is_empty(), "{case}: {told:#?}");
    for word in words {
        assert!(told.concat().contains(word), "{case}: {word}: {told:#?}");
    }
}

fn sound_with(extensions: &str) -> String {
    format!("{SOUND}{extensions}")
}

#[test]
fn roots() {
    let organisation = "nameConstraints=critical,permitted;dirName:ndn\n[ndn]\nO=Example";
    for (case, extensions, leaf, expected, words) in [
        ("sound", SOUND.to_owned(), service(), NOBODY, &[][..]),
        ("sound, URI", SOUND.to_owned(), spiffe(), NOBODY, &[]),
        ("dns", sound_with("nameConstraints=critical,permitted;DNS:svc"), service(), NOBODY, &[]),
        ("dns for URIs", sound_with("nameConstraints=critical,permitted;DNS:svc"), spiffe(), NOBODY, &[]),
        ("ip", sound_with("nameConstraints=critical,excluded;IP:10.0.0.0/255.0.0.0"), service(), NOBODY, &[]),
        ("email", sound_with("nameConstraints=critical,permitted;email:example.com"), spiffe(), NOBODY, &[]),
        (
            "URI",
            sound_with("nameConstraints=critical,permitted;URI:cluster.local"),
            spiffe(),
            WEBPKI,
            &[
                "NameConstraintViolation",
                "certificate 1 (CN=root)",
                "name constraints on URIs",
                "URI names (such as spiffe://",
            ],
        ),
        (
            "URI excluded",
            sound_with("nameConstraints=excluded;URI:other.test"),
            spiffe(),
            WEBPKI,
            &["on URIs"],
        ),
        (
            "URI for DNS",
            sound_with("nameConstraints=critical,permitted;URI:cluster.local"),
            service(),
            NOBODY,
            &[],
        ),
        (
            "directory",
            sound_with(organisation),
            service(),
            both(WEBPKI, GO),
            &["on directory names (subjects)"],
        ),
        ("directory for URIs", sound_with(organisation), spiffe(), both(WEBPKI, GO), &["2.5.29.30"]),
        (
            "directory, not critical",
            sound_with(&organisation.replace("critical,", "")),
            spiffe(),
            WEBPKI,
            &["on directory names (subjects)"],
        ),
        (
            "RID",
            sound_with("nameConstraints=critical,excluded;RID:1.2.3.4"),
            spiffe(),
            GO,
            &["nameConstraints"],
        ),
        ("unknown", sound_with("1.2.3.4=critical,DER:05:00"), service(), both(GO, OPENSSL), &["1.2.3.4"]),
        ("unknown, not critical", sound_with("1.2.3.4=DER:05:00"), service(), NOBODY, &[]),
        ("policies", sound_with("certificatePolicies=critical,2.5.29.32.0"), service(), NOBODY, &[]),
        (
            "any EKU",
            sound_with("extendedKeyUsage=anyExtendedKeyUsage"),
            service(),
            OPENSSL,
            &["of servers and clients below"],
        ),
        (
            "any EKU, and TLS",
            sound_with("extendedKeyUsage=anyExtendedKeyUsage,clientAuth,serverAuth"),
            service(),
            NOBODY,
            &[],
        ),
        ("path length", SOUND.replace("CA:TRUE", "CA:TRUE,pathlen:0"), service(), NOBODY, &[]),
        ("lists", sound_with("crlDistributionPoints=critical,URI:http://a.test/"), service(), NOBODY, &[]),
        ("names", sound_with("subjectAltName=critical,DNS:ca.test"), service(), NOBODY, &[]),
        (
            "other names",
            sound_with("subjectAltName=critical,otherName:1.2.3.4;UTF8:ca"),
            service(),
            GO,
            &["subjectAltName (2.5.29.17) with"],
        ),
        (
            "SKI critical",
            SOUND.replace("Identifier=", "Identifier=critical,"),
            service(),
            both(GO, OPENSSL),
            &[],
        ),
        (
            "AIA critical",
            sound_with("authorityInfoAccess=critical,OCSP;URI:http://a.test/"),
            service(),
            both(GO, OPENSSL),
            &["the API server can't use", "must not be"],
        ),
        ("Netscape", sound_with("nsCertType=critical,sslCA"), service(), GO, &["2.16.840.1.113730.1.1"]),
        (
            "mask",
            sound_with("nameConstraints=critical,permitted;IP:10.0.0.0/255.0.255.0"),
            service(),
            GO,
            &["10.0.0.0"],
        ),
        ("BC", SOUND.replace("critical,CA", "CA"), service(), STRICT, &["basicConstraints aren't critical"]),
        (
            "no SKI",
            SOUND.replace("Identifier=hash", "Identifier=none"),
            service(),
            STRICT,
            &["no subjectKeyIdentifier"],
        ),
        (
            "terraform",
            "basicConstraints=CA:TRUE\nsubjectKeyIdentifier=none".to_owned(),
            service(),
            STRICT,
            &[
                "Python from 3.13",
                "no keyUsage",
                "aren't critical",
                "no subjectKeyIdentifier",
                "certificate 1 (CN=root)",
            ],
        ),
    ] {
        let workshop = Workshop::new();
        workshop.root("root", "root", "/CN=root", &extensions);
        check(case, &workshop.pool("root", "root"), &leaf, expected, words);
    }
}

#[test]
fn intermediates() {
    let below = |extensions: &str| format!("{SOUND_BELOW}{extensions}");
    for (case, extensions, expected, words) in [
        ("sound", below(""), NOBODY, &[][..]),
        (
            "policies",
            below("certificatePolicies=critical,2.5.29.32.0"),
            WEBPKI,
            &["UnsupportedCriticalExtension", "certificatePolicies"],
        ),
        (
            "policy constraints",
            below("policyConstraints=critical,requireExplicitPolicy:10"),
            WEBPKI,
            &["policyConstraints"],
        ),
        (
            "inhibit",
            below("inhibitAnyPolicy=critical,0"),
            WEBPKI,
            &["certificate 1 (CN=int)", "inhibitAnyPolicy"],
        ),
        ("unknown", below("1.2.3.4=critical,DER:05:00"), both(WEBPKI, both(GO, OPENSSL)), &["1.2.3.4"]),
        (
            "URI",
            below("nameConstraints=critical,permitted;URI:cluster.local"),
            WEBPKI,
            &["certificate 1 (CN=int)"],
        ),
        (
            "any EKU",
            below("extendedKeyUsage=anyExtendedKeyUsage"),
            both(WEBPKI, OPENSSL),
            &[
                "RequiredEkuNotFoundContext; certFile",
                "(CN=int) has the extendedKeyUsage anyExtendedKeyUsage",
            ],
        ),
        ("Netscape", below("nsCertType=critical,sslCA"), both(WEBPKI, GO), &["2.16.840.1.113730.1.1"]),
        ("lists", below("crlDistributionPoints=critical,URI:http://a.test/"), NOBODY, &[]),
        ("whole AKI", SOUND_BELOW.replace("=keyid", "=keyid,issuer:always"), NOBODY, &[]),
        (
            "no AKI",
            SOUND_BELOW.replace("authorityKeyIdentifier=keyid\n", "authorityKeyIdentifier=none\n"),
            STRICT,
            &["authorityKeyIdentifier"],
        ),
        (
            "no SKI",
            SOUND_BELOW.replace("subjectKeyIdentifier=hash", "subjectKeyIdentifier=none"),
            STRICT,
            &[],
        ),
        (
            "no KU",
            SOUND_BELOW.replace("keyUsage=critical,keyCertSign,cRLSign\n", ""),
            STRICT,
            &["no keyUsage"],
        ),
        (
            "AKI critical",
            SOUND_BELOW.replace("authorityKeyIdentifier=", "authorityKeyIdentifier=critical,"),
            both(WEBPKI, both(GO, OPENSSL)),
            &[],
        ),
    ] {
        let workshop = Workshop::new();
        workshop.root("root", "root", "/CN=root", SOUND);
        workshop.below("int", "root", &extensions);
        check(case, &workshop.pool("int", "root"), &spiffe(), expected, words);
    }
}

#[test]
fn a_root_that_was_renewed_with_another_identifier_or_number_loses_its_intermediates() {
    for (case, renewed, below, word) in [
        ("identifier", SOUND.replace("=hash", "=aa:bb"), "authorityKeyIdentifier=keyid", "key identifier"),
        ("number", SOUND.to_owned(), "authorityKeyIdentifier=issuer:always", "serial number"),
    ] {
        let workshop = Workshop::new();
        workshop.root("old", "old", "/CN=root", SOUND);
        workshop.below(
            "int",
            "old",
            &format!("{}{below}", SOUND_BELOW.replace("authorityKeyIdentifier=keyid\n", "")),
        );
        workshop.root("new", "old", "/CN=root", &renewed);
        check(case, &workshop.pool("int", "new"), &service(), OPENSSL, &[word, "OpenSSL"]);
    }
}

#[test]
fn an_intermediate_that_names_another_issuer_of_its_issuer_is_told() {
    let workshop = Workshop::new();
    workshop.root("root", "root", "/CN=root", SOUND);
    // authorityCertIssuer: CN=other; authorityCertSerialNumber: that of the root, which is asked later
    let named = "2.5.29.35=DER:30:14:a1:12:a4:10:30:0e:31:0c:30:0a:06:03:55:04:03:0c:03:61:62:63";
    let below = SOUND_BELOW.replace("authorityKeyIdentifier=keyid\n", "") + named;
    workshop.below("int", "root", &below);
    let words = &["authorityCertIssuer", "OpenSSL"];
    check("issuer", &workshop.pool("int", "root"), &service(), OPENSSL, words);
}

#[test]
fn a_root_that_names_another_key_as_its_issuer_is_no_anchor_for_openssl() {
    let workshop = Workshop::new();
    let identifiers = SOUND.replace("=hash", "=aa:bb") + "2.5.29.35=DER:30:04:80:02:cc:dd";
    workshop.root("root", "root", "/CN=root", &identifiers);
    check("own", &workshop.pool("root", "root"), &service(), OPENSSL, &["isn't its own"]);
}

#[test]
fn openssl_alone_goes_by_the_key_identifier_of_a_root_that_was_renewed_with_its_key() {
    let workshop = Workshop::new();
    workshop.root("old", "old", "/CN=root", &SOUND.replace("=hash", "=aa:bb"));
    workshop.root("new", "old", "/CN=root", SOUND);
    let (old, new) = (workshop.pool_of("old", "old"), workshop.pool_of("new", "old"));
    let issued = issued(&new, &service(), &any_key());
    let by = |anchors: &CaPool| {
        let verifiers = [webpki::verify, go::verify, openssl::verify_leniently];
        verifiers.map(|verify| verify(anchors, &issued, Question::Client).is_ok())
    };
    assert_eq!(
        (by(&old), by(&new)),
        ([true, true, false], [true; 3]),
        "so the new one waits until it is published"
    );
}

#[test]
fn two_anchors_of_one_name_are_told_apart_by_key_identifiers_alone() {
    let without =
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=none\n";
    let same = SOUND.replace("=hash", "=aa:bb");
    for (case, extensions, subjects, is_confusable) in [
        ("none", without, ["/CN=mesh-ca", "/CN=mesh-ca"], true),
        ("the same", &same, ["/CN=mesh-ca", "/CN=mesh-ca"], true),
        ("different", SOUND, ["/CN=mesh-ca", "/CN=mesh-ca"], false),
        ("other names", without, ["/CN=mesh-ca", "/CN=mesh-cb"], false),
    ] {
        let workshop = Workshop::new();
        let authority = |name: &str, subject: &str| -> CertificateAuthority {
            workshop.root(name, name, subject, extensions);
            workshop.pool(name, name).into_authorities().remove(0).with_id(name)
        };
        let (a, b) = (authority("a", subjects[0]), authority("b", subjects[1]));
        let pool = CaPool::new(vec![a, b]).unwrap();
        let reversed = CaPool::new(vec![
            workshop.pool("b", "b").into_authorities().remove(0).with_id("b"),
            workshop.pool("a", "a").into_authorities().remove(0).with_id("a"),
        ])
        .unwrap();
        // the leaf of the one that stands first, among anchors in the order of either pool
        let issued = issued(&pool, &service(), &any_key());
        let answers = [&pool, &reversed]
            .map(|anchors| openssl::verify_leniently(anchors, &issued, Question::Client).is_err());
        assert_eq!(answers, [false, is_confusable], "{case}");
        for (verifier, verify) in
            [("webpki", webpki::verify as fn(&_, &_, Question<'_>) -> _), ("go", go::verify)]
        {
            assert_eq!(verify(&reversed, &issued, Question::Client), Ok(()), "{case}: {verifier}");
        }
        let told = findings(&pool, &[service()]).join("\n");
        assert_eq!(told.contains("no key identifiers that tell them apart"), is_confusable, "{case}: {told}");
        let names_both = pool.roots().iter().all(|root| told.contains(&root.fingerprint()));
        assert_eq!(names_both, is_confusable, "{case}: {told}");
    }
}

#[test]
fn a_signer_of_which_nothing_is_known_hears_of_kinds_of_names_that_are_refused_whatever_they_are() {
    let workshop = Workshop::new();
    workshop.root(
        "uri",
        "uri",
        "/CN=uri",
        &sound_with("nameConstraints=critical,permitted;URI:cluster.local"),
    );
    let told = findings(&workshop.pool("uri", "uri"), &[]).join("\n");
    assert!(told.contains("refuses certificates with URI names") && !told.contains("DNS names"), "{told}");
    workshop.root(
        "dns",
        "dns",
        "/CN=dns",
        &sound_with("nameConstraints=critical,permitted;DNS:corp.example.com"),
    );
    workshop.root("eku", "eku", "/CN=eku", &sound_with("extendedKeyUsage=clientAuth"));
    for name in ["dns", "eku"] {
        assert_eq!(
            findings(&workshop.pool(name, name), &[]),
            [""; 0],
            "what it is for is the operator's business"
        );
    }
    let example = leaf(ExtendedKeyUsage::ServerAuth);
    let told = findings(&workshop.pool("eku", "eku"), &[example]).join("\n");
    assert!(told.contains("can sign nothing that this signer issues"), "{told}");
    let any = Leaf::server().dns_name(ANY_LABEL.parse().unwrap());
    let told = findings(&workshop.pool("dns", "dns"), &[any]).join("\n");
    assert!(told.contains("can't sign all that this signer issues"), "{told}");
}
