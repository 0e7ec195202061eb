use super::*;

fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["metrics.example.test".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn a_chain_and_its_key_are_read() {
    let (cert, key) = pair();
    let both = format!("{cert}{}", pair().0);
    assert_eq!(certified(both.as_bytes(), key.as_bytes()).unwrap().cert.len(), 2);
}

#[test]
fn what_is_wrong_with_files_is_said_without_their_content() {
    let ((cert, key), (_, other)) = (pair(), pair());
    for (cert, key, expected) in [
        (cert.as_str(), other.as_str(), "don't belong together"),
        (&cert, &cert, "no unencrypted PRIVATE KEY"),
        (&cert, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key"),
        ("-----BEGIN CERTIFICATE-----\n", &key, "certificate, line"),
        (&key, &key, "has no CERTIFICATE"),
    ] {
        let Err(problem) = certified(cert.as_bytes(), key.as_bytes()) else { panic!("{expected}") };
        assert!(problem.contains(expected) && !problem.contains("AAAA"), "{expected}: {problem}");
    }
    assert!(read(Path::new("/nowhere/tls.crt")).unwrap_err().starts_with("/nowhere/tls.crt can't be read"));
}
