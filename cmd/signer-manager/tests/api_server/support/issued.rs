//! What every issued certificate must be, whoever signed it.

use serde_json::Value;
use signer_pod_identity::PodIdentity;
use test_cluster::{Certificate, Error, IssuedStatus, Scope, SentRequest, TrustBundle, verify::Chain};

use super::SOON;

/// An issued certificate, and what it is verified with.
pub(crate) struct Issued {
    pub(crate) status: IssuedStatus,
    pub(crate) chain: Chain,
    pub(crate) bundle: TrustBundle,
}

/// The answer to a request, after the questions that are asked of every leaf.
pub(crate) async fn issued(scope: &Scope, request: &SentRequest) -> Result<Issued, Error> {
    let status = request.outcome(SOON).await?.issued()?;
    let object = request.read().await?;
    let signer_name = object["spec"]["signerName"].as_str().unwrap_or_default();
    let bundle = scope
        .cluster()
        .trust_bundle(signer_name, SOON, |bundle| is_anchor(bundle, &status.chain_pem))
        .await?;
    let chain = Chain::new(&status.chain_pem, &bundle.anchors_pem)?;
    check_status(&object["status"], &chain);
    check_chain(&chain, &bundle);
    check_leaf(chain.leaf(), request);
    check_times(&status, chain.leaf());
    Ok(Issued { status, chain, bundle })
}

/// Whether a bundle holds what is above a chain; a CA that has just been changed is published a moment later.
fn is_anchor(bundle: &TrustBundle, chain_pem: &str) -> bool {
    let (anchors, chain) =
        (Certificate::all(&bundle.anchors_pem).unwrap(), Certificate::all(chain_pem).unwrap());
    anchors.iter().any(|anchor| anchor.subject_der() == chain[chain.len() - 1].issuer_der())
}

impl Issued {
    pub(crate) fn leaf(&self) -> &Certificate {
        self.chain.leaf()
    }

    pub(crate) fn lifetime_seconds(&self) -> i64 {
        self.status.not_after.duration_since(self.status.not_before).as_secs()
    }

    /// How long before the end the refresh begins.
    pub(crate) fn refresh_before_end_seconds(&self) -> i64 {
        self.status.not_after.duration_since(self.status.begin_refresh_at).as_secs()
    }

    /// Makes sure that it lives so long, and is refreshed so long before its end, or earlier by up to a tenth.
    pub(crate) fn assert_times(&self, lifetime_seconds: i64, refresh_before_end_seconds: i64) {
        assert_eq!(self.lifetime_seconds(), lifetime_seconds);
        let earlier = self.refresh_before_end_seconds() - refresh_before_end_seconds;
        assert!((0..=lifetime_seconds / 10).contains(&earlier), "{earlier}");
    }

    /// How long before its condition's time the certificate begins.
    pub(crate) async fn backdated_seconds(&self, request: &SentRequest) -> Result<i64, Error> {
        let object = request.read().await?;
        let written: jiff::Timestamp = object["status"]["conditions"][0]["lastTransitionTime"]
            .as_str()
            .unwrap_or_default()
            .parse()
            .unwrap();
        Ok(written.duration_since(self.status.not_before).as_secs())
    }
}

fn check_status(status: &Value, chain: &Chain) {
    let fields: Vec<_> = status.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["beginRefreshAt", "certificateChain", "conditions", "notAfter", "notBefore"]);
    let condition = &status["conditions"][0];
    assert_eq!((&condition["type"], &condition["reason"]), (&"Issued".into(), &"Issued".into()));
    let (message, serial) = (condition["message"].as_str().unwrap(), chain.leaf().serial());
    let serial = serial.strip_prefix("00").unwrap_or(&serial);
    assert!(message.contains(&format!("serial number {serial}")), "{serial}: {message}");
}

