use std::collections::BTreeMap;

use signer_core::cluster::Services;

use super::*;

const CONFIG: &str = "
signers:
- name: example.com/a
  kind: spiffe
  trustDomain: example.com
  caPool: {file: /run/pool}
";

async fn of(signer: &str, key_type: &str, seconds: u64) -> Verdict {
    let config = Config::parse(CONFIG, "signers.yaml").unwrap();
    let pod = serde_json::json!({
        "metadata": {"name": "web-0", "namespace": "shop", "uid": "u"},
        "spec": {"serviceAccountName": "web", "nodeName": "node-1"},
    });
    let pod: Pod = api_client::object::read_object(&serde_json::to_vec(&pod).unwrap()).unwrap();
    let source = CertificateSource {
        signer_name: signer.to_owned(),
        key_type: key_type.to_owned(),
        max_expiration: Duration::from_secs(seconds),
        user_annotations: BTreeMap::new(),
    };
    let mut previewer = Previewer::new("2026-11-27T12:00:00Z".parse().unwrap()).unwrap();
    Verdict::of(
        &mut previewer,
        &config,
        &pod,
        &source,
        Surroundings { services: &Services::default(), namespace: None },
    )
    .await
}

#[tokio::test]
async fn what_would_be_issued_has_its_names_and_times() {
    let issued = of("example.com/a", "ED25519", 7200).await;
    let previewed = issued.certificate.clone().unwrap();
    assert_eq!(previewed.certificate.uris, ["spiffe://example.com/ns/shop/sa/web"]);
    assert_eq!((previewed.lifetime_seconds, previewed.refresh_after_seconds), (7200, 3600));
    assert_eq!(
        (previewed.certificate.serial, previewed.certificate.issuer),
        (None, None),
        "another one would have these"
    );
    assert!(issued.shown(Look::PLAIN).contains("2h, refreshed after 1h at the latest"));
}

#[tokio::test]
async fn what_the_api_server_refuses_and_what_nobody_answers_is_said() {
    for (signer, key_type, seconds, outcome, expected) in [
        ("example.com/a", "RSA1024", 3600, VerdictOutcome::Invalid, "keyType \"RSA1024\" is not a key type"),
        (
            "example.com/a",
            "ED25519",
            3599,
            VerdictOutcome::Invalid,
            "maxExpirationSeconds is not within 3600 and 7862400",
        ),
        ("example.com/b", "ED25519", 3600, VerdictOutcome::NoSigner, "it has example.com/a"),
    ] {
        let verdict = of(signer, key_type, seconds).await;
        assert_eq!(verdict.outcome, outcome);
        assert!(verdict.message.contains(expected), "{}", verdict.message);
        assert!(!verdict.is_issued());
    }
}

#[tokio::test]
async fn no_text_of_a_manifest_acts_in_a_terminal() {
    let verdict = of("example.com/\u{1b}[2Ja", "\u{1b}[31m", 3600).await;
    assert!(!verdict.shown(Look::PLAIN).contains('\u{1b}'), "{verdict:?}");
}
