//! One certificate, field by field.

use test_cluster::Certificate;

use super::{
    super::verdict::{Row, Verdict, Verified},
    brief, field, heading, moment,
};
use crate::terminal::Style;

/// An issued certificate in full, with its PEM; empty for a request that was denied.
pub(in super::super) fn certificate(row: &Row, style: &Style) -> String {
    let Verdict::Issued(verified) = &row.verdict else { return String::new() };
    let leaf = verified.chain.leaf();
    let mut out = heading(style, &format!("The certificate of {} from {}", row.pod, row.signer_name));
    for (label, value) in fields(leaf).into_iter().chain(times(verified)) {
        out += &field(style, &label, &value);
    }
    out += &field(style, "verified by", &verified.by.join(", "));
    for line in leaf.pem().lines() {
        out += &format!("  {}\n", style.dim(line));
    }
    out
}

fn fields(leaf: &Certificate) -> Vec<(String, String)> {
    let critical = |label: &str, oid: &str| {
        let is = leaf.extensions().iter().any(|(extension, critical)| extension == oid && *critical);
        if is { format!("{label} (critical)") } else { label.to_owned() }
    };
    let or_none = |text: String| if text.is_empty() { "(empty)".into() } else { text };
    let plain = |label: &str, value: String| (label.to_owned(), value);
    vec![
        plain("serial number", leaf.serial()),
        plain("issuer", leaf.issuer()),
        plain("subject", or_none(leaf.subject())),
        plain("public key", leaf.public_key_type()),
        (critical("alternative names", "2.5.29.17"), names(leaf).join(", ")),
        (critical("key usage", "2.5.29.15"), leaf.key_usages().join(", ")),
        (critical("extended key usage", "2.5.29.37"), leaf.extended_key_usages().join(", ")),
        (critical("basic constraints", "2.5.29.19"), format!("CA: {}", leaf.is_ca())),
        plain("subject key identifier", or_none(leaf.subject_key_identifier().unwrap_or_default())),
        plain("authority key identifier", or_none(leaf.authority_key_identifier().unwrap_or_default())),
        plain("signature", leaf.signature_algorithm()),
        plain("fingerprint (SHA-256)", leaf.fingerprint()),
    ]
}

fn times(verified: &Verified) -> [(String, String); 3] {
    let status = &verified.status;
    let lifetime = brief(status.not_after.duration_since(status.not_before));
    [
        ("not before".into(), moment(status.not_before)),
        ("not after".into(), format!("{}, {lifetime} later", moment(status.not_after))),
        ("kubelet refreshes from".into(), moment(status.begin_refresh_at)),
    ]
}

fn names(leaf: &Certificate) -> Vec<String> {
    let dns = leaf.dns_names().into_iter().map(|name| format!("DNS:{name}"));
    let uris = leaf.uris().into_iter().map(|uri| format!("URI:{uri}"));
    let ips = leaf.ip_addresses().into_iter().map(|ip| format!("IP:{ip}"));
    dns.chain(uris).chain(ips).collect()
}