/// Leaf, then what is between it and the root, without the root; the issuer named byte for byte.
fn check_chain(chain: &Chain, bundle: &TrustBundle) {
    let anchors = Certificate::all(&bundle.anchors_pem).unwrap();
    let mut below = chain.leaf();
    for above in chain.intermediates() {
        assert!(
            above.is_ca() && anchors.iter().all(|anchor| anchor.der() != above.der()),
            "a root in the chain"
        );
        assert_eq!(below.issuer_der(), above.subject_der());
        assert_eq!(below.authority_key_identifier(), above.subject_key_identifier());
        below = above;
    }
    let root = anchors
        .iter()
        .find(|anchor| anchor.subject_der() == below.issuer_der())
        .expect("an anchor above the chain");
    assert!(root.is_ca() && root.issuer_der() == root.subject_der(), "an anchor that is not a root");
    assert_eq!(below.authority_key_identifier(), root.subject_key_identifier());
}

fn check_leaf(leaf: &Certificate, request: &SentRequest) {
    assert_eq!(leaf.public_key_der(), request.key.public_key_der());
    assert!(!leaf.is_ca());
    let usages = leaf.key_usages();
    let is_rsa = leaf.public_key_type().starts_with("RSA");
    assert!(
        usages.contains(&"digitalSignature") && usages.contains(&"keyEncipherment") == is_rsa,
        "{usages:?}"
    );
    assert!(!usages.contains(&"keyCertSign") && !usages.contains(&"cRLSign"), "{usages:?}");

    let serial = serial_octets(leaf);
    assert!(
        serial[0] < 0x80 && serial.iter().any(|byte| *byte != 0),
        "a serial number is positive: {serial:?}"
    );
    assert!((12..=17).contains(&serial.len()), "128 random bits: {serial:?}");

    // RFC 5280 §4.2.1.6: critical if the subject is empty
    let is_anonymous = leaf.subject().is_empty();
    let mut extensions = leaf.extensions();
    extensions.sort();
    let mut expected = vec![
        ("2.5.29.14", false),        // subject key identifier
        ("2.5.29.15", true),         // key usage
        ("2.5.29.17", is_anonymous), // subject alternative name
        ("2.5.29.19", true),         // basic constraints
        ("2.5.29.35", false),        // authority key identifier
        ("2.5.29.37", false),        // extended key usage
    ];
    let is_private = |(oid, _): &(String, bool)| oid.starts_with("1.3.6.1.4.1.");
    let own = extensions.iter().position(is_private).map(|own| extensions.remove(own));
    if leaf.alternative_name_count() == 0 {
        // a leaf without names says in an extension whose it is
        assert!(!is_anonymous || own == Some((PodIdentity::OID.to_owned(), false)), "{own:?}");
        expected.remove(2);
    }
    assert_eq!(
        extensions,
        expected.iter().map(|(oid, critical)| ((*oid).to_owned(), *critical)).collect::<Vec<_>>()
    );
    assert!(leaf.subject_key_identifier().is_some_and(|identifier| !identifier.is_empty()));
}

/// The content of the INTEGER that follows the version, sign octet included.
fn serial_octets(leaf: &Certificate) -> &[u8] {
    const VERSION_3_THEN_INTEGER: [u8; 6] = [0xa0, 3, 2, 1, 2, 2];
    let der = leaf.der().as_ref();
    let at = der
        .windows(6)
        .position(|window| window == VERSION_3_THEN_INTEGER)
        .expect("a certificate of version 3");
    let (length, content) = der[at + 6..].split_first().unwrap();
    &content[..usize::from(*length)]
}

/// The status says what the leaf says, and the refresh lies 10 minutes inside both ends.
fn check_times(status: &IssuedStatus, leaf: &Certificate) {
    assert_eq!((status.not_before, status.not_after), (leaf.not_before(), leaf.not_after()));
    assert!(status.begin_refresh_at.duration_since(status.not_before).as_secs() >= 600);
    assert!(status.not_after.duration_since(status.begin_refresh_at).as_secs() >= 600);
}
