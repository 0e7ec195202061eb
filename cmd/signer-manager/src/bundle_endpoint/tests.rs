use super::*;
use crate::cli::Command;

fn endpoint(arguments: &[&str], signers: &str) -> Result<Option<BundleEndpoint>, String> {
    let config = Config::parse(&format!("signers: [{signers}]"), "signers.yaml").unwrap();
    let arguments = [&["signer-manager", "--config", "a"], arguments].concat();
    let Command::Run(run) = Command::from_arguments(arguments).map_err(|error| error.to_string())? else {
        panic!("must run")
    };
    run.bundle_endpoint_options().endpoint(&config).map_err(|error| error.to_string())
}

const SPIFFE: &str = "{name: example.com/a, kind: spiffe, trustDomain: own.example, caPool: {file: /a}}";
const BIND: [&str; 2] = ["--bundle-endpoint", ":8444"];
const ID: [&str; 2] = ["--bundle-endpoint-spiffe-id", "spiffe://own.example/bundle-endpoint"];

#[test]
fn its_certificate_is_of_files_or_of_its_own_signer() {
    assert!(endpoint(&[], SPIFFE).unwrap().is_none());
    let files = ["--bundle-endpoint-cert-file", "/c", "--bundle-endpoint-key-file", "/k"];
    let of_files = endpoint(&[&BIND[..], &files].concat(), SPIFFE).unwrap().unwrap();
    assert!(matches!(of_files.certificate, ServingCertificate::Files { .. }));
    assert_eq!(of_files.trust_domains.keys().collect::<Vec<_>>(), ["own.example"]);
    let issued = endpoint(&[BIND, ID].concat(), SPIFFE).unwrap().unwrap();
    let ServingCertificate::Issued { signer, leaf } = issued.certificate else { panic!("issued") };
    assert_eq!(
        (signer.as_str(), leaf.uris[0].as_str()),
        ("example.com/a", "spiffe://own.example/bundle-endpoint")
    );
}

#[test]
fn what_cannot_be_is_refused_with_what_to_change() {
    let with = |id: &'static str| [&BIND[..], &["--bundle-endpoint-spiffe-id", id]].concat();
    let automatic = |propagation: &str| {
        format!(
            "{{name: example.com/a, kind: spiffe, trustDomain: own.example, caPool: {{secret: {{namespace: a, name: b}}, rotation: automatic, \
             propagation: {propagation}}}}}"
        )
    };
    let dns = "{name: example.com/b, kind: service-dns, caPool: {file: /b}}";
    let two = format!(
        "{SPIFFE}, {{name: example.com/c, kind: spiffe, trustDomain: own.example, caPool: {{file: /c}}}}"
    );
    for (arguments, signers, expected) in [
        (BIND.to_vec(), SPIFFE.to_owned(), "needs a certificate"),
        (ID.to_vec(), SPIFFE.to_owned(), "--bundle-endpoint <ADDRESS>"),
        ([BIND, ID].concat(), dns.to_owned(), "the configuration has none"),
        ([BIND, ID].concat(), two, "is the trust domain of two signers"),
        (with("spiffe://other.example/a"), SPIFFE.to_owned(), "no spiffe signer of its trust domain"),
        (with("spiffe://own.example/ns/a/sa/b"), SPIFFE.to_owned(), "take a path of another form"),
        (with("https://own.example/a"), SPIFFE.to_owned(), "--bundle-endpoint-spiffe-id"),
        ([BIND, ID].concat(), automatic("20m"), "set propagation"),
    ] {
        let problem = endpoint(&arguments, &signers).unwrap_err();
        assert!(problem.contains(expected), "{arguments:?}: {problem}");
    }
    assert!(endpoint(&[BIND, ID].concat(), &automatic("1h")).unwrap().is_some());
}
