//! A trust bundle: what pods trust.

use test_cluster::Certificate;

use super::{
    super::verdict::{Row, Verdict},
    field, heading, moment,
};
use crate::{error::Error, terminal::Style};

/// The trust bundle that verifies a row's certificate; empty for a request that was denied.
///
/// # Errors
/// [`Error::Cluster`] if it holds something else than certificates.
pub(in super::super) fn trust_bundle(row: &Row, style: &Style) -> Result<String, Error> {
    let Verdict::Issued(verified) = &row.verdict else { return Ok(String::new()) };
    let bundle = &verified.bundle;
    let mut out = heading(style, &format!("ClusterTrustBundle {}", bundle.name));
    out += &field(style, "signer name", &bundle.signer_name);
    for (key, value) in &bundle.labels {
        out += &field(style, "label", &format!("{key}: {value}"));
    }
    for anchor in Certificate::all(&bundle.anchors_pem)? {
        out += &field(style, "trust anchor", &anchor.subject());
        out +=
            &field(style, "", &format!("{}, until {}", anchor.public_key_type(), moment(anchor.not_after())));
        out += &field(style, "", &format!("SHA-256 {}", anchor.fingerprint()));
    }
    Ok(out)
}
