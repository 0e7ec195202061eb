//! Holds each outcome against what the demo promises, and has every chain judged by others' verifiers.

use std::time::Duration;

use test_cluster::{
    BoundPod, CertificateSource, Cluster, IssuedStatus, Outcome, SentRequest, TrustBundle,
    verify::{Chain, Purpose},
};

use super::cast::Expected;
use crate::error::Error;

/// One request with what became of it.
#[derive(Debug)]
pub(super) struct Row {
    /// `namespace/name` of the pod.
    pub(super) pod: String,
    /// `namespace/name` of the PodCertificateRequest.
    pub(super) request: String,
    pub(super) signer_name: String,
    pub(super) key_type: &'static str,
    pub(super) verdict: Verdict,
}

#[derive(Debug)]
pub(super) enum Verdict {
    Issued(Box<Verified>),
    Denied { reason: String, message: String },
}

/// An issued certificate that the verifiers accept for its purpose, and refuse for others.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) status: IssuedStatus,
    pub(super) chain: Chain,
    pub(super) bundle: TrustBundle,
    /// The names of the verifiers.
    pub(super) by: Vec<&'static str>,
}

/// A trust bundle is published when the first certificate is issued, or a moment later.
const SOON: Duration = Duration::from_secs(120);

/// # Errors
/// [`Error::Unmet`] if the outcome is another than expected, or a verifier disagrees.
pub(super) async fn judge(
    cluster: &Cluster,
    pod: &BoundPod,
    source: &CertificateSource,
    request: &SentRequest,
    expected: &Expected,
    outcome: Outcome,
) -> Result<Row, Error> {
    let pod = format!("{}/{}", pod.namespace, pod.name);
    let (dns, uris, client) = names(expected);
    let verdict = match (expected, outcome) {
        (Expected::Denied { reason }, Outcome::Denied { reason: given, message }) if *reason == given => {
            Verdict::Denied { reason: given, message }
        }
        (Expected::Server { .. } | Expected::Peer { .. }, Outcome::Issued(status)) => {
            let bundle = cluster.trust_bundle(&source.signer_name, SOON, |_| true).await?;
            let chain = Chain::new(&status.chain_pem, &bundle.anchors_pem)?;
            has_exactly(&pod, &chain, request, dns, uris)?;
            let by = verify(&pod, &chain, dns, client)?;
            Verdict::Issued(Box::new(Verified { status, chain, bundle, by }))
        }
        (expected, outcome) => {
            let signer = &source.signer_name;
            return Err(Error::Unmet(format!(
                "{pod} was to get {expected:?} of {signer}, and got {outcome:?}"
            )));
        }
    };
    let request = format!("{}/{}", request.namespace, request.name);
    Ok(Row {
        pod,
        request,
        signer_name: source.signer_name.clone(),
        key_type: source.key_type.name(),
        verdict,
    })
}

/// Which DNS names and URIs the certificate is to have, and whether it is for clients too.
fn names(expected: &Expected) -> (&[String], &[String], bool) {
    match expected {
        Expected::Server { dns } => (dns, &[], false),
        Expected::Peer { dns, uris } => (dns, uris, true),
        Expected::Denied { .. } => (&[], &[], false),
    }
}

/// The requested key, the expected names, and no other.
fn has_exactly(
    pod: &str,
    chain: &Chain,
    request: &SentRequest,
    dns: &[String],
    uris: &[String],
) -> Result<(), Error> {
    let leaf = chain.leaf();
    if leaf.public_key_der() != request.key.public_key_der() {
        return Err(Error::Unmet(format!(
            "the certificate of {pod} carries another key than the one it asked for"
        )));
    }
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    let as_expected = sorted(&leaf.dns_names()) == sorted(dns) && sorted(&leaf.uris()) == sorted(uris);
    if as_expected && leaf.alternative_name_count() == dns.len() + uris.len() {
        return Ok(());
    }
    let (has, also) = (leaf.dns_names(), leaf.uris());
    Err(Error::Unmet(format!(
        "the certificate of {pod} was to have {dns:?} {uris:?}, and has {has:?} {also:?}"
    )))
}

/// Accepted for each of its names and purposes; refused for a name that it doesn't have, and for a client if
/// it is none.
fn verify(pod: &str, chain: &Chain, dns: &[String], client: bool) -> Result<Vec<&'static str>, Error> {
    let refused = |refusal| Error::Unmet(format!("the certificate of {pod}: {refusal}"));
    let by = chain.verify(Purpose::Server).map_err(refused)?;
    for name in dns {
        chain.verify(Purpose::ServerNamed(name)).map_err(refused)?;
    }
    let accepted = |purpose| Error::Unmet(format!("the certificate of {pod} is accepted for {purpose:?}"));
    let foreign = Purpose::ServerNamed("foreign.example.com");
    match (chain.verify(Purpose::Client), client) {
        (Err(refusal), true) => return Err(refused(refusal)),
        (Ok(_), false) => return Err(accepted(Purpose::Client)),
        _ => {}
    }
    if chain.verify(foreign).is_ok() {
        return Err(accepted(foreign));
    }
    Ok(by)
}
